#include "mta/config/master_cf.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "mta/text/strings.hpp"

namespace mta::config {
namespace {

constexpr std::string_view stock = R"(smtp      inet  n - n - - smtpd
pickup    unix  n - n 60 1 pickup
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 300 1 qmgr
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
verify    unix  - - n - 1 verify
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp      unix  - - n - - smtp
relay     unix  - - n - - smtp
  -o syslog_name=postfix/$service_name
showq     unix  n - n - - showq
error     unix  - - n - - error
retry     unix  - - n - - error
discard   unix  - - n - - discard
local     unix  - n n - - local
virtual   unix  - n n - - virtual
lmtp      unix  - - n - - lmtp
anvil     unix  - - n - 1 anvil
scache    unix  - - n - 1 scache
postlog   unix-dgram n - n - 1 postlogd
)";

constexpr std::array<std::string_view, 5> type_names = {"inet", "unix", "fifo", "pass", "unix-dgram"};

// What a field cannot be is thrown within this file only; the reader turns it into a problem of its line.
struct bad_entry {
    std::string text;
    bool said_by_master = true;  // with file and line in front; a daemon does not know them
};

bad_entry bad_value(std::string_view field, std::string_view value) {
    return {"field \"" + std::string(field) + "\": bad value: \"" + std::string(value) + "\""};
}

// The fields of a line one by one; `{...}` is one field.
class field_reader {
  public:
    explicit field_reader(std::string_view line) : rest_(line) {}

    std::optional<std::string_view> next() {
        const auto begin = std::min(rest_.find_first_not_of(text::white_space), rest_.size());
        rest_.remove_prefix(begin);
        if (rest_.empty()) return std::nullopt;
        int depth = 0;
        std::size_t end = 0;
        for (; end < rest_.size(); ++end) {
            if (rest_[end] == '{') ++depth;
            if (rest_[end] == '}' && depth > 0) --depth;
            if (depth == 0 && text::white_space.find(rest_[end]) != std::string_view::npos) break;
        }
        const auto field = rest_.substr(0, end);
        rest_.remove_prefix(end);
        return field;
    }

    std::string_view required(std::string_view name) {
        const auto field = next();
        if (!field) throw bad_entry{"missing \"" + std::string(name) + "\" field"};
        return *field;
    }

    bool flag(std::string_view name, bool fallback) {
        const auto field = required(name);
        if (field == "-") return fallback;
        if (field == "y") return true;
        if (field == "n") return false;
        throw bad_value(name, field);
    }

  private:
    std::string_view rest_;
};

// As atoi(3), which master(8) uses: "1x" is 1.
std::optional<std::int64_t> process_number(std::string_view text) {
    const auto n = text::to_number(text.substr(0, std::min(text.find_first_not_of("0123456789"), text.size())));
    return n && *n <= std::numeric_limits<std::int32_t>::max() ? n : std::nullopt;
}

// An argument in braces without them; others as they stand (extpar(3)).
std::string without_braces(std::string_view field) {
    if (!field.starts_with('{')) return std::string(field);
    int depth = 0;
    std::size_t end = 0;
    for (; end < field.size(); ++end) {
        if (field[end] == '{') ++depth;
        if (field[end] == '}' && --depth == 0) break;
    }
    if (end == field.size()) throw bad_entry{"missing '}' in \"" + std::string(field) + "\""};
    if (end + 1 != field.size()) throw bad_entry{"syntax error after '}' in \"" + std::string(field) + "\""};
    return std::string(text::trimmed(field.substr(1, end - 1)));
}

// The host and port of an inet service: "25", "smtp", "host:25", "[::1]:25", ":25" (host_port(3), inet_listen(3)).
void parse_endpoint(service& s) {
    const std::string_view all = s.name;
    std::string_view host;
    std::string_view port = all;
    if (all.starts_with('[')) {
        const auto close = all.find(']');
        if (close == std::string_view::npos) throw bad_entry{"missing \"]\" in \"" + s.name + "\""};
        if (close + 1 < all.size() && all[close + 1] != ':')
            throw bad_entry{"garbage after \"]\" in \"" + s.name + "\""};
        host = all.substr(1, close - 1);
        port = all.substr(std::min(close + 2, all.size()));
    } else if (const auto colon = all.rfind(':'); colon != std::string_view::npos) {
        host = all.substr(0, colon);
        port = all.substr(colon + 1);
        if (host.find(':') != std::string_view::npos) {
            throw bad_entry{"valid hostname or network address required in \"" + s.name + "\""};
        }
    }
    if (port.empty()) throw bad_entry{"missing service information in \"" + s.name + "\""};
    if (text::is_digit(port.front()) && !text::to_number(port)) {
        throw bad_entry{"garbage after numerical service in \"" + s.name + "\""};
    }
    const auto number = port_of(port);
    if (!number) {
        throw bad_entry{(host.empty() ? "" : std::string(host) + ":") + std::string(port) +
                            ": Servname not supported for ai_socktype",
                        false};
    }
    s.host = host;
    s.port = *number;
}

// `-o name=value`, the value of which may be `{ name = value }`; what is wrong in the daemon's words.
definition parse_override(std::string_view field, const position& at) {
    const auto text = without_braces(field);
    const auto trimmed = text::trimmed(text);
    const auto equals = trimmed.find('=');
    const auto invalid = "invalid \"-o " + text + "\" option value: ";
    if (equals == 0) throw bad_entry{invalid + "missing attribute name", false};
    const auto name = text::trimmed(trimmed.substr(0, equals));
    if (equals == std::string_view::npos || name.find_first_of(text::white_space) != std::string_view::npos) {
        throw bad_entry{invalid + "missing '=' after attribute name", false};
    }
    return {std::string(name), std::string(text::trimmed(trimmed.substr(equals + 1))), at};
}

// The command's arguments: options up to the first that is none, as getopt(3) takes them; pipe(8) and others keep
// what follows.
void parse_arguments(service& s, field_reader& fields) {
    bool options = true;
    while (const auto field = fields.next()) {
        const auto argument = without_braces(*field);
        options = options && argument.starts_with('-') && argument != "-" && argument != "--";
        if (!options || !argument.starts_with("-o")) {
            s.arguments.push_back(argument);
            continue;
        }
        if (argument.size() > 2) {
            s.overrides.push_back(parse_override(std::string_view(argument).substr(2), s.where));
            continue;
        }
        const auto value = fields.next();
        if (!value) throw bad_entry{"invalid option: o", false};
        s.overrides.push_back(parse_override(*value, s.where));
    }
}

service parse_service(std::string_view line, const position& at) {
    field_reader fields(line);
    service s;
    s.where = at;
    s.name = fields.required("service name");
    const auto type = fields.required("transport type");
    const auto known = std::find(type_names.begin(), type_names.end(), type);
    if (known == type_names.end()) throw bad_entry{"bad transport type: " + std::string(type)};
    s.type = static_cast<transport_type>(known - type_names.begin());
    if (s.type == transport_type::inet) parse_endpoint(s);
    s.is_private = fields.flag("private", true);
    if (s.type == transport_type::inet && s.is_private) throw bad_entry{"inet service cannot be private"};
    s.unprivileged = fields.flag("unprivileged", true);
    s.chroot = fields.flag("chroot", false);

    const auto wakeup = fields.required("wakeup_time");
    s.wakeup_only_when_used = wakeup.ends_with('?');
    const auto wakeup_number = wakeup.substr(0, wakeup.size() - (s.wakeup_only_when_used ? 1 : 0));
    if (wakeup != "-") {
        const auto n = process_number(wakeup_number);
        if (!n) throw bad_value("wakeup_time", wakeup);
        s.wakeup_seconds = *n;
    }
    const auto limit = fields.required("max_proc");
    if (limit != "-") {
        s.process_limit = process_number(limit);
        if (!s.process_limit) throw bad_value("max_proc", limit);
    }
    s.command = fields.required("command");
    parse_arguments(s, fields);
    return s;
}

void add(master_cf& read, service s) {
    const auto same = std::find_if(read.services.begin(), read.services.end(), [&](const service& o) {
        return o.type == s.type &&
               (s.type == transport_type::inet ? o.host == s.host && o.port == s.port : o.name == s.name);
    });
    if (same == read.services.end()) {
        read.services.push_back(std::move(s));
        return;
    }
    // Lines that are added to the stock ones have no other way to change these.
    if (!same->where.file && s.where.file) {
        *same = std::move(s);
        return;
    }
    const auto shown = s.type == transport_type::inet ? s.name : (s.is_private ? "private/" : "public/") + s.name;
    read.found.push_back(
        {s.where, severity::warning,
         "duplicate master.cf entry for service \"" + s.name + "\" (" + shown + ") -- using the last entry"});
    *same = std::move(s);
}

void add_all(master_cf& read, std::string_view text, std::string_view file) {
    const auto start = place(file, 0);
    for (const auto& line : logical_lines(text)) {
        const position at{file.empty() ? nullptr : start.file, line.first, 0};
        if (text::is_space(line.text.front())) {
            read.found.push_back({at, severity::warning,
                                  std::string(file) + ": logical line must not start with whitespace: \"" +
                                      line.text.substr(0, 30) + (line.text.size() > 30 ? "...\"" : "\"")});
            continue;
        }
        try {
            add(read, parse_service(line.text, at));
        } catch (const bad_entry& wrong) {
            const auto prefix = std::string(file) + ": line " + std::to_string(line.first) + ": ";
            read.found.push_back({at, severity::fatal, (wrong.said_by_master ? prefix : "") + wrong.text});
        }
    }
}

}  // namespace

std::string_view to_string(transport_type t) {
    return type_names[static_cast<std::size_t>(t)];
}

std::string_view stock_master_cf() {
    return stock;
}

master_cf read_master_cf(std::string_view text, std::string_view file) {
    master_cf read;
    add_all(read, text, file);
    return read;
}

master_cf stock_master_cf_with(std::string_view text, std::string_view file) {
    master_cf read;
    add_all(read, stock, "");
    add_all(read, text, file);
    return read;
}

const service* master_cf::find(std::string_view name, transport_type type) const {
    const auto at = std::find_if(services.begin(), services.end(),
                                 [&](const service& s) { return s.name == name && s.type == type; });
    return at == services.end() ? nullptr : &*at;
}

const service* master_cf::transport(std::string_view name) const {
    return find(name, transport_type::unix_domain);
}

std::optional<std::uint16_t> port_of(std::string_view service) {
    struct row {
        std::string_view name;
        std::uint16_t port;
    };
    constexpr row rows[] = {{"smtp", 25},   {"mail", 25},   {"lmtp", 24},  {"submission", 587}, {"submissions", 465},
                            {"smtps", 465}, {"ssmtp", 465}, {"urd", 465},  {"qmqp", 628},       {"pop3", 110},
                            {"pop3s", 995}, {"imap2", 143}, {"imap", 143}, {"imaps", 993},      {"sieve", 4190}};
    for (const auto& r : rows) {
        if (r.name == service) return r.port;
    }
    const auto number = text::to_number(service);
    if (!number) return std::nullopt;
    // As htons(3) cuts it: Postfix listens on 99999 modulo 65536.
    return static_cast<std::uint16_t>(*number & 0xFFFF);
}

}  // namespace mta::config
