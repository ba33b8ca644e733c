#include "mta/qmgr/job.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <string>

namespace mta::qmgr {
namespace {

struct fake_site final : site {
    int window = 1;
    bool open() const override { return window > busy; }
    bool dead() const override { return window == 0; }
};

struct fake_message : job_owner {
    std::string name;
    std::size_t on_file = 0;  // recipients for `at`, not read yet
    explicit fake_message(std::string what, std::int64_t minimum = 10) : job_owner(minimum), name(std::move(what)) {}
};

// A transport with one site that delivers to one recipient at a time.
struct bench final : recipient_reader {
    job_store own;
    job_list jobs;
    fake_site only;
    std::deque<fake_message> messages;
    std::int64_t now = 100;
    std::size_t recipients_a_delivery = 1;

    explicit bench(const job_settings& settings) : jobs(settings, own) {}
    bench(const job_settings& settings, bench& other) : jobs(settings, other.own) {}

    fake_message& arrives(std::string name, std::size_t count) { return arrives(std::move(name), count, only); }
    fake_message& arrives(std::string name, std::size_t count, fake_site& at) {
        fake_message& added = messages.emplace_back(std::move(name));
        added.queued = now;
        give(added, count, at);
        jobs.move_limits(*added.jobs.first());
        return added;
    }
    void give(fake_message& to, std::size_t count, fake_site& at) {
        job& mine = jobs.obtain(to);
        for (std::size_t i = 0; i < count; ++i) jobs.add(mine, at, {}, recipients_a_delivery);
    }
    void read_more(job_owner& which) override {
        fake_message& message = static_cast<fake_message&>(which);
        const auto room = static_cast<std::size_t>(message.recipient_limit - message.recipients);
        const std::size_t count = std::min(room, message.on_file);
        message.on_file -= count;
        message.unread -= count;
        message.more_on_file = count == room;
        message.refilled = now;
        give(message, count, only);
        if (!message.more_on_file) jobs.move_limits(*message.jobs.first());
    }
    // Delivers once; the name of the message, or "-" when nothing can go.
    std::string deliver() {
        entry_handle work = jobs.select(now, *this);
        if (!work) return "-";
        ++work->by->to.busy;
        const std::string name = static_cast<fake_message&>(*work->message).name;
        finish(*work);
        return name;
    }
    void finish(entry& work) {
        --work.by->to.busy;
        job_owner& message = *work.message;
        jobs.done(work);
        if (--message.references == 0 && !message.more_on_file) message.leave();
    }
    std::string deliver_all() {
        std::string all;
        for (std::string each = deliver(); each != "-"; each = deliver()) all += each;
        return all;
    }
};

TEST(jobs, are_served_in_order_when_nobody_may_overtake) {
    job_settings settings;
    settings.slot_cost = 0;
    bench transport(settings);
    transport.arrives("L", 20);
    transport.arrives("s", 1);
    EXPECT_EQ(transport.deliver_all(), "LLLLLLLLLLLLLLLLLLLLs");
}

TEST(jobs, a_small_one_overtakes_on_loan_once_the_large_one_has_begun) {
    bench transport({});
    transport.arrives("L", 20);
    EXPECT_EQ(transport.deliver(), "L");
    transport.arrives("s", 1);
    EXPECT_EQ(transport.deliver(), "s");
    // What was lent has to be earned before the next one.
    transport.arrives("t", 1);
    EXPECT_EQ(transport.deliver_all(), "LLLLLtLLLLLLLLLLLLLL");
}

TEST(jobs, without_loan_or_discount_slots_are_earned_first) {
    job_settings settings;
    settings.slot_cost = 2;
    settings.slot_loan = 0;
    settings.slot_discount = 0;
    bench transport(settings);
    transport.arrives("L", 12);
    transport.arrives("s", 2);
    EXPECT_EQ(transport.deliver_all(), "LLLLssLLLLLLLL");
}

TEST(jobs, one_that_is_not_large_is_not_overtaken) {
    bench transport({});
    transport.arrives("L", 14);  // below minimum_slots * slot_cost
    transport.arrives("s", 1);
    EXPECT_EQ(transport.deliver_all(), "LLLLLLLLLLLLLLs");
}

TEST(jobs, one_that_needs_more_slots_than_are_left_to_earn_waits) {
    bench transport({});
    transport.arrives("L", 20);
    transport.arrives("m", 5);
    EXPECT_EQ(transport.deliver_all(), "LLLLLLLLLLLLLLLLLLLLmmmmm");
}

TEST(jobs, the_oldest_for_its_size_overtakes) {
    bench transport({});
    transport.arrives("L", 60);
    transport.arrives("t", 3);
    transport.now += 1;
    transport.arrives("s", 1);
    EXPECT_EQ(transport.deliver(), "L");
    EXPECT_EQ(transport.deliver(), "s");
}

TEST(jobs, destinations_of_one_take_turns) {
    fake_site other;
    bench transport({});
    fake_message& message = transport.arrives("m", 2);
    transport.give(message, 2, other);
    std::string sites;
    for (int i = 0; i < 4; ++i) {
        const auto work = transport.jobs.select(transport.now, transport);
        ++work->by->to.busy;
        sites += &work->by->to == &other ? "o" : "f";
        transport.finish(*work);
    }
    EXPECT_EQ(sites, "fofo");
}

TEST(jobs, of_many_destinations_each_has_the_recipients_that_are_its_own) {
    constexpr std::size_t many = 40;  // more than are looked through one by one
    std::deque<fake_site> sites(many);
    bench transport({});
    transport.recipients_a_delivery = 3;
    fake_message& message = transport.arrives("m", 1, sites.front());
    for (int portion = 0; portion < 3; ++portion) {
        for (std::size_t i = portion == 0 ? 1 : 0; i < many; ++i) transport.give(message, 1, sites[i]);
    }
    std::size_t deliveries = 0;
    while (const auto work = transport.jobs.select(transport.now, transport)) {
        ++deliveries;
        EXPECT_EQ(work->recipients, 3U);
        EXPECT_EQ(work->targets().size(), 3U);
        ++work->by->to.busy;
        fake_site& at = static_cast<fake_site&>(work->by->to);
        // Half of them get more: some while they are known, some when they are forgotten again.
        const bool again = deliveries <= many && deliveries % 2 == 0;
        if (again && deliveries % 4 == 0) transport.give(message, 3, at);
        ++message.references;
        transport.finish(*work);
        if (again && deliveries % 4 != 0) transport.give(message, 3, at);
        --message.references;
    }
    EXPECT_EQ(deliveries, many + many / 2);
}

TEST(jobs, one_whose_destinations_are_busy_is_passed_over_until_one_is_free) {
    fake_site other;
    bench transport({});
    transport.arrives("a", 2);
    transport.arrives("b", 1, other);
    const auto running = transport.jobs.select(transport.now, transport);
    ++transport.only.busy;
    EXPECT_EQ(transport.deliver(), "b");
    EXPECT_EQ(transport.deliver(), "-");
    transport.finish(*running);
    EXPECT_EQ(transport.deliver(), "a");
}

TEST(jobs, what_was_not_served_is_first_again) {
    bench transport({});
    transport.arrives("a", 2);
    transport.arrives("b", 1);
    auto work = transport.jobs.select(transport.now, transport);
    transport.jobs.unselect(std::move(work));
    EXPECT_EQ(transport.deliver_all(), "aab");
}

TEST(jobs, another_transport_takes_over_what_waits_for_a_dead_site) {
    bench transport({}), retry({}, transport);
    transport.arrives("a", 3);
    transport.only.window = 0;
    while (entry* each = transport.only.waiting.first()) retry.jobs.take_over(*each, retry.only);
    EXPECT_EQ(transport.deliver(), "-");
    EXPECT_EQ(retry.deliver_all(), "aaa");
}

TEST(jobs, recipients_are_read_as_there_is_room_for_them) {
    job_settings settings;
    settings.recipient_limit = 4;
    settings.refill_limit = 2;
    settings.slot_cost = 2;
    settings.minimum_slots = 1;
    bench transport(settings);
    fake_message& large = transport.messages.emplace_back("L", 2);
    large.queued = transport.now;
    large.on_file = large.unread = 9;
    large.more_on_file = true;
    ++large.references;  // it is being set up
    transport.give(large, 1, transport.only);
    --large.references;
    EXPECT_EQ(large.recipient_limit, 6);
    transport.arrives("s", 1);
    EXPECT_EQ(transport.deliver_all(), "LsLLLLLLLLL");
}

}  // namespace
}  // namespace mta::qmgr
