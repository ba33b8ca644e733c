#include "mta/master/mail_system.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "mta/address/quote.hpp"
#include "mta/address/trivial_rewrite.hpp"
#include "mta/anvil/anvil.hpp"
#include "mta/bounce/bouncer.hpp"
#include "mta/delivery/agents.hpp"
#include "mta/master/programs.hpp"
#include "mta/pickup/sendmail.hpp"
#include "mta/postscreen/server.hpp"
#include "mta/qmgr/queue_manager.hpp"
#include "mta/smtpd/server.hpp"
#include "mta/text/strings.hpp"
#include "mta/verify/verifier.hpp"

namespace mta::master {
namespace {

constexpr std::string_view loopback6 = "::1";
constexpr std::string_view version = "3.7.11";  // of the Postfix whose semantics these are

// postfix(1) says so before it hands over to postfix-script.
void tell_of_compatibility(mail_system& mail) {
    constexpr std::string_view is_old = "${{$compatibility_level} <level {3.6} ? {yes} : {}}";
    try {
        if (mail.parameters().expand(is_old).empty()) return;
    } catch (const config::fatal&) {
        return;  // what it is about ends the start itself
    }
    const maillog::process postfix{mail.parameters().text("syslog_name"), mail.command_process("postfix").pid};
    for (const std::string_view line :
         {"Postfix is using backwards-compatible default settings",
          "See http://www.postfix.org/COMPATIBILITY_README.html for details",
          "To disable backwards compatibility use \"postconf compatibility_level=3.6\" and \"postfix reload\""}) {
        mail.log(postfix, {}, maillog::remark{maillog::level::info, line});
    }
}

}  // namespace

// What a reload leaves of the daemons before it: all that their sessions and requests use.
struct mail_system::retired {
    configuration settings;
    std::deque<daemon> daemons;
    std::map<const daemon*, maillog::process> residents;
    std::unique_ptr<cleanup::cleaner> cleanup;
    std::unique_ptr<address::trivial_rewrite> rewrite;
    std::unique_ptr<bounce::bouncer> bounce;
    std::unique_ptr<delivery::agents> agents;
    std::unique_ptr<verify::verifier> verify;
    std::map<const daemon*, std::unique_ptr<smtpd::server>> servers;
    std::map<const daemon*, std::shared_ptr<postscreen::server>> doorkeepers;
    std::unique_ptr<qmgr::queue_manager> queue_manager;
    std::vector<std::unique_ptr<qmgr::queue_manager>> dead_queue_managers;
    std::unique_ptr<nursery> tasks;  // last, as in the mail system
};

mail_system::mail_system(Host& host, configuration settings, std::shared_ptr<shared_state> shared)
    : host_(host),
      settings_(std::move(settings)),
      shared_(std::move(shared)),
      ids_(host.random("process-id")),
      verified_(std::make_unique<verify::cache>()),
      screened_(std::make_unique<postscreen::cache_files>()) {}

mail_system::~mail_system() = default;

void mail_system::log(const maillog::process& by, std::string_view queue_id, const maillog::event& what,
                      std::uint64_t connection) {
    host_.log(maillog::entry{now(), by, queue_id, connection, what, internal_addresses_});
}

std::string mail_system::as_logged(std::string_view internal) const {
    return internal_addresses_ ? std::string(internal) : address::path_822(internal);
}

void mail_system::warn(const maillog::process& by, std::string text, std::string_view queue_id) {
    log(by, queue_id, maillog::remark{maillog::level::warning, text});
}

void mail_system::log(const maillog::process& by, const table::diagnostic& of_table) {
    if (of_table.by_postmap) return;
    const auto level = of_table.level == table::severity::warning ? maillog::level::warning
                       : of_table.level == table::severity::error ? maillog::level::error
                                                                  : maillog::level::fatal;
    log(by, {}, maillog::remark{level, of_table.text});
}

std::shared_ptr<const queue::delivery_status> mail_system::shared_status(const queue::delivery_status& status) {
    if (!last_status_ || *last_status_ != status) last_status_ = std::make_shared<const queue::delivery_status>(status);
    return last_status_;
}

void mail_system::log_task_error(std::exception_ptr error) {
    try {
        std::rethrow_exception(error);
    } catch (const config::fatal& e) {
        log(*master_, {}, maillog::remark{maillog::level::fatal, e.what()});
    }
}

table::environment mail_system::table_environment(const config::parameters& service) {
    table::environment environment;
    environment.read = [this](std::string_view path) { return host_.read_file(path); };
    environment.utf8 = service.flag("smtputf8_enable");
    environment.random = &host_.random("randmap");
    for (const char* parameter : {"alias_maps", "alias_database"}) {
        for (std::string& each : parameters().words(parameter)) environment.alias_tables.insert(std::move(each));
    }
    return environment;
}

void mail_system::start() {
    if (running_) return;
    tell_of_compatibility(*this);
    const std::string tag = syslog_tag(parameters(), "master");
    script_ =
        std::make_unique<maillog::process>(maillog::process{syslog_tag(parameters(), "postfix-script"), ids_.next()});
    master_ = std::make_unique<maillog::process>(maillog::process{tag, ids_.next()});
    log(*script_, {}, maillog::system_started{version, settings_.directory, true});
    log(*master_, {}, maillog::system_started{version, settings_.directory, false});
    start_daemons_or_stop();
}

void mail_system::start_daemons_or_stop() {
    running_ = true;
    try {
        start_daemons();
    } catch (const config::fatal& e) {
        log(*master_, {}, maillog::remark{maillog::level::fatal, e.what()});
        stop_daemons();
        running_ = false;
    }
}

void mail_system::start_daemons() {
    tasks_ = std::make_unique<nursery>([this](std::exception_ptr error) { log_task_error(error); });
    long_ids_ = parameters().flag("enable_long_queue_ids");
    soft_bounce_ = parameters().flag("soft_bounce");
    internal_addresses_ = parameters().text("info_log_address_format") == "internal";
    for (const config::service& each : settings_.services->services) daemons_.emplace_back(each, settings_.main, ids_);
    std::vector<table::diagnostic> complaints;
    rewrite_ = std::make_unique<address::trivial_rewrite>(parameters(), host_, shared_->tables,
                                                          table_environment(parameters()), complaints);
    for (const table::diagnostic& each : complaints) log(process_of("trivial-rewrite"), each);
    anvil_ = std::make_unique<anvil::counters>(clock(), parameters().duration("anvil_rate_time_unit"));
    anvil_run_ = std::make_unique<nursery>([this](std::exception_ptr error) { log_task_error(error); });
    cleanup_ = std::make_unique<cleanup::cleaner>(*this);
    bounce_ = std::make_unique<bounce::bouncer>(*this);
    agents_ = std::make_unique<delivery::agents>(*this);
    verify_ = std::make_unique<verify::verifier>(*this, *verified_);
    queue_manager_ = std::make_unique<qmgr::queue_manager>(*this);
    open_ports();
    queue_manager_->start();
    pick_up();
}

anvil::counters& mail_system::anvil() {
    if (anvil_run_->idle()) anvil_run_->start(run_anvil());
    return *anvil_;
}

void mail_system::report_statistics() {
    for (const std::string& each : anvil_->take_statistics(host_.time_zone())) {
        log(process_of("anvil"), {}, maillog::remark{maillog::level::info, each});
    }
}

// anvil(8) says now and then what was the most, and at its end: when the last smtpd(8) is gone and it has nobody left.
task<void> mail_system::run_anvil() {
    const duration update = parameters().duration("anvil_status_update_time");
    const duration idle = 2 * parameters().duration("max_idle");
    const time_point started = now();
    for (time_point next = started + update;;) {
        const time_point end = std::max(started, anvil_->idle_since()) + idle;
        const time_point until = anvil_->idle() ? std::min(next, end) : next;
        co_await sleep_until(clock(), until);
        if (anvil_->idle() && std::max(started, anvil_->idle_since()) + idle <= now()) break;
        if (now() < next) continue;
        report_statistics();
        next += update;
    }
    report_statistics();
}

void mail_system::open_ports() {
    for (daemon& each : daemons_) {
        const program behind = program_of(each.service.command);
        const bool screens = behind == program::postscreen;
        if (each.service.type != config::transport_type::inet || (behind != program::smtpd && !screens)) continue;
        std::vector<std::string> addresses;
        if (!each.service.host.empty()) {
            addresses.push_back(each.service.host == "localhost" ? "127.0.0.1" : each.service.host);
        } else {
            for (const std::string& own : host_.interfaces()) {
                const std::string address = own.substr(0, own.find('/'));
                if (rewrite_->is_own_address(address)) addresses.push_back(address);
            }
            if (rewrite_->is_own_address(loopback6)) addresses.emplace_back(loopback6);
        }
        for (const std::string& address : addresses) {
            const auto parsed = address::ip_address::parse(address);
            endpoint local;
            if (parsed) local.address = *parsed;
            local.port = each.service.port;
            auto opened = parsed ? host_.listen(local,
                                                [this, &each, screens](auto stream, const auto& at, const auto& from) {
                                                    if (screens) return screen(each, std::move(stream), at, from);
                                                    accept(each, std::move(stream), at, from);
                                                })
                                 : nullptr;
            if (!opened && address == loopback6) continue;  // a world of real sockets has none
            if (!opened) {
                log(*master_, {},
                    maillog::remark{
                        maillog::level::fatal,
                        fmt::format("bind {} port {}: Cannot assign requested address", address, each.service.port)});
                continue;
            }
            listeners_.push_back(std::move(opened));
        }
    }
}

void mail_system::accept(daemon& by, std::unique_ptr<byte_stream> stream, const endpoint& local,
                         const endpoint& remote) {
    auto& server = servers_[&by];
    if (!server) {
        try {
            server = std::make_unique<smtpd::server>(*this, by);
        } catch (const config::fatal& e) {
            const maillog::process died{by.processes.tag(), ids_.next()};
            daemon_failed(by, died, e);
            unanswered_.push_back(std::move(stream));  // it stays in the listen queue
            return;
        }
    }
    server->accept(std::move(stream), local, remote);
}

void mail_system::screen(daemon& by, std::unique_ptr<byte_stream> stream, const endpoint& local,
                         const endpoint& remote) {
    auto& doorkeeper = doorkeepers_[&by];
    if (!doorkeeper) {
        try {
            doorkeeper = std::make_shared<postscreen::server>(*this, by);
        } catch (const config::fatal& e) {
            const maillog::process died{by.processes.tag(), ids_.next()};
            daemon_failed(by, died, e);
            unanswered_.push_back(std::move(stream));
            return;
        }
    }
    doorkeeper->accept(std::move(stream), local, remote);
}

bool mail_system::pass_to_smtpd(std::unique_ptr<byte_stream>& stream, const endpoint& local, const endpoint& remote) {
    for (daemon& each : daemons_) {
        const config::service& row = each.service;
        if (row.type != config::transport_type::pass || row.name != "smtpd") continue;
        accept(each, std::move(stream), local, remote);
        return true;
    }
    return false;
}

void mail_system::daemon_failed(const daemon& which, const maillog::process& process, const config::fatal& why) {
    log(process, {}, maillog::remark{maillog::level::fatal, why.what()});
    daemon_ended(which, process, true);
}

void mail_system::daemon_ended(const daemon& which, const maillog::process& process, bool throttles) {
    const std::string program = fmt::format("{}/{}", parameters().text("daemon_directory"), which.service.command);
    warn(*master_, fmt::format("process {} pid {} exit status 1", program, process.pid));
    if (throttles) warn(*master_, program + ": bad command startup -- throttling");
}

void mail_system::queue_manager_failed(const config::fatal& why) {
    queue_manager_->retire();
    log(process_of("qmgr"), {}, maillog::remark{maillog::level::fatal, why.what()});
    const daemon* const own = transport("qmgr");
    if (!own) return;
    daemon_ended(*own, process_of("qmgr"), true);
    residents_.erase(own);
    queue_manager_restart_ = std::make_unique<nursery>([this](std::exception_ptr error) { log_task_error(error); });
    queue_manager_restart_->start(restart_queue_manager());
}

task<void> mail_system::restart_queue_manager() {
    const duration throttled = parameters().duration("service_throttle_time");
    co_await sleep_for(clock(), throttled);
    dead_queue_managers_.push_back(std::move(queue_manager_));
    queue_manager_ = std::make_unique<qmgr::queue_manager>(*this);
    queue_manager_->start();
}

void mail_system::stop_daemons() {
    maildrop_.clear();
    listeners_.clear();
    retired_.clear();
    anvil_run_.reset();
    queue_manager_restart_.reset();
    tasks_.reset();
    dead_queue_managers_.clear();
    queue_manager_.reset();
    unanswered_.clear();
    servers_.clear();
    doorkeepers_.clear();
    verify_.reset();
    agents_.reset();
    bounce_.reset();
    cleanup_.reset();
    anvil_.reset();
    rewrite_.reset();
    residents_.clear();
    daemons_.clear();
}

// The ports go to the next daemons at once; what is under way goes on in these.
void mail_system::retire_daemons() {
    maildrop_.clear();
    listeners_.clear();
    unanswered_.clear();
    std::erase_if(retired_, [](const auto& each) { return each->tasks->idle(); });
    queue_manager_restart_.reset();
    queue_manager_->retire();
    auto old = std::make_unique<retired>();
    old->settings = settings_;
    old->daemons.swap(daemons_);
    old->residents.swap(residents_);
    old->cleanup = std::move(cleanup_);
    old->rewrite = std::move(rewrite_);
    old->bounce = std::move(bounce_);
    old->agents = std::move(agents_);
    old->verify = std::move(verify_);
    old->servers.swap(servers_);
    old->doorkeepers.swap(doorkeepers_);
    old->queue_manager = std::move(queue_manager_);
    old->dead_queue_managers.swap(dead_queue_managers_);
    old->tasks = std::move(tasks_);
    if (!old->tasks->idle()) retired_.push_back(std::move(old));
}

void mail_system::stop() {
    if (!running_) return;
    const maillog::process script{script_->tag, ids_.next()};
    log(script, {}, maillog::system_stopped{true});
    stop_daemons();
    log(*master_, {}, maillog::system_stopped{false});
    running_ = false;
}

void mail_system::reload(configuration settings) {
    if (!running_) return;
    const maillog::process script{script_->tag, ids_.next()};
    log(script, {}, maillog::system_reloaded{version, settings.directory, true});
    log(*master_, {}, maillog::system_reloaded{version, settings.directory, false});
    anvil_run_.reset();
    report_statistics();
    retire_daemons();
    settings_ = std::move(settings);
    start_daemons_or_stop();
}

daemon* mail_system::transport(std::string_view name) {
    for (daemon& each : daemons_) {
        if (each.service.type == config::transport_type::unix_domain && each.service.name == name) return &each;
    }
    return nullptr;
}

const maillog::process& mail_system::process_of(std::string_view program) {
    for (const daemon& each : daemons_) {
        if (each.service.command == program) return resident(each);
    }
    return *master_;
}

const maillog::process& mail_system::process_of(std::string_view program, std::string_view service) {
    for (const daemon& each : daemons_) {
        if (each.service.command == program && each.service.name == service) return resident(each);
    }
    return process_of(program);
}

const maillog::process& mail_system::resident(const daemon& which) {
    const auto found = residents_.find(&which);
    if (found != residents_.end()) return found->second;
    return residents_.emplace(&which, maillog::process{which.processes.tag(), ids_.next()}).first->second;
}

maillog::process mail_system::command_process(std::string_view program) {
    return {syslog_tag(parameters(), program), ids_.next()};
}

std::string mail_system::new_queue_id(time_point arrived) {
    const std::uint64_t inode = host_.queue_files().new_inode();
    return long_ids_ ? queue::long_id(arrived, inode) : queue::short_id(arrived, inode);
}

submission_result mail_system::submit(submission message) {
    return pickup::sendmail(*this, std::move(message));
}

void mail_system::pick_up() {
    maildrop_.clear();
    for (const queue::message& file : host_.queue_files().all()) {
        if (file->where == queue::name::maildrop) maildrop_.push_back(file);
    }
    scan_maildrop();
}

// pickup(8) goes through the maildrop until a pass takes nothing out; what cleanup does not want now stays.
void mail_system::scan_maildrop() {
    for (bool taken = true; taken && !maildrop_.empty();) {
        taken = false;
        std::vector<queue::message> files;
        files.swap(maildrop_);
        for (std::size_t i = files.size(); i-- > 0;) {
            if (pickup::pick_up(*this, files[i])) {
                files[i] = nullptr;
                taken = true;
            }
        }
        std::erase(files, nullptr);
        maildrop_.insert(maildrop_.begin(), files.begin(), files.end());
    }
}

void mail_system::maildrop_arrived(const queue::message& file) {
    if (!running_) return;
    maildrop_.push_back(file);
    scan_maildrop();
}

void mail_system::flush() {
    if (!running_) return;
    queue_manager_->flush();
    scan_maildrop();
}

}  // namespace mta::master
