#include "sim/world/event_loop.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "mta/async/task.hpp"

namespace sim {
namespace {

using namespace std::chrono_literals;
using stop = event_loop::stop;

constexpr mta::time_point beginning{std::chrono::seconds(1795183200)};

struct noting_timer final : mta::timer {
    std::function<void()> then;
    void expired() override { then(); }
};
struct noting_entry final : mta::ready_entry {
    std::function<void()> then;
    void run() override { then(); }
};

TEST(event_loop, runs_what_is_ready_before_it_lets_time_pass) {
    event_loop loop(beginning);
    std::string notes;
    noting_timer late, soon;
    noting_entry now;
    late.then = [&] { notes += 'l'; };
    now.then = [&] { notes += 'n'; };
    soon.then = [&] {
        notes += 's';
        loop.post(now);
    };
    loop.arm(late, beginning + 2s);
    loop.arm(soon, beginning + 1s);
    loop.post(now);
    EXPECT_EQ(loop.run_until(mta::never), stop::quiescent);
    EXPECT_EQ(notes, "nsnl");
    EXPECT_EQ(loop.now(), beginning + 2s);
    EXPECT_EQ(loop.steps(), 4U);
}

TEST(event_loop, stops_at_the_limit_and_goes_on_from_there) {
    event_loop loop(beginning);
    int fired = 0;
    noting_timer at_limit, after;
    at_limit.then = after.then = [&] { ++fired; };
    loop.arm(at_limit, beginning + 1s);
    loop.arm(after, beginning + 1s + 1ns);
    EXPECT_EQ(loop.run_until(beginning + 1s), stop::reached);
    EXPECT_EQ(fired, 1) << "the limit itself is included";
    EXPECT_EQ(loop.now(), beginning + 1s);
    EXPECT_EQ(loop.run_until(mta::never), stop::quiescent);
    EXPECT_EQ(fired, 2);
}

TEST(event_loop, ends_when_it_is_asked_to) {
    event_loop loop(beginning);
    int fired = 0;
    noting_timer first, second;
    first.then = [&] {
        ++fired;
        loop.ask_to_stop();
    };
    second.then = [&] { ++fired; };
    loop.arm(first, beginning + 1s);
    loop.arm(second, beginning + 1s);
    EXPECT_EQ(loop.run_until(mta::never), stop::asked);
    EXPECT_EQ(fired, 1);
    EXPECT_EQ(loop.run_until(mta::never), stop::quiescent);
    EXPECT_EQ(fired, 2);
}

TEST(event_loop, the_digest_tells_what_was_noted_and_when) {
    const auto play = [](mta::duration when, std::string_view text) {
        event_loop loop(beginning);
        noting_timer t;
        t.then = [&] { loop.note(text); };
        loop.arm(t, beginning + when);
        loop.run_until(mta::never);
        return loop.digest();
    };
    EXPECT_EQ(play(1s, "status=sent"), play(1s, "status=sent"));
    EXPECT_NE(play(1s, "status=sent"), play(1s, "status=senT"));
    EXPECT_NE(play(1s, "status=sent"), play(1s + 1ns, "status=sent"));
    EXPECT_NE(play(1s, "ab"), play(1s, std::string_view("ab\0", 3)));
}

TEST(event_loop, the_digest_tells_every_byte_of_a_text_and_its_place) {
    const auto digest_of = [](const std::string& text) {
        event_loop loop(beginning);
        loop.note(text);
        return loop.digest();
    };
    for (const std::size_t length : {1U, 7U, 8U, 31U, 32U, 33U, 64U, 100U}) {
        std::set<std::uint64_t> seen = {digest_of(std::string(length, 'a'))};
        for (std::size_t i = 0; i < length; ++i) {
            std::string text(length, 'a');
            text[i] = 'b';
            EXPECT_TRUE(seen.insert(digest_of(text)).second) << length << ", " << i;
        }
    }
}

TEST(event_loop, the_trail_names_the_first_difference) {
    const auto play = [](int differs_at) {
        event_loop loop(beginning);
        loop.keep_trail();
        std::vector<std::unique_ptr<noting_timer>> all;
        for (int i = 0; i < 5; ++i) {
            all.push_back(std::make_unique<noting_timer>());
            all.back()->then = [&loop, i, differs_at] { loop.note(i == differs_at ? 99U : 1U); };
            loop.arm(*all.back(), beginning + std::chrono::seconds(i));
        }
        loop.run_until(mta::never);
        return loop.trail();
    };
    const auto same = play(-1), other = play(2);
    ASSERT_EQ(same.size(), 5U);
    for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(same[i], other[i]) << i;
    EXPECT_NE(same[3], other[3]) << "the mark is that of the time before the step";
    EXPECT_EQ(same[3].when, beginning + 3s);
}

TEST(event_loop, time_never_goes_back) {
    event_loop loop(beginning);
    noting_timer later;
    later.then = [] {};
    loop.arm(later, beginning + 1h);
    EXPECT_EQ(loop.run_until(beginning - 5s), stop::reached);
    EXPECT_EQ(loop.now(), beginning);
    loop.disarm(later);
    EXPECT_EQ(loop.run_until(beginning - 5s), stop::quiescent);
    EXPECT_EQ(loop.now(), beginning);
}

TEST(event_loop, takes_note_of_an_empty_text) {
    event_loop loop(beginning);
    loop.note(std::string_view());
    event_loop other(beginning);
    other.note(std::string_view(""));
    EXPECT_EQ(loop.digest(), other.digest());
    EXPECT_NE(loop.digest(), event_loop(beginning).digest());
}

TEST(event_loop, what_is_due_long_ago_is_due_now) {
    event_loop loop(beginning);
    mta::time_point seen{};
    noting_timer t;
    t.then = [&] { seen = loop.now(); };
    loop.arm(t, mta::time_point{});
    loop.run_until(mta::never);
    EXPECT_EQ(seen, beginning);
}

}  // namespace
}  // namespace sim
