// pipe(8): hands a message to a program of the machine, as content filters are.
//
// Of the command line of master.cf it takes flags=, user=, argv=, null_sender=, eol=, size=; the exit status
// (sysexits(3)) decides whether the message was delivered, comes back, or waits.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "mta/address/quote.hpp"
#include "mta/delivery/agents.hpp"
#include "mta/delivery/mailbox_text.hpp"
#include "mta/master/mail_system.hpp"
#include "mta/text/strings.hpp"

namespace mta::delivery {
namespace {

struct pipe_options {
    std::string flags, user, null_sender = "MAILER-DAEMON", eol = "\n";
    std::vector<std::string> argv;
    std::int64_t size_limit = 0;
};

std::string unescaped(std::string_view text) {
    return text::replaced(text::replaced(text, "\\r", "\r"), "\\n", "\n");
}

pipe_options read_options(const std::vector<std::string>& arguments) {
    pipe_options options;
    bool in_argv = false;
    for (const std::string& each : arguments) {
        const auto value_of = [&](std::string_view name) {
            return each.size() > name.size() && std::string_view(each).substr(0, name.size()) == name;
        };
        if (in_argv) {
            options.argv.push_back(each);
        } else if (value_of("argv=")) {
            options.argv.push_back(each.substr(5));
            in_argv = true;
        } else if (value_of("flags=")) {
            options.flags = each.substr(6);
        } else if (value_of("user=")) {
            options.user = each.substr(5);
        } else if (each.rfind("null_sender=", 0) == 0) {
            options.null_sender = each.substr(12);
        } else if (value_of("eol=")) {
            options.eol = unescaped(each.substr(4));
        } else if (value_of("size=")) {
            options.size_limit = text::to_number(each.substr(5)).value_or(0);
        }
    }
    return options;
}

// The macros of argv that stand once for each recipient.
struct recipient_macros {
    std::string recipient, user, extension, domain, mailbox, nexthop, original_recipient;
};

recipient_macros macros_of(const request& work, const target& to, bool fold) {
    const std::string address = fold ? text::lowered(to.address) : to.address;
    const auto parts = address::split_at_domain(address);
    recipient_macros macros;
    macros.recipient = address;
    macros.mailbox = std::string(parts.local);
    macros.user = macros.mailbox;
    macros.domain = parts.domain ? std::string(*parts.domain) : "";
    macros.nexthop = work.next_hop;
    macros.original_recipient = work.recipient(to).original;
    return macros;
}

std::vector<std::string> expand_argv(const pipe_options& options, const master::mail_system& mail, const request& work,
                                     std::string_view sender) {
    static_cast<void>(mail);
    std::vector<std::string> out;
    const bool fold_user = options.flags.find('u') != std::string::npos;
    const queue::queue_file& file = *work.file;
    const std::array<std::pair<std::string_view, std::string>, 9> common = {{
        {"sender", std::string(sender)},
        {"queue_id", file.id},
        {"size", std::to_string(file.size)},
        {"nexthop", work.next_hop},
        {"client_address", file.from.client_address},
        {"client_hostname", file.from.client_name},
        {"client_helo", file.from.helo},
        {"client_protocol", file.from.protocol},
        {"sasl_username", file.from.sasl_username},
    }};
    for (const std::string& word : options.argv) {
        std::string once = word;
        for (const auto& [name, value] : common) {
            once = text::replaced(once, fmt::format("${{{}}}", name), value);
            once = text::replaced(once, fmt::format("$({})", name), value);
        }
        constexpr std::array<std::string_view, 6> each_recipient = {"recipient", "user",    "extension",
                                                                    "domain",    "mailbox", "original_recipient"};
        const auto mentions = [&](std::string_view name) {
            return once.find(fmt::format("${{{}}}", name)) != std::string::npos;
        };
        if (std::none_of(each_recipient.begin(), each_recipient.end(), mentions)) {
            out.push_back(once);
            continue;
        }
        for (const target& to : work.targets) {
            const recipient_macros macros = macros_of(work, to, fold_user);
            std::string expanded = once;
            expanded = text::replaced(expanded, "${recipient}", macros.recipient);
            expanded = text::replaced(expanded, "${original_recipient}", macros.original_recipient);
            expanded = text::replaced(expanded, "${user}", macros.user);
            expanded = text::replaced(expanded, "${extension}", macros.extension);
            expanded = text::replaced(expanded, "${domain}", macros.domain);
            expanded = text::replaced(expanded, "${mailbox}", macros.mailbox);
            out.push_back(expanded);
        }
    }
    return out;
}

// The message as the program reads it: header lines in front by flags, the line ends it wants.
std::string input_text(const pipe_options& options, const request& work, std::string_view sender, time_point now,
                       const text::time_zone& zone) {
    const auto has = [&](char flag) { return options.flags.find(flag) != std::string::npos; };
    std::string out;
    const std::string quoted = address::path_822(sender);
    if (has('F')) out += fmt::format("From {}  {}\n", quoted, text::mbox_date(now, zone));
    if (has('R')) out += fmt::format("Return-Path: <{}>\n", quoted);
    if (has('O') && work.targets.size() == 1)
        out += fmt::format("X-Original-To: {}\n", work.recipient(work.targets[0]).original);
    if (has('D') && work.targets.size() == 1)
        out += fmt::format("Delivered-To: {}\n", text::lowered(work.targets[0].address));
    out += *work.file->content;
    if (has('.') || has('>')) {
        std::string escaped;
        for (std::string_view rest = out; !rest.empty();) {
            const auto end = rest.find('\n');
            const auto line = rest.substr(0, end == std::string_view::npos ? rest.size() : end + 1);
            if (has('.') && line.front() == '.') escaped += '.';
            if (has('>') && line.substr(0, 5) == "From " && !escaped.empty()) escaped += '>';
            escaped += line;
            rest.remove_prefix(line.size());
        }
        out = std::move(escaped);
    }
    if (has('B')) out += '\n';
    return options.eol == "\n" ? out : text::replaced(out, "\n", options.eol);
}

// sysexits(3) as sys_exits.c reads them.
struct exit_meaning {
    int status;
    const char *dsn, *text;
};
constexpr exit_meaning meanings[] = {
    {64, "5.3.5", "command line usage error"}, {65, "5.6.0", "data format error"},
    {66, "5.3.0", "cannot open input"},        {67, "5.1.1", "user unknown"},
    {68, "5.1.2", "host name unknown"},        {69, "5.3.0", "service unavailable"},
    {70, "5.3.0", "internal software error"},  {71, "4.3.0", "system resource problem"},
    {72, "5.3.0", "critical OS file missing"}, {73, "5.2.0", "can't create user output file"},
    {74, "5.3.0", "input/output error"},       {75, "4.3.0", "temporary failure"},
    {76, "5.5.0", "remote error in protocol"}, {77, "5.7.0", "permission denied"},
    {78, "5.3.5", "local configuration error"}};

bool is_status_code(std::string_view text) {
    return text.size() >= 5 && (text[0] == '2' || text[0] == '4' || text[0] == '5') && text[1] == '.' &&
           text::is_digit(text[2]);
}

}  // namespace

queue::delivery_status command_status(const command_result& result, const std::string& command,
                                      const std::string& delivered) {
    // dsb_unix() and dsn_split(3): a status code at the head of the output goes before the one of the exit status.
    const std::string output = text::replaced(result.output, "\n", " ");
    if (result.how == command_result::outcome::timed_out) {
        return {"5.3.0", fmt::format("Command time limit exceeded: \"{}\"", command)};
    }
    if (result.how == command_result::outcome::not_allowed) {
        return {"4.3.0",
                fmt::format("Command not run: \"{}\": the lab runs commands of the machine only when it is allowed to",
                            command)};
    }
    if (result.how == command_result::outcome::not_found) {
        return {
            "4.3.0",
            fmt::format(
                "temporary failure. Command output: pipe: fatal: pipe_command: execvp {}: No such file or directory ",
                command)};
    }
    if (result.exit_status == 0) return {"2.0.0", delivered};
    const auto known = std::find_if(std::begin(meanings), std::end(meanings),
                                    [&](const auto& each) { return each.status == result.exit_status; });
    queue::delivery_status status;
    if (is_status_code(output)) {
        const auto space = output.find(' ');
        status.dsn = output.substr(0, space);
        status.text = text::trimmed(output.substr(std::min(space, output.size())));
    } else if (known != std::end(meanings)) {
        status.dsn = known->dsn;
        status.text =
            output.empty() ? std::string(known->text) : fmt::format("{}. Command output: {}", known->text, output);
    } else {
        status.dsn = "5.3.0";
        status.text = output.empty() ? fmt::format("Command died with status {}: \"{}\"", result.exit_status, command)
                                     : fmt::format("Command died with status {}: \"{}\". Command output: {}",
                                                   result.exit_status, command, output);
    }
    status.diagnostic_type = "x-unix";
    status.diagnostic = output.empty() ? status.text : output;
    return status;
}

task<void> deliver_pipe(master::mail_system& mail, master::daemon& service, report& account) {
    request& work = account.about();
    const pipe_options options = read_options(service.service.arguments);
    const bool quote = options.flags.find('q') != std::string::npos;
    const std::string& raw_sender = work.file->sender;
    const std::string sender = raw_sender.empty() ? options.null_sender
                               : quote            ? address::path_822(raw_sender)
                                                  : raw_sender;
    account.mark_connected(mail.now());
    if (options.size_limit > 0 && static_cast<std::int64_t>(work.file->size) > options.size_limit) {
        const queue::delivery_status too_big(
            "5.2.3", fmt::format("message size {} exceeds size limit {}", work.file->size, options.size_limit));
        for (const target& each : work.targets) account.bounced(each, work.transport, too_big);
        co_return;
    }
    command program;
    program.arguments = expand_argv(options, mail, work, sender);
    program.user = options.user.substr(0, options.user.find(':'));
    program.input =
        std::make_shared<const std::string>(input_text(options, work, sender, mail.now(), mail.host().time_zone()));
    program.time_limit = service.parameters->transport_duration(service.service.name, "_time_limit");
    const std::string name = program.arguments.empty() ? "" : program.arguments.front();
    if (account.is_probe()) {
        const queue::delivery_status would("2.0.0", "delivers to command: " + name);
        for (const target& each : work.targets) account.sent(each, work.transport, would);
        co_return;
    }
    const command_result result = co_await mail.host().run(std::move(program));
    const queue::delivery_status status =
        command_status(result, name, fmt::format("delivered via {} service", work.transport));
    for (const target& each : work.targets) account.settle(each, work.transport, status);
}

}  // namespace mta::delivery
