#include "sim/scenario/policy_server.hpp"

#include <gtest/gtest.h>

#include "mta/stream/smtp_stream.hpp"
#include "tests/support/fake_host.hpp"

namespace sim::scenario {
namespace {

using namespace std::chrono_literals;
using tests::finish;

constexpr mta::time_point start{std::chrono::hours(400'000)};
const std::string put_off = "DEFER_IF_PERMIT Greylisted";

policy_request asks(std::string client, std::string sender, std::string recipient) {
    return {{"request", "smtpd_access_policy"}, {"protocol_state", "RCPT"},    {"client_address", std::move(client)},
            {"client_name", "mail.ohio.cc"},    {"sender", std::move(sender)}, {"recipient", std::move(recipient)}};
}

topology::policy greylisting() {
    topology::policy rules;
    rules.greylist.emplace();
    return rules;
}

TEST(greylist, strangers_come_back_after_the_delay) {
    policy_mind mind(greylisting());
    const policy_request first = asks("203.0.113.9", "a@ohio.cc", "kim@york.cc");
    EXPECT_EQ(mind.decide(first, start), put_off);
    EXPECT_EQ(mind.decide(first, start + 299s), put_off);
    EXPECT_EQ(mind.decide(first, start + 300s), "PREPEND X-Greylist: delayed 300 seconds");
    EXPECT_EQ(mind.decide(first, start + 301s), "DUNNO");
    EXPECT_EQ(mind.decide(asks("203.0.113.9", "b@ohio.cc", "kim@york.cc"), start + 302s), put_off);
    EXPECT_EQ(mind.decide(asks("203.0.113.9", "a@ohio.cc", "lee@york.cc"), start + 302s), put_off);
}

TEST(greylist, a_neighbour_of_the_client_counts_as_it) {
    policy_mind mind(greylisting());
    EXPECT_EQ(mind.decide(asks("203.0.113.9", "A@ohio.cc", "kim@york.cc"), start), put_off);
    EXPECT_EQ(mind.decide(asks("203.0.113.200", "a@ohio.cc", "KIM@york.cc"), start + 6min),
              "PREPEND X-Greylist: delayed 360 seconds");
    EXPECT_EQ(mind.decide(asks("203.0.114.9", "a@ohio.cc", "kim@york.cc"), start + 6min), put_off);
}

TEST(greylist, who_comes_back_too_late_is_new) {
    policy_mind mind(greylisting());
    const policy_request late = asks("203.0.113.9", "a@ohio.cc", "kim@york.cc");
    EXPECT_EQ(mind.decide(late, start), put_off);
    EXPECT_EQ(mind.decide(late, start + 48h + 1s), put_off);
    EXPECT_EQ(mind.decide(late, start + 48h + 301s), "PREPEND X-Greylist: delayed 300 seconds");
    EXPECT_EQ(mind.decide(late, start + 48h + 301s + 24h * 35), "DUNNO");
    EXPECT_EQ(mind.decide(late, start + 48h + 302s + 24h * 70), put_off);
}

TEST(greylist, trusts_a_client_after_deliveries_an_hour_apart) {
    topology::policy rules = greylisting();
    rules.greylist->trusts_after = 2;
    policy_mind mind(rules);
    const auto pass = [&](const std::string& sender, mta::time_point when) {
        const policy_request one = asks("203.0.113.9", sender, "kim@york.cc");
        EXPECT_EQ(mind.decide(one, when), put_off) << sender;
        EXPECT_NE(mind.decide(one, when + 5min), put_off) << sender;
    };
    pass("a@ohio.cc", start);
    pass("b@ohio.cc", start + 10min);  // within the hour: counts once
    pass("c@ohio.cc", start + 90min);
    EXPECT_EQ(mind.decide(asks("203.0.113.9", "d@ohio.cc", "kim@york.cc"), start + 2h), "DUNNO");
    EXPECT_EQ(mind.decide(asks("203.0.114.9", "d@ohio.cc", "kim@york.cc"), start + 2h), put_off);
}

TEST(policy_rules, the_first_that_fits_decides_and_the_greylist_asks_at_rcpt_alone) {
    topology::policy rules = greylisting();
    topology::policy_rule friends, all_of_bot;
    friends.sender = "*@friend.example";
    friends.action = "DUNNO";
    all_of_bot.client = "203.0.113.*";
    all_of_bot.recipient = "kim@*";
    all_of_bot.action = "REJECT go away";
    rules.rules = {friends, all_of_bot};
    policy_mind mind(rules);
    EXPECT_EQ(mind.decide(asks("203.0.113.9", "x@friend.example", "kim@york.cc"), start), "DUNNO");
    EXPECT_EQ(mind.decide(asks("203.0.113.9", "x@ohio.cc", "kim@york.cc"), start), "REJECT go away");
    EXPECT_EQ(mind.decide(asks("203.0.113.9", "x@ohio.cc", "lee@york.cc"), start), put_off);
    policy_request at_data = asks("203.0.113.9", "x@ohio.cc", "lee@york.cc");
    at_data["protocol_state"] = "DATA";
    EXPECT_EQ(mind.decide(at_data, start), "DUNNO");
    EXPECT_EQ(policy_mind({}).decide(asks("203.0.113.9", "x@ohio.cc", "lee@york.cc"), start), "DUNNO");
}

TEST(policy_request_parser, takes_lines_up_to_the_empty_one) {
    using state = policy_request_parser::state;
    policy_request_parser parser;
    EXPECT_EQ(parser.add("request=smtpd_access_policy"), state::open);
    EXPECT_EQ(parser.add("policy_context=a=b"), state::open);
    EXPECT_EQ(parser.add("sender="), state::open);
    EXPECT_EQ(parser.add(""), state::complete);
    const policy_request expected{{"policy_context", "a=b"}, {"request", "smtpd_access_policy"}, {"sender", ""}};
    EXPECT_EQ(parser.take(), expected);
    EXPECT_EQ(parser.add(""), state::bad);
}

TEST(policy_request_parser, refuses_what_is_no_request) {
    using state = policy_request_parser::state;
    EXPECT_EQ(policy_request_parser().add("EHLO a"), state::bad);
    EXPECT_EQ(policy_request_parser().add("=a"), state::bad);
    policy_request_parser endless;
    state last = state::open;
    for (int i = 0; i < 1000 && last == state::open; ++i) last = endless.add("a=b");
    EXPECT_EQ(last, state::bad);
}

class policy_wire : public testing::Test {
  protected:
    // All that the server says to `text` before it, or the client's patience, ends the connection.
    std::string say(std::string text) {
        const auto talk = [](policy_wire& me, std::string bytes) -> mta::task<std::string> {
            const mta::endpoint remote{me.server.address(), 10023};
            const mta::time_point deadline = me.net.clock.now() + 30s;
            mta::connect_result made = co_await me.client.connect(remote, std::nullopt, deadline);
            if (!made.stream) co_return std::string("nobody");
            mta::smtp_stream wire(std::move(made.stream), me.net.clock);
            wire.put(bytes);
            const mta::io_error sent = co_await wire.flush(10s);
            std::string all, line;
            for (mta::io_error error = sent; error == mta::io_error::none;) {
                const mta::smtp_stream::line got = co_await wire.read_line(line, 1000, 10s);
                error = got.error;
                if (got.end == mta::smtp_stream::line_end::none) break;
                all += line + "|";
            }
            co_return all;
        };
        return finish(net.clock, talk(*this, std::move(text)));
    }
    tests::fake_network net;
    tests::fake_host client{net, "mail.york.cc", "192.168.137.5"};
    tests::fake_host server{net, "greylist.york.cc", "192.168.137.30"};
};

TEST_F(policy_wire, several_requests_on_one_connection_and_memory_over_a_stop) {
    policy_server asked(server, {server.address(), 10023}, greylisting());
    const std::string request =
        "request=smtpd_access_policy\nprotocol_state=RCPT\nclient_address=1.2.3.4\nsender=a@b\nrecipient=c@d\n\n";
    EXPECT_EQ(say(request), "nobody");
    ASSERT_TRUE(asked.start());
    EXPECT_EQ(say(request + request), "action=" + put_off + "||action=" + put_off + "||");
    EXPECT_EQ(say("EHLO you\n" + request), "");
    asked.stop();
    EXPECT_EQ(say(request), "nobody");
    net.clock.run_until(net.clock.now() + 10min);
    ASSERT_TRUE(asked.start());
    EXPECT_EQ(say(request).substr(0, 36), "action=PREPEND X-Greylist: delayed 6");
}

}  // namespace
}  // namespace sim::scenario
