// sim/scenario/dialogue.hpp - the SMTP client of `smtp` steps: says what the scenario wrote and notes both sides.
//
// It knows just enough of SMTP to take turns (RFC 5321, 4.2: a reply ends at the line without a hyphen), to tell when a
// message follows (354) and to turn to TLS (RFC 3207). A peer that is silent for 20 s, closes or floods ends the
// dialogue with a line that says so; nothing is thrown.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "mta/host.hpp"
#include "sim/scenario/steps.hpp"

namespace sim::scenario {

// Turns a connection into its TLS side after STARTTLS; null when the handshake failed.
using stream_upgrade = std::function<mta::task<std::unique_ptr<mta::byte_stream>>(std::unique_ptr<mta::byte_stream>)>;

struct dialogue_route {
    mta::endpoint server;
    std::optional<mta::address::ip_address> source;
    stream_upgrade start_tls;  // empty: no TLS here, STARTTLS ends the dialogue
    bool early = false;        // the first line, where it is no more than that, goes out before the greeting has come
    dialogue_route() = default;
};

// The transcript: "C: " and "S: " lines, each ended by LF. "(no reply)", "(closed)", "(TLS)" and "(raw) ..." stand for
// what has no text, "S: (Connection refused)" for a connection that could not be made, with io_error's words.
// `client` and `lines` outlive the task.
mta::task<std::string> run_dialogue(mta::Host& client, dialogue_route route, std::span<const dialogue_entry> lines);

}  // namespace sim::scenario
