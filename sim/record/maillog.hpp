// sim/record/maillog.hpp - one host's mail log, as syslog keeps it, in memory.
//
// Every entry is rendered once, here; the run folder, the live printing and the database take that line. The text is
// cut off at nothing: a run that logs more than memory holds fails as any allocation does.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "mta/maillog/event.hpp"
#include "mta/text/dates.hpp"

namespace sim::record {

class maillog {
  public:
    // Called with each line, without its newline, as it is logged.
    using printer = std::function<void(std::string_view host, std::string_view line)>;

    // `host` is the full name; lines carry its first label. `utf8` is its smtputf8_enable.
    explicit maillog(std::string host, mta::text::time_zone zone = {}, bool utf8 = true);

    // The line, without its newline, or "" for an entry that Postfix does not log. The view holds until the next add().
    std::string_view add(const mta::maillog::entry& entry);
    void print_with(printer live) { live_ = std::move(live); }

    const std::string& host() const { return host_; }
    std::string text() const;
    // The lines, without their newlines, until `visit` says no.
    void each_line(const std::function<bool(std::string_view line)>& visit) const;
    std::uint64_t lines() const { return lines_; }
    void clear();

  private:
    void refresh_stamp(mta::time_point when);

    std::string host_;
    std::string machine_;  // " mail "
    mta::text::time_zone zone_;
    bool utf8_;
    std::vector<std::string> blocks_;  // of whole lines: a text of gigabytes is never copied to grow
    std::string stamp_;                // of `second_`: most lines share their second with the one before
    std::int64_t second_;
    std::uint64_t lines_ = 0;
    printer live_;
};

}  // namespace sim::record
