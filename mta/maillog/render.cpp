#include "mta/maillog/render.hpp"

#include <fmt/format.h>

#include <array>
#include <iterator>

namespace mta::maillog {
namespace {

template <class... Arguments>
void append(std::string& out, fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    fmt::format_to(std::back_inserter(out), format, std::forward<Arguments>(arguments)...);
}

// The longest log line that msg_output(3) and syslog pass on.
constexpr std::size_t line_limit = 2000;

struct line_writer {
    const entry& from;
    std::string& out;

    void id() const {
        if (!from.queue_id.empty()) (out += from.queue_id) += ": ";
    }
    void operator()(const system_started& e) const {
        if (e.by_script) {
            out += "starting the Postfix mail system";
        } else {
            append(out, "daemon started -- version {}, configuration {}", e.version, e.configuration);
        }
    }
    void operator()(const system_stopped& e) const {
        out += e.by_script ? "stopping the Postfix mail system" : "terminating on signal 15";
    }
    void operator()(const system_reloaded& e) const {
        if (e.by_script) {
            out += "refreshing the Postfix mail system";
        } else {
            append(out, "reload -- version {}, configuration {}", e.version, e.configuration);
        }
    }
    void operator()(const connected& e) const { append(out, "connect from {}[{}]", e.client.name, e.client.address); }
    void operator()(const disconnected& e) const {
        append(out, "disconnect from {}[{}]", e.client.name, e.client.address);
        std::uint32_t succeeded = 0, total = 0;
        for (const auto& each : e.commands) {
            count(each.verb, each.succeeded, each.total);
            succeeded += each.succeeded, total += each.total;
        }
        count("commands", succeeded, total);
    }
    void operator()(const connection_broken& e) const {
        append(out, "{} after {} from {}[{}]", e.timed_out ? "timeout" : "lost connection", e.after, e.client.name,
               e.client.address);
    }
    void operator()(const command&) const {}
    void operator()(const tls_established& e) const {
        append(out, "{} TLS connection established {} {}: {} with cipher {} ({}/{} bits){}", e.trust, e.at_client ? "to" : "from",
               e.peer, e.protocol, e.cipher, e.cipher_bits, e.algorithm_bits, e.details);
    }
    void operator()(const client_assigned& e) const {
        id();
        append(out, "client={}[{}]{}", e.client.name, e.client.address, e.more);
    }
    void operator()(const verdict& e) const {
        id();
        append(out, "{}: {} from {}[{}]: {}", e.action, e.stage, e.client.name, e.client.address, e.text);
        if (!e.context.empty()) (out += "; ") += e.context;
    }
    void operator()(const picked_up& e) const {
        id();
        append(out, "uid={} from=<{}>", e.uid, e.sender);
        if (!e.original_id.empty()) (out += " orig_id=") += e.original_id;
    }
    void operator()(const message_id_seen& e) const {
        id();
        ((out += e.resent ? "resent-message-id=" : "message-id=")) += e.message_id;
    }
    void operator()(const became_active& e) const {
        id();
        append(out, "from=<{}>, size={}, nrcpt={} (queue active)", e.sender, e.size, e.recipient_count);
    }
    void operator()(const delivery& e) const {
        id();
        ((out += "to=<") += e.recipient) += ">, ";
        if (!e.original_recipient.empty() && e.original_recipient != e.recipient) {
            ((out += "orig_to=<") += e.original_recipient) += ">, ";
        }
        ((out += "relay=") += e.relay) += ", ";
        if (e.connection_uses > 1) append(out, "conn_use={}, ", e.connection_uses);
        out += "delay=";
        append_delay(out, e.done - e.arrived);
        const std::array steps = {e.active - e.arrived, e.agent_started - e.active, e.connected - e.agent_started,
                                  e.done - e.connected};
        const char* before = ", delays=";
        for (const duration step : steps) {
            out += before;
            append_delay(out, step);
            before = "/";
        }
        ((((((out += ", dsn=") += e.dsn) += ", status=") += e.status) += " (") += e.text) += ")";
    }
    void operator()(const removed&) const {
        id();
        out += "removed";
    }
    void operator()(const expired& e) const {
        id();
        append(out, "from=<{}>, status={}, returned to sender", e.sender, e.forced ? "force-expired" : "expired");
    }
    void operator()(const notification& e) const {
        id();
        append(out, "{} notification: {}", e.kind, e.queue_id);
    }
    void operator()(const remark& e) const {
        constexpr std::array<std::string_view, 5> prefixes = {"", "warning: ", "error: ", "fatal: ", "panic: "};
        out += prefixes[static_cast<std::size_t>(e.severity)];
        id();
        out += e.text;
    }

  private:
    void count(std::string_view verb, std::uint32_t succeeded, std::uint32_t total) const {
        if (succeeded == total) {
            append(out, " {}={}", verb, total);
        } else {
            append(out, " {}={}/{}", verb, succeeded, total);
        }
    }
};

constexpr std::array<std::string_view, std::variant_size_v<event>> names = {
    "system_started", "system_stopped", "system_reloaded", "connected",       "disconnected", "connection_broken",
    "command",        "tls_established", "client_assigned", "verdict",        "picked_up",    "message_id_seen",
    "became_active",  "delivery",        "removed",         "expired",        "notification", "remark"};

// msg_output(3) shows what a terminal might act on as `?`; valid UTF-8 passes.
void make_printable(std::string& out, std::size_t from) {
    for (std::size_t i = from; i < out.size(); ++i) {
        const auto c = static_cast<unsigned char>(out[i]);
        if (c < ' ' || c == 0x7f) out[i] = '?';
    }
}

}  // namespace

std::string_view name_of(const event& e) { return names[e.index()]; }

bool in_maillog(const event& e) {
    if (std::holds_alternative<command>(e)) return false;
    const auto* tls = std::get_if<tls_established>(&e);
    return !tls || tls->logged;
}

void append_delay(std::string& out, duration delay, int resolution_digits) {
    const auto ns = delay.count() < 0 ? 0 : delay.count();
    const auto whole = ns / 1'000'000'000;
    auto microseconds = ns % 1'000'000'000 / 1000;
    // Two significant digits in all: seconds from 10 on stand alone; below, the fraction shows as many as remain.
    int digits = resolution_digits;
    for (auto rest = whole; rest > 0; rest /= 10) --digits;
    append(out, "{}", whole);
    if (digits <= 0 || microseconds == 0) return;
    std::string fraction = fmt::format("{:06}", microseconds);
    std::size_t keep = 0;
    if (whole > 0) {
        keep = static_cast<std::size_t>(digits);
    } else {
        keep = static_cast<std::size_t>(resolution_digits);       // delays are shown to a hundredth at the finest
    }
    fraction.resize(std::min(keep, fraction.size()));
    while (!fraction.empty() && fraction.back() == '0') fraction.pop_back();
    if (!fraction.empty()) (out += '.') += fraction;
}

void render_text(const entry& e, std::string& out) {
    const std::size_t from = out.size();
    std::visit(line_writer{e, out}, e.what);
    if (out.size() - from > line_limit) out.resize(from + line_limit);
    make_printable(out, from);
}

void render_line(const entry& e, std::string_view machine, const text::time_zone& zone, std::string& out) {
    text::append_syslog_stamp(out, e.when, zone);
    append(out, " {} {}[{}]: ", machine, e.by.tag, e.by.pid);
    render_text(e, out);
    out += '\n';
}

}  // namespace mta::maillog
