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
    for (const std::string& each : options_.warnings) mail_.warn(process_, each);
}

int server::entered(const std::string& address) {
    ++screening_;
    return ++clients_[address];
}

void server::left(const std::string& address) {
    --screening_;
    const auto found = clients_.find(address);
    if (found != clients_.end() && --found->second == 0) clients_.erase(found);
}

void server::clean_cache() {
    if (options_.cache_map.empty() || options_.cleanup_interval.count() == 0) return;
    const bool first = memory_.last_cleaned == time_point{};
    if (!first && memory_.last_cleaned + options_.cleanup_interval > mail_.now()) return;
    const cache::cleaned done = memory_.clean(mail_.now(), options_.retention);
    const std::string line = fmt::format("cache {} full cleanup: retained={} dropped={} entries", options_.cache_map,
                                         done.retained, done.dropped);
    mail_.log(process_, {}, maillog::remark{maillog::level::info, line});
}

void server::accept(std::unique_ptr<byte_stream> stream, const endpoint& local, const endpoint& remote) {
    clean_cache();
    mail_.tasks().start(screen(shared_from_this(), std::move(stream), local, remote));
}

}  // namespace mta::postscreen
