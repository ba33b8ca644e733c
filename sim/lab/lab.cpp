#include "sim/lab/lab.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "mta/config/problem.hpp"
#include "mta/text/strings.hpp"
#include "sim/lab/mail_configuration.hpp"
#include "sim/lab/zone_plan.hpp"

namespace sim::lab {

mta::time_point virtual_epoch() {
    using namespace std::chrono;
    return sys_days(year(2026) / November / 20) + hours(9);
}

lab::lab(const topology::topology& what, const options& choice, mta::time_point epoch)
    : topology_(what),
      options_(choice),
      authority_(choice.seed, epoch),
      recorder_(choice.record),
      shared_(std::make_shared<mta::master::shared_state>()),
      refusals_([this](std::string_view address) {
          for (const auto& [name, each] : machines_) {
              if (each->address().to_string() == address) return name;
          }
          return std::string(address);
      }),
      evidence_(*this, refusals_) {
    shared_->on_tls_key = choice.on_tls_key;
    for (const dns::diagnostic& each : names_.load(zone_plan_of(what))) complaints_.push_back(dns::to_string(each));
}

lab::~lab() = default;

void lab::close() {
    servers_.clear();
    systems_.clear();
    machines_.clear();
}

void lab::add_machines() {
    for (const topology::host& each : topology_.hosts) {
        auto made = make_machine(each, &each);
        mta::master::configuration settings = mail_configuration(each, made->interfaces(), services_);
        recorder_.add_host(each.name, made->address().to_string(), made->interfaces(), logs_utf8(*settings.main));
        systems_[each.name] = std::make_unique<mta::master::mail_system>(*made, std::move(settings), shared_);
        machines_.emplace(each.name, std::move(made));
    }
    for (const topology::client& each : topology_.clients) machines_.emplace(each.name, make_machine(each, nullptr));
    for (const topology::server& each : topology_.servers) {
        auto made = make_machine(each, nullptr);
        scenario::stream_upgrade start_tls;
        if (each.tls) start_tls = server_tls(*made);
        servers_[each.name] = std::make_unique<scenario::scripted_server>(*made, made->address(), std::move(start_tls));
        machines_.emplace(each.name, std::move(made));
    }
}

bool lab::play(scenario::player& what, std::optional<mta::duration> until) {
    bool over = false;
    std::exception_ptr failure;
    mta::nursery tasks([&](std::exception_ptr error) {
        failure = error;
        stop_world();
    });
    const auto play_all = [&]() -> mta::task<void> {
        co_await what.run();
        over = true;
        stop_world();
    };
    tasks.start(play_all());
    if (!over && !failure) run_world(until ? scheduler().now() + *until : mta::never);
    if (failure) std::rethrow_exception(failure);
    return over;
}

mta::Host& lab::machine(std::string_view name) {
    const auto found = machines_.find(name);
    if (found == machines_.end()) throw std::logic_error(fmt::format("no machine is called {}", name));
    return *found->second;
}

mta::master::mail_system& lab::mail_system(std::string_view host) {
    const auto found = systems_.find(host);
    if (found == systems_.end()) throw std::logic_error(fmt::format("no host is called {}", host));
    return *found->second;
}

mta::address::ip_address lab::address_of(std::string_view name) {
    return machines_.find(name)->second->address();
}

scenario::stream_upgrade lab::client_tls(std::string_view name) {
    sim::lab::machine& of = *machines_.find(name)->second;
    return [this, &of](std::unique_ptr<mta::byte_stream> lower) {
        return secure(of, std::move(lower), mta::tls::side::client);
    };
}

scenario::stream_upgrade lab::server_tls(sim::lab::machine& of) {
    return [this, &of](std::unique_ptr<mta::byte_stream> lower) {
        return secure(of, std::move(lower), mta::tls::side::server);
    };
}

// TLS of those who only speak SMTP: their certificate if they have one, any peer, Python's defaults.
mta::task<std::unique_ptr<mta::byte_stream>> lab::secure(sim::lab::machine& of, std::unique_ptr<mta::byte_stream> lower,
                                                         mta::tls::side side) {
    mta::tls::context_settings settings;
    settings.side = side;
    const std::string chain = fmt::format("{}/{}.pem", tls_directory, of.name());
    if (const auto pem = of.read_file(chain)) settings.identities = mta::tls::split_chain_file(chain, *pem);
    settings.protocols = ">=TLSv1.2";
    settings.exclude_ciphers = "aNULL";
    std::vector<mta::tls::log_line> problems;
    const auto context = tls_contexts_.find_or_make(settings, problems);
    if (!context) co_return nullptr;
    const mta::time_point deadline = of.now() + std::chrono::seconds(20);
    mta::random_source& random = of.random("tls");
    if (side == mta::tls::side::client) {
        mta::tls::connect_options how("", of.now(), deadline, random);
        how.on_key = shared_->on_tls_key;
        auto result = co_await mta::tls::connect(std::move(lower), context, std::move(how));
        co_return std::move(result.stream);
    }
    mta::tls::accept_options how("", of.now(), deadline, random);
    how.on_key = shared_->on_tls_key;
    auto result = co_await mta::tls::accept(std::move(lower), context, std::move(how));
    co_return std::move(result.stream);
}

mta::task<void> lab::submit(std::string_view host, scenario::submission message) {
    mta::master::submission given;
    given.sender = message.from.value_or("root");
    given.recipients = std::move(message.to);
    given.content = std::move(message.text);
    given.options = std::move(message.arguments);
    mail_system(host).submit(std::move(given));
    co_return;
}

void lab::hand_back(std::string_view host, unsigned uid, std::string sender, std::vector<std::string> recipients,
                    std::string text) {
    if (auto* conserved = recorder_.conservation()) conserved->add_handed_back(host, uid);
    mta::master::submission given;
    given.sender = std::move(sender);
    given.recipients = std::move(recipients);
    given.content = std::move(text);
    given.uid = uid;
    given.options = {"-G"};
    mail_system(host).submit(std::move(given));
}

mta::task<void> lab::control(std::string_view host, scenario::host_action action) {
    mta::master::mail_system& mail = mail_system(host);
    switch (action) {
        case scenario::host_action::start:
            mail.start();
            break;
        case scenario::host_action::stop:
            mail.stop();
            break;
        case scenario::host_action::flush:
            mail.flush();
            break;
        case scenario::host_action::reload:
            mail.reload(mail_configuration(*topology_.find_host(host), machine(host).interfaces(), services_));
            break;
    }
    co_return;
}

mta::task<void> lab::superuser(std::string_view host, std::vector<std::string> arguments) {
    mail_system(host).superuser(arguments);
    co_return;
}

void lab::play_script(std::string_view server, const scenario::script& next) {
    servers_.find(server)->second->play(next);
}

void lab::replace_zone(std::string_view name, const std::string& text) {
    for (const dns::diagnostic& each : names_.replace_zone(name, text)) complaints_.push_back(dns::to_string(each));
    zones_changed();
}

mta::time_point lab::last_log_growth() const {
    return recorder_.last_line();
}
const scenario::evidence& lab::evidence() const {
    return evidence_;
}

void lab::log(std::string_view host, const mta::maillog::entry& entry) {
    noted(recorder_.add(host, entry));
    if (recorder_.wants_commands()) refusals_.add(host, entry);
}

std::vector<record::mailbox_text> lab::mailboxes_of(std::string_view name) {
    std::vector<record::mailbox_text> boxes;
    if (const auto server = servers_.find(name); server != servers_.end()) {
        std::string text = server->second->mbox();
        if (!text.empty()) boxes.push_back({"received", std::move(text)});
        return boxes;
    }
    const std::string directory = std::string(mailbox_directory) + "/";
    for (const auto& [path, box] : machines_.find(name)->second->mailboxes()) {
        if (path.compare(0, directory.size(), directory) != 0) continue;
        std::string user = path.substr(directory.size());
        if (!user.empty() && user.back() == '/') user.pop_back();
        if (user.empty() || user.find('/') != std::string::npos) continue;
        boxes.push_back({std::move(user), box.maildir ? record::maildir_as_mbox(box.messages) : box.text});
    }
    return boxes;
}

record::run_results lab::results(const scenario::player& played) {
    record::run_results all;
    for (const topology::host& each : topology_.hosts) {
        record::host_results host;
        host.name = each.name;
        const record::maillog* log = recorder_.log_of(each.name);
        host.maillog = without_lab_paths(log ? log->text() : "");
        host.mailboxes = mailboxes_of(each.name);
        if (mail_system(each.name).running())
            host.queue_json = record::queue_json(machine(each.name).queue_files().all());
        all.hosts.push_back(std::move(host));
    }
    for (const topology::server& each : topology_.servers) {
        record::host_results host;
        host.name = each.name;
        host.mail_system = false;
        host.mailboxes = mailboxes_of(each.name);
        all.hosts.push_back(std::move(host));
    }
    for (const auto& each : played.dialogues()) all.dialogues.push_back(each.transcript);
    return all;
}

std::vector<scenario::violation> lab::violations() {
    scenario::conservation* conserved = recorder_.conservation();
    if (!conserved) return {};
    for (const topology::host& each : topology_.hosts)
        conserved->add_queue(each.name, machine(each.name).queue_files().all());
    return conserved->violations();
}

}  // namespace sim::lab
