#include "mta/cleanup/checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "mta/cleanup/header_options.hpp"
#include "mta/text/strings.hpp"

namespace mta::cleanup {
namespace {

constexpr const char* default_reason = "5.7.1 message content rejected";

struct row {
    std::string_view name;
    check_action action;
    check (*read)(std::string_view text, check_place place, std::string_view table);  // null: no more to it
};

check read_reject(std::string_view text, check_place, std::string_view) {
    check result{check_action::reject, text.empty() ? default_reason : with_status("5.7.1", text), {}};
    if (result.text[0] != '4' && result.text[0] != '5') {
        result.warning = fmt::format("bad DSN action in {} -- need 4.x.x or 5.x.x", result.text);
        // Postfix makes the class soft and leaves the detail alone.
        result.text[0] = '4';
    }
    return result;
}

check read_filter(std::string_view text, check_place, std::string_view table) {
    if (text.empty()) return {check_action::none, {}, fmt::format("missing FILTER command argument in {} map", table)};
    if (text.find(':') == std::string_view::npos) {
        return {check_action::none,
                {},
                fmt::format("bad FILTER command {} in {} -- need transport:destination", text, table)};
    }
    return {check_action::filter, std::string(text), {}};
}

check read_new_text(check_action action, const char* name, std::string_view text, check_place place,
                    std::string_view table) {
    if (text.empty()) return {check_action::none, {}, fmt::format("{} action without text in {} map", name, table)};
    if (place == check_place::header && header_name_length(text) == 0) {
        return {
            check_action::none,
            {},
            fmt::format("bad {} header text \"{}\" in {} map -- need \"headername: headervalue\"", name, text, table)};
    }
    return {action, std::string(text), {}};
}
check read_prepend(std::string_view text, check_place place, std::string_view table) {
    return read_new_text(check_action::prepend, "PREPEND", text, place, table);
}
check read_replace(std::string_view text, check_place place, std::string_view table) {
    return read_new_text(check_action::replace, "REPLACE", text, place, table);
}

check read_redirect(std::string_view text, check_place, std::string_view table) {
    if (text.find('@') != std::string_view::npos) return {check_action::redirect, std::string(text), {}};
    return {
        check_action::none, {}, fmt::format("bad REDIRECT target \"{}\" in {} map -- need user@domain", text, table)};
}
check read_bcc(std::string_view text, check_place, std::string_view table) {
    if (text.find('@') != std::string_view::npos) return {check_action::bcc, std::string(text), {}};
    return {check_action::none, {}, fmt::format("bad BCC address \"{}\" in {} map -- need user@domain", text, table)};
}

constexpr row rows[] = {
    {"REJECT", check_action::reject, read_reject},
    {"WARN", check_action::warn, nullptr},
    {"INFO", check_action::info, nullptr},
    {"FILTER", check_action::filter, read_filter},
    {"PASS", check_action::pass, nullptr},
    {"DISCARD", check_action::discard, nullptr},
    {"HOLD", check_action::hold, nullptr},
    {"PREPEND", check_action::prepend, read_prepend},
    {"REPLACE", check_action::replace, read_replace},
    {"REDIRECT", check_action::redirect, read_redirect},
    {"BCC", check_action::bcc, read_bcc},
    {"STRIP", check_action::strip, nullptr},
    {"IGNORE", check_action::ignore, nullptr},
    {"DUNNO", check_action::none, nullptr},
    {"OK", check_action::none, nullptr},
};

}  // namespace

check parse_client_check(std::string_view entry, check_place place, std::string_view table) {
    constexpr check_action supported[] = {check_action::none,    check_action::warn,    check_action::info,
                                          check_action::prepend, check_action::replace, check_action::strip,
                                          check_action::ignore};
    const std::string_view name = entry.substr(0, std::min(entry.find_first_of(" \t"), entry.size()));
    const auto known = std::find_if(std::begin(rows), std::end(rows),
                                    [&](const row& each) { return text::equal_ignoring_case(each.name, name); });
    if (known == std::end(rows) ||
        std::find(std::begin(supported), std::end(supported), known->action) == std::end(supported))
        return {check_action::none, {}, fmt::format("unsupported command in {} map: {}", table, entry)};
    return parse_check(entry, place, table);
}

check parse_check(std::string_view entry, check_place place, std::string_view table) {
    const std::string_view name = entry.substr(0, std::min(entry.find_first_of(" \t"), entry.size()));
    const std::string_view rest = entry.substr(name.size());
    const auto begin = std::find_if_not(rest.begin(), rest.end(), text::is_space);
    const std::string_view argument = rest.substr(static_cast<std::size_t>(begin - rest.begin()));
    const auto known = std::find_if(std::begin(rows), std::end(rows),
                                    [&](const row& each) { return text::equal_ignoring_case(each.name, name); });
    if (known == std::end(rows))
        return {check_action::none, {}, fmt::format("unknown command in {} map: {}", table, entry)};
    if (known->read) return known->read(argument, place, table);
    return {known->action, std::string(argument), {}};
}

std::string_view name_of(check_place place) {
    constexpr std::string_view names[] = {"header", "body", "content"};
    return names[static_cast<std::size_t>(place)];
}

std::string_view name_of(check_action action) {
    constexpr std::string_view names[] = {"",     "reject",  "warning", "info",     "filter", "pass",  "discard",
                                          "hold", "prepend", "replace", "redirect", "bcc",    "strip", ""};
    return names[static_cast<std::size_t>(action)];
}

// D.D{1,3}.D{1,3} and then white space or the end (dsn_valid(3)).
std::string take_status(std::string_view& text) {
    std::size_t at = 1;
    if (text.size() < 5 || (text[0] != '2' && text[0] != '4' && text[0] != '5')) return {};
    for (int part = 0; part < 2; ++part) {
        if (at >= text.size() || text[at] != '.') return {};
        const std::size_t begin = ++at;
        while (at < text.size() && text::is_digit(text[at]) && at - begin < 3) ++at;
        if (at == begin) return {};
    }
    if (at < text.size() && !text::is_space(text[at])) return {};
    std::string status(text.substr(0, at));
    while (at < text.size() && text::is_space(text[at])) ++at;
    text.remove_prefix(at);
    return status;
}

std::string with_status(std::string_view dsn, std::string_view text) {
    std::string_view rest = text;
    return take_status(rest).empty() ? fmt::format("{} {}", dsn, text) : std::string(text);
}

}  // namespace mta::cleanup
