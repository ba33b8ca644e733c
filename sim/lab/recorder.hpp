// sim/lab/recorder.hpp - everything that a lab keeps of what happened: maillogs, the database, the conservation of
// mail.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "sim/record/database.hpp"
#include "sim/record/maillog.hpp"
#include "sim/scenario/invariant.hpp"

namespace sim::lab {

class recorder {
  public:
    struct options {
        record::maillog::printer on_line;  // each line as it is logged
        bool database = true;              // costs most
        std::string database_path;         // "" keeps it in memory
        record::detail kept_in_memory = record::detail::everything;
        bool conservation = true;
        options() = default;
    };
    explicit recorder(options choice);

    // `utf8`: its smtputf8_enable, without which its log is ASCII.
    void add_host(std::string_view name, const std::string& address, const std::vector<std::string>& interfaces,
                  bool utf8);
    // The line as rendered, "" for what the maillog does not show.
    std::string_view add(std::string_view host, const mta::maillog::entry& entry);

    // Conservation counts what an SMTP server promised, and expectations what it refused.
    bool wants_commands() const { return database_ || conservation_; }
    mta::time_point last_line() const { return last_line_; }
    std::uint64_t entries() const { return entries_; }  // so far
    const record::maillog* log_of(std::string_view host) const;
    record::database* database() { return database_.get(); }
    scenario::conservation* conservation() { return conservation_.get(); }

  private:
    options options_;
    std::map<std::string, record::maillog, std::less<>> logs_;
    std::unique_ptr<record::database> database_;
    std::unique_ptr<scenario::conservation> conservation_;
    mta::time_point last_line_{};
    std::uint64_t entries_ = 0;
};

}  // namespace sim::lab
