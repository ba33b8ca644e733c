// sim/topology/step_tables.cpp - the keys of steps and expectations.
#include "sim/topology/server_script.hpp"
#include "sim/topology/tables.hpp"
#include "sim/topology/types.hpp"

namespace sim::topology {
namespace {

using namespace scenario;

struct sender_type {  // null: sendmail(1) takes the user's
    using value = std::optional<std::string>;
    static std::optional<value> read(context& c, const node& n) {
        if (n.kind == node_kind::null) return value{};
        auto text = line_type::read(c, n);
        if (!text) return std::nullopt;
        return value{std::move(text)};
    }
    static std::string json() { return R"({"type": ["string", "null"]})"; }
    static std::string words() { return "address, `\"\"` for the null sender"; }
};

struct raw_type {
    using value = raw;
    static std::optional<raw> read(context& c, const node& n) {
        auto text = text_type::read(c, n);
        if (!text) return std::nullopt;
        auto bytes = decode_raw(*text);
        if (!bytes) {
            c.wrong_type(n, "bytes", "write characters up to U+00FF and whole escapes such as \\r\\n and \\xff");
            return std::nullopt;
        }
        return raw{std::move(*text), std::move(*bytes)};
    }
    static std::string json() { return text_type::json(); }
    static std::string words() { return "bytes, with escapes"; }
};
struct group_type {
    using value = group;
    static std::optional<group> read(context& c, const node& n) {
        auto lines = list_of<line_type>::read(c, n);
        if (!lines) return std::nullopt;
        return group{std::move(*lines)};
    }
    static std::string json() { return list_of<line_type>::json(); }
    static std::string words() { return list_of<line_type>::words(); }
};
struct pause_type {
    using value = pause;
    static std::optional<pause> read(context& c, const node& n) {
        const auto time = duration_type::read(c, n);
        if (!time) return std::nullopt;
        return pause{*time};
    }
    static std::string json() { return duration_type::json(); }
    static std::string words() { return duration_type::words(); }
};
struct dialogue_entry_type {
    using value = dialogue_entry;
    static std::optional<value> read(context& c, const node& n) {
        if (n.kind == node_kind::map) {
            auto item = object_type<dialogue_item>::read(c, n);
            return std::move(item->what);
        }
        auto text = line_type::read(c, n);
        if (!text) return std::nullopt;
        return value{line{std::move(*text)}};
    }
    static std::string json() {
        return R"({"oneOf": [)" + line_type::json() + ", " + object_type<dialogue_item>::json() + "]}";
    }
    static std::string words() { return "line, or " + object_type<dialogue_item>::words(); }
};

struct wait_type {
    using value = wait;
    static std::optional<wait> read(context& c, const node& n) {
        const auto time = duration_type::read(c, n);
        if (!time) return std::nullopt;
        return wait{*time};
    }
    static std::string json() { return duration_type::json(); }
    static std::string words() { return duration_type::words(); }
};
struct expectations_type {
    using value = expect;
    static std::optional<expect> read(context& c, const node& n) {
        auto all = one_or_list_of<object_type<expectation>>::read(c, n);
        if (!all) return std::nullopt;
        return expect{std::move(*all)};
    }
    static std::string json() { return one_or_list_of<object_type<expectation>>::json(); }
    static std::string words() { return one_or_list_of<object_type<expectation>>::words(); }
};
// A zone whose text is replaced: checked as the zones of the file are.
struct zone_change_type : object_type<zone_change> {
    static std::optional<zone_change> read(context& c, const node& n) {
        auto change = object_type::read(c, n);
        const auto text =
            std::find_if(n.entries.begin(), n.entries.end(), [](const entry& e) { return e.key->text == "text"; });
        if (text != n.entries.end() && text->value->kind == node_kind::scalar)
            if (const auto block = block_type::read(c, *text->value)) check_zone_text(c, change->name, *block);
        return change;
    }
};
struct zone_name_type {
    using value = std::string;
    static std::optional<std::string> read(context& c, const node& n) {
        const auto name = text_type::read(c, n);
        if (!name || !good_key(c, n, check_zone_name)) return std::nullopt;
        return zone_name(*name);
    }
    static std::string json() { return text_type::json(); }
    static std::string words() { return "name of a zone"; }
};

template <host_action Action>
constexpr row<step> host_verb(std::string_view key, std::string_view doc) {
    return field_set<step, host_type, [](step& s, std::string name, const node&) {
        s.what = host_step{Action, std::move(name)};
    }>(key, need::optional, doc);
}
template <cable_action Action>
constexpr row<step> cable_verb(std::string_view key, std::string_view doc) {
    return field_set<step, reference_type<machine_kind::any>, [](step& s, std::string name, const node&) {
        s.what = cable_step{Action, std::move(name)};
    }>(key, need::optional, doc);
}

using any_machine_type = reference_type<machine_kind::any>;
using header_values_type = pairs_of<wording_type, check_header_name>;
constexpr std::string_view how_many = "How many there are. Default: at least one.";

}  // namespace

template <>
const object_table<step>& table_of<step>() {
    static constexpr row<step> rows[] = {
        verb<step, object_type<submit>>("submit", "Give a message to sendmail(1) on a host, as root."),
        verb<step, object_type<smtp>>("smtp", "Speak SMTP to a host, line by line."),
        verb<step, object_type<settle>>("settle", "Go on when no log has grown for a while."),
        verb<step, wait_type>("wait", "Go on after this time."),
        host_verb<host_action::stop>("stop", "Stop a host's mail system."),
        host_verb<host_action::start>("start", "Start a host's mail system."),
        host_verb<host_action::reload>(
            "reload",
            "Let a host's mail system read its configuration again; sessions and deliveries under way go on."),
        host_verb<host_action::flush>("flush", "Try a host's deferred mail now (postqueue -f)."),
        cable_verb<cable_action::unplug>("unplug", "Pull a machine's network cable."),
        cable_verb<cable_action::plug>("plug", "Plug a machine's network cable in again."),
        verb<step, object_type<script>>("script", "Change how a scripted server answers."),
        verb<step, object_type<superuser>>("superuser", "Run postsuper(1) on a host."),
        verb<step, zone_change_type>("zone", "Replace a DNS zone."),
        verb<step, expectations_type>("expect", "Check here and now."),
    };
    static constexpr object_table<step> table{"step", "Something that happens: one verb.", rows, true};
    return table;
}

template <>
const object_table<submit>& table_of<submit>() {
    using t = submit;
    static constexpr row<t> rows[] = {
        field<t, &t::host, host_type>("host", need::required, "Where it is submitted."),
        field<t, &t::from, sender_type>("from", need::optional, "Envelope sender (sendmail -f). Default: root."),
        field<t, &t::to, list_of<line_type>>("to", need::required,
                                             "Envelope recipients, as in `to: [kimchen@york.cc]`."),
        field<t, &t::subject, wording_type>("subject", need::optional, "Its Subject. Default: `test`."),
        field<t, &t::body, wording_type>("body", need::optional, "Its text. Default: `Hello.`"),
        field<t, &t::headers, header_values_type>("headers", need::optional, "More header lines."),
        field<t, &t::header_from, text_type>("header_from", need::optional,
                                             "Its From line. Default: the sender, or `MAILER-DAEMON`."),
        field_set<t, text_type, [](t& o, std::string v, const node&) { o.message = std::move(v); }>(
            "message", need::optional, "The whole message, header and body, instead of the five above."),
        field<t, &t::count, integer_type<std::uint32_t, 1, 100'000>>("count", need::optional,
                                                                     "How many times. Default: 1."),
        field<t, &t::sendmail_args, list_of<line_type>>("sendmail_args", need::optional,
                                                        "More arguments of sendmail(1), as in `[-N, never]`."),
    };
    static constexpr object_table<t> table{"submit", "A message given to sendmail(1).", rows};
    return table;
}

template <>
const object_table<smtp>& table_of<smtp>() {
    using t = smtp;
    static constexpr row<t> rows[] = {
        field<t, &t::client, reference_type<machine_kind::speaker>>("client", need::required,
                                                                    "Who speaks, a client or a host."),
        field<t, &t::server, host_type>("server", need::required, "Who is spoken to, a host."),
        field<t, &t::port, port_type>("port", need::optional, "Default: 25."),
        field<t, &t::lines, list_of<dialogue_entry_type>>(
            "lines", need::required,
            "What is said, one line at a time, each answered before the next; after a 354 reply the lines up to `.` "
            "are the message; `STARTTLS` switches to TLS."),
        field<t, &t::early, boolean_type>("early", need::optional,
                                          "`true`: the first line is sent before the greeting has come, as by software "
                                          "that is no mail server. Default: `false`."),
        field<t, &t::background, boolean_type>("background", need::optional,
                                               "`true`: it runs beside the steps after it. Default: `false`."),
    };
    static constexpr object_table<t> table{"smtp", "An SMTP dialogue.", rows};
    return table;
}

template <>
const object_table<dialogue_item>& table_of<dialogue_item>() {
    using t = dialogue_item;
    static constexpr row<t> rows[] = {
        verb<t, raw_type>("raw", "Sent as it stands, without a line end; the replies of a second are gathered."),
        verb<t, group_type>("group", "Lines sent at once, and as many replies read (pipelining, RFC 2920)."),
        verb<t, pause_type>("wait", "A pause."),
    };
    static constexpr object_table<t> table{"dialogue-item", "What is not simply a line of a dialogue.", rows, true};
    return table;
}

template <>
const object_table<settle>& table_of<settle>() {
    using t = settle;
    static constexpr row<t> rows[] = {
        field<t, &t::quiet, duration_type>("quiet", need::optional, "How long no log may grow. Default: `2s`."),
        field<t, &t::limit, duration_type>("limit", need::optional, "When to go on in any case. Default: `120s`."),
    };
    static constexpr object_table<t> table{"settle", "Wait for quiet.", rows};
    return table;
}

template <>
const object_table<script>& table_of<script>() {
    using t = script;
    static constexpr row<t> rows[] = {
        field<t, &t::server, reference_type<machine_kind::server>>("server", need::required, "Which server."),
        field<t, &t::port, port_type>("port", need::optional, "Where it listens from now on. Default: 25."),
        field<t, &t::replies, replies_type>("replies", need::optional,
                                            "Its replies from now on, as a server's. Default: it accepts all."),
        field<t, &t::extensions, list_of<line_type>>("extensions", need::optional,
                                                     "EHLO keywords that it announces. Default: none."),
        field<t, &t::down, boolean_type>("down", need::optional, "`true`: nothing listens. Default: `false`."),
    };
    static constexpr object_table<t> table{
        "script",
        "A scripted server's new behaviour; what is left out goes back to its default. Of a policy server only `down` "
        "counts.",
        rows};
    return table;
}

template <>
const object_table<superuser>& table_of<superuser>() {
    using t = superuser;
    static constexpr row<t> rows[] = {
        field<t, &t::host, host_type>("host", need::required, "On which host."),
        field<t, &t::args, list_of<line_type>>("args", need::required, "Arguments of postsuper(1), as in `[-h, ALL]`."),
    };
    static constexpr object_table<t> table{"superuser", "postsuper(1) on a host.", rows};
    return table;
}

template <>
const object_table<zone_change>& table_of<zone_change>() {
    using t = zone_change;
    static constexpr row<t> rows[] = {
        field<t, &t::name, zone_name_type>("name", need::required, "Which zone; a new one is added."),
        field<t, &t::text, text_type>("text", need::required, "Its master-file text from now on."),
    };
    static constexpr object_table<t> table{"zone-change", "A DNS zone's new text.", rows};
    return table;
}

template <>
const object_table<expectation>& table_of<expectation>() {
    using t = expectation;
    static constexpr row<t> rows[] = {
        verb<t, object_type<delivered>>("delivered", "Mail reached a recipient."),
        verb<t, object_type<bounced>>("bounced", "Mail for a recipient was returned."),
        verb<t, object_type<refused>>("refused", "A host refused a command."),
        verb<t, object_type<log_line>>("log", "A maillog has a line."),
        verb<t, object_type<queue_length>>("queue", "A queue's length."),
        verb<t, object_type<mailbox>>("mailbox", "What a mailbox holds."),
    };
    static constexpr object_table<t> table{"expectation", "Something that must be true: one claim.", rows, true};
    return table;
}

template <>
const object_table<delivered>& table_of<delivered>() {
    using t = delivered;
    static constexpr row<t> rows[] = {
        field<t, &t::to, line_type>("to", need::required, "The envelope recipient, as it was at the first host."),
        field<t, &t::from, line_type>("from", need::optional, "The envelope sender."),
        field<t, &t::host, any_machine_type>("host", need::optional,
                                             "Where it was delivered: a host, or a scripted server that took it."),
        field<t, &t::hops, list_of<any_machine_type>>("hops", need::optional,
                                                      "Every machine it passed, in order, the last one included."),
        field<t, &t::count, count_type>("count", need::optional, how_many),
    };
    static constexpr object_table<t> table{"delivered", "Mail reached a recipient.", rows};
    return table;
}

template <>
const object_table<bounced>& table_of<bounced>() {
    using t = bounced;
    static constexpr row<t> rows[] = {
        field<t, &t::to, line_type>("to", need::required, "The recipient that was not reached."),
        field<t, &t::host, host_type>("host", need::optional, "Who gave up."),
        field<t, &t::dsn_glob, line_type>("dsn", need::optional,
                                          "The enhanced status code (RFC 3463), `*` and `?` allowed, as in `5.7.*`."),
        field<t, &t::reason_glob, line_type>("reason", need::optional,
                                             "The text in parentheses of the log line, `*` and `?` allowed."),
        field<t, &t::count, count_type>("count", need::optional, how_many),
    };
    static constexpr object_table<t> table{"bounced", "Mail for a recipient was returned to its sender.", rows};
    return table;
}

template <>
const object_table<refused>& table_of<refused>() {
    using t = refused;
    static constexpr row<t> rows[] = {
        field<t, &t::client, any_machine_type>("client", need::optional, "Who was refused."),
        field<t, &t::server, any_machine_type>("server", need::optional, "Who refused."),
        field<t, &t::from, line_type>("from", need::optional, "The envelope sender."),
        field<t, &t::to, line_type>("to", need::optional, "The envelope recipient."),
        field<t, &t::reply_glob, line_type>("reply", need::optional,
                                            "The reply, `*` and `?` allowed, as in `554 5.7.1 *`."),
        field<t, &t::count, count_type>("count", need::optional, how_many),
    };
    static constexpr object_table<t> table{"refused", "A server refused a command with a 4xx or 5xx reply.", rows};
    return table;
}

template <>
const object_table<log_line>& table_of<log_line>() {
    using t = log_line;
    static constexpr row<t> rows[] = {
        field<t, &t::host, host_type>("host", need::optional, "Whose maillog. Default: any host's."),
        field<t, &t::matches, pattern_type>("matches", need::required,
                                            "Searched within a line, as in `matches: 'status=sent'`."),
        field<t, &t::count, count_type>("count", need::optional, how_many),
    };
    static constexpr object_table<t> table{"log", "A maillog has a line.", rows};
    return table;
}

template <>
const object_table<queue_length>& table_of<queue_length>() {
    using t = queue_length;
    static constexpr row<t> rows[] = {
        field<t, &t::host, host_type>("host", need::required, "Whose queue."),
        field<t, &t::incoming, count_type>("incoming", need::optional, "Messages in the incoming queue."),
        field<t, &t::active, count_type>("active", need::optional, "Messages in the active queue."),
        field<t, &t::deferred, count_type>("deferred", need::optional, "Messages in the deferred queue."),
        field<t, &t::hold, count_type>("hold", need::optional, "Messages on hold."),
        field<t, &t::total, count_type>("total", need::optional, "Messages in all queues."),
    };
    static constexpr object_table<t> table{"queue", "How many messages a host's queues hold.", rows};
    return table;
}

template <>
const object_table<mailbox>& table_of<mailbox>() {
    using t = mailbox;
    static constexpr row<t> rows[] = {
        field<t, &t::host, host_type>("host", need::required, "On which host."),
        field<t, &t::user, line_type>("user", need::required, "Whose mailbox."),
        field<t, &t::count, count_type>("count", need::optional, "How many messages it holds. Default: at least one."),
        field<t, &t::header_globs, header_values_type>(
            "header", need::optional, "Headers that one message has, by name; `*` and `?` allowed in the value."),
        field<t, &t::contains, text_type>("contains", need::optional, "Text within that message."),
    };
    static constexpr object_table<t> table{"mailbox", "What a mailbox holds.", rows};
    return table;
}

}  // namespace sim::topology
