// pipe(8): hands a message to a program of the machine, as content filters are.
//
// Of the command line of master.cf it takes flags=, user=, argv=, null_sender=, eol=, size=; the exit status
// (sysexits(3)) decides whether the message was delivered, comes back, or waits.
#include <fmt/format.h>

#include <algorithm>

#include "mta/address/quote.hpp"
#include "mta/address/trivial_rewrite.hpp"
#include "mta/cleanup/settings.hpp"
#include "mta/delivery/agents.hpp"
#include "mta/delivery/command.hpp"
#include "mta/delivery/mailbox.hpp"
#include "mta/master/mail_system.hpp"
#include "mta/text/strings.hpp"

namespace mta::delivery {
namespace {

struct pipe_options {
    unsigned copy = 0;
    bool final_delivery = false;  // flags=X
    argument_rules arguments;
    std::string user, group, null_sender = "MAILER-DAEMON", eol = "\n", bad;
    std::vector<std::string> argv;
    std::int64_t size_limit = 0;
};

void read_flags(pipe_options& options, std::string_view letters) {
    struct row {
        char letter;
        copy_flags flag;
    };
    constexpr row rows[] = {{'B', copy_blank_line},  {'D', copy_delivered_to}, {'F', copy_from_line}, {'.', copy_dot},
                            {'O', copy_original_to}, {'R', copy_return_path},  {'>', copy_quote_from}};
    for (const char letter : letters) {
        const auto* const row =
            std::find_if(std::begin(rows), std::end(rows), [&](const auto& each) { return each.letter == letter; });
        if (row != std::end(rows)) {
            options.copy |= row->flag;
        } else if (letter == 'X') {
            options.final_delivery = true;
        } else if (letter == 'h') {
            options.arguments.fold_host = true;
        } else if (letter == 'u') {
            options.arguments.fold_user = true;
        } else if (letter == 'q') {
            options.arguments.quote = true;
        } else {
            options.bad = fmt::format("unknown flag: {} (ignored)", letter);
        }
    }
}

pipe_options read_options(const std::vector<std::string>& arguments) {
    pipe_options options;
    bool in_argv = false;
    for (const std::string& each : arguments) {
        const auto equals = std::min(each.find('='), each.size());
        const std::string_view name = std::string_view(each).substr(0, equals);
        const std::string value = each.substr(std::min(equals + 1, each.size()));
        if (in_argv) {
            options.argv.push_back(each);
        } else if (name == "argv") {
            options.argv.push_back(value);
            in_argv = true;
        } else if (name == "flags") {
            read_flags(options, value);
        } else if (name == "user") {
            options.user = value.substr(0, value.find(':'));
            options.group = value.substr(std::min(options.user.size() + 1, value.size()));
        } else if (name == "null_sender") {
            options.null_sender = value;
        } else if (name == "eol") {
            options.eol = cleanup::unescaped(value);
        } else if (name == "size") {
            options.size_limit = text::to_number(value).value_or(0);
        } else if (name != "chroot" && name != "directory" && options.bad.empty()) {
            options.bad = "unknown attribute name: " + each;
        }
    }
    return options;
}

// Every account has a group of its name, but for nobody; and there are those of Debian's base-passwd.
bool is_group(master::mail_system& mail, std::string_view name) {
    constexpr std::string_view others[] = {"adm",      "audio",  "cdrom",  "dialout", "dip",      "disk",
                                           "fax",      "floppy", "kmem",   "nogroup", "operator", "plugdev",
                                           "postdrop", "sasl",   "shadow", "src",     "staff",    "sudo",
                                           "tape",     "tty",    "users",  "utmp",    "video",    "voice"};
    if (std::find(std::begin(others), std::end(others), name) != std::end(others)) return true;
    return name != "nobody" && mail.host().find_account(name).has_value();
}

// A row of master.cf that makes no sense ends the process with the first request (get_service_attr).
void check_options(master::mail_system& mail, const pipe_options& options) {
    if (!options.bad.empty()) throw agent_died{options.bad};
    const auto account = mail.host().find_account(options.user);
    if (!options.user.empty() && !account) throw agent_died{"get_service_attr: unknown username: " + options.user};
    if (!options.group.empty() && !is_group(mail, options.group))
        throw agent_died{"get_service_attr: unknown group: " + options.group};
    if (options.user.empty()) throw agent_died{"missing user= command-line attribute"};
    if (options.argv.empty()) throw agent_died{"missing argv= command-line attribute"};
    if (account->uid == 0) throw agent_died{"user= command-line attribute specifies root privileges"};
    const std::string owner = mail.parameters().text("mail_owner");
    if (options.user == owner) throw agent_died{"user= command-line attribute specifies mail system owner " + owner};
    if (options.group == "root" || options.group == "wheel")
        throw agent_died{"user= command-line attribute specifies privileged group id 0"};
}

// What stands against the delivery before any program runs, and a warning for the log; an empty dsn: nothing.
queue::delivery_status objection(const pipe_options& options, const request& work, std::string& warning) {
    const queue::delivery_status misconfigured("4.3.5", "mail system configuration error");
    const bool several = work.targets.size() > 1;
    for (const auto& [flag, letter] : {std::pair(copy_delivered_to, 'D'), std::pair(copy_original_to, 'O')}) {
        if (!several || (options.copy & flag) == 0) continue;
        warning = fmt::format("pipe flag `{}' requires {}_destination_recipient_limit = 1", letter, work.transport);
        return misconfigured;
    }
    if (options.size_limit > 0 && static_cast<std::int64_t>(work.file->size) > options.size_limit)
        return {"5.2.3", "message too large"};
    const std::string& first = work.targets.front().address;
    if ((options.copy & copy_delivered_to) != 0 && was_delivered_to(*work.file->content, first))
        return {"5.4.6", "mail forwarding loop for " + first};
    return {};
}

void settle_all(report& account, const queue::delivery_status& status, const char* action) {
    const request& work = account.about();
    for (const target& each : work.targets) {
        if (status.dsn.starts_with('2')) {
            account.sent(each, work.transport, status, action);
        } else {
            account.settle(each, work.transport, status);
        }
    }
}

}  // namespace

task<void> deliver_pipe(master::mail_system& mail, master::daemon& service, report& account) {
    request& work = account.about();
    pipe_options options = read_options(service.service.arguments);
    options.arguments.recipient_delimiter = service.parameters->text("recipient_delimiter");
    const std::string& given = work.sender();
    const std::string sender = given.empty()             ? options.null_sender
                               : options.arguments.quote ? address::path_822(given)
                                                         : given;
    account.mark_connected(mail.now());
    check_options(mail, options);
    std::string warning, unknown;
    queue::delivery_status against = objection(options, work, warning);
    command program;
    if (against.dsn.empty()) {
        auto words = expand_arguments(options.argv, work, sender, options.arguments, unknown);
        if (words) program.arguments = std::move(*words);
    }
    if (!unknown.empty()) {
        warning = fmt::format("file {}/master.cf: service {}: unknown macro name: \"{}\"", mail.settings().directory,
                              service.service.name, unknown);
        against = {"4.3.5", "mail system configuration error"};
    }
    if (!warning.empty()) mail.warn(account.agent(), warning);
    if (!against.dsn.empty()) {
        settle_all(account, against, "");
        co_return;
    }
    copy_addresses about;
    about.sender = given.empty() ? options.null_sender : given;
    about.original_to = work.recipient(work.targets.front()).original;
    about.delivered_to = work.targets.front().address;
    program.user = options.user;
    program.input = std::make_shared<const std::string>(
        mail_copy(*work.file->content, options.copy, about, mail.now(), mail.host().time_zone(), options.eol));
    program.time_limit = service.parameters->transport_duration(service.service.name, "_time_limit");
    const std::string name = program.arguments.empty() ? "" : program.arguments.front();
    if (account.is_probe()) {
        const queue::delivery_status would("2.0.0", "delivers to command: " + name);
        for (const target& each : work.targets) account.sent(each, work.transport, would);
        co_return;
    }
    command_result result = co_await mail.host().run(std::move(program));
    if (result.how == command_result::outcome::not_found) {
        const std::string why = "pipe_command: execvp " + name;
        mail.log(account.agent(), {}, maillog::remark{maillog::level::fatal, why + ": No such file or directory"});
        result.output = "pipe: fatal: " + why;
    }
    const queue::delivery_status status =
        command_status(result, name, fmt::format("delivered via {} service", work.transport));
    settle_all(account, status, options.final_delivery ? "delivered" : "relayed");
}

}  // namespace mta::delivery
