// qmgr(8) seen through a whole lab: back-off, dead destinations, grouping, limits, postsuper(1) and postqueue(1).
#include "tests/sim/lab/chain.hpp"

namespace sim::lab {
namespace {

using namespace std::chrono_literals;

// One host whose mail goes to a machine that is up but has no mail system.
std::string lonely(std::string_view parameters) {
    return R"(
network: {subnet: 192.168.137.0/24, latency: 1ms}
hosts:
  smtp.6circles.cc:
    address: 192.168.137.4
    mailboxes: [zibi]
    postfix: {mydestination: "$myhostname, 6circles.cc", relayhost: "[192.168.137.9]")" +
           std::string(parameters) + R"(}
  mail.york.cc:
    address: 192.168.137.9
    mailboxes: [a, b, c, d, e]
    postfix: {mydestination: "$myhostname, york.cc"}
)";
}
constexpr std::string_view here = "smtp.6circles.cc", there = "mail.york.cc";

// When each delivery was deferred, in seconds since the beginning.
std::vector<long> deferrals(world& w, std::string_view host) {
    std::vector<long> seconds;
    const std::string log = w.log(host);
    for (const auto line : mta::text::split(log, "\n")) {
        if (line.find("status=deferred") == std::string_view::npos) continue;
        const auto number = [&](std::size_t at) {
            return (line[at] == ' ' ? 0 : line[at] - '0') * 10 + line[at + 1] - '0';
        };
        seconds.push_back(((number(4) - 20) * 24 + number(7) - 9) * 3600 + number(10) * 60 + number(13));
    }
    return seconds;
}

// Tried after minimal_backoff_time, then after as long as it is old, at most maximal_backoff_time; looked for every
// queue_run_delay.
TEST(back_off, of_a_message_that_comes_with_the_start) {
    world w(lonely(""));
    w.system(here).start();
    w.submit(here, {"a@york.cc"});
    w.run(24000s);
    EXPECT_EQ(deferrals(w, here), (std::vector<long>{0, 300, 600, 1200, 2400, 4800, 9000, 13200, 17400, 21600}));
}

TEST(back_off, of_a_message_that_comes_between_two_scans) {
    world w(lonely(""));
    w.system(here).start();
    w.run(50s + 999ms);
    w.submit(here, {"a@york.cc"});
    w.run(24000s);
    EXPECT_EQ(deferrals(w, here), (std::vector<long>{51, 600, 1200, 2400, 4800, 9000, 13200, 17400, 21600}));
}

// The times of queue files have whole seconds: a fraction must not make a message miss its scan.
TEST(back_off, counts_in_whole_seconds) {
    world w(lonely(", queue_run_delay: 3s, minimal_backoff_time: 3s, maximal_backoff_time: 12s"));
    w.run(500ms);
    w.system(here).start();
    w.run(400ms);
    w.submit(here, {"a@york.cc"});
    w.run(60s);
    EXPECT_EQ(deferrals(w, here), (std::vector<long>{0, 3, 6, 12, 24, 36, 48, 60}));
}

TEST(back_off, ends_with_the_lifetime) {
    world w(lonely(""));
    w.system(here).start();
    w.submit(here, {"a@york.cc"});
    w.run(24h * 6);
    const auto all = deferrals(w, here);
    EXPECT_GE(all.back(), 432'000);
    EXPECT_LT(all.back(), 432'000 + 4'300);
    EXPECT_EQ(count_in(w.log(here), "status=expired, returned to sender"), 1U);
    EXPECT_EQ(w.delivered(here, "zibi"), 1U);
    EXPECT_EQ(w.queue(here), "");
    EXPECT_EQ(w.violations(), "");
}

TEST(dead_destination, with_an_initial_concurrency_of_one_suspends_the_next) {
    for (const auto& [concurrency, connects] : {std::pair("1", 1U), std::pair("5", 2U)}) {
        world w(lonely(std::string(", smtp_initial_destination_concurrency: ") + concurrency));
        w.system(here).start();
        for (int i = 0; i < 2; ++i) {
            w.submit(here, {"a@york.cc"});
            w.run(10s);
        }
        EXPECT_EQ(count_in(w.log(here), "]: connect to "), connects) << concurrency;
        EXPECT_EQ(count_in(w.log(here), "(delivery temporarily suspended: connect to "), 2 - connects) << w.log(here);
    }
}

TEST(dead_destination, lives_again_after_the_minimal_back_off) {
    world w(lonely(", smtp_initial_destination_concurrency: 1"));
    w.system(here).start();
    w.submit(here, {"a@york.cc"});
    w.run(299s);
    w.submit(here, {"a@york.cc"});
    w.run(500ms);
    EXPECT_EQ(count_in(w.log(here), "]: connect to "), 1U);
    w.run(2s);
    w.submit(here, {"a@york.cc"});
    w.run(500ms);
    EXPECT_GE(count_in(w.log(here), "]: connect to "), 2U);
}

TEST(dead_destination, a_flush_revives_it) {
    world w(lonely(", smtp_initial_destination_concurrency: 1"));
    w.system(here).start();
    w.submit(here, {"a@york.cc"});
    w.run(10s);
    w.system(there).start();
    w.system(here).flush();
    w.run(10s);
    EXPECT_EQ(w.delivered(there, "a"), 1U);
    w.submit(here, {"a@york.cc"});
    w.run(1h);
    EXPECT_EQ(w.delivered(there, "a"), 2U) << "the timer of the dead destination does no harm";
    EXPECT_EQ(w.violations(), "");
}

TEST(grouping, recipients_of_one_destination_share_a_delivery_up_to_the_limit) {
    struct {
        const char* limit;
        std::size_t sessions;
    } rows[] = {{"1", 5}, {"2", 3}, {"4", 2}, {"5", 1}, {"50", 1}, {"0", 1}};
    for (const auto& row : rows) {
        world w(lonely(std::string(", smtp_destination_recipient_limit: ") + row.limit));
        w.start_all();
        w.submit(here, {"a@york.cc", "b@york.cc", "c@york.cc", "d@york.cc", "e@york.cc"});
        w.run(1h);
        EXPECT_EQ(count_in(w.log(there), "]: connect from"), row.sessions) << row.limit;
        for (const char* user : {"a", "b", "c", "d", "e"}) EXPECT_EQ(w.delivered(there, user), 1U) << row.limit << user;
        EXPECT_EQ(w.violations(), "");
    }
}

// How many SMTP sessions are open at once.
std::size_t most_sessions(std::string_view log) {
    std::size_t open = 0, most = 0;
    for (const auto line : mta::text::split(log, "\n")) {
        if (line.find("]: connect from") != std::string_view::npos) most = std::max(most, ++open);
        if (line.find("]: disconnect from") != std::string_view::npos) --open;
    }
    return most;
}

TEST(limits, of_concurrency_hold) {
    struct {
        const char* parameters;
        std::size_t most;
    } rows[] = {{", smtp_destination_concurrency_limit: 1", 1},
                {", smtp_destination_concurrency_limit: 3", 3},
                {", initial_destination_concurrency: 2, smtp_destination_concurrency_positive_feedback: 0", 2},
                {", default_process_limit: 4", 4}};
    for (const auto& row : rows) {
        world w(lonely(row.parameters));
        w.start_all();
        for (int i = 0; i < 40; ++i) w.submit(here, {"a@york.cc"});
        w.run(1h);
        EXPECT_EQ(most_sessions(w.log(there)), row.most) << row.parameters;
        EXPECT_EQ(w.delivered(there, "a"), 40U) << row.parameters;
        EXPECT_EQ(w.violations(), "");
    }
}

TEST(limits, of_the_active_queue_hold) {
    world w(lonely(", qmgr_message_active_limit: 2"));
    w.start_all();
    for (int i = 0; i < 10; ++i) w.submit(here, {"a@york.cc"});
    std::size_t most = 0;
    for (int i = 0; i < 1000; ++i) {
        w.run(1ms);
        most = std::max(most, count_in(w.queue(here), "a:"));
    }
    EXPECT_EQ(most, 2U);
    EXPECT_EQ(w.delivered(there, "a"), 10U);
}

// One process of each kind is enough, also where a daemon has to warn or to make a TLS context before it serves.
TEST(limits, one_process_of_each_service_is_enough) {
    world w(
        lonely(", default_process_limit: 1, smtpd_tls_security_level: may, mynetworks: \"hash:$lab_files/missing, "
               "127.0.0.0/8\""));
    w.start_all();
    for (int i = 0; i < 3; ++i) w.submit(here, {"a@york.cc"});
    w.submit(there, {"zibi@6circles.cc"});
    w.run(1h);
    EXPECT_EQ(w.delivered(there, "a"), 3U) << w.all_logs_and_mail();
}

TEST(deferred_transport, waits_for_a_flush_and_what_comes_later_waits_again) {
    world w(lonely(", defer_transports: smtp"));
    w.start_all();
    w.submit(here, {"a@york.cc"});
    w.run(10s);
    EXPECT_EQ(w.delivered(there, "a"), 0U);
    EXPECT_EQ(count_in(w.log(here), "status=deferred (deferred transport)"), 1U);
    w.system(here).flush();
    w.run(10s);
    EXPECT_EQ(w.delivered(there, "a"), 1U);
    w.submit(here, {"a@york.cc"});
    w.run(10s);
    EXPECT_EQ(w.delivered(there, "a"), 1U);
    EXPECT_EQ(count_in(w.log(here), "status=deferred (deferred transport)"), 2U);
}

TEST(rate_delay, spaces_deliveries) {
    world w(lonely(", smtp_destination_rate_delay: 10s"));
    w.start_all();
    for (int i = 0; i < 4; ++i) w.submit(here, {"a@york.cc"});
    w.run(29s);
    EXPECT_EQ(w.delivered(there, "a"), 3U);
    w.run(10s);
    EXPECT_EQ(w.delivered(there, "a"), 4U);
}

// As recorded from postsuper(1): -H puts mail into the deferred queue, for its next scan.
TEST(postsuper, holds_and_releases) {
    world w(lonely(", queue_run_delay: 20s, minimal_backoff_time: 5s"));
    w.system(here).start();
    w.submit(here, {"a@york.cc"});
    w.run(2s);
    w.system(here).superuser({"-h", "ALL"});
    EXPECT_EQ(w.queue(here).substr(0, 2), "h:");
    w.run(100s);
    EXPECT_EQ(deferrals(w, here), (std::vector<long>{0}));
    w.run(1s);
    w.system(here).superuser({"-H", "ALL"});
    EXPECT_EQ(w.queue(here).substr(0, 2), "d:");
    w.run(20s);
    EXPECT_EQ(deferrals(w, here), (std::vector<long>{0, 120}));
    EXPECT_EQ(count_in(w.log(here), "postfix/postsuper["), 2U);
    EXPECT_EQ(count_in(w.log(here), "]: Placed on hold: 1 message\n"), 1U);
    EXPECT_EQ(count_in(w.log(here), "]: Released from hold: 1 message\n"), 1U);
}

TEST(postsuper, deletes_what_it_is_told_to) {
    world w(lonely(""));
    w.system(here).start();
    for (int i = 0; i < 3; ++i) w.submit(here, {"a@york.cc"});
    w.run(10s);
    const auto files = w.lab().machine(here).queue_files().all();
    ASSERT_EQ(files.size(), 3U);
    w.system(here).superuser({"-d", files[1]->id});
    EXPECT_EQ(w.lab().machine(here).queue_files().all().size(), 2U);
    w.system(here).superuser({"-x", "ALL"});
    w.system(there).start();
    w.run(1h);
    EXPECT_EQ(w.delivered(there, "a"), 2U);
    EXPECT_EQ(w.queue(here), "");
}

// In 3.7.11 an unknown security level ends smtp(8) before it takes any work: master(8) starts it again after a minute.
TEST(fatal_configuration, of_a_client_keeps_the_mail_in_the_active_queue) {
    world w(lonely(", smtp_tls_security_level: bogus"));
    w.start_all();
    for (int i = 0; i < 3; ++i) w.submit(here, {"a@york.cc"});
    w.submit(here, {"zibi@6circles.cc"});
    w.run(130s);
    EXPECT_EQ(w.delivered(here, "zibi"), 1U) << "local mail goes on";
    EXPECT_EQ(count_in(w.queue(here), "a:"), 3U) << w.log(here);
    EXPECT_EQ(count_in(w.log(here), "postfix/master["), 1 + 2 * 3U) << "at 0, 60 and 120 s\n" << w.log(here);
    EXPECT_EQ(count_in(w.log(here), "sbin/smtp: bad command startup -- throttling"), 3U);
    EXPECT_EQ(w.violations(), "");
    w.system(here).stop();
    w.system(here).start();
    w.run(1s);
    EXPECT_EQ(count_in(w.queue(here), "a:"), 3U);
}

}  // namespace
}  // namespace sim::lab
