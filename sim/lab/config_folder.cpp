#include "sim/lab/config_folder.hpp"

#include <algorithm>
#include <array>
#include <filesystem>

#include "mta/text/strings.hpp"
#include "sim/lab/machine.hpp"
#include "sim/topology/loader.hpp"

namespace sim::lab {
namespace {

namespace fs = std::filesystem;

// They live beside /etc/postfix.
constexpr std::array<std::string_view, 2> neighbours = {"/etc/aliases", "/etc/mailname"};
constexpr std::size_t largest_table = std::size_t{64} << 20;  // bytes

bool climbs(std::string_view inside) {
    for (const auto part : mta::text::split(inside, "/")) {
        if (part == "..") return true;
    }
    return false;
}

bool exists(const std::string& file) {
    std::error_code error;
    return fs::is_regular_file(file, error);
}

}  // namespace

config_folder::config_folder(std::string path) : path_(std::move(path)) {
    while (path_.size() > 1 && path_.back() == '/') path_.pop_back();
    // Of several instances each has its own folder, and its tables name that (postmulti(1)).
    const std::string name = fs::path(path_).filename().string();
    home_ = name.starts_with("postfix-") ? "/etc/" + name : std::string(files_directory);
}

std::optional<std::string> config_folder::place_of(std::string_view name) const {
    if (climbs(name)) return std::nullopt;
    if (std::find(neighbours.begin(), neighbours.end(), name) != neighbours.end()) {
        const fs::path parent = fs::path(path_).parent_path(), file = fs::path(name).filename();
        std::string inside = path_ + "/" + file.string(), beside = (parent / file).string();
        return !exists(inside) && parent.filename() == "etc" && exists(beside) ? beside : inside;
    }
    for (const std::string_view home : {std::string_view(files_directory), std::string_view(home_)}) {
        if (name.starts_with(home) && name.size() > home.size() && name[home.size()] == '/')
            return path_ + std::string(name.substr(home.size()));
    }
    return std::nullopt;
}

// Symbolic links are followed only to where they stay below the folder (or are the aliases beside it).
bool config_folder::holds(const std::string& file) const {
    std::error_code error;
    const fs::path real = fs::canonical(file, error);
    if (error) return false;
    const fs::path home = fs::canonical(path_, error);
    if (error) return false;
    if (home.parent_path().filename() == "etc" && real.parent_path() == home.parent_path()) return true;
    const fs::path inside = real.lexically_relative(home);
    return !inside.empty() && *inside.begin() != "..";
}

std::optional<std::string> config_folder::read(std::string_view name) const {
    const auto file = place_of(name);
    if (!file || !holds(*file)) return std::nullopt;
    std::error_code unknown;
    const auto size = fs::file_size(*file, unknown);
    if (unknown || size > largest_table) return std::nullopt;
    topology::file_content content = topology::read_file(*file, static_cast<std::size_t>(size));
    if (!content.error.empty()) return std::nullopt;
    return std::move(content.bytes);
}

}  // namespace sim::lab
