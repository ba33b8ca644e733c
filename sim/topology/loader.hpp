// sim/topology/loader.hpp - reads a topology or scenario file, strictly, into model.hpp's values.
//
// Nothing is guessed: every mistake of a file is a problem with its place, what is wrong and what to do; up to
// `most_problems` of them at once, by place. The text is hostile: its size, depth, aliases and includes are bounded.
// Nothing throws but std::bad_alloc.
#pragma once
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/topology/model.hpp"

namespace sim::topology {

inline constexpr std::size_t largest_file = std::size_t{1} << 20;  // bytes
inline constexpr std::size_t most_problems = 20;

// A note is nothing to mend: what is good to know, said where a file is checked and not where it is played.
enum class severity { error, warning, note };

struct problem {
    position at;
    severity level = severity::error;
    std::string text;
};
// "file:line:column: text", with "warning: " before the text of a warning.
std::string to_string(const problem& p);

// A mistake within a text of several lines, by its line and column there (from 1; 0 when unknown).
struct text_problem {
    int line = 0;
    int column = 0;
    severity level = severity::error;
    std::string text;
};

struct file_content {
    std::string bytes;
    std::string error;  // why it cannot be read; empty when it can
};
// At most `limit` bytes of a file, or one more when there are more.
file_content read_file(const std::string& path, std::size_t limit);
// What keeps `path` from being a folder with a main.cf, and what to do, or "".
std::string folder_fault(const std::string& path);

// What other rooms know better, and the way to files. An empty hook checks nothing.
struct load_hooks {
    // Asked once the whole file is read: what a zone lacks may be there because of a machine.
    std::function<std::vector<text_problem>(const topology& whole, std::string_view zone, std::string_view text)>
        check_zone;
    // A warning for a main.cf parameter that Postfix does not know, or nothing.
    std::function<std::optional<std::string>(std::string_view parameter)> check_parameter;
    // Why a regular expression cannot be compiled, or nothing: PCRE2's, and those of content filters (Python's).
    std::function<std::optional<std::string>(std::string_view pattern)> check_pattern;
    std::function<std::optional<std::string>(std::string_view pattern)> check_filter_pattern;
    std::function<file_content(const std::string& path, std::size_t limit)> read = read_file;
    std::function<std::string(const std::string& path)> folder = folder_fault;
};

struct load_result {
    std::optional<topology> value;  // none when any problem is an error
    std::vector<problem> problems;  // by place, at most `most_problems`, errors before warnings when there are more
    std::size_t left_out = 0;       // how many more there are
    bool ok() const { return value.has_value(); }
};

load_result load(const std::string& path, const load_hooks& hooks = {});
// As `load`, with the text at hand; `name` is what positions show, and what includes are relative to.
load_result load_text(std::string_view text, const std::string& name, const load_hooks& hooks = {});

// A commented topology to start from; it loads and runs as it stands. `name` is a file's name.
std::string new_topology(std::string_view name);

// The format, generated from the loader's own tables.
std::string json_schema();
std::string markdown_reference();

}  // namespace sim::topology
