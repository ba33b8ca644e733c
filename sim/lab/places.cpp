#include "sim/lab/places.hpp"

#include <fmt/format.h>

#include "sim/lab/machine.hpp"
#include "sim/topology/loader.hpp"

namespace sim::lab {
namespace {

namespace config = mta::config;

config::source_reader files() {
    return [](std::string_view file) -> std::optional<std::string> {
        topology::file_content content = topology::read_file(std::string(file), topology::largest_file);
        if (!content.error.empty()) return std::nullopt;
        return std::move(content.bytes);
    };
}

std::string_view without(std::string_view path, std::string_view folder) {
    const bool inside = path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/';
    return inside ? path.substr(folder.size() + 1) : path;
}

}  // namespace

std::string places::shown(std::string_view file, std::size_t line) const {
    if (file.empty()) return {};
    std::string_view name = without(file, files_directory);
    if (!folder_.empty()) name = without(name, folder_);
    return line > 0 ? fmt::format("{}:{}", name, line) : std::string(name);
}

std::string places::of_parameter(std::string_view name) const {
    if (!values_.defines(name)) return {};
    const auto at = values_.where(name);
    return at.file ? shown(at.file_name(), at.line) : "default";
}

std::string places::of_entry(const mta::table::position& where) const {
    return shown(where.file, where.line);
}

std::string places::of_phrase(std::string_view name, std::string_view phrase, std::size_t which) {
    auto words = words_.find(name);
    if (words == words_.end())
        words = words_.emplace(std::string(name), config::placed_words(values_, name, files())).first;
    auto at = config::place_of_phrase(words->second, phrase, which);
    // A bare table in a list is the check of that list.
    const auto space = phrase.find(' ');
    if (!at && space != std::string_view::npos)
        at = config::place_of_phrase(words->second, phrase.substr(space + 1), which);
    return at && at->file ? shown(at->file_name(), at->line) : of_parameter(name);
}

}  // namespace sim::lab
