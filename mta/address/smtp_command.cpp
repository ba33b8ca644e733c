#include "mta/address/smtp_command.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "mta/address/host_name.hpp"
#include "mta/address/quote.hpp"
#include "mta/address/token.hpp"
#include "mta/text/strings.hpp"

namespace mta::address {
namespace {

struct verb_row {
    verb value;
    std::string_view name;
};
// In the order of `verb`; "UNKNOWN" is no command.
constexpr std::array verbs = {
    verb_row{verb::unknown, "UNKNOWN"},   verb_row{verb::helo, "HELO"}, verb_row{verb::ehlo, "EHLO"},
    verb_row{verb::starttls, "STARTTLS"}, verb_row{verb::auth, "AUTH"}, verb_row{verb::mail, "MAIL"},
    verb_row{verb::rcpt, "RCPT"},         verb_row{verb::data, "DATA"}, verb_row{verb::bdat, "BDAT"},
    verb_row{verb::rset, "RSET"},         verb_row{verb::noop, "NOOP"}, verb_row{verb::vrfy, "VRFY"},
    verb_row{verb::etrn, "ETRN"},         verb_row{verb::quit, "QUIT"}, verb_row{verb::xclient, "XCLIENT"},
    verb_row{verb::xforward, "XFORWARD"},
};

refusal refuse(std::string reply, refusal_class cause = refusal_class::protocol) {
    refusal made;
    made.reply = std::move(reply);
    made.cause = cause;
    return made;
}

bool is_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 128; });
}

bool all_digits(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), text::is_digit);
}

// From an opening '<' or '"' to its end. Brackets and quotes nest in brackets, nothing nests in quotes.
void take_quoted(std::string_view line, std::size_t& at, argument& into) {
    std::string wanted(1, line[at] == '<' ? '>' : '"');
    into.text += line[at++];
    while (at < line.size()) {
        const char c = line[at++];
        into.text += c;
        if (c == '\\') {
            if (at == line.size()) break;
            into.text += line[at++];
        } else if (c == wanted.back()) {
            wanted.pop_back();
            if (wanted.empty()) return;
        } else if (wanted.back() == '>' && (c == '<' || c == '"')) {
            wanted += c == '<' ? '>' : '"';
        }
    }
    into.unterminated = true;
}

argument take_argument(std::string_view line, std::size_t& at) {
    argument taken;
    while (at < line.size() && !text::is_space(line[at])) {
        const char c = line[at];
        if (c == '<' || c == '"') {
            take_quoted(line, at, taken);
            continue;
        }
        taken.text += c;
        ++at;
        if (c == '\\' && at < line.size()) taken.text += line[at++];
        // "FROM:" ends a word with or without a space after it.
        const bool ends = c == ':' && (text::equal_ignoring_case(taken.text, "to:") ||
                                       text::equal_ignoring_case(taken.text, "from:"));
        if (ends) break;
    }
    return taken;
}

std::string joined(const std::vector<argument>& arguments, std::size_t first, std::size_t last) {
    std::string text;
    for (std::size_t i = first; i < last; ++i) {
        if (i > first) text += ' ';
        text += arguments[i].text;
    }
    return text;
}

enum class empty_address : bool { refused, allowed };
enum class strictness : bool { sloppy, rfc821 };

struct address_demands {
    empty_address empty;
    strictness strict;
    bool smtputf8;
};

bool acceptable(const envelope_address& address, const address_demands& demands, const command_rules& rules) {
    const bool strict = demands.strict == strictness::rfc821;
    if (address.several || (strict && !address.only_address)) return false;
    const std::string& internal = address.internal;
    if (internal.empty()) return demands.empty == empty_address::allowed;
    if (strict && internal.front() == '@') return false;
    if (rules.resolvable && !rules.resolvable(internal)) return false;
    const std::optional<std::string> resolved = rules.resolve ? rules.resolve(internal) : internal;
    if (!resolved) return false;
    return demands.smtputf8 || is_ascii(split_at_domain(*resolved).domain.value_or(""));
}

// The address of MAIL, RCPT or VRFY in internal form, or `reply`.
parsed<std::string> take_address(const argument& sent, const address_demands& demands, const command_rules& rules,
                                 std::string_view reply) {
    envelope_address address = extract_envelope_address(sent.text);
    if (acceptable(address, demands, rules)) return std::move(address.internal);
    refusal refused = refuse(std::string(reply));
    refused.illegal_address = printable(sent.text, rules.smtputf8);
    return refused;
}

constexpr std::string_view bad_sender = "501 5.1.7 Bad sender address syntax";
constexpr std::string_view bad_recipient = "501 5.1.3 Bad recipient address syntax";
constexpr std::string_view no_dsn = "501 5.7.1 DSN support is disabled";

using outcome = std::optional<refusal>;

refusal unsupported(std::string_view option) {
    return refuse("555 5.5.4 Unsupported option: " + std::string(option));
}

outcome take_size(std::string_view value, mail_command& mail) {
    if (!all_digits(value)) return refuse("501 5.5.4 Bad message size syntax");
    const auto size = text::to_number(value);
    if (!size) return refuse("552 5.3.4 Message size exceeds file system imposed limit", refusal_class::policy);
    mail.size = *size;
    return std::nullopt;
}

outcome take_ret(std::string_view value, mail_command& mail, const command_rules& rules) {
    if (!rules.dsn) return refuse(std::string(no_dsn));
    const bool repeated = mail.ret != dsn_ret::unspecified;
    mail.ret = parse_ret(value);
    if (repeated || mail.ret == dsn_ret::unspecified) return refuse("501 5.5.4 Bad RET parameter syntax");
    return std::nullopt;
}

outcome take_envid(std::string_view value, mail_command& mail, const command_rules& rules) {
    if (!rules.dsn) return refuse(std::string(no_dsn));
    const auto decoded = xtext_decode(value);
    const bool good = mail.envid.empty() && decoded && !decoded->empty() && printable(*decoded, false) == *decoded;
    if (!good) return refuse("501 5.5.4 Bad ENVID parameter syntax");
    mail.envid = *decoded;
    return std::nullopt;
}

outcome take_auth(std::string_view value, mail_command& mail, const command_rules& rules) {
    if (rules.leftovers.auth || mail.auth) return refuse("503 5.5.4 Error: multiple AUTH= options");
    if (value != "<>") mail.auth = printable(value, rules.smtputf8);
    return std::nullopt;
}

outcome take_verp(std::string_view delimiters, mail_command& mail, const command_rules& rules) {
    mail.verp_delimiters = delimiters;
    const bool good =
        delimiters.size() == 2 && delimiters.find_first_not_of(rules.verp_delimiter_filter) == std::string_view::npos;
    if (good) return std::nullopt;
    return refuse("501 5.5.4 Error: XVERP needs two characters from " + rules.verp_delimiter_filter);
}

outcome take_mail_option(std::string_view option, mail_command& mail, const command_rules& rules) {
    const auto is = [option](std::string_view name) { return text::equal_ignoring_case(option, name); };
    const auto has = [option](std::string_view name) { return text::starts_with_ignoring_case(option, name); };
    const auto value = option.substr(std::min(option.find('=') + 1, option.size()));
    if (is("BODY=8BITMIME")) {
        mail.body = body_type::eight_bit_mime;
        return std::nullopt;
    }
    if (is("BODY=7BIT")) {
        mail.body = body_type::seven_bit;
        return std::nullopt;
    }
    if (has("SIZE=")) return take_size(value, mail);
    if (rules.smtputf8 && is("SMTPUTF8")) return std::nullopt;
    if (has("AUTH=")) return take_auth(value, mail, rules);
    if (rules.xverp_allowed && is("XVERP")) return take_verp(rules.default_verp_delimiters, mail, rules);
    if (rules.xverp_allowed && has("XVERP=")) return take_verp(value, mail, rules);
    if (has("RET=")) return take_ret(value, mail, rules);
    if (has("ENVID=")) return take_envid(value, mail, rules);
    return unsupported(option);
}

outcome take_notify(std::string_view value, rcpt_command& rcpt, const command_rules& rules) {
    if (!rules.dsn) return refuse(std::string(no_dsn));
    const bool repeated = rcpt.notify != 0;
    rcpt.notify = parse_notify(value);
    if (!repeated && rcpt.notify != 0) return std::nullopt;
    refusal refused{"501 5.5.4 Error: Bad NOTIFY parameter syntax"};
    for (const auto word : text::split(value, ",")) {
        if (parse_notify(word) != 0) continue;
        refused.warning = fmt::format("unknown DSN NOTIFY command value \"{}\" in \"{}\"", word, value);
        break;
    }
    return refused;
}

outcome take_orcpt(std::string_view value, rcpt_command& rcpt, const command_rules& rules) {
    if (!rules.dsn) return refuse(std::string(no_dsn));
    const auto semicolon = value.find(';');
    const auto type = value.substr(0, semicolon);
    if (rcpt.orcpt_type.empty() && !type.empty() && semicolon != std::string_view::npos) {
        const auto coded = value.substr(semicolon + 1);
        auto decoded = text::equal_ignoring_case(type, "utf-8") ? uxtext_decode(coded) : xtext_decode(coded);
        if (decoded) {
            rcpt.orcpt_type = type;
            rcpt.orcpt_address = std::move(*decoded);
            return std::nullopt;
        }
    }
    return refuse("501 5.5.4 Error: Bad ORCPT parameter syntax");
}

outcome take_rcpt_option(std::string_view option, rcpt_command& rcpt, const command_rules& rules) {
    if (text::starts_with_ignoring_case(option, "NOTIFY=")) return take_notify(option.substr(7), rcpt, rules);
    if (text::starts_with_ignoring_case(option, "ORCPT=")) return take_orcpt(option.substr(6), rcpt, rules);
    return unsupported(option);
}

bool has_path(const command_line& line, std::string_view keyword) {
    return line.arguments.size() >= 3 && text::equal_ignoring_case(line.arguments[1].text, keyword);
}

}  // namespace

std::string_view name_of(verb value) {
    return verbs[static_cast<std::size_t>(value)].name;
}

std::vector<argument> tokenize_command(std::string_view line) {
    line = line.substr(0, line.find('\0'));
    std::vector<argument> arguments;
    for (std::size_t at = 0; at < line.size();) {
        if (text::is_space(line[at])) {
            ++at;
        } else {
            arguments.push_back(take_argument(line, at));
        }
    }
    return arguments;
}

parsed<command_line> parse_command(std::string_view line, bool smtputf8_enable) {
    if (smtputf8_enable && !valid_utf8(line)) return refuse("500 5.5.2 Error: bad UTF-8 syntax");
    command_line command;
    command.arguments = tokenize_command(line);
    if (command.arguments.empty()) return refuse("500 5.5.2 Error: bad syntax");
    const auto row = std::find_if(verbs.begin() + 1, verbs.end(), [&command](const verb_row& known) {
        return text::equal_ignoring_case(command.word(), known.name);
    });
    if (row != verbs.end()) command.name = row->value;
    return command;
}

bool looks_like_header(std::string_view word) {
    const auto colon = word.find(':');
    if (colon == std::string_view::npos) return false;
    auto label = word.substr(0, colon);
    while (!label.empty() && (label.back() == ' ' || label.back() == '\t')) label.remove_suffix(1);
    return !label.empty() && std::all_of(label.begin(), label.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte > ' ' && byte < 127;
    });
}

envelope_address extract_envelope_address(std::string_view as_sent) {
    envelope_address result;
    result.only_address = as_sent.starts_with('<');
    std::string_view text = as_sent;
    if (text.size() >= 2 && text.front() == '<' && text.back() == '>') text = text.substr(1, text.size() - 2);
    if (const auto colon = text.find(':'); text.starts_with('@') && colon != std::string_view::npos) {
        text.remove_prefix(colon + 1);
    }
    if (is_plain(text)) {
        result.internal = text;
        return result;
    }
    std::size_t count = 0;
    for (const token& part : parse_addresses(text)) {
        if (part.kind == token_kind::address) {
            ++count;
            result.internal = internalize(part.children);
        } else if (!part.is('<') && !part.is('>')) {
            result.only_address = false;
        }
    }
    result.several = count > 1;
    return result;
}

parsed<mail_command> parse_mail(const command_line& line, const command_rules& rules) {
    mail_command mail;
    mail.size = rules.leftovers.size;
    const auto leftovers = [&rules, &mail] {
        return mail_leftovers{rules.leftovers.auth || mail.auth, mail.size, mail.smtputf8};
    };
    const auto with_leftovers = [&leftovers](refusal refused) {
        refused.leftovers = leftovers();
        return refused;
    };
    if (!has_path(line, "from:")) return with_leftovers(refuse("501 5.5.4 Syntax: MAIL FROM:<address>"));
    const auto options = line.arguments.begin() + 3;
    const argument& path = line.arguments[2];
    if (path.unterminated) return with_leftovers(refuse(std::string(bad_sender)));
    // SMTPUTF8 comes after the address but decides what an address may be.
    mail.smtputf8 = rules.smtputf8 && std::any_of(options, line.arguments.end(), [](const argument& option) {
                        return text::equal_ignoring_case(option.text, "SMTPUTF8");
                    });
    const auto strict = rules.strict_rfc821_envelopes ? strictness::rfc821 : strictness::sloppy;
    auto address = take_address(path, {empty_address::allowed, strict, mail.smtputf8}, rules, bad_sender);
    if (auto* refused = std::get_if<refusal>(&address)) return with_leftovers(std::move(*refused));
    mail.reverse_path = std::get<std::string>(std::move(address));
    mail.as_sent = path.text;
    for (auto option = options; option != line.arguments.end(); ++option) {
        if (auto refused = take_mail_option(option->text, mail, rules)) return with_leftovers(std::move(*refused));
    }
    if (mail.verp_delimiters && mail.reverse_path.empty()) {
        return with_leftovers(refuse("503 5.5.4 Error: XVERP requires non-null sender"));
    }
    mail.leftovers = leftovers();
    return mail;
}

parsed<rcpt_command> parse_rcpt(const command_line& line, const command_rules& rules, bool smtputf8) {
    if (!has_path(line, "to:")) return refuse("501 5.5.4 Syntax: RCPT TO:<address>");
    const argument& path = line.arguments[2];
    if (path.unterminated) return refuse(std::string(bad_recipient));
    const auto strict = rules.strict_rfc821_envelopes ? strictness::rfc821 : strictness::sloppy;
    auto address = take_address(path, {empty_address::refused, strict, smtputf8}, rules, bad_recipient);
    if (auto* refused = std::get_if<refusal>(&address)) return std::move(*refused);
    rcpt_command rcpt;
    rcpt.forward_path = std::get<std::string>(std::move(address));
    rcpt.as_sent = path.text;
    for (auto option = line.arguments.begin() + 3; option != line.arguments.end(); ++option) {
        if (auto refused = take_rcpt_option(option->text, rcpt, rules)) return std::move(*refused);
    }
    return rcpt;
}

parsed<helo_command> parse_helo(const command_line& line, bool smtputf8_enable) {
    if (line.arguments.size() < 2) return refuse("501 Syntax: " + std::string(name_of(line.name)) + " hostname");
    std::string said = joined(line.arguments, 1, line.arguments.size());
    return helo_command{neutered(said, smtputf8_enable), std::move(said)};
}

std::string neutered(std::string_view text, bool utf8) {
    std::string out = printable(text, utf8);
    constexpr std::string_view unsafe_in_a_log = " <>()\\\";@";
    for (char& c : out) {
        if (unsafe_in_a_log.find(c) != std::string_view::npos) c = '?';
    }
    return out;
}

namespace {

bool declares_utf8(const command_line& line, const command_rules& rules) {
    return rules.smtputf8 && text::equal_ignoring_case(line.arguments.back().text, "SMTPUTF8");
}

}  // namespace

bool has_vrfy_argument(const command_line& line, const command_rules& rules) {
    return line.arguments.size() >= (declares_utf8(line, rules) ? 3U : 2U);
}

parsed<vrfy_command> parse_vrfy(const command_line& line, const command_rules& rules) {
    const bool smtputf8 = declares_utf8(line, rules);
    const auto last = line.arguments.size() - (smtputf8 ? 1 : 0);
    if (!has_vrfy_argument(line, rules)) {
        return refuse(std::string("501 5.5.4 Syntax: VRFY address") + (rules.smtputf8_enable ? " [SMTPUTF8]" : ""));
    }
    argument sent = line.arguments[1];
    sent.text = joined(line.arguments, 1, last);
    auto address = take_address(sent, {empty_address::refused, strictness::sloppy, smtputf8}, rules, bad_recipient);
    if (auto* refused = std::get_if<refusal>(&address)) return std::move(*refused);
    return vrfy_command{std::get<std::string>(std::move(address)), std::move(sent.text), smtputf8};
}

parsed<etrn_command> parse_etrn(const command_line& line) {
    if (line.arguments.size() != 2) return refuse("500 Syntax: ETRN domain");
    std::string_view domain = line.arguments[1].text;
    if (domain.starts_with('@') || domain.starts_with('#')) domain.remove_prefix(1);
    if (!valid_hostname(domain) && !valid_mailhost_literal(domain))
        return refuse("501 Error: invalid parameter syntax");
    return etrn_command{std::string(domain)};
}

parsed<auth_command> parse_auth(const command_line& line) {
    const auto count = line.arguments.size();
    if (count < 2 || count > 3) return refuse("501 5.5.4 Syntax: AUTH mechanism");
    auth_command auth{line.arguments[1].text, std::nullopt};
    if (count == 3) auth.initial_response = line.arguments[2].text;
    return auth;
}

parsed<bdat_command> parse_bdat(const command_line& line) {
    const auto count = line.arguments.size();
    const auto size = count >= 2 ? text::to_number(line.arguments[1].text) : std::nullopt;
    const bool last = count == 3 && text::equal_ignoring_case(line.arguments[2].text, "LAST");
    if (!size || count > 3 || (count == 3 && !last)) return refuse("521 5.5.4 Syntax: BDAT count [LAST]");
    return bdat_command{*size, last};
}

parsed<bare_command> parse_bare(const command_line& line) {
    const bool arguments_ignored = line.name == verb::noop || line.name == verb::quit;
    if (line.arguments.size() > 1 && !arguments_ignored) {
        return refuse("501 5.5.4 Syntax: " + std::string(name_of(line.name)));
    }
    return bare_command{};
}

parsed<attribute_list> parse_attributes(const command_line& line) {
    if (line.arguments.size() < 2) {
        return refuse("501 5.5.4 Syntax: " + std::string(name_of(line.name)) + " attribute=value...");
    }
    attribute_list attributes;
    for (auto sent = line.arguments.begin() + 1; sent != line.arguments.end(); ++sent) {
        const auto equals = sent->text.find('=');
        if (equals == std::string::npos) {
            attributes.emplace_back(sent->text, "");
            continue;
        }
        attributes.emplace_back(sent->text.substr(0, equals), sent->text.substr(equals + 1));
    }
    return attributes;
}

std::string printable(std::string_view text, bool utf8, char otherwise) {
    std::string out(text);
    for (std::size_t i = 0; i < out.size(); ++i) {
        const auto byte = static_cast<unsigned char>(out[i]);
        if (byte >= ' ' && byte < 127) continue;
        const std::size_t length = byte < 0xC2 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
        if (utf8 && length > 1 && i + length <= out.size() && valid_utf8(text.substr(i, length))) {
            i += length - 1;
        } else {
            out[i] = otherwise;
        }
    }
    return out;
}

unsigned parse_notify(std::string_view text) {
    struct row {
        std::string_view name;
        notify bit;
    };
    constexpr std::array rows = {row{"NEVER", notify_never}, row{"SUCCESS", notify_success},
                                 row{"FAILURE", notify_failure}, row{"DELAY", notify_delay}};
    unsigned mask = 0;
    for (const auto word : text::split(text, text::comma_or_space)) {
        const auto known = std::find_if(rows.begin(), rows.end(),
                                        [word](const row& r) { return text::equal_ignoring_case(word, r.name); });
        if (known == rows.end()) return 0;
        mask |= known->bit;
    }
    // NEVER stands alone.
    return (mask & notify_never) != 0 && mask != notify_never ? 0 : mask;
}

dsn_ret parse_ret(std::string_view text) {
    if (text::equal_ignoring_case(text, "FULL")) return dsn_ret::full;
    if (text::equal_ignoring_case(text, "HDRS")) return dsn_ret::headers;
    return dsn_ret::unspecified;
}

}  // namespace mta::address
