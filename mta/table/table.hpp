// mta/table/table.hpp - a lookup table: a key in, a value and its place in the source out (DATABASE_README).
//
// A table is an immutable value once open: it holds the text it was read from in a searchable form, keeps no file
// open and may be shared by any number of hosts. A lookup never throws. What Postfix would log while it looks a key up
// comes back with the result; the caller decides where it is logged.
#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace mta::table {

// Where an entry stands. `line` counts from 1; line 0 means that the table has no lines (static:, environ:, inline:).
struct position {
    std::string file;
    std::size_t line = 0;

    std::string text() const;  // "file:12", or "file" without a line
    friend bool operator==(const position&, const position&) = default;
};

enum class severity { warning, error, fatal };

// What Postfix (or postmap(1), for indexed tables) says about a table's text when it is opened, in its own words.
struct diagnostic {
    severity level = severity::warning;
    std::string text;
    position where;
    bool by_postmap = false;  // said when the table was indexed, and not by the daemons that open it

    friend bool operator==(const diagnostic&, const diagnostic&) = default;
};

enum class outcome { not_found, found, error };

struct lookup_result {
    outcome status = outcome::not_found;
    std::string value;                  // found: the right-hand side; error: the reason; else empty
    position where;                     // found: the entry that decided
    std::vector<std::string> warnings;  // what Postfix logs as "warning: ..." during this lookup, oldest first

    bool found() const { return status == outcome::found; }
    bool failed() const { return status == outcome::error; }

    static lookup_result hit(std::string value, position where) {
        return {outcome::found, std::move(value), std::move(where), {}};
    }
    static lookup_result miss() { return {}; }
    // An error whose reason Postfix also logs as a warning.
    static lookup_result error(std::string reason) { return {outcome::error, reason, {}, {reason}}; }
};

// Fixed tables match a whole key (DICT_FLAG_FIXED), pattern tables match rules against it (DICT_FLAG_PATTERN). Only
// fixed tables are asked for parts of an address or a domain.
enum class key_style { fixed, pattern };

class table {
  public:
    virtual ~table() = default;
    table(const table&) = delete;
    table& operator=(const table&) = delete;

    // Looks `key` up, folded to lower case first when this table folds (DICT_FLAG_FOLD_FIX for fixed tables; pattern
    // tables fold in the pattern, if at all). A table opened with `utf8` does not find a
    // key that is not UTF-8 and fails on such a value, both with a warning.
    lookup_result lookup(std::string_view key) const;

    const std::string& type() const { return type_; }
    const std::string& name() const { return name_; }
    std::string type_and_name() const { return type_ + ':' + name_; }
    key_style keys() const { return keys_; }
    bool folds_case() const { return folds_case_; }

  protected:
    table(std::string_view type, std::string_view name, key_style keys, bool folds_case, bool utf8)
        : type_(type), name_(name), keys_(keys), folds_case_(folds_case), utf8_(utf8) {}

  private:
    virtual lookup_result find(std::string_view key) const = 0;
    // The name that warnings use: an indexed table's is that of its database file.
    virtual std::string logged_name() const { return type_and_name(); }

    std::string type_;
    std::string name_;
    key_style keys_;
    bool folds_case_;
    bool utf8_;
};

using table_ptr = std::shared_ptr<const table>;

}  // namespace mta::table
