// sim/dns/zone_text.hpp - a zone's text as one piece for the scanner, and the way back from there to what was declared.
//
// What the lab adds stands before and after the declared text; carriage returns before a line's end go, and bytes
// beyond ASCII become \DDD, which the scanner wants and BIND does not. Positions are those of the declared text.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "sim/dns/zone.hpp"

namespace sim::dns {

class zone_text {
  public:
    zone_text() = default;
    explicit zone_text(const zone_source& source);  // keeps views into `source`

    std::string_view all() const { return all_; }  // ends with a newline

    struct position {
        unsigned line = 0;    // 0: not in the declared text
        unsigned column = 0;  // 0: not known
        std::string word;     // what stands there, up to the next white space
        bool at_end = false;  // nothing of the line is left
    };
    // Where the scanner stood: on its line `line` (from 1) with the last `rest` bytes of it unread.
    position locate(std::uint64_t line, std::size_t rest) const;
    unsigned declared_line(std::uint64_t line) const;  // 0: the lab's
    // The scanner's line as declared, or as the lab added it.
    std::string_view line(std::uint64_t line) const;

  private:
    void append(std::string_view lines);
    void append_origin(std::string_view line);

    std::string all_;
    std::string origin_;                   // that holds now, with its final dot
    std::vector<std::string_view> lines_;  // as given
    std::size_t declared_begin_ = 0;       // lines before the declared text
    std::size_t declared_end_ = 0;
};

}  // namespace sim::dns
