// tests/support/scratch_folder.hpp - a folder of this test's own, gone with it. Tests run side by side, in several
// checkouts at once: no name that a test could think of is its own.
#pragma once
#include <stdlib.h>

#include <cerrno>
#include <filesystem>
#include <string>
#include <system_error>

namespace tests {

class scratch_folder {
  public:
    // Throws std::system_error when the machine gives none.
    scratch_folder() {
        std::string name = (std::filesystem::temp_directory_path() / "relaylab-test-XXXXXX").string();
        if (mkdtemp(name.data()) == nullptr) throw std::system_error(errno, std::generic_category(), name);
        path_ = name;
    }
    scratch_folder(const scratch_folder&) = delete;
    scratch_folder& operator=(const scratch_folder&) = delete;
    ~scratch_folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    const std::filesystem::path& path() const { return path_; }
    std::string string() const { return path_.string(); }
    std::filesystem::path operator/(const std::filesystem::path& inside) const { return path_ / inside; }

  private:
    std::filesystem::path path_;
};

}  // namespace tests
