#include "sim/lab/trial.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "sim/lab/lab.hpp"
#include "sim/lab/mail_configuration.hpp"
#include "sim/lab/zone_plan.hpp"

namespace sim::lab {
namespace {

constexpr std::size_t most_complaints = 1000;
constexpr std::size_t most_unknown_names = 1000;

class silent_port final : public mta::listener {};

}  // namespace

// Its ports are open and nobody comes; its connections fail; its DNS answers at once.
class trial_machine final : public machine {
  public:
    trial_machine(const topology::topology& whole, const topology::host& what, network::authority& authority,
                  log_sink& sink, event_loop& loop, const dns::server& names)
        : machine(what, &what, 1, whole.network.subnet.prefix, authority, sink), loop_(loop), names_(names) {}

    mta::scheduler& scheduler() override { return loop_; }
    std::vector<std::string> interfaces() const override {
        std::vector<std::string> all = machine::interfaces();
        if (address().is_loopback()) all.erase(all.begin());
        return all;
    }
    mta::task<mta::connect_result> connect(mta::endpoint, std::optional<mta::address::ip_address>,
                                           mta::time_point) override {
        mta::connect_result refused;
        refused.error = mta::io_error::refused;
        co_return refused;
    }
    std::unique_ptr<mta::listener> listen(mta::endpoint, mta::accept_handler) override {
        return std::make_unique<silent_port>();
    }
    mta::task<mta::dns::response> resolve(mta::dns::question question) override {
        if (unknown_.size() < most_unknown_names && !known(question.name))
            unknown_.insert(fmt::format("{} {}", question.name, mta::dns::name_of(question.type)));
        co_return names_.answer(question, address().to_string()).response;
    }

    const std::set<std::string>& unknown() const { return unknown_; }

  private:
    bool known(std::string_view name) const {
        while (!name.empty()) {
            if (names_.find_zone(name)) return true;
            const auto dot = name.find('.');
            name = dot == std::string_view::npos ? std::string_view() : name.substr(dot + 1);
        }
        return false;
    }

    event_loop& loop_;
    const dns::server& names_;
    std::set<std::string> unknown_;
};

topology::topology topology_of_folder(const std::string& folder, const std::string& name, topology::address address,
                                      std::vector<topology::zone> zones) {
    topology::topology made;
    made.name = folder;
    made.zones = std::move(zones);
    topology::host host;
    host.name = name;
    host.address = address;
    host.a = false;
    host.config = folder;
    made.hosts.push_back(std::move(host));
    return made;
}

trial::trial(const topology::topology& what, std::string_view name)
    : loop_(virtual_epoch()), authority_(1, virtual_epoch()) {
    const topology::host* host = what.find_host(name);
    if (!host) throw std::logic_error(fmt::format("no host is called {}", name));
    if (host->config) folder_ = config_folder(*host->config).path();
    for (const dns::diagnostic& each : names_.load(zone_plan_of(what))) complaints_.push_back(dns::to_string(each));
    machine_ = std::make_unique<trial_machine>(what, *host, authority_, *this, loop_, names_);
    known_services services;
    mail_ = std::make_unique<mta::master::mail_system>(*machine_,
                                                       mail_configuration(*host, machine_->interfaces(), services),
                                                       std::make_shared<mta::master::shared_state>());
    mail_->start();
}

trial::~trial() = default;

mta::Host& trial::host() {
    return *machine_;
}

mta::master::daemon* trial::smtp_service(std::string_view name) {
    using mta::config::transport_type;
    const auto port = mta::config::port_of(name);
    const auto service_of = [](const mta::master::daemon& each) -> const mta::config::service& { return each.service; };
    mta::master::daemon* behind = nullptr;
    bool screened = false;
    for (mta::master::daemon& each : mail_->daemons()) {
        const mta::config::service& service = service_of(each);
        if (service.type == transport_type::pass && service.command == "smtpd" && !behind) behind = &each;
        if (service.type != transport_type::inet || (service.name != name && (!port || service.port != *port)))
            continue;
        if (service.command == "smtpd") return &each;
        screened = screened || service.command == "postscreen";
    }
    return screened ? behind : nullptr;
}

void trial::run(mta::task<void> work) {
    bool over = false;
    std::exception_ptr failure;
    mta::nursery tasks([&](std::exception_ptr error) {
        failure = error;
        over = true;
    });
    const auto wrap = [&]() -> mta::task<void> {
        co_await std::move(work);
        over = true;
        loop_.ask_to_stop();
    };
    tasks.start(wrap());
    if (!over) loop_.run_until(mta::never);
    if (failure) std::rethrow_exception(failure);
}

std::vector<std::string> trial::take_complaints() {
    return std::exchange(complaints_, {});
}

const std::set<std::string>& trial::unknown_to_dns() const {
    return machine_->unknown();
}

void trial::log(std::string_view, const mta::maillog::entry& entry) {
    const auto* said = std::get_if<mta::maillog::remark>(&entry.what);
    if (!said || said->severity == mta::maillog::level::info || complaints_.size() >= most_complaints) return;
    const std::string_view level = said->severity == mta::maillog::level::warning ? "warning"
                                   : said->severity == mta::maillog::level::error ? "error"
                                                                                  : "fatal";
    std::string line = fmt::format("{}: {}: {}", entry.by.tag, level, said->text);
    if (std::find(complaints_.begin(), complaints_.end(), line) == complaints_.end())
        complaints_.push_back(std::move(line));
}

}  // namespace sim::lab
