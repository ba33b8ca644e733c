// sim/scenario/steps.hpp - what a scenario does, one struct a verb, as the file wrote it and the loader checked it.
//
// Plain values: names are names of machines that exist, durations are typed. The player gives them their meaning.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "sim/scenario/expectation.hpp"
#include "sim/topology/position.hpp"

namespace sim::scenario {

using headers = std::vector<std::pair<std::string, std::string>>;

// Sessions of a scripted server, counted from 1 since its script began.
struct session_range {
    std::uint32_t first = 1, last = UINT32_MAX;
    bool has(std::uint32_t number) const { return number >= first && number <= last; }
    bool operator==(const session_range&) const = default;
};
// One reply of a scripted server, and when it is given.
struct scripted_reply {
    std::string text;                    // lines joined by \n; "close" drops the connection, "hang" never answers
    std::optional<std::uint32_t> times;  // uses; without: one, or any number where there is a condition
    std::optional<std::string> sender, recipient;  // globs that the envelope's must match
    std::optional<session_range> session;
    std::chrono::nanoseconds delay{};          // before it is said
    std::optional<std::uint64_t> close_after;  // DATA: the connection drops after so many bytes of the message

    scripted_reply() = default;
    scripted_reply(std::string reply) : text(std::move(reply)) {}  // a plain reply is just its text
    scripted_reply(const char* reply) : text(reply) {}
    bool conditional() const { return sender || recipient || session; }
    bool operator==(const scripted_reply&) const = default;
};
// By verb: CONNECT EHLO HELO STARTTLS AUTH MAIL RCPT DATA END (the dot) RSET QUIT NOOP and others. Given is the first
// that applies and is not used up; when none is left, the last one without a condition stays.
using replies = std::vector<std::pair<std::string, std::vector<scripted_reply>>>;

// A message given to sendmail(1) on a host, as root, `count` times.
struct submit {
    std::string host;
    std::optional<std::string> from;  // sendmail -f; "" is the null sender
    std::vector<std::string> to;
    std::string subject = "test";
    std::string body = "Hello.\n";
    scenario::headers headers;
    std::optional<std::string> header_from;
    std::optional<std::string> message;  // the whole message, header and body, instead of the four above
    std::uint32_t count = 1;
    std::vector<std::string> sendmail_args;
};
// What sendmail(1) reads from its standard input.
std::string message_text(const submit& step);

// One entry of an SMTP dialogue.
struct line {  // sent with CRLF, then answered
    std::string text;
};
struct raw {
    std::string text;   // as written, for the transcript
    std::string bytes;  // what is sent: escapes decoded, no line end added
};
struct group {  // pipelined: sent in one write, then as many replies
    std::vector<std::string> lines;
};
struct pause {
    std::chrono::nanoseconds time{};
};
using dialogue_entry = std::variant<line, raw, group, pause>;
// The bytes that `text` stands for, with the escapes of Python's unicode_escape; nothing for a broken escape or a
// character over U+00FF.
std::optional<std::string> decode_raw(std::string_view text);

struct smtp {
    std::string client;  // a client or a host
    std::string server;  // a host
    std::uint16_t port = 25;
    std::vector<dialogue_entry> lines;
    bool early = false;  // the first line goes out before the greeting has come
    bool background = false;
};

struct settle {
    std::chrono::nanoseconds quiet = std::chrono::seconds(2);
    std::chrono::nanoseconds limit = std::chrono::seconds(120);
};
struct wait {
    std::chrono::nanoseconds time{};
};

enum class host_action { stop, start, reload, flush };
struct host_step {
    host_action action{};
    std::string host;
};

enum class cable_action { unplug, plug };
struct cable_step {
    cable_action action{};
    std::string machine;  // a host, client or server
};

// A scripted server takes up a new script; what is absent goes back to its default.
struct script {
    std::string server;
    std::uint16_t port = 25;
    scenario::replies replies;
    std::vector<std::string> extensions;
    bool down = false;
};

struct superuser {  // postsuper(1)
    std::string host;
    std::vector<std::string> args;
};

struct zone_change {
    std::string name;  // lower case, no final dot
    std::string text;
};

struct expect {
    std::vector<expectation> all;
};

struct step {
    topology::position at;
    std::variant<submit, smtp, settle, wait, host_step, cable_step, script, superuser, zone_change, expect> what;
};

}  // namespace sim::scenario
