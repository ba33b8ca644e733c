#include "mta/postscreen/server.hpp"

#include <fmt/format.h>

#include "mta/master/mail_system.hpp"
#include "mta/postscreen/screening.hpp"

namespace mta::postscreen {
namespace {

task<void> screen(std::shared_ptr<server> owner, std::unique_ptr<byte_stream> stream, endpoint local, endpoint remote) {
    screening client(*owner, std::move(stream), local, remote);
    co_await client.run();
}

}  // namespace

server::server(master::mail_system& mail, master::daemon& service)
    : mail_(mail),
      options_(mail, service),
      memory_(mail.screened().by_name[options_.cache_map]),
      process_(mail.process_of("postscreen", service.service.name)) {
    for (const table::diagnostic& each : options_.warnings) mail_.log(process_, each);
}

server::client& server::entered(const std::string& address) {
    ++screening_;
    client& known = clients_[address];
    ++known.connections;
    return known;
}

void server::left(const std::string& address) {
    --screening_;
    if (stressed_ && screening_ <= options_.pre_queue_limit * 7 / 10) {
        stressed_ = false;
        log(fmt::format("leaving STRESS mode with {} connections", screening_));
    }
    const auto found = clients_.find(address);
    if (found != clients_.end() && --found->second.connections == 0) clients_.erase(found);
}

void server::check_stress() {
    if (stressed_ || screening_ < options_.pre_queue_limit * 9 / 10) return;
    stressed_ = true;
    log(fmt::format("entering STRESS mode with {} connections", screening_));
}

void server::log(const std::string& text) {
    mail_.log(process_, {}, maillog::remark{maillog::level::info, text});
}

void server::clean_cache() {
    if (options_.cache_map.empty() || options_.cleanup_interval.count() == 0) return;
    const bool first = memory_.last_cleaned == time_point{};
    if (!first && memory_.last_cleaned + options_.cleanup_interval > mail_.now()) return;
    const cache::cleaned done = memory_.clean(mail_.now(), options_.retention);
    log(fmt::format("cache {} full cleanup: retained={} dropped={} entries", options_.cache_map, done.retained,
                    done.dropped));
}

void server::accept(std::unique_ptr<byte_stream> stream, const endpoint& local, const endpoint& remote) {
    clean_cache();
    mail_.tasks().start(screen(shared_from_this(), std::move(stream), local, remote));
}

}  // namespace mta::postscreen
