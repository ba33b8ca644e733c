#include "mta/delivery/agents.hpp"

#include "mta/delivery/status_filter.hpp"
#include "mta/master/mail_system.hpp"
#include "mta/smtp/client.hpp"

namespace mta::delivery {

agents::agents(master::mail_system& mail) : mail_(mail) {}
agents::~agents() = default;

bool agents::is_immediate(const master::daemon& service) const {
    return service.service.command == "error" || service.service.command == "discard";
}

void agents::deliver_now(master::daemon& service, const maillog::process& process, request& work) {
    report account(mail_, process, work);
    account.set_filter(filter_of(service));
    if (service.service.command == "discard") {
        deliver_discard(account);
    } else {
        deliver_error(account);
    }
}

smtp::client& agents::client_of(master::daemon& service) {
    auto& slot = clients_[&service];
    if (!slot) slot = std::make_unique<smtp::client>(mail_, service);
    return *slot;
}

const status_filter& agents::filter_of(const master::daemon& service) {
    auto& slot = filters_[&service];
    if (!slot) slot = std::make_unique<const status_filter>(mail_, service);
    return *slot;
}

task<void> agents::deliver(master::daemon& service, const maillog::process& process, request& work) {
    std::string last_words;
    try {
        co_await serve(service, process, work);
    } catch (const agent_died& e) {
        last_words = e.why;
        work.died = true;
    }
    if (!work.died) co_return;
    mail_.log(process, {}, maillog::remark{maillog::level::fatal, last_words});
    for (const target& each : work.targets) {
        if (!work.recipient(each).done) work.recipient(each).delay = nullptr;
    }
    // A process that ends for a reason waits a second before it does, lest another one follows at once.
    co_await sleep_for(mail_.clock(), std::chrono::seconds(1));
    mail_.warn(mail_.process_of(work.asked_by), "private/" + service.service.name + " socket: malformed response");
}

task<void> agents::serve(master::daemon& service, const maillog::process& process, request& work) {
    const std::string& program = service.service.command;
    report account(mail_, process, work);
    account.set_filter(filter_of(service));
    if (program == "smtp" || program == "lmtp") {
        co_await client_of(service).deliver(account);
    } else if (program == "local") {
        co_await deliver_local(mail_, service, account);
    } else if (program == "virtual") {
        deliver_virtual(mail_, service, account);
    } else if (program == "pipe") {
        co_await deliver_pipe(mail_, service, account);
    } else {
        // A program that is no agent of ours answers nothing, as far as the queue manager can tell.
        const queue::delivery_status unknown("4.3.0", "unknown mail transport error");
        mail_.warn(mail_.process_of("qmgr"), "private/" + service.service.name + " socket: malformed response");
        for (const target& each : work.targets) account.deferred(each, "none", unknown);
    }
}

task<void> agents::pass_on(request& from, target to, std::string transport, std::string next_hop) {
    request passed;
    passed.file = from.file;
    passed.targets = {to};
    passed.transport = transport;
    passed.next_hop = std::move(next_hop);
    passed.became_active = from.became_active;
    passed.handed_out = mail_.now();
    passed.asked_by = "local";
    master::daemon* service = mail_.transport(transport);
    if (!service) {
        mail_.warn(mail_.process_of("local"), "connect to private/" + transport + ": No such file or directory");
        from.recipient(to).delay = mail_.shared_status({"4.3.0", "mail transport unavailable"});
        co_return;
    }
    auto process = co_await service->processes.wait_for_one(mail_.clock());
    if (is_immediate(*service)) {
        deliver_now(*service, process.process(), passed);
    } else {
        co_await deliver(*service, process.process(), passed);
    }
}

void deliver_discard(report& account) {
    const std::string text = account.about().next_hop;
    for (const target& each : account.about().targets) account.sent(each, "none", {"2.0.0", text});
}

// "5.1.1 user unknown": a status, or 5.0.0 for error and 4.0.0 for retry where there is none, and the text.
void deliver_error(report& account) {
    const std::string& text = account.about().next_hop;
    const std::string_view first = std::string_view(text).substr(0, text.find(' '));
    const bool has_code = first.size() >= 5 && (first[0] == '4' || first[0] == '5') && first[1] == '.' &&
                          first.find_first_not_of("0123456789.") == std::string_view::npos;
    queue::delivery_status status;
    if (has_code) {
        const auto space = text.find(' ');
        status.dsn = text.substr(0, space);
        status.text = space == std::string::npos ? "" : text.substr(space + 1);
    } else {
        status.dsn = account.about().transport == "retry" ? "4.0.0" : "5.0.0";
        status.text = text;
    }
    for (const target& each : account.about().targets) account.settle(each, "none", status);
}

}  // namespace mta::delivery
