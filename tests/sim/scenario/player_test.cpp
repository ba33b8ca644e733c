#include "sim/scenario/player.hpp"

#include <gtest/gtest.h>

#include "sim/scenario/scripted_server.hpp"
#include "tests/sim/scenario/fake_evidence.hpp"
#include "tests/support/fake_host.hpp"

namespace sim::scenario {
namespace {

using namespace std::chrono_literals;
using mta::task;

// Notes what it is asked for, with the time in milliseconds; its hosts answer SMTP as scripted servers do.
struct noting_lab final : lab {
    tests::fake_network net;
    tests::fake_host pc{net, "pc", "192.168.137.9"};
    tests::fake_host mail{net, "mail", "192.168.137.5"};
    scripted_server port{mail, mail.address(), {}};
    tests::fake_evidence facts;
    std::string notes;
    mta::time_point grown = tests::virtual_clock::beginning;
    mta::duration sendmail_takes{};

    noting_lab() { port.play({}); }
    void note(std::string what) {
        const auto passed = std::chrono::duration_cast<std::chrono::milliseconds>(net.clock.passed());
        notes += std::to_string(passed.count()) + " " + what + "\n";
    }
    mta::scheduler& scheduler() override { return net.clock; }
    mta::Host& machine(std::string_view name) override { return name == "pc" ? static_cast<mta::Host&>(pc) : mail; }
    mta::address::ip_address address_of(std::string_view name) override {
        return name == "pc" ? pc.address() : mail.address();
    }
    stream_upgrade client_tls(std::string_view) override { return {}; }
    task<void> submit(std::string_view host, submission message) override {
        note("submit " + std::string(host) + " from " + message.from.value_or("-") + " to " + message.to.at(0) + " " +
             std::to_string(message.arguments.size()) + ": " + message.text.substr(0, message.text.find('\n')));
        co_await mta::sleep_for(net.clock, sendmail_takes);
        grown = net.clock.now();
    }
    task<void> control(std::string_view host, host_action action) override {
        constexpr std::array<std::string_view, 4> names = {"stop", "start", "reload", "flush"};
        note(std::string(names[static_cast<std::size_t>(action)]) + " " + std::string(host));
        co_return;
    }
    task<void> superuser(std::string_view host, std::vector<std::string> arguments) override {
        note("superuser " + std::string(host) + " " + arguments.at(0));
        co_return;
    }
    void cable(std::string_view machine, cable_action action) override {
        note((action == cable_action::plug ? "plug " : "unplug ") + std::string(machine));
    }
    void play_script(std::string_view server, const script& next) override {
        note("script " + std::string(server) + (next.down ? " down" : ""));
    }
    void replace_zone(std::string_view name, const std::string& text) override {
        note("zone " + std::string(name) + " " + text);
    }
    mta::time_point last_log_growth() const override { return grown; }
    const scenario::evidence& evidence() const override { return facts; }
};

class playing : public testing::Test {
  protected:
    void add(auto verb) {
        const int line = static_cast<int>(what.steps.size()) + 10;
        what.steps.push_back({{"lab.yaml", line, 3}, std::move(verb)});
    }
    // Plays all of it without the half second of the opening, and gives back what the lab was asked for.
    std::string play() {
        pauses waits;
        waits.after_opening = {};
        return play(waits);
    }
    std::string play(const pauses& waits) {
        show = std::make_unique<player>(world, what);
        show->set_pauses(waits);
        tests::finish(world.net.clock, show->run());
        return std::exchange(world.notes, "");
    }
    static topology::host host(std::string name, bool running = true) {
        topology::host result;
        result.name = std::move(name);
        result.running = running;
        return result;
    }
    static smtp dialogue(std::vector<dialogue_entry> lines, bool background = false) {
        smtp result;
        result.client = "pc";
        result.server = "mail";
        result.lines = std::move(lines);
        result.background = background;
        return result;
    }
    static submit mail_to(std::string to) {
        submit result;
        result.host = "mail";
        result.from = "a@b";
        result.to = {std::move(to)};
        return result;
    }
    static wait waiting(std::chrono::nanoseconds time) { return {time}; }

    noting_lab world;
    topology::topology what;
    std::unique_ptr<player> show;
};

TEST_F(playing, starts_the_servers_and_then_the_hosts_that_run) {
    topology::server mx, dead;
    mx.name = "mx";
    dead.name = "dead";
    dead.down = true;
    what.servers = {mx, dead};
    what.hosts = {host("one"), host("late", false), host("two")};
    add(host_step{host_action::start, "late"});
    EXPECT_EQ(play(pauses{}), "0 script mx\n300 script dead down\n300 start one\n300 start two\n800 start late\n");
    EXPECT_EQ(world.net.clock.passed(), 1300ms + 2s);
}

TEST_F(playing, takes_every_step_in_order_with_its_pause) {
    script off;
    off.server = "mx";
    off.down = true;
    add(host_step{host_action::stop, "mail"});
    add(host_step{host_action::start, "mail"});
    add(host_step{host_action::reload, "mail"});
    add(host_step{host_action::flush, "mail"});
    add(cable_step{cable_action::unplug, "mail"});
    add(waiting(3s));
    add(cable_step{cable_action::plug, "mail"});
    add(script{"mx", 25, {}, {}, false});
    add(off);
    add(superuser{"mail", {"-h", "ALL"}});
    add(zone_change{"york.cc", "text"});
    add(host_step{host_action::flush, "mail"});
    EXPECT_EQ(play(),
              "0 stop mail\n500 start mail\n1000 reload mail\n1500 flush mail\n1500 unplug mail\n4500 plug mail\n4500 "
              "script mx\n"
              "4800 script mx down\n4800 superuser mail -h\n4800 zone york.cc text\n5800 flush mail\n");
    EXPECT_EQ(world.net.clock.passed(), 7800ms);
}

TEST_F(playing, submits_one_after_the_other) {
    world.sendmail_takes = 10ms;
    submit step = mail_to("c@d");
    step.count = 2;
    step.sendmail_args = {"-N", "never"};
    add(step);
    step = mail_to("e@f");
    step.from.reset();
    step.message = "Raw: 1\n\n";
    add(step);
    EXPECT_EQ(play(),
              "0 submit mail from a@b to c@d 2: From: a@b\n10 submit mail from a@b to c@d 2: From: a@b\n"
              "20 submit mail from - to e@f 0: Raw: 1\n");
    EXPECT_EQ(world.net.clock.passed(), 30ms + 2s);
}

TEST_F(playing, numbers_dialogues_by_their_steps) {
    add(dialogue({line{"NOOP"}, pause{4s}, line{"QUIT"}}, true));
    add(dialogue({line{"HELO x"}}));
    add(host_step{host_action::flush, "mail"});
    EXPECT_EQ(play(), "300 flush mail\n");
    const auto all = show->dialogues();
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(all[0].number, 1);
    EXPECT_EQ(all[0].transcript, "S: 220 mail ESMTP\nC: NOOP\nS: 250 2.0.0 ok\nC: QUIT\nS: 221 2.0.0 bye\n");
    EXPECT_TRUE(all[0].finished);
    EXPECT_EQ(all[1].number, 2);
    EXPECT_EQ(all[1].at, (topology::position{"lab.yaml", 11, 3}));
    EXPECT_EQ(all[1].transcript, "S: 220 mail ESMTP\nC: HELO x\nS: 250 mail\n");
    // The background one is waited for, and two quiet seconds follow.
    EXPECT_EQ(world.net.clock.passed(), 6s);
}

TEST_F(playing, waits_for_all_dialogues_in_the_background) {
    add(dialogue({pause{9s}}, true));
    add(dialogue({pause{2s}}, true));
    add(dialogue({pause{5s}}, true));
    play();
    for (const auto& each : show->dialogues()) EXPECT_TRUE(each.finished);
    EXPECT_EQ(world.net.clock.passed(), 11s);
}

TEST_F(playing, settles_once_no_log_has_grown_for_a_while) {
    mta::nursery beside([](std::exception_ptr error) { std::rethrow_exception(error); });
    const auto grow = [](noting_lab& lab, std::vector<mta::duration> when) -> task<void> {
        for (const auto each : when) {
            co_await mta::sleep_until(lab.net.clock, tests::virtual_clock::beginning + each);
            lab.grown = lab.net.clock.now();
        }
    };
    add(settle{2s, 120s});
    add(host_step{host_action::flush, "mail"});
    beside.start(grow(world, {1s, 2900ms, 4900ms, 6901ms}));
    // What happens after exactly two seconds still counts; a nanosecond more and the logs were quiet.
    EXPECT_EQ(play(), "6900 flush mail\n");
    EXPECT_EQ(world.net.clock.passed(), 8901ms);
}

TEST_F(playing, counts_quiet_from_the_beginning_of_the_settle) {
    add(waiting(10s));
    add(settle{3s, 120s});
    add(host_step{host_action::flush, "mail"});
    EXPECT_EQ(play(), "13000 flush mail\n");
}

TEST_F(playing, settles_no_longer_than_its_limit) {
    mta::nursery beside([](std::exception_ptr error) { std::rethrow_exception(error); });
    const auto grow = [](noting_lab& lab) -> task<void> {
        for (int i = 0; i < 100; ++i) {
            co_await mta::sleep_for(lab.net.clock, 1s);
            lab.grown = lab.net.clock.now();
        }
    };
    add(settle{2s, 7500ms});
    add(host_step{host_action::flush, "mail"});
    add(settle{5s, 1s});
    add(host_step{host_action::flush, "mail"});
    beside.start(grow(world));
    EXPECT_EQ(play(), "7500 flush mail\n8500 flush mail\n");
}

TEST_F(playing, judges_at_expect_steps_and_at_the_end) {
    const auto claim = [](int line, std::uint32_t deferred) {
        queue_length queue;
        queue.host = "mail";
        queue.deferred = deferred;
        return expectation{{"lab.yaml", line, 1}, queue};
    };
    world.facts.queues["mail"].deferred = 1;
    add(expect{{claim(1, 1), claim(2, 0)}});
    what.expect = {claim(3, 1)};
    play();
    ASSERT_EQ(show->verdicts().size(), 3u);
    EXPECT_TRUE(show->verdicts()[0].held);
    EXPECT_FALSE(show->verdicts()[1].held);
    EXPECT_EQ(show->verdicts()[2].at.line, 3);
    EXPECT_FALSE(show->all_held());
    what.steps.clear();
    play();
    EXPECT_TRUE(show->all_held());
}

TEST_F(playing, tells_how_far_it_is) {
    add(waiting(1s));
    add(waiting(1s));
    show = std::make_unique<player>(world, what);
    std::vector<std::size_t> steps;
    show->on_progress([&](std::size_t step) { steps.push_back(step); });
    tests::finish(world.net.clock, show->run());
    EXPECT_EQ(steps, (std::vector<std::size_t>{0, 1, 2}));
}

TEST_F(playing, stops_where_it_is_when_it_is_destroyed) {
    add(dialogue({pause{9s}, line{"NOOP"}}, true));
    add(waiting(5s));
    add(host_step{host_action::flush, "mail"});
    show = std::make_unique<player>(world, what);
    {
        mta::nursery all([](std::exception_ptr error) { std::rethrow_exception(error); });
        all.start(show->run());
        world.net.clock.run_for(2s);
        EXPECT_FALSE(all.idle());
    }
    show.reset();
    world.net.clock.run();
    EXPECT_EQ(world.notes, "");
    EXPECT_EQ(world.net.clock.passed(), 2s);
}

}  // namespace
}  // namespace sim::scenario
