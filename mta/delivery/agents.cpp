#include "mta/delivery/agents.hpp"

#include <fmt/format.h>

#include <utility>

#include "mta/cleanup/checks.hpp"
#include "mta/delivery/local.hpp"
#include "mta/delivery/status_filter.hpp"
#include "mta/master/mail_system.hpp"
#include "mta/master/programs.hpp"
#include "mta/smtp/client.hpp"

namespace mta::delivery {

namespace {

// error(8) bounces as `error` and defers as `retry`, and does nothing under another name.
bool knows_its_name(const master::daemon& service) {
    return service.service.name == "error" || service.service.name == "retry";
}

}  // namespace

agents::agents(master::mail_system& mail) : mail_(mail) {}
agents::~agents() = default;

bool agents::is_immediate(const master::daemon& service) const {
    const master::program agent = master::program_of(service.service.command);
    return (agent == master::program::error && knows_its_name(service)) || agent == master::program::discard;
}

agents::agent& agents::agent_of(const master::daemon& service) {
    const auto known = agents_.find(&service);
    if (known != agents_.end()) return known->second;
    agent made;
    made.program = master::program_of(service.service.command);
    made.filter = std::make_unique<const status_filter>(mail_, service);
    return agents_.emplace(&service, std::move(made)).first->second;
}

void agents::deliver_now(master::daemon& service, const maillog::process& process, request& work) {
    const agent& mine = agent_of(service);
    report account(mail_, process, work);
    account.set_filter(*mine.filter);
    if (mine.program == master::program::discard) {
        deliver_discard(mail_, account);
    } else {
        deliver_error(mail_, account);
    }
}

task<void> agents::deliver(master::daemon& service, const maillog::process& process, request& work) {
    agent& mine = agent_of(service);
    report account(mail_, process, work);
    account.set_filter(*mine.filter);
    switch (mine.program) {
        case master::program::smtp:
        case master::program::lmtp:
            if (!mine.client) mine.client = std::make_unique<smtp::client>(mail_, service);
            co_await mine.client->deliver(account);
            co_return;
        case master::program::local:
            if (!mine.local) mine.local = std::make_unique<const local_settings>(mail_, *service.parameters);
            co_await deliver_local(mail_, *mine.local, account);
            co_return;
        case master::program::virtual_mailbox:
            deliver_virtual(mail_, service, account);
            co_return;
        case master::program::pipe:
            co_await deliver_pipe(mail_, service, account);
            co_return;
        case master::program::error:
            throw agent_died("bad error service name: " + service.service.name);
        default:
            break;
    }
    // A program that is no agent of ours answers nothing, as far as the queue manager can tell.
    const queue::delivery_status unknown("4.3.0", "unknown mail transport error");
    mail_.warn(mail_.process_of("qmgr"), "private/" + service.service.name + " socket: malformed response");
    for (const target& each : work.targets) account.deferred(each, "none", unknown);
}

task<void> agents::reach(const maillog::process& by, std::string transport) {
    constexpr int attempts = 11;
    for (int number = 1; !mail_.transport(transport); ++number) {
        const std::string text =
            fmt::format("connect #{} to subsystem private/{}: No such file or directory", number, transport);
        if (number == attempts) throw agent_died{text};
        mail_.warn(by, text);
        co_await sleep_for(mail_.clock(), std::chrono::seconds(10));
    }
}

task<void> agents::pass_on(request& from, target to, std::string transport, std::string next_hop) {
    request passed;
    passed.file = from.file;
    passed.targets = {&to, 1};
    passed.transport = transport;
    passed.next_hop = std::move(next_hop);
    passed.verp_sender = from.verp_sender;
    passed.became_active = from.became_active;
    passed.handed_out = mail_.now();
    master::daemon* service = mail_.transport(transport);
    auto process = co_await service->processes.wait_for_one(mail_.clock());
    if (is_immediate(*service)) {
        deliver_now(*service, process.process(), passed);
    } else {
        co_await deliver(*service, process.process(), passed);
    }
}

namespace {

// "5.1.1 user unknown": the next hop of discard(8) and error(8), a status and a text. Without one of the class that the
// agent gives it is `usual`, and what is ignored goes into a warning.
queue::delivery_status status_in(const std::string& next_hop, std::string usual, std::string_view agent,
                                 std::string& warning) {
    std::string_view text = next_hop;
    const std::string given = cleanup::take_status(text);
    queue::delivery_status status(std::move(usual), std::string(text));
    if (!given.empty() && given[0] != status.dsn[0]) {
        warning = fmt::format("{}: ignoring dsn code \"{}\"", agent, given);
    } else if (!given.empty()) {
        status.dsn = given;
    }
    return status;
}

}  // namespace

void deliver_discard(master::mail_system& mail, report& account) {
    std::string warning;
    const auto status = status_in(account.about().next_hop, "2.0.0", "sent", warning);
    for (const target& each : account.about().targets) {
        if (!warning.empty()) mail.warn(account.agent(), warning);
        account.sent(each, "none", status);
    }
}

void deliver_error(master::mail_system& mail, report& account) {
    const bool defers = account.about().transport == "retry";
    std::string warning;
    const auto status = defers ? status_in(account.about().next_hop, "4.0.0", "defer_append", warning)
                               : status_in(account.about().next_hop, "5.0.0", "bounce_append", warning);
    for (const target& each : account.about().targets) {
        if (!warning.empty()) mail.warn(account.agent(), warning);
        account.settle(each, "none", status);
    }
}

}  // namespace mta::delivery
