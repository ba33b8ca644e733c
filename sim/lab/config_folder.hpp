// sim/lab/config_folder.hpp - the files of a folder that stands for a host's /etc/postfix.
//
// Whatever a configuration names under /etc/postfix is looked for in the folder, and nowhere else: no path, no `..` and
// no symbolic link leads to a file of the machine that the lab runs on. /etc/aliases and /etc/mailname, which
// live beside /etc/postfix, are those of the folder, or those beside it when it stands in a folder `etc`. Files are
// bounded; a file that cannot be read is one that is not there.
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace sim::lab {

class config_folder {
  public:
    explicit config_folder(std::string path);

    const std::string& path() const { return path_; }
    // Where the file that a configuration calls `name` is to be found; nothing for a name outside of the folder.
    std::optional<std::string> place_of(std::string_view name) const;
    std::optional<std::string> read(std::string_view name) const;

  private:
    bool holds(const std::string& file) const;

    std::string path_;  // without slashes at its end
    std::string home_;  // "/etc/postfix-out" of a folder that is called so
};

}  // namespace sim::lab
