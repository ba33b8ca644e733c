// mta/table/registry.hpp - one table in memory for all hosts whose spec, options and file contents are the same.
//
// A hundred hosts with the same relay table keep it once. Tables whose answers depend on more than text (randmap:,
// environ:, stand-ins) are never shared. Entries live as long as some host holds the table.
#pragma once
#include <array>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mta/table/open.hpp"

namespace mta::table {

class registry {
  public:
    // As table::open; the diagnostics are given to each host that opens the table.
    opened open(std::string_view spec, const environment& environment, const open_options& wanted = {});

    std::size_t live_tables() const;  // how many distinct tables some host still holds

  private:
    struct dependency {
        std::string path;
        bool present;
        std::array<unsigned char, 32> digest;  // SHA-256 of the contents
    };
    struct entry {
        std::vector<dependency> files;
        std::weak_ptr<const table> value;
        std::vector<diagnostic> diagnostics;
    };

    std::map<std::pair<std::string, open_options>, std::vector<entry>> entries_;
};

}  // namespace mta::table
