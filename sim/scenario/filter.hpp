// sim/scenario/filter.hpp - the content filters of a topology: what pipe(8) runs for `filters:`.
//
// A pure function of the message and the rules. pipe(8) gives it argv `filter-NAME sender recipients...` and the
// message on standard input; on `accept` its caller hands `text` back with `sendmail -G -oi -f sender -- recipients`.
// Exit statuses are those of sysexits(3), as pipe(8) reads them.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "sim/scenario/pattern.hpp"
#include "sim/topology/model.hpp"

namespace sim::scenario {

struct filter_outcome {
    topology::filter_action action = topology::filter_action::accept;
    int exit_status = 0;  // 0, 69 (EX_UNAVAILABLE: reject) or 75 (EX_TEMPFAIL)
    std::string text;     // accept: the message to hand back; reject, tempfail: what is printed, with its newline
};

class content_filter {
  public:
    explicit content_filter(const topology::filter& rules);

    // The first rule whose pattern is found in the message decides; none: accept. A pattern too costly for this message
    // is a tempfail that says so.
    filter_outcome apply(std::string_view message) const;
    const std::string& name() const { return name_; }

  private:
    struct rule {
        topology::filter_rule as_written;
        pattern match;
    };
    std::string name_;
    std::string header_, footer_;
    std::vector<rule> rules_;
};

// The patterns of a filter that cannot be compiled, with the place of their rule.
struct filter_problem {
    topology::position at;
    std::string text;
};
std::vector<filter_problem> check_filter(const topology::filter& rules);

}  // namespace sim::scenario
