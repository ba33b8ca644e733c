// How large the queue file of a message is (postcat(1), record(3)): message_size_limit is a limit of that file. What
// was never to be queued is written all the same, and the log says when it did not fit.
#include <fmt/format.h>

#include <initializer_list>

#include "mta/cleanup/passage.hpp"

namespace mta::cleanup {
namespace {

constexpr std::size_t write_buffer = 4096;
constexpr std::size_t size_record = 97, time_record = 19, end_record = 2;

// A type, a length in groups of seven bits, the text.
std::size_t record(std::size_t text) {
    std::size_t bytes_of_length = 1;
    for (std::size_t rest = text >> 7; rest > 0; rest >>= 7) ++bytes_of_length;
    return 1 + bytes_of_length + text;
}

std::size_t attribute(std::string_view name, std::size_t value) {
    return record(name.size() + 1 + value);
}

// The name, of one client as the log has it and once more as it is.
std::size_t of_client(const queue::origin& from) {
    constexpr std::string_view standard_port = "25", address_type = "2";
    const std::size_t name = from.client_name.size(), address = from.client_address.size(),
                      port = from.client_port.size(), helo = from.helo.size(), protocol = from.protocol.size();
    std::size_t total = attribute("log_client_name", name) + attribute("log_client_address", address) +
                        attribute("log_client_port", port) +
                        attribute("log_message_origin", name + address + std::string_view("[]").size()) +
                        attribute("log_protocol_name", protocol) + attribute("client_name", name) +
                        attribute("reverse_client_name", from.reverse_client_name.size()) +
                        attribute("client_address", address) + attribute("client_port", port) +
                        attribute("server_address", address) + attribute("server_port", standard_port.size()) +
                        attribute("protocol_name", protocol) + attribute("client_address_type", address_type.size());
    if (helo > 0) total += attribute("log_helo_name", helo) + attribute("helo_name", helo);
    for (const auto& [key, value] : {std::pair<std::string_view, const std::string&>{"sasl_method", from.sasl_method},
                                     {"sasl_username", from.sasl_username},
                                     {"sasl_sender", from.sasl_sender}}) {
        if (!value.empty()) total += attribute(key, value.size());
    }
    return total;
}

}  // namespace

// All but the content.
std::size_t passage::envelope_size() const {
    constexpr std::size_t seconds = 10;
    const queue::origin& from = envelope_.from;
    std::size_t total = size_record + time_record + attribute("create_time", seconds) +
                        record(envelope_.sender.size()) +
                        attribute("rewrite_context", std::string_view(from.local ? "local" : "remote").size());
    if (!from.protocol.empty()) total += attribute("log_ident", from.log_identifier.size()) + of_client(from);
    if (!message_.full_name.empty()) total += record(message_.full_name.size());
    if (!envelope_.content_filter.empty()) total += record(envelope_.content_filter.size());
    if (!envelope_.encoding.empty()) total += attribute("encoding", envelope_.encoding.size());
    if (!envelope_.envelope_id.empty()) total += attribute("envelope_id", envelope_.envelope_id.size());
    if (envelope_.returns != queue::return_content::not_given) total += attribute("ret_flags", 1);
    for (const queue::recipient& each : recipients_) {
        if (each.notify != 0) total += attribute("notify_flags", fmt::formatted_size("{}", each.notify));
        total += attribute("dsn_orig_rcpt", each.dsn_original.size()) + record(each.original.size()) +
                 record(each.address.size());
    }
    return total;
}

// False: it did not fit. `cut_record_length_` is then that of the record which did not.
bool passage::fits(std::size_t limit) {
    std::size_t total = envelope_size();
    if (has_content_) total += end_record;
    for (std::string_view rest = out_; !rest.empty() && total <= limit;) {
        const std::size_t length = std::min(rest.find('\n'), rest.size());
        total += record(length);
        cut_record_length_ = length;
        rest.remove_prefix(std::min(length + 1, rest.size()));
    }
    return total <= limit;
}

void passage::check_size() {
    const auto limit = static_cast<std::size_t>(options_.message_size_limit);
    if (options_.message_size_limit <= 0 || fits(limit)) return;
    warn("queue file size limit exceeded");
    fail(size);
}

// What came before the daemon broke off is in the file, as far as it fits: whole buffers were written as they filled,
// the last one when it is closed.
void passage::break_off() {
    if (options_.message_size_limit <= 0 || discard_) return;
    const auto limit = static_cast<std::size_t>(options_.message_size_limit);
    if (fits(limit)) return;
    if (!fits(limit / write_buffer * write_buffer + write_buffer - 1)) warn("queue file size limit exceeded");
    warn("mail_stream_cleanup: close error", false);
}

}  // namespace mta::cleanup
