// mta/cleanup/checks.hpp - what a header_checks(5) or body_checks(5) entry asks for.
//
// Pure: an entry's text in, an action out. A bad entry is no action but a warning in Postfix's words.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace mta::cleanup {

enum class check_action : std::uint8_t {
    none,
    reject,
    warn,
    info,
    filter,
    pass,
    discard,
    hold,
    prepend,
    replace,
    redirect,
    bcc,
    strip,
    ignore
};
// In what the entry matched.
enum class check_place : std::uint8_t { header, body, content };

struct check {
    check_action action = check_action::none;
    std::string text;     // what follows the action; of a reject the reason, "5.7.1 message content rejected"
    std::string warning;  // "missing FILTER command argument in header_checks map"
};

// `table` is the parameter that names the table.
check parse_check(std::string_view entry, check_place place, std::string_view table);
// As the SMTP client reads an entry (header_body_checks(3)): what would stop or redirect a message comes too late
// there.
check parse_client_check(std::string_view entry, check_place place, std::string_view table);

std::string_view name_of(check_place place);
// As logged: "reject", "warning"; "" for what is not logged.
std::string_view name_of(check_action action);

// dsn_prepend(3): `text` with `dsn` in front, unless it begins with a status code of its own.
std::string with_status(std::string_view dsn, std::string_view text);
// dsn_split(3): the status code in front of `text`, or "" when there is none; `text` loses it.
std::string take_status(std::string_view& text);

}  // namespace mta::cleanup
