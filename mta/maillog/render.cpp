#include "mta/maillog/render.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <concepts>
#include <cstring>
#include <iterator>

#include "mta/address/quote.hpp"
#include "mta/text/append.hpp"
#include "mta/text/strings.hpp"

namespace mta::maillog {
namespace {

using namespace std::string_view_literals;

template <class... Arguments>
void append(std::string& out, fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    fmt::format_to(std::back_inserter(out), format, std::forward<Arguments>(arguments)...);
}

// The longest text that Postfix hands to syslog in one line.
constexpr std::size_t line_limit = 2000;

void append_peer(std::string& out, const peer& p) {
    (((out += p.name) += '[') += p.address) += ']';
    if (!p.port.empty()) (out += ':') += p.port;
}

// Postfix keeps moments in microseconds and subtracts those.
std::chrono::sys_time<std::chrono::microseconds> kept(time_point when) {
    return std::chrono::floor<std::chrono::microseconds>(when);
}

// A delay as text, and the same with what stands between several of them: most lines have five.
class delay_text {
  public:
    void add(std::chrono::microseconds delay, int finest_digits = 2);
    void add(std::string_view separator) { end_ = std::copy(separator.begin(), separator.end(), end_); }
    operator std::string_view() const { return {text_.data(), end_}; }

  private:
    static constexpr std::size_t longest_delay = 20;  // microseconds of 64 bits, and the point
    std::array<char, 6 * longest_delay> text_;
    char* end_ = text_.data();
};

void delay_text::add(std::chrono::microseconds delay, int finest_digits) {
    constexpr std::int64_t second = 1'000'000;
    constexpr std::array<std::int64_t, 7> powers = {1, 10, 100, 1000, 10'000, 100'000, 1'000'000};
    const std::int64_t microseconds = std::max<std::int64_t>(0, delay.count());
    if (microseconds == 0) return add("0");
    std::int64_t whole = microseconds / second;
    std::int64_t fraction = microseconds % second;

    // Two significant digits, but none finer than asked for.
    std::int64_t resolution = second / powers[static_cast<std::size_t>(std::clamp(finest_digits, 0, 6))];
    if (whole > 0) {
        resolution = whole < 10 ? std::max(resolution, second / 10) : second;
    } else {
        while (resolution < second && fraction >= 100 * resolution) resolution *= 10;
    }
    if (resolution > 1) fraction += resolution / 2;
    if (fraction >= second) {
        fraction -= second;
        ++whole;
    }
    end_ = std::to_chars(end_, text_.data() + text_.size(), whole).ptr;
    if (fraction < resolution) return;
    *end_++ = '.';
    for (std::int64_t digit = second / 10; fraction >= resolution && digit > 0; digit /= 10) {
        *end_++ = static_cast<char>('0' + fraction / digit);
        fraction %= digit;
    }
}

// What most local parts consist of: no such address needs quotes.
constexpr auto plain_characters = [] {
    std::array<bool, 256> is_plain{};
    for (int c = 0; c < 128; ++c) is_plain[static_cast<std::size_t>(c)] = text::is_alnum(static_cast<char>(c));
    for (const char c : {'-', '_', '+'}) is_plain[static_cast<std::size_t>(c)] = true;
    return is_plain;
}();
bool all_plain_characters(std::string_view text) {
    for (const char c : text) {
        if (!plain_characters[static_cast<unsigned char>(c)]) return false;
    }
    return true;
}

// The digits of a number.
class number_text {
  public:
    explicit number_text(std::integral auto number) {
        end_ = std::to_chars(digits_.data(), digits_.data() + digits_.size(), number).ptr;
    }
    number_text(const number_text&) = delete;
    number_text& operator=(const number_text&) = delete;
    operator std::string_view() const { return {digits_.data(), end_}; }

  private:
    std::array<char, 24> digits_;
    const char* end_;
};

struct line_writer {
    const entry& from;
    std::string& out;

    // As it stands in a message (info_log_addr_form(3)): what most addresses are anyway.
    bool stands_as_it_is(std::string_view internal) const {
        const std::size_t at = std::min(internal.rfind('@'), internal.size());
        return from.internal_addresses || (at > 0 && all_plain_characters(internal.substr(0, at)));
    }
    // `quoted` has it when it needs quotes.
    std::string_view as_shown(std::string_view internal, std::string& quoted) const {
        if (stands_as_it_is(internal)) return internal;
        quoted = mta::address::path_822(internal);
        return quoted;
    }
    void address(std::string_view internal) const {
        std::string quoted;
        out += as_shown(internal, quoted);
    }
    // What stands between the queue id and the rest.
    std::string_view after_id() const { return from.queue_id.empty() ? ""sv : ": "sv; }
    void id() const { text::append(out, {from.queue_id, after_id()}); }
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
    void operator()(const connected& e) const {
        out += "connect from ";
        append_peer(out, e.client);
    }
    void operator()(const disconnected& e) const {
        out += "disconnect from ";
        append_peer(out, e.client);
        std::uint32_t succeeded = 0, total = 0;
        for (const auto& each : e.commands) {
            count(each.verb, each.succeeded, each.total);
            succeeded += each.succeeded, total += each.total;
        }
        count("commands", succeeded, total);
    }
    void operator()(const connection_broken& e) const {
        append(out, "{} after {} from ", e.timed_out ? "timeout" : "lost connection", e.after);
        append_peer(out, e.client);
    }
    void operator()(const command&) const {}
    void operator()(const tls_established& e) const {
        append(out, "{} TLS connection established {} {}: {} with cipher {} ({}/{} bits){}", e.trust,
               e.at_client ? "to" : "from", e.peer, e.protocol, e.cipher, e.cipher_bits, e.algorithm_bits, e.details);
    }
    void operator()(const client_assigned& e) const {
        id();
        out += "client=";
        append_peer(out, e.client);
        out += e.more;
    }
    void operator()(const verdict& e) const {
        id();
        (((out += e.action) += ": ") += e.stage) += " from ";
        // A local submission comes from no address, and a check of content has its text at the end of its context.
        if (e.client.address.empty()) {
            out += e.client.name;
        } else {
            append_peer(out, e.client);
        }
        // What an access table says of a command (RCPT, DATA) is shown even when it says nothing.
        const bool of_a_command = !e.stage.empty() && e.stage.front() >= 'A' && e.stage.front() <= 'Z';
        if (of_a_command || !e.text.empty()) (out += ": ") += e.text;
        if (!e.context.empty()) (out += "; ") += e.context;
    }
    void operator()(const picked_up& e) const {
        id();
        append(out, "uid={} from=<", e.uid);
        address(e.sender);
        out += '>';
        if (!e.original_id.empty()) (out += " orig_id=") += e.original_id;
    }
    void operator()(const message_id_seen& e) const {
        id();
        ((out += e.resent ? "resent-message-id=" : "message-id=")) += e.message_id;
    }
    void operator()(const became_active& e) const {
        std::string quoted;
        const number_text size(e.size), count(e.recipient_count);
        text::append(out, {from.queue_id, after_id(), "from=<", as_shown(e.sender, quoted), ">, size=", size,
                           ", nrcpt=", count, " (queue active)"});
    }
    void operator()(const delivery& e) const {
        std::string quoted, quoted_original;
        std::string_view original;
        const bool had_another_name = !e.original_recipient.empty() && e.original_recipient != e.recipient;
        if (had_another_name && !text::equal_ignoring_case(e.original_recipient, e.recipient)) {
            original = as_shown(e.original_recipient, quoted_original);
        }
        const number_text uses(e.connection_uses);
        const bool again = e.connection_uses > 1;
        const std::array moments = {kept(e.arrived), kept(e.active), kept(e.agent_started), kept(e.connected),
                                    kept(e.done)};
        delay_text delays;
        delays.add(moments.back() - moments.front());
        for (std::size_t i = 1; i < moments.size(); ++i) {
            delays.add(i == 1 ? ", delays=" : "/");
            delays.add(moments[i] - moments[i - 1]);
        }
        text::append(out, {from.queue_id, after_id(), "to=<", as_shown(e.recipient, quoted),
                           original.empty() ? ""sv : ">, orig_to=<"sv, original, ">, relay=", e.relay,
                           again ? ", conn_use="sv : ""sv, again ? std::string_view(uses) : ""sv, ", delay=", delays,
                           ", dsn=", e.dsn, ", status=", e.status, " (", e.text, ")"});
    }
    void operator()(const removed&) const {
        id();
        out += "removed";
    }
    void operator()(const expired& e) const {
        id();
        out += "from=<";
        address(e.sender);
        append(out, ">, status={}, returned to sender", e.forced ? "force-expired" : "expired");
    }
    void operator()(const notification& e) const {
        id();
        append(out, "{} notification: {}", e.kind, e.queue_id);
    }
    void operator()(const remark& e) const {
        id();
        out += e.text;
    }

  private:
    void count(std::string_view verb, std::uint32_t succeeded, std::uint32_t total) const {
        ((out += ' ') += verb) += '=';
        if (succeeded != total || total == 0) {
            out += number_text(succeeded);
            out += '/';
        }
        out += number_text(total);
    }
};

constexpr std::array<std::string_view, std::variant_size_v<event>> names = {
    "system_started", "system_stopped",  "system_reloaded", "connected", "disconnected", "connection_broken",
    "command",        "tls_established", "client_assigned", "verdict",   "picked_up",    "message_id_seen",
    "became_active",  "delivery",        "removed",         "expired",   "notification", "remark"};

constexpr bool continues(char c) {
    return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

// Whether eight bytes are printable ASCII all: none has its high bit, is under a space, or is DEL.
bool all_plain(const char* eight) {
    constexpr std::uint64_t each = 0x0101010101010101;
    std::uint64_t word;
    std::memcpy(&word, eight, sizeof word);
    return ((word | (word + each) | (word - each * ' ')) & (each << 7)) == 0;
}

// printable(3): what is neither printable ASCII nor looks like UTF-8 becomes `?`.
void make_printable(std::string& out, std::size_t from, bool utf8) {
    for (std::size_t i = from; i < out.size(); ++i) {
        while (i + 8 <= out.size() && all_plain(out.data() + i)) i += 8;
        if (i == out.size()) break;
        const auto c = static_cast<unsigned char>(out[i]);
        if (c >= ' ' && c < 0x7f) continue;
        if (utf8 && c >= 0xc2 && c <= 0xfe && i + 1 < out.size() && continues(out[i + 1])) {
            while (i + 1 < out.size() && continues(out[i + 1])) ++i;
        } else {
            out[i] = '?';
        }
    }
}

}  // namespace

std::string_view name_of(const event& e) {
    return names[e.index()];
}

bool in_maillog(const event& e) {
    if (std::holds_alternative<command>(e)) return false;
    if (const auto* tls = std::get_if<tls_established>(&e)) return tls->logged;
    if (const auto* begun = std::get_if<connected>(&e)) return begun->logged;
    const auto* ended = std::get_if<disconnected>(&e);
    return !ended || ended->logged;
}

std::string_view without_secret(std::string_view command_line) {
    const bool secret = text::starts_with_ignoring_case(command_line, "AUTH ");
    return secret ? command_line.substr(0, command_line.find(' ', 5)) : command_line;
}

void append_delay(std::string& out, duration delay, int finest_digits) {
    delay_text text;
    text.add(std::chrono::duration_cast<std::chrono::microseconds>(delay), finest_digits);
    out += std::string_view(text);
}

void render_text(const entry& e, std::string& out, bool utf8) {
    constexpr std::array<std::string_view, 5> severities = {"", "warning: ", "error: ", "fatal: ", "panic: "};
    if (const auto* said = std::get_if<remark>(&e.what)) out += severities[static_cast<std::size_t>(said->severity)];
    const std::size_t from = out.size();  // the limit does not count the severity
    std::visit(line_writer{e, out}, e.what);
    make_printable(out, from, utf8);
    if (out.size() - from > line_limit) out.resize(from + line_limit);
}

void render_line(const entry& e, std::string_view machine, const text::time_zone& zone, std::string& out, bool utf8) {
    text::append_syslog_stamp(out, e.when, zone);
    (((out += ' ') += machine) += ' ') += e.by.tag;
    out += '[';
    out += number_text(e.by.pid);
    out += "]: ";
    render_text(e, out, utf8);
    out += '\n';
}

}  // namespace mta::maillog
