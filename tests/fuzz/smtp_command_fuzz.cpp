// SMTP command lines from hostile clients. Invariants: every line is either refused with a reply that begins with three
// digits or yields values no longer than the line; tokens add up to no more than the line.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "mta/address/smtp_command.hpp"

using namespace mta::address;

namespace {

void require(bool held) {
    if (!held) std::abort();
}

template <class value>
void require_reply(const parsed<value>& result) {
    const auto* refused = std::get_if<refusal>(&result);
    if (!refused) return;
    require(refused->reply.size() > 4);
    require(refused->reply[0] >= '4' && refused->reply[0] <= '5');
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view line(reinterpret_cast<const char*>(data), size);
    std::size_t total = 0;
    for (const argument& part : tokenize_command(line)) {
        require(!part.text.empty());
        total += part.text.size();
    }
    require(total <= line.size());

    const auto parsed_line = parse_command(line, false);
    require_reply(parsed_line);
    const auto* command = std::get_if<command_line>(&parsed_line);
    if (!command) return 0;
    command_rules rules;
    rules.xverp_allowed = true;
    for (const bool strict : {false, true}) {
        rules.strict_rfc821_envelopes = strict;
        const auto mail = parse_mail(*command, rules);
        require_reply(mail);
        if (const auto* good = std::get_if<mail_command>(&mail)) require(good->reverse_path.size() <= 2 * size);
        const auto rcpt = parse_rcpt(*command, rules, false);
        require_reply(rcpt);
        if (const auto* good = std::get_if<rcpt_command>(&rcpt)) {
            require(!good->forward_path.empty());
            require(good->orcpt_address.size() <= size);
        }
    }
    require_reply(parse_helo(*command));
    require_reply(parse_vrfy(*command, rules));
    require_reply(parse_etrn(*command));
    require_reply(parse_auth(*command));
    require_reply(parse_bdat(*command));
    require_reply(parse_bare(*command));
    require_reply(parse_attributes(*command));
    return 0;
}
