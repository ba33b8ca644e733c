// mta/maillog/event.hpp - one typed event for each kind of thing that a mail system says.
//
// The maillog, the SQLite record, the dashboard and Python all read these, so they cannot disagree. An event lives for
// the length of one call: its views point into the caller. fields() names each value for the readers that want data;
// render() in render.hpp writes the line that Postfix writes. Events that Postfix does not log (a command and its
// reply, a quiet TLS handshake) are for the record alone: `in_maillog` says which those are.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "mta/async/scheduler.hpp"

namespace mta::maillog {

// Who speaks: a process of the mail system.
struct process {
    std::string tag;  // syslog's program: "postfix/smtpd"
    int pid = 0;
};

// "mail.ohio.cc[192.168.137.9]"
struct peer {
    std::string_view name;  // "unknown" when it has none that holds
    std::string_view address;
    std::string_view port = {};  // where it is shown: "mail.ohio.cc[192.168.137.9]:1025"
};

struct system_started {  // postfix-script's line and master's
    std::string_view version;
    std::string_view configuration;  // directory
    bool by_script = false;
    template <class Visitor>
    void fields(Visitor&& v) const {
        v("version", version), v("configuration", configuration);
    }
};
struct system_stopped {
    bool by_script = false;
    template <class Visitor>
    void fields(Visitor&&) const {}
};
struct system_reloaded {
    std::string_view version;
    std::string_view configuration;
    bool by_script = false;
    template <class Visitor>
    void fields(Visitor&& v) const {
        v("version", version), v("configuration", configuration);
    }
};

struct connected {
    peer client;
    bool logged = true;  // postscreen(8) has lines of its own
    template <class Visitor>
    void fields(Visitor&& v) const {
        v("client", client.name), v("address", client.address);
    }
};
// "disconnect from ... ehlo=1 mail=1 rcpt=0/1 quit=1 commands=3/4"
struct command_count {
    std::string_view verb;  // lower case
    std::uint32_t succeeded;
    std::uint32_t total;
};
struct disconnected {
    peer client;
    std::span<const command_count> commands;
    bool logged = true;
    template <class Visitor>
    void fields(Visitor&& v) const {
        std::uint64_t succeeded = 0, total = 0;
        for (const auto& each : commands) succeeded += each.succeeded, total += each.total;
        v("client", client.name), v("address", client.address), v("succeeded", succeeded), v("commands", total);
    }
};
// "lost connection after DATA (0 bytes) from ...", "timeout after RCPT from ..."
struct connection_broken {
    bool timed_out = false;
    std::string_view after;  // the verb, or "CONNECT"
    peer client;
    template <class Visitor>
    void fields(Visitor&& v) const {
        v("timed_out", timed_out), v("after", after), v("client", client.name), v("address", client.address);
    }
};
// What of a command line the record may keep: no password of AUTH.
std::string_view without_secret(std::string_view command_line);
// A command line without its secret, empty for the greeting, and its reply: for the record.
struct command {
    bool at_client = false;  // seen by the SMTP client rather than the server
    std::string_view line;
    std::string_view reply;
    template <class Visitor>
    void fields(Visitor&& v) const {
        v("at_client", at_client), v("line", line), v("reply", reply);
    }
};
struct tls_established {
    bool logged = false;  // *_tls_loglevel >= 1
    bool at_client = false;
    std::string_view trust;     // "Anonymous", "Untrusted", "Trusted", "Verified"
    std::string_view peer;      // "mail.york.cc[192.168.137.5]:25" at the client, without the port at a server
    std::string_view protocol;  // "TLSv1.3"
    std::string_view cipher;
    std::string_view details;  // what follows "(256/256 bits)": " key-exchange X25519 server-signature ..."
    int cipher_bits = 0;
    int algorithm_bits = 0;
    template <class Visitor>
    void fields(Visitor&& v) const {
        v("at_client", at_client), v("trust", trust), v("peer", peer), v("protocol", protocol), v("cipher", cipher),
            v("bits", cipher_bits);
    }
};

// smtpd's first line of a message: "client=..., sasl_method=..., orig_queue_id=..."
struct client_assigned {
    peer client;
    std::string_view more;  // as Postfix goes on, with its leading ", "
    template <class Visitor>
    void fields(Visitor&& v) const {
        v("client", client.name), v("address", client.address), v("more", more);
    }
};
// "reject: RCPT from ...: 554 5.7.1 <...>: Relay access denied; from=<> to=<> proto=ESMTP helo=<>"
struct verdict {
    std::string_view action;  // reject, reject_warning, warn, hold, discard, filter, info, ...
    std::string_view stage;   // CONNECT, EHLO, MAIL, RCPT, DATA, ...
    peer client;
    std::string_view text;     // the reply or the reason
    std::string_view context;  // "from=<a@b> to=<c@d> proto=ESMTP helo=<x>"
    template <class Visitor>
    void fields(Visitor&& v) const {
        v("action", action), v("stage", stage), v("client", client.name), v("address", client.address), v("text", text),
            v("context", context);
    }
};
struct picked_up {
    unsigned uid = 0;
    std::string_view sender;
    std::string_view original_id;  // of a requeued message, or ""
    template <class Visitor>
    void fields(Visitor&& v) const {
        v("uid", uid), v("sender", sender), v("original_id", original_id);
    }
};
struct message_id_seen {
    std::string_view message_id;  // with its angle brackets, as the header has it
    bool resent = false;
    template <class Visitor>
    void fields(Visitor&& v) const {
        v("message_id", message_id), v("resent", resent);
    }
};
struct became_active {
    std::string_view sender;
    std::size_t size = 0;  // bytes
    std::size_t recipient_count = 0;
    template <class Visitor>
    void fields(Visitor&& v) const {
        v("sender", sender), v("size", size), v("recipient_count", recipient_count);
    }
};
// One recipient's outcome, with delay=, delays=a/b/c/d as log_adhoc(3) writes them.
struct delivery {
    std::string_view recipient;
    std::string_view original_recipient;  // shown as orig_to= when it differs
    std::string_view relay;               // "none", "local", "mail.york.cc[192.168.137.5]:25"
    std::uint32_t connection_uses = 0;    // conn_use=, when over 1
    // Moments between which the four delays lie.
    time_point arrived, active, agent_started, connected, done;
    std::string_view dsn;     // "2.0.0"
    std::string_view status;  // sent, deferred, bounced, ...
    std::string_view text;    // without its parentheses
    template <class Visitor>
    void fields(Visitor&& v) const {
        v("recipient", recipient), v("original_recipient", original_recipient), v("relay", relay), v("dsn", dsn),
            v("status", status), v("text", text), v("delay_ns", (done - arrived).count()),
            v("before_active_ns", (active - arrived).count()), v("in_queue_ns", (agent_started - active).count()),
            v("connecting_ns", (connected - agent_started).count()), v("transmitting_ns", (done - connected).count());
    }
};
struct removed {
    template <class Visitor>
    void fields(Visitor&&) const {}
};
// "from=<...>, status=expired, returned to sender"
struct expired {
    std::string_view sender;
    bool forced = false;
    template <class Visitor>
    void fields(Visitor&& v) const {
        v("sender", sender), v("forced", forced);
    }
};
// "sender non-delivery notification: QID" and its like
struct notification {
    std::string_view kind;      // "sender non-delivery", "postmaster non-delivery", "sender delay", ...
    std::string_view queue_id;  // of the notice
    template <class Visitor>
    void fields(Visitor&& v) const {
        v("kind", kind), v("notice", queue_id);
    }
};
enum class level : std::uint8_t { info, warning, error, fatal, panic };
// What Postfix says once in a while and nobody needs as data. The queue id of the entry, if any, comes after the level
// when `id_first` is false ("warning: QID: ...") and before it otherwise.
struct remark {
    level severity = level::info;
    std::string_view text;
    template <class Visitor>
    void fields(Visitor&& v) const {
        v("severity", static_cast<int>(severity)), v("text", text);
    }
};

using event = std::variant<system_started, system_stopped, system_reloaded, connected, disconnected, connection_broken,
                           command, tls_established, client_assigned, verdict, picked_up, message_id_seen,
                           became_active, delivery, removed, expired, notification, remark>;

// The event's name in the record: "connected", "delivery", ...
std::string_view name_of(const event&);
// Whether Postfix writes a line for it.
bool in_maillog(const event&);

struct entry {
    time_point when;
    const process& by;
    std::string_view queue_id;     // "" for none, "NOQUEUE" where Postfix says so
    std::uint64_t connection = 0;  // of the network, as byte_stream::connection(); 0 for none
    event what;
    bool internal_addresses = false;  // info_log_address_format: shown without the quotes that a message would need
};

}  // namespace mta::maillog
