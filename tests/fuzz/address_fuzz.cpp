// Addresses from hostile headers and envelopes. Invariants: nothing crashes or hangs, what is printed is bounded by
// what was read, quoting and unquoting an address gives it back, and rewriting and resolving are total.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "mta/address/header_addresses.hpp"
#include "mta/address/host_name.hpp"
#include "mta/address/ip_address.hpp"
#include "mta/address/quote.hpp"
#include "mta/address/resolve.hpp"
#include "mta/address/token.hpp"

using namespace mta::address;

namespace {

void require(bool held) {
    if (!held) std::abort();
}

void check_tokens(std::string_view text) {
    // A comma and a blank may be added at each token, a quoted token doubles at most twice over.
    const std::size_t bound = 8 * text.size() + 16;
    const token_list tokens = parse_addresses(text);
    require(internalize(tokens).size() <= bound);
    require(externalize(tokens).size() <= bound);
    for (const token* address : addresses_in(tokens)) {
        const std::string internal = internalize(address->children);
        const bool routed = internal.starts_with('@') && internal.find(':') != std::string::npos;
        // After a source route an '@' may stand where quoting cannot see it.
        if (!routed) require(unquote_822_local(quote_822_local(internal)) == internal);
    }
}

void check_rewriting(std::string_view text) {
    const rewrite_context local{"mail.here.test", "here.test"};
    require(rewrite_address(text, local, {}).size() <= 8 * text.size() + 64);
    resolve_context context;
    context.myhostname = "mail.here.test";
    context.local_transport = context.default_transport = "x";
    context.local = local;
    context.local_domains = [](std::string_view domain) {
        return domain == "here" ? lookup_status::found : lookup_status::absent;
    };
    const resolved answer = resolve_address("", text, context);
    require(answer.flags.failed || answer.recipient.find('@') != std::string::npos);
}

void check_hosts(std::string_view text) {
    if (const auto address = ip_address::parse(text)) {
        require(ip_address::parse(address->to_string()) == *address);
        require(ip_address::parse_literal(address->to_literal()) == *address);
    }
    if (const auto network = ip_network::parse(text).network) {
        require(ip_network::parse(network->to_string()).network == *network);
        require(network->contains(network->base()));
    }
    if (valid_utf8_hostname(true, text)) require(domain_to_ascii(text.substr(0, text.find('\0'))).has_value());
    static_cast<void>(hostaddr_fault(text));
    static_cast<void>(mailhost_literal_fault(text));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    check_tokens(text);
    check_rewriting(text);
    check_hosts(text);
    const auto header =
        rewrite_header("To", text, 100, [](std::string_view address) { return std::string(address) + "x"; });
    require(header.text.size() <= 16 * size + 64);
    return 0;
}
