// sim/topology/yaml_source.hpp - the text of a YAML file: its lines, and places in it by character.
//
// Internal to yaml_tree.cpp. Marks and columns are yaml-cpp's: lines from 0, columns in bytes from 0.
#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/topology/loader.hpp"

namespace sim::topology {

// What mark.h of yaml-cpp has: a line and a column in bytes, both from 0.
struct yaml_mark {
    int line = 0;
    int column = 0;
};

class yaml_source {
  public:
    yaml_source(std::string_view text, std::string file);
    std::string_view line(std::size_t index) const;  // from 0
    position place(std::size_t line_index, std::size_t byte) const;
    position place(yaml_mark mark) const;
    position place_of_offset(std::size_t offset) const;
    // Of the "-" (or the like) before `mark`, after which nothing stands.
    position place_before(yaml_mark mark) const;
    // Where the value that `mark` begins has its first character, after an anchor and a tag.
    std::size_t content_offset(yaml_mark mark) const;
    // Whether the quotes that open at `mark`, if any do, are closed somewhere.
    bool quotes_close(yaml_mark mark) const;
    // Whether a literal block (`|`) begins at `mark`.
    bool is_literal_block(yaml_mark mark) const;

  private:
    struct count {
        std::size_t line = 0, byte = 0, characters = 0;
    };
    std::size_t offset_of(yaml_mark mark) const;
    std::string_view text_;
    std::string file_;
    std::vector<std::size_t> starts_;
    mutable count counted_;  // characters up to the last place that was asked for
};

// Bytes that no topology has: what is not UTF-8 (RFC 3629), control characters. yaml-cpp takes some of them for the end
// of the file.
std::optional<problem> find_bad_byte(std::string_view text, const yaml_source& from);
// What yaml-cpp's error message means to someone who writes a topology, and what to do.
std::string explain_yaml_error(std::string_view message);

}  // namespace sim::topology
