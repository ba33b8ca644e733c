#include "cli/play.hpp"

#include <algorithm>
#include <map>
#include <stdexcept>
#include <variant>

#include "sim/record/capture.hpp"
#include "sim/record/dump.hpp"

namespace cli {
namespace {

namespace record = sim::record;

// Delivered messages by host, user and the queue id that their topmost Received header names.
class mailbox_index {
  public:
    explicit mailbox_index(sim::lab::lab& lab) : lab_(lab) {}

    std::vector<record::received_header> find(const std::string& host, const std::string& user,
                                              const std::string& queue_id) {
        const auto key = std::pair(host, user);
        auto found = boxes_.find(key);
        if (found == boxes_.end()) found = boxes_.emplace(key, read(host, user)).first;
        const auto message = found->second.find(queue_id);
        if (message == found->second.end()) return {};
        return message->second;
    }

  private:
    using by_queue_id = std::map<std::string, std::vector<record::received_header>>;
    by_queue_id read(const std::string& host, const std::string& user) {
        by_queue_id all;
        for (const std::string& message : lab_.evidence().mailbox(host, user)) {
            auto headers = record::received_chain(message);
            if (headers.empty()) continue;
            const std::string id = headers.front().id;
            all.emplace(id, std::move(headers));
        }
        return all;
    }
    sim::lab::lab& lab_;
    std::map<std::pair<std::string, std::string>, by_queue_id> boxes_;
};

std::vector<delivered_copy> copies_of(const record::message_trace& story, mailbox_index& boxes) {
    std::vector<delivered_copy> copies;
    for (std::size_t i = 0; i < story.stops.size(); ++i) {
        for (const record::trace_delivery& each : story.stops[i].deliveries) {
            if (each.mailbox.empty()) continue;
            delivered_copy copy;
            copy.host = story.stops[i].host;
            copy.user = each.mailbox;
            copy.headers = boxes.find(copy.host, copy.user, story.stops[i].queue_id);
            if (copy.headers.empty()) continue;
            copy.differences = record::compare_received(copy.headers, story, i);
            copies.push_back(std::move(copy));
        }
    }
    return copies;
}

void tell_messages(sim::lab::lab& lab, std::size_t most, played& into) {
    record::database& database = *lab.recorder().database();
    into.messages = record::messages(database);
    mailbox_index boxes(lab);
    for (const record::message_summary& each : into.messages) {
        if (into.told.size() >= most) break;
        told_message message;
        message.summary = each;
        message.story = record::trace(database, each.message);
        message.copies = copies_of(message.story, boxes);
        into.told.push_back(std::move(message));
    }
}

// Whether the file claims something that only the record can answer.
bool asks_for_record(const sim::topology::topology& what) {
    const auto asks = [](const sim::scenario::expectation& each) {
        return std::holds_alternative<sim::scenario::delivered>(each.what) ||
               std::holds_alternative<sim::scenario::bounced>(each.what);
    };
    if (std::any_of(what.expect.begin(), what.expect.end(), asks)) return true;
    return std::any_of(what.steps.begin(), what.steps.end(), [&](const auto& step) {
        const auto* claims = std::get_if<sim::scenario::expect>(&step.what);
        return claims && std::any_of(claims->all.begin(), claims->all.end(), asks);
    });
}

// Of a run that was cut off: what the end was to bring is judged as things stand, what steps asked for cannot be.
void judge_at_the_cut(const sim::topology::topology& what, sim::lab::lab& lab, played& into) {
    std::size_t of_steps = 0;
    for (const auto& step : what.steps) {
        if (const auto* claims = std::get_if<sim::scenario::expect>(&step.what)) of_steps += claims->all.size();
    }
    into.unjudged = of_steps - std::min(of_steps, into.verdicts.size());
    for (auto& each : sim::scenario::judge_all(what.expect, lab.evidence())) into.verdicts.push_back(std::move(each));
}

}  // namespace

bool played::held() const {
    return unjudged == 0 && std::all_of(verdicts.begin(), verdicts.end(), [](const auto& each) { return each.held; });
}

std::string key_log_of(const std::string& capture) {
    return capture + ".keys";
}

namespace {

played play_in(world& in, const sim::topology::topology& what, const play_options& options, progress& watch) {
    sim::lab::lab& lab = in.lab();
    played result;
    result.seed = options.seed;
    result.began = in.now();
    watch.begin(result.began);
    in.on_heartbeat([&] { watch.tick(in.now()); });
    sim::scenario::player player(lab, what);
    player.on_progress([&](std::size_t step) {
        result.steps_begun = std::min(step + 1, what.steps.size());
        watch.step(step, what.steps.size());
        watch.tick(in.now());
    });
    result.over = in.play(player, options.until);
    watch.clear();
    result.ended = in.now();
    result.verdicts.assign(player.verdicts().begin(), player.verdicts().end());
    if (!result.over) judge_at_the_cut(what, lab, result);
    // A message under way when a run is cut off is nowhere yet.
    if (result.over) result.violations = lab.violations();
    if (options.verdicts_only) return result;
    result.results = lab.results(player);
    for (const auto& each : what.hosts) {
        const record::maillog* log = lab.recorder().log_of(each.name);
        result.logs.emplace_back(each.name, log ? log->text() : "");
    }
    tell_messages(lab, options.most_traces, result);
    if (options.for_comparison) {
        result.trail.assign(in.trail().begin(), in.trail().end());
        result.dump = record::dump(*lab.recorder().database());
    }
    return result;
}

}  // namespace

played play(const sim::topology::topology& what, const play_options& options, progress& watch) {
    std::unique_ptr<record::capture> capture;
    if (!options.capture.empty())
        capture = std::make_unique<record::capture>(options.capture, key_log_of(options.capture));
    sim::lab::options how;
    how.seed = options.seed;
    how.allow_commands = options.allow_commands;
    how.record.database_path = options.database;
    how.record.database = !options.verdicts_only || asks_for_record(what);
    // Nobody can ask more of a record that is gone with the program.
    how.record.kept_in_memory = options.for_comparison ? record::detail::everything : record::detail::traces;
    if (capture) how.on_tls_key = [&](std::string_view line) { capture->tls_key(line); };
    const std::unique_ptr<world> in = options.make(what, how);
    in->watch_traffic(capture.get());
    if (options.for_comparison) in->keep_trail();
    try {
        played result = play_in(*in, what, options, watch);
        in->watch_traffic(nullptr);
        if (capture) capture->close();
        if (auto* record = in->lab().recorder().database()) record->close();
        return result;
    } catch (const record::record_error& error) {
        // The place was good when the run began: this is no mistake of whoever named it.
        throw std::runtime_error(error.what());
    }
}

}  // namespace cli
