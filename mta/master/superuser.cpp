// mta/master/superuser.cpp - postsuper(1): what it does to queue files, and the counts that it logs.
//
// The changes are to the spool; the queue manager learns of them as if it looked there. Of what is no option or no
// queue, nothing is done.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <utility>

#include "mta/master/mail_system.hpp"
#include "mta/qmgr/queue_manager.hpp"

namespace mta::master {
namespace {

using queue::name;

struct action {
    char letter;
    std::vector<name> queues;  // that it looks into where the command names none
    std::string_view report;
};
const action actions[] = {{'d', {name::hold, name::incoming, name::active, name::deferred}, "Deleted"},
                          {'r', {name::hold, name::incoming, name::active, name::deferred}, "Requeued"},
                          {'h', {name::incoming, name::active, name::deferred}, "Placed on hold"},
                          {'e', {name::hold, name::incoming, name::active, name::deferred}, "Force-expired"},
                          {'f', {name::hold, name::incoming, name::active, name::deferred}, "Force-expired"},
                          {'H', {name::hold}, "Released from hold"}};

std::optional<name> queue_named(std::string_view text) {
    for (const name each : {name::hold, name::incoming, name::active, name::deferred}) {
        if (queue::to_string(each) == text) return each;
    }
    return std::nullopt;
}

// "-d ALL hold": of each option the ids, then the queues.
struct command {
    std::map<char, std::vector<std::string>> ids;
    std::vector<name> queues;

    explicit command(const std::vector<std::string>& arguments) {
        char option = 0;
        for (const std::string& each : arguments) {
            if (each.starts_with('-') && each.size() > 1) {
                option = each[1];
                if (each.size() > 2) add(std::exchange(option, 0), each.substr(2));
            } else if (option != 0 && option != 's' && option != 'p' && option != 'S' && option != 'v') {
                add(std::exchange(option, 0), each);
            } else if (const auto queue = queue_named(each)) {
                queues.push_back(*queue);
            }
        }
    }

  private:
    void add(char option, std::string id) { ids[option].push_back(std::move(id)); }
};

// Nobody tells pickup(8) of what is requeued: it comes upon it with the next submission or flush, or when master(8)
// wakes it, at the latest after this long.
duration wakeup_of_pickup(const std::vector<config::service>& services) {
    const auto pickup = std::find_if(services.begin(), services.end(),
                                     [](const config::service& each) { return each.name == "pickup"; });
    return std::chrono::seconds(pickup == services.end() ? 0 : pickup->wakeup_seconds);
}

task<void> call_later(scheduler& clock, time_point when, std::function<void()> call) {
    co_await sleep_until(clock, when);
    call();
}

bool contains(const std::vector<name>& queues, name which) {
    return std::find(queues.begin(), queues.end(), which) != queues.end();
}

}  // namespace

void mail_system::superuser(const std::vector<std::string>& arguments) {
    const command wanted(arguments);
    std::map<std::string_view, std::size_t> changed;
    for (const action& each : actions) {
        const auto ids = wanted.ids.find(each.letter);
        if (ids == wanted.ids.end()) continue;
        changed.try_emplace(each.report, 0);
        if (each.letter == 'f') changed.try_emplace("Released from hold", 0);
        for (const queue::message& file : host_.queue_files().all()) {
            const bool named = std::any_of(ids->second.begin(), ids->second.end(),
                                           [&](const std::string& id) { return id == "ALL" || id == file->id; });
            if (!named || !contains(wanted.queues.empty() ? each.queues : wanted.queues, file->where)) continue;
            const bool held = file->where == name::hold;
            if (change_queue_file(file, each.letter)) ++changed[each.report];
            if (each.letter == 'f' && held && change_queue_file(file, 'H')) ++changed["Released from hold"];
        }
    }
    const maillog::process postsuper{syslog_tag(parameters(), "postsuper"), ids_.next()};
    std::string_view last;
    for (const action& each : actions) {
        const auto count = changed.find(each.report);
        if (count == changed.end() || each.report == last) continue;
        last = each.report;
        const std::string line = fmt::format("{}: {} message{}", last, count->second, count->second == 1 ? "" : "s");
        log(postsuper, {}, maillog::remark{maillog::level::info, line});
    }
    if (!running_) return;
    maildrop_.clear();
    for (const queue::message& file : host_.queue_files().all()) {
        if (file->where == name::maildrop) maildrop_.push_back(file);
    }
    const duration wakeup = wakeup_of_pickup(settings_.services->services);
    if (!maildrop_.empty() && wakeup > duration::zero()) {
        tasks_->start(call_later(clock(), now() + wakeup, [this] { scan_maildrop(); }));
    }
}

bool mail_system::change_queue_file(const queue::message& file, char action) {
    const bool held = file->where == name::hold;
    const bool expires = action == 'e' || action == 'f';
    if (running_ && file->where == name::active && !expires) return false;
    if ((action == 'H' && !held) || (action == 'h' && held) || (expires && file->forced_expired)) return false;
    if (running_ && !expires) queue_manager_->forget(file->id);
    switch (action) {
        case 'd':
            host_.queue_files().remove(file->id);
            return true;
        case 'h':
            file->where = name::hold;
            break;
        case 'H':
            file->where = name::deferred;
            if (running_) queue_manager_->released(file);
            break;
        case 'r':
            file->where = name::maildrop;
            file->original_id = file->id;
            break;
        default:
            file->forced_expired = true;
            break;
    }
    host_.queue_files().save(file);
    return true;
}

}  // namespace mta::master
