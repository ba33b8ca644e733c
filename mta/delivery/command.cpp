#include "mta/delivery/command.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <map>

#include "mta/address/quote.hpp"
#include "mta/config/expand.hpp"
#include "mta/text/strings.hpp"

namespace mta::delivery {
namespace {

// sysexits(3) as sys_exits.c reads them.
struct exit_meaning {
    int status;
    const char *dsn, *text;
};
constexpr exit_meaning meanings[] = {
    {64, "5.3.0", "command line usage error"}, {65, "5.6.0", "data format error"},
    {66, "5.3.0", "cannot open input"},        {67, "5.1.1", "user unknown"},
    {68, "5.1.2", "host name unknown"},        {69, "5.3.0", "service unavailable"},
    {70, "5.3.0", "internal software error"},  {71, "4.3.0", "system resource problem"},
    {72, "5.3.0", "critical OS file missing"}, {73, "5.2.0", "can't create user output file"},
    {74, "5.3.0", "input/output error"},       {75, "4.3.0", "temporary failure"},
    {76, "5.5.0", "remote error in protocol"}, {77, "5.7.0", "permission denied"},
    {78, "5.3.5", "local configuration error"}};

bool is_status_code(std::string_view text) {
    return text.size() >= 5 && (text[0] == '2' || text[0] == '4' || text[0] == '5') && text[1] == '.' &&
           text::is_digit(text[2]);
}

// dsn_split(3): a status code at the head of the output goes before the one of the exit status.
queue::delivery_status exit_meaning_of(int exit_status, const std::string& output, const std::string& command) {
    const auto* const known = std::find_if(std::begin(meanings), std::end(meanings),
                                           [&](const exit_meaning& each) { return each.status == exit_status; });
    queue::delivery_status status;
    status.diagnostic_type = "x-unix";
    if (is_status_code(output)) {
        const auto space = std::min(output.find(' '), output.size());
        status.dsn = output.substr(0, space);
        status.text = output.substr(std::min(output.find_first_not_of(' ', space), output.size()));
        status.diagnostic = status.text;
        return status;
    }
    if (known != std::end(meanings)) {
        status.dsn = known->dsn;
        status.text =
            output.empty() ? std::string(known->text) : fmt::format("{}. Command output: {}", known->text, output);
    } else {
        status.dsn = "5.3.0";
        status.text = fmt::format("Command died with status {}: \"{}\"{}{}", exit_status, command,
                                  output.empty() ? "" : ". Command output: ", output);
    }
    if (!output.empty())
        status.diagnostic = output;
    else
        status.diagnostic =
            known != std::end(meanings) ? known->text : fmt::format("unknown mail system error {}", exit_status);
    return status;
}

// The macros that stand for a recipient, and those of the message.
using macros = std::map<std::string, std::string, std::less<>>;

macros macros_of_message(const request& work, std::string_view sender, const argument_rules& rules) {
    const queue::queue_file& file = *work.file;
    // What was submitted here has no client.
    const bool remote = !file.from.protocol.empty();
    return {{"sender", std::string(sender)},
            {"nexthop", rules.fold_host ? text::lowered(work.next_hop) : work.next_hop},
            {"queue_id", file.id},
            {"size", std::to_string(file.size)},
            {"client_address", remote ? file.from.client_address : ""},
            {"client_hostname", remote ? file.from.client_name : ""},
            {"client_port", file.from.client_port},
            {"client_helo", file.from.helo},
            {"client_protocol", file.from.protocol},
            {"sasl_method", file.from.sasl_method},
            {"sasl_sender", file.from.sasl_sender},
            {"sasl_username", file.from.sasl_username}};
}

// morph_recipient
std::string written(std::string_view address, const argument_rules& rules) {
    std::string out = rules.quote ? address::quote_822_local(address) : std::string(address);
    const auto at = out.rfind('@');
    const std::size_t local = at == std::string::npos ? (rules.fold_user ? out.size() : 0) : at;
    for (std::size_t i = 0; i < out.size(); ++i) {
        if (i < local ? rules.fold_user : rules.fold_host) out[i] = text::lower(out[i]);
    }
    return out;
}

macros macros_of_recipient(const queue::recipient& who, const std::string& address, const argument_rules& rules) {
    argument_rules unquoted = rules;
    unquoted.quote = false;
    const std::string whole = written(address, unquoted);
    const auto parts = address::split_at_domain(whole);
    const std::string_view mailbox = parts.local;
    const auto cut = mailbox.find_first_of(rules.recipient_delimiter);
    // A name that begins with a delimiter is all extension (cyrus's bulletin boards), and then there is no user.
    const bool extended = cut != std::string_view::npos;
    return {{"recipient", written(address, rules)},
            {"original_recipient", written(who.original, rules)},
            {"mailbox", std::string(mailbox)},
            {"user", std::string(mailbox.substr(0, cut))},
            {"extension", extended ? std::string(mailbox.substr(cut + 1)) : ""},
            {"domain", std::string(parts.domain.value_or(""))}};
}

constexpr std::array<std::string_view, 6> of_recipient = {"recipient", "original_recipient", "mailbox",
                                                          "user",      "extension",          "domain"};

// The names that an argument uses.
std::vector<std::string> names_in(const std::string& word, const macros& known, std::string& unknown) {
    std::vector<std::string> names;
    config::expand_once(word,
                        [&](std::string_view name) -> std::optional<std::string> {
                            names.emplace_back(name);
                            const bool recipient =
                                std::find(of_recipient.begin(), of_recipient.end(), name) != of_recipient.end();
                            if (!recipient && !known.contains(name)) unknown = std::string(name);
                            return "x";
                        },
                        {});
    return names;
}

}  // namespace

queue::delivery_status command_status(const command_result& result, const std::string& command,
                                      const std::string& delivered) {
    const std::string output = text::replaced(result.output, "\n", " ");
    switch (result.how) {
        case command_result::outcome::timed_out:
            return {"5.3.0", fmt::format("Command time limit exceeded: \"{}\"", command)};
        case command_result::outcome::not_allowed:
            return {"4.3.0", fmt::format("Command not run: \"{}\": the lab runs commands of the machine only when it "
                                         "is allowed to",
                                         command)};
        case command_result::outcome::not_found:
            return {"4.3.0",
                    fmt::format("temporary failure. Command output: {}: No such file or directory ", result.output)};
        case command_result::outcome::exited:
            break;
    }
    if (result.exit_status == 0) return {"2.0.0", delivered};
    return exit_meaning_of(result.exit_status, output, command);
}

std::vector<std::string> command_words(std::string_view command_line) {
    constexpr std::string_view plain = "1234567890!@%-_=+:,./\tabcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ ";
    const bool simple = command_line.find_first_not_of(plain) == std::string_view::npos;
    if (!simple) return {"/bin/sh", "-c", std::string(command_line)};
    std::vector<std::string> words;
    for (const auto word : text::split(command_line, text::white_space)) words.emplace_back(word);
    return words;
}

std::optional<std::vector<std::string>> expand_arguments(const std::vector<std::string>& words, const request& work,
                                                         std::string_view sender, const argument_rules& rules,
                                                         std::string& unknown) {
    const macros common = macros_of_message(work, sender, rules);
    std::vector<std::string> out;
    for (const std::string& word : words) {
        const std::vector<std::string> names = names_in(word, common, unknown);
        if (!unknown.empty()) return std::nullopt;
        const auto uses = [&](std::string_view name) {
            return std::find(names.begin(), names.end(), name) != names.end();
        };
        const bool for_each = std::any_of(of_recipient.begin(), of_recipient.end(), uses);
        const std::size_t times = for_each ? work.targets.size() : 1;
        for (std::size_t i = 0; i < times; ++i) {
            macros all = common;
            if (for_each)
                all.merge(macros_of_recipient(work.recipient(work.targets[i]), work.targets[i].address, rules));
            if (uses("user") && all["user"].empty()) continue;
            out.push_back(config::expand_once(word,
                                              [&](std::string_view name) -> std::optional<std::string> {
                                                  const auto found = all.find(name);
                                                  return found == all.end() ? std::nullopt
                                                                            : std::optional(found->second);
                                              },
                                              {}));
        }
    }
    return out;
}

}  // namespace mta::delivery
