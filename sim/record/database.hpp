// sim/record/database.hpp - the record of a run in SQLite: what each host did, and how messages went from host to host.
//
// Rows are derived from maillog entries as they come, in order of virtual time, and are numbered in that order, so that
// two runs with one seed give one `.dump`. docs/reference/record.md describes every table. Writing happens in
// transactions of some thousand rows; commit() ends one early, so that other programs see it. What cannot be written
// throws record_error.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "mta/maillog/event.hpp"
#include "mta/text/dates.hpp"
#include "sim/record/record_error.hpp"

struct sqlite3;

namespace sim::record {

// Of the tables and views; in schema_version, and in the file as PRAGMA user_version.
inline constexpr int schema_version = 1;

// How much is written. `traces`: what follows messages from host to host, without the tables events, log and commands,
// which are three rows in four.
enum class detail : std::uint8_t { everything, traces };

class database {
  public:
    // Keeps the record in memory alone.
    explicit database(detail kept = detail::everything);
    // A new file; one that relaylab wrote before is replaced, any other file is refused.
    static database create(const std::string& path);
    // A file of an earlier run, to read.
    static database open(const std::string& path);

    database(database&&) noexcept;
    database& operator=(database&&) noexcept;
    // Commits what it can; call close() to learn of a failure.
    ~database();

    // Names a host before it speaks, so that relay addresses are known for its own. `address` may be "".
    void add_host(std::string_view name, std::string_view address, const mta::text::time_zone& zone = {});
    // An entry of `host`'s log; a host not named before is added. `line` is the rendered line without its newline, for
    // who has it already (maillog::add); rendered here otherwise.
    void add(std::string_view host, const mta::maillog::entry& entry);
    void add(std::string_view host, const mta::maillog::entry& entry, std::string_view line);

    void commit();
    void close();

    // For queries; what add() wrote is visible through it at once.
    sqlite3* handle() const;
    const std::string& path() const;  // ":memory:" when there is none

  private:
    struct implementation;
    explicit database(std::unique_ptr<implementation> self);
    std::unique_ptr<implementation> self_;
};

}  // namespace sim::record
