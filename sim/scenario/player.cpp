#include "sim/scenario/player.hpp"

#include <algorithm>
#include <exception>
#include <utility>
#include <variant>

#include "sim/scenario/scripted_server.hpp"

namespace sim::scenario {

using mta::task;

task<void> settle_down(lab& world, settle rule) {
    mta::scheduler& clock = world.scheduler();
    const mta::time_point start = clock.now(), end = start + rule.limit;
    for (;;) {
        const mta::time_point quiet = std::max(start, world.last_log_growth()) + rule.quiet;
        const mta::time_point wake = std::min(quiet, end);
        if (wake <= clock.now()) co_return;
        co_await mta::sleep_until(clock, wake);
        // What happens at this very moment, before or after this task's turn, counts alike.
        co_await mta::yield(clock);
    }
}

struct player::state {
    lab& world;
    const topology::topology& what;
    scenario::pauses waits;
    progress tell;
    std::vector<played_dialogue> dialogues;
    std::vector<verdict> verdicts;
    std::size_t in_background = 0;
    mta::signal background_over;
    mta::nursery background{[](std::exception_ptr error) { std::rethrow_exception(error); }};

    state(lab& on, const topology::topology& of) : world(on), what(of), background_over(on.scheduler()) {}

    task<void> run();
    task<void> open();
    task<void> play_all();
    task<void> pass(std::chrono::nanoseconds time) {
        const mta::time_point end = world.scheduler().now() + time;
        co_await mta::sleep_until(world.scheduler(), end);
    }
    task<void> converse(std::size_t index, const smtp& step);
    task<void> converse_beside(std::size_t index, const smtp& step);
    void judge_now(const std::vector<expectation>& claims) {
        for (verdict& each : judge_all(claims, world.evidence())) verdicts.push_back(std::move(each));
    }

    // The steps. Each ends once the next one may begin.
    task<void> play(const submit& step, const topology::position& at);
    task<void> play(const smtp& step, const topology::position& at);
    task<void> play(const settle& step, const topology::position& at);
    task<void> play(const wait& step, const topology::position& at);
    task<void> play(const host_step& step, const topology::position& at);
    task<void> play(const cable_step& step, const topology::position& at);
    task<void> play(const script& step, const topology::position& at);
    task<void> play(const superuser& step, const topology::position& at);
    task<void> play(const zone_change& step, const topology::position& at);
    task<void> play(const expect& step, const topology::position& at);
};

task<void> player::state::run() {
    co_await open();
    co_await play_all();
    if (tell) tell(what.steps.size());
    judge_now(what.expect);
}

task<void> player::state::open() {
    for (const topology::server& each : what.servers) {
        const script first = first_script(each);
        world.play_script(each.name, first);
        if (!first.down) co_await pass(waits.after_script);
    }
    for (const topology::host& each : what.hosts) {
        if (each.running) co_await world.control(each.name, host_action::start);
    }
    co_await pass(waits.after_opening);
}

task<void> player::state::play_all() {
    for (std::size_t i = 0; i < what.steps.size(); ++i) {
        if (tell) tell(i);
        const step& next = what.steps[i];
        task<void> work = std::visit([&](const auto& verb) { return play(verb, next.at); }, next.what);
        co_await work;
    }
    while (in_background > 0) co_await background_over.wait();
    co_await settle_down(world, waits.at_the_end);
}

task<void> player::state::play(const submit& step, const topology::position&) {
    submission message;
    message.from = step.from;
    message.to = step.to;
    message.arguments = step.sendmail_args;
    message.text = message_text(step);
    for (std::uint32_t i = 0; i < step.count; ++i) {
        submission one = message;
        co_await world.submit(step.host, std::move(one));
    }
}

task<void> player::state::converse(std::size_t index, const smtp& step) {
    dialogue_route route;
    route.server = mta::endpoint{world.address_of(step.server), step.port};
    route.source = world.address_of(step.client);
    route.start_tls = world.client_tls(step.client);
    route.early = step.early;
    mta::Host& client = world.machine(step.client);
    const std::span<const dialogue_entry> lines = step.lines;
    std::string transcript = co_await run_dialogue(client, std::move(route), lines);
    dialogues[index].transcript = std::move(transcript);
    dialogues[index].finished = true;
}

task<void> player::state::converse_beside(std::size_t index, const smtp& step) {
    co_await converse(index, step);
    --in_background;
    background_over.notify_all();
}

task<void> player::state::play(const smtp& step, const topology::position& at) {
    const std::size_t index = dialogues.size();
    played_dialogue next;
    next.number = static_cast<int>(index) + 1;
    next.at = at;
    next.client = step.client;
    next.server = step.server;
    dialogues.push_back(std::move(next));
    if (!step.background) {
        co_await converse(index, step);
        co_return;
    }
    ++in_background;
    background.start(converse_beside(index, step));
    co_await pass(waits.after_background);
}

task<void> player::state::play(const settle& step, const topology::position&) {
    co_await settle_down(world, step);
}

task<void> player::state::play(const wait& step, const topology::position&) {
    co_await pass(step.time);
}

task<void> player::state::play(const host_step& step, const topology::position&) {
    co_await world.control(step.host, step.action);
    if (step.action != host_action::flush) co_await pass(waits.after_control);
}

task<void> player::state::play(const cable_step& step, const topology::position&) {
    world.cable(step.machine, step.action);
    co_return;
}

task<void> player::state::play(const script& step, const topology::position&) {
    world.play_script(step.server, step);
    if (!step.down) co_await pass(waits.after_script);
}

task<void> player::state::play(const superuser& step, const topology::position&) {
    std::vector<std::string> arguments = step.args;
    co_await world.superuser(step.host, std::move(arguments));
}

task<void> player::state::play(const zone_change& step, const topology::position&) {
    world.replace_zone(step.name, step.text);
    co_await pass(waits.after_zone);
}

task<void> player::state::play(const expect& step, const topology::position&) {
    judge_now(step.all);
    co_return;
}

player::player(lab& world, const topology::topology& what) : state_(std::make_unique<state>(world, what)) {}
player::~player() = default;

void player::on_progress(progress tell) {
    state_->tell = std::move(tell);
}
void player::set_pauses(const scenario::pauses& p) {
    state_->waits = p;
}
task<void> player::run() {
    return state_->run();
}
std::span<const played_dialogue> player::dialogues() const {
    return state_->dialogues;
}
std::span<const verdict> player::verdicts() const {
    return state_->verdicts;
}

bool player::all_held() const {
    return std::ranges::all_of(state_->verdicts, [](const verdict& each) { return each.held; });
}

}  // namespace sim::scenario
