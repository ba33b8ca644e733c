// What the right-hand side of an access table, or a policy service, asks for (access(5)).
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "mta/address/smtp_command.hpp"
#include "mta/smtpd/access_evaluation.hpp"
#include "mta/text/strings.hpp"

namespace mta::smtpd {
namespace {

constexpr int deepest_table = 100;

enum class action : std::uint8_t {
    dunno,
    reject,
    defer,
    warn,
    info,
    filter,
    hold,
    discard,
    redirect,
    bcc,
    defer_if_permit,
    defer_if_reject,
    prepend,
    ok,
    hang_up
};

bool all_digits(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), text::is_digit);
}

}  // namespace

struct evaluation::action_row {
    std::string_view name;
    action what;
};

namespace {

constexpr std::string_view log_names[] = {"", "", "", "warn", "info", "filter", "hold", "discard", "redirect", "bcc"};

}  // namespace

// Effects on a message need one: not at ETRN, and not before MAIL when restrictions are not put off.
bool evaluation::can_take_effect(std::string_view name, std::string_view spec, bool by_cleanup) const {
    if (by_cleanup && settings_.uses_proxy) {
        warn(fmt::format("access table {}: with smtpd_proxy_filter specified, action {} is unavailable", spec, name));
        return false;
    }
    if (by_cleanup && stage_name_ == "ETRN") {
        warn(fmt::format("access table {}: action {} is unavailable in smtpd_etrn_restrictions", spec, name));
        return false;
    }
    if (!sender_) {
        warn(
            fmt::format("access table {}: with smtpd_delay_reject=no, action {} is always skipped in "
                        "Client host or Helo command restrictions",
                        spec, name));
        return false;
    }
    return true;
}

// An address status that does not fit what the reply is about is mended, and the log says so.
std::string evaluation::fitted(const std::string& status, reply_class about) {
    std::string fitting = fitting_status(status, about);
    if (fitting != status) {
        const std::string text =
            fmt::format("mapping DSN status {} into {} status {}", status, name_of(about), fitting);
        mail_.log(by_, {}, maillog::remark{maillog::level::info, text});
    }
    return fitting;
}

verdict evaluation::take_effect(const action_row& row, std::string_view spec, std::string_view text,
                                std::string_view datum, const subject& about) {
    const bool prepends = row.what == action::prepend;
    if (!can_take_effect(row.name, spec, !prepends)) return verdict::dunno;
    message_effects& effects = memory_.effects;
    const auto bad = [&](std::string_view what) {
        warn(fmt::format("access table {} entry \"{}\" {}", spec, datum, what));
        return verdict::dunno;
    };
    const auto tell = [&](std::string what) {
        said_.status = log_names[static_cast<std::size_t>(row.what)];
        said_.text = fmt::format("<{}>: {} {}", about.name, name_of(about.about), what);
        log_whatsup(said_.status, said_.text);
    };
    const auto triggers = [&] { return fmt::format("triggers {} {}", row.name, text); };
    switch (row.what) {
        case action::filter:
            if (text.empty()) return bad("has FILTER entry without value");
            if (text.find(':') == std::string_view::npos) return bad("requires transport:destination");
            tell(triggers());
            effects.filter = text;
            break;
        case action::hold:
            if (effects.hold) break;
            tell(text.empty() ? "triggers HOLD action" : std::string(text));
            effects.hold = true;
            break;
        case action::discard:
            tell(text.empty() ? "triggers DISCARD action" : std::string(text));
            effects.discard = true;
            return permitted(row.name, about.about, about.name, fmt::format("from {}", spec));
        case action::redirect:
        case action::bcc:
            if (text.find('@') == std::string_view::npos) return bad("requires user@domain target");
            tell(triggers());
            if (row.what == action::bcc) {
                effects.bcc.emplace_back(text);
            } else {
                effects.redirect = text;
            }
            break;
        case action::prepend:
            if (stage_name_ == "END-OF-MESSAGE") {
                warn(fmt::format("access table {}: action PREPEND must be used before smtpd_end_of_data_restrictions",
                                 spec));
                break;
            }
            if (!address::looks_like_header(text)) return bad("requires header: text");
            effects.prepend.emplace_back(text);
            said_.status = "prepend";
            break;
        default:
            break;
    }
    return verdict::dunno;
}

verdict evaluation::take_action(const action_row& row, std::string_view spec, std::string_view text,
                                std::string_view datum, const subject& about) {
    const auto told = [&](std::string_view status) { return split_status(text, status); };
    const auto words = [&](const status_and_text& given, std::string_view otherwise) {
        return fmt::format("<{}>: {} rejected: {}", about.name, name_of(about.about),
                           given.text.empty() ? otherwise : std::string_view(given.text));
    };
    constexpr std::string_view denied = "Access denied", unavailable = "Service unavailable";
    switch (row.what) {
        case action::dunno:
            return verdict::dunno;
        case action::ok:
            return permitted(row.name, about.about, about.name, fmt::format("from {}", spec));
        case action::reject: {
            const status_and_text given = told("5.7.1");
            return refuse(refusal_cause::policy, settings_.access_map_reject_code, fitted(given.status, about.about),
                          words(given, denied));
        }
        case action::defer: {
            const status_and_text given = told("4.7.1");
            return refuse(refusal_cause::policy, settings_.access_map_defer_code, fitted(given.status, about.about),
                          words(given, denied));
        }
        case action::defer_if_permit: {
            const status_and_text given = told("4.7.1");
            return maybe(tempfail::defer_if_permit, settings_.access_map_defer_code, fitted(given.status, about.about),
                         words(given, unavailable));
        }
        case action::defer_if_reject: {
            const status_and_text given = told("4.7.1");
            defer_later_if_reject(settings_.access_map_defer_code, fitted(given.status, about.about),
                                  words(given, unavailable));
            return verdict::dunno;
        }
        case action::warn:
        case action::info:
            said_.status = log_names[static_cast<std::size_t>(row.what)];
            said_.text = text;
            log_whatsup(said_.status, text);
            return verdict::dunno;
        case action::hang_up:
            log_whatsup("hangup", text);
            hangs_up_ = true;
            return verdict::reject;
        default:
            return take_effect(row, spec, text, datum, about);
    }
}

task<verdict> evaluation::act(std::string_view spec, std::string value, std::string datum, const subject& about) {
    static constexpr action_row rows[] = {{"DUNNO", action::dunno},
                                          {"REJECT", action::reject},
                                          {"DEFER", action::defer},
                                          {"HANGUP", action::hang_up},
                                          {"WARN", action::warn},
                                          {"FILTER", action::filter},
                                          {"HOLD", action::hold},
                                          {"DISCARD", action::discard},
                                          {"REDIRECT", action::redirect},
                                          {"BCC", action::bcc},
                                          {"DEFER_IF_PERMIT", action::defer_if_permit},
                                          {"DEFER_IF_REJECT", action::defer_if_reject},
                                          {"PREPEND", action::prepend},
                                          {"INFO", action::info}};
    const std::size_t word_end = std::min(value.find_first_of(" \t"), value.size());
    const std::string_view word = std::string_view(value).substr(0, word_end);
    std::string_view text = std::string_view(value).substr(word_end);
    while (!text.empty() && text::is_space(text.front())) text.remove_prefix(1);
    for (const action_row& each : rows) {
        if (text::equal_ignoring_case(each.name, word)) co_return take_action(each, spec, text, datum, about);
    }
    // All digits are a time stamp of whatever else uses the table: fine.
    const bool permits =
        all_digits(value) || text::equal_ignoring_case(word, "OK") || text::equal_ignoring_case(word, "RELAY");
    if (permits) co_return permitted(word, about.about, about.name, fmt::format("from {}", spec));
    if (word.size() == 3 && !text.empty() && (word[0] == '4' || word[0] == '5') && all_digits(word)) {
        const status_and_text given = split_status(text, word[0] == '4' ? "4.7.1" : "5.7.1");
        co_return refuse(
            refusal_cause::policy, static_cast<int>(text::to_number(word).value_or(0)),
            fitted(given.status, about.about),
            fmt::format("<{}>: {} rejected: {}", about.name, name_of(about.about),
                        given.text.empty() ? std::string_view("Access denied") : std::string_view(given.text)));
    }
    if (value.find(':') != std::string::npos) {
        warn(fmt::format("access table {} has entry with lookup table: {}", spec, value));
        warn("do not specify lookup tables inside SMTPD access maps");
        warn("define a restriction class and specify its name instead.");
        co_return configuration_error();
    }
    if (depth_ > deepest_table) {
        warn(fmt::format("access table {} entry {} causes unreasonable recursion", spec, value));
        co_return configuration_error();
    }
    std::vector<std::string> words;
    for (const std::string_view each : text::split_quoting_braces(value, text::comma_or_space))
        words.emplace_back(each);
    if (words.empty()) {
        warn(fmt::format("access table {} entry {} has empty value", spec, value));
        co_return verdict::permit;
    }
    const list_frame frame{spec, words, about};
    const verdict got = co_await run(frame);
    co_return got;
}

}  // namespace mta::smtpd
