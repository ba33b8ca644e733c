// Whatever happens to a chain of hosts at whatever moment: no mail is lost, and none is there twice but for the one
// reason that SMTP has (RFC 5321 4.5.3.2.6, RFC 1047: the reply to the end of the data that does not come).
#include "sim/scenario/player.hpp"
#include "tests/sim/lab/chain.hpp"

namespace sim::lab {
namespace {

using namespace std::chrono_literals;

// How long the chain works on one message when nobody disturbs it.
mta::duration undisturbed() {
    world w(chain_topology);
    w.start_all();
    w.submit("smtp.6circles.cc", {"kim@york.cc"});
    while (w.delivered("mail.york.cc", "kim") == 0 && w.passed() < 10s) w.run(1ms);
    EXPECT_LT(w.passed(), 10s);
    return w.passed() + 10ms;
}

// A host has taken a message whose sender does not know it yet.
bool in_the_window(world& w) {
    for (int i = 0; i < 2; ++i) {
        const auto sent = count_in(w.log(chain_hosts[i]), "status=sent (250 ");
        if (count_in(w.log(chain_hosts[i + 1]), "message-id=") > sent) return true;
    }
    return false;
}

// The same, with what was on the wire at that moment: it still arrives.
bool in_the_window_or_on_the_wire(mta::duration when) {
    world w(chain_topology);
    w.start_all();
    w.submit("smtp.6circles.cc", {"kim@york.cc"});
    w.run(when);
    for (int i = 0; i < 3; ++i, w.run(1ms)) {
        if (in_the_window(w)) return true;
    }
    return false;
}

// `disturb` at each millisecond of the chain's life, `mend` five seconds later; a day after that all is well.
template <class Disturb, class Mend>
void every_millisecond(const char* what, bool may_duplicate, Disturb disturb, Mend mend) {
    const mta::duration life = undisturbed();
    std::size_t duplicates = 0;
    for (mta::duration when{}; when < life; when += 1ms) {
        world w(chain_topology);
        w.start_all();
        w.submit("smtp.6circles.cc", {"kim@york.cc"});
        w.run(when);
        const bool window = in_the_window_or_on_the_wire(when);
        disturb(w);
        w.run(5s);
        mend(w);
        w.run(24h);
        const std::size_t copies = w.delivered("mail.york.cc", "kim");
        ASSERT_GE(copies, 1U) << what << " after " << when.count() << " ns lost it\n" << w.all_logs_and_mail();
        if (copies > 1) {
            ++duplicates;
            ASSERT_TRUE(window && may_duplicate && copies == 2)
                << what << " after " << when.count() << " ns: " << copies << " copies\n"
                << w.all_logs_and_mail();
        }
        for (const std::string_view host : chain_hosts)
            EXPECT_EQ(w.queue(host), "") << what << " after " << when.count() << " ns";
        EXPECT_EQ(w.violations(), "") << what << " after " << when.count() << " ns\n" << w.all_logs_and_mail();
    }
    EXPECT_LE(duplicates, 12U) << what << ": the window is about a round trip wide";
}

TEST(conservation, a_host_stopped_at_any_moment_and_started_again) {
    for (const std::string_view host : chain_hosts) {
        every_millisecond(
            std::string(host).c_str(), true, [&](world& w) { w.system(host).stop(); },
            [&](world& w) { w.system(host).start(); });
    }
}

TEST(conservation, all_hosts_stopped_at_any_moment_and_started_again) {
    every_millisecond(
        "all", true,
        [](world& w) {
            for (const auto host : chain_hosts) w.system(host).stop();
        },
        [](world& w) { w.start_all(); });
}

TEST(conservation, a_cable_pulled_at_any_moment_and_plugged_again) {
    for (const std::string_view host : chain_hosts) {
        every_millisecond(
            std::string(host).c_str(), false, [&](world& w) { w.lab().cable(host, scenario::cable_action::unplug); },
            [&](world& w) { w.lab().cable(host, scenario::cable_action::plug); });
    }
}

TEST(conservation, a_host_reloaded_at_any_moment) {
    for (const std::string_view host : chain_hosts) {
        every_millisecond(
            std::string(host).c_str(), true, [&](world& w) { w.system(host).reload(w.system(host).settings()); },
            [](world&) {});
    }
}

TEST(conservation, a_flush_at_any_moment) {
    every_millisecond(
        "flush", false,
        [](world& w) {
            for (const auto host : chain_hosts) w.system(host).flush();
        },
        [](world&) {});
}

TEST(conservation, a_queue_held_and_released_at_any_moment) {
    every_millisecond(
        "hold", false,
        [](world& w) {
            for (const auto host : chain_hosts) w.system(host).superuser({"-h", "ALL"});
        },
        [](world& w) {
            for (const auto host : chain_hosts) w.system(host).superuser({"-H", "ALL"});
        });
}

TEST(conservation, a_queue_requeued_at_any_moment) {
    every_millisecond(
        "requeue", false,
        [](world& w) {
            for (const auto host : chain_hosts) w.system(host).superuser({"-r", "ALL"});
        },
        [](world& w) {
            for (const auto host : chain_hosts) w.system(host).superuser({"-r", "ALL"});
        });
}

// --until at every moment: the rest is cut, and nothing is left behind (AddressSanitizer looks).
TEST(conservation, a_run_cut_at_any_moment) {
    const std::string scenario = std::string(chain_topology) + R"(
clients:
  pc.york.cc: {address: 192.168.137.9}
servers:
  mx.slow.example: {address: 192.168.137.50, replies: {DATA: ["354 go on", "354 go on"]}}
steps:
  - submit: {host: smtp.6circles.cc, from: zibi@6circles.cc, to: [kim@york.cc, "x@[192.168.137.50]"], subject: S, body: B}
  - smtp: {client: pc.york.cc, server: mail.york.cc, lines: [EHLO pc, "MAIL FROM:<a@b.cc>", "RCPT TO:<kim@york.cc>", DATA, hello, ".", QUIT]}
  - stop: mail.york.cc
  - start: mail.york.cc
)";
    const topology::topology what = load_or_fail(scenario);
    for (mta::duration until{}; until < 3s; until += until < 400ms ? 10ms : until < 600ms ? 1ms : 25ms) {
        options how;
        virtual_lab lab(what, how);
        scenario::player player(lab, what);
        EXPECT_FALSE(lab.play(player, until));
        const auto results = lab.results(player);
        EXPECT_EQ(results.hosts.size(), 4U);
    }
}

// A bounce that soft_bounce turned into a deferral is not the recipient's end, whichever agent gave it.
TEST(soft_bounce, keeps_every_recipient) {
    world w(R"(
network: {subnet: 192.168.137.0/24}
hosts:
  mail.york.cc:
    address: 192.168.137.6
    mailboxes: [kim]
    files: {transport: "closed.example error:5.7.1 closed\n"}
    postfix: {soft_bounce: "yes", transport_maps: "hash:$lab_files/transport"}
)");
    w.start_all();
    w.submit("mail.york.cc", {"ghost@mail.york.cc", "a@closed.example", "b@absent.example", "kim@mail.york.cc"});
    w.run(10s);
    EXPECT_EQ(w.delivered("mail.york.cc", "kim"), 1U);
    EXPECT_EQ(count_in(w.log("mail.york.cc"), "status=SOFTBOUNCE"), 3U) << w.log("mail.york.cc");
    EXPECT_EQ(w.violations(), "");
    w.run(400s);
    EXPECT_EQ(count_in(w.log("mail.york.cc"), "status=SOFTBOUNCE"), 6U) << "tried again\n" << w.log("mail.york.cc");
}

TEST(restart, keeps_the_queue) {
    world w(chain_topology);
    w.lab().cable("mail.york.cc", scenario::cable_action::unplug);
    w.start_all();
    for (int i = 0; i < 5; ++i) w.submit("smtp.6circles.cc", {"kim@york.cc"});
    w.run(60s);
    const std::string deferred = w.queue("mail.ohio.cc");
    EXPECT_EQ(count_in(deferred, "d:"), 5U) << deferred;
    w.system("mail.ohio.cc").stop();
    EXPECT_EQ(w.queue("mail.ohio.cc"), deferred);
    w.run(60s);
    w.system("mail.ohio.cc").start();
    w.run(1s);
    EXPECT_EQ(w.queue("mail.ohio.cc"), deferred) << "not due yet";
    w.lab().cable("mail.york.cc", scenario::cable_action::plug);
    w.run(24h);
    EXPECT_EQ(w.delivered("mail.york.cc", "kim"), 5U);
    EXPECT_EQ(w.violations(), "");
}

TEST(restart, mail_submitted_meanwhile_waits_in_the_maildrop) {
    world w(chain_topology);
    w.submit("smtp.6circles.cc", {"kim@york.cc"});
    EXPECT_EQ(w.queue("smtp.6circles.cc").substr(0, 2), "m:");
    w.start_all();
    w.run(10s);
    EXPECT_EQ(w.delivered("mail.york.cc", "kim"), 1U);
}

}  // namespace
}  // namespace sim::lab
