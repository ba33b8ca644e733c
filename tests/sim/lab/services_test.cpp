// What a mail system's other daemons do in a whole lab when something is wrong with them or their peers.
#include "tests/sim/lab/chain.hpp"

namespace sim::lab {
namespace {

using namespace std::chrono_literals;

// A raw client on a host's network: sends at once what it is given, and keeps all it hears.
struct raw_client {
    world& w;
    std::string heard;
    std::unique_ptr<mta::byte_stream> stream;
    mta::io_error ended = mta::io_error::none;
    mta::nursery tasks{[](std::exception_ptr error) { std::rethrow_exception(error); }};

    raw_client(world& in, std::string_view from, std::string_view to, std::string text) : w(in) {
        const auto talk = [](raw_client& me, mta::Host& host, mta::endpoint remote,
                             std::string bytes) -> mta::task<void> {
            const mta::time_point deadline = me.w.loop().now() + 30s;
            mta::connect_result got = co_await host.connect(remote, std::nullopt, deadline);
            me.ended = got.error;
            if (!got.stream) co_return;
            me.stream = std::move(got.stream);
            const mta::io_error unsent = co_await mta::write_all(*me.stream, me.w.loop(), bytes, 1h);
            me.ended = unsent;
            char buffer[4096];
            const std::span<char> whole(buffer);
            while (me.ended == mta::io_error::none) {
                const mta::time_point until = me.w.loop().now() + 1h;
                const mta::io_result more = co_await mta::read_some(*me.stream, whole, until);
                me.heard.append(buffer, more.bytes);
                me.ended = more.error;
            }
        };
        const mta::endpoint remote{w.lab().address_of(to), 25};
        tasks.start(talk(*this, w.lab().machine(from), remote, std::move(text)));
    }
};

// A large message of many short lines, pipelined in one go, is taken whole.
TEST(smtp_server, takes_a_large_pipelined_message) {
    world w(chain_topology);
    w.start_all();
    std::string text = "EHLO pc\r\nMAIL FROM:<a@b.cc>\r\nRCPT TO:<kim@york.cc>\r\nDATA\r\n";
    for (int i = 0; i < 400'000; ++i) text += "x\r\n";
    text += ".\r\nQUIT\r\n";
    const raw_client client(w, "smtp.6circles.cc", "mail.york.cc", text);
    w.run(1h);
    EXPECT_EQ(count_in(client.heard, "queued as"), 1U) << client.heard.substr(0, 1000);
    EXPECT_EQ(count_in(w.mbox("mail.york.cc", "kim"), "\nx"), 400'000U);
    EXPECT_EQ(w.violations(), "");
}

TEST(smtp_server, survives_whatever_it_is_sent) {
    world w(chain_topology);
    w.start_all();
    std::string noise;
    std::uint64_t state = 7;
    for (int i = 0; i < 100'000; ++i) {
        state = state * 6364136223846793005 + 1442695040888963407;
        noise += static_cast<char>(state >> 33);
    }
    const raw_client one(w, "smtp.6circles.cc", "mail.york.cc", noise);
    const raw_client other(w, "mail.ohio.cc", "mail.york.cc", std::string(300'000, 'x'));
    const raw_client third(w, "mail.ohio.cc", "mail.york.cc", std::string(100'000, '\n'));
    w.run(2h);
    EXPECT_NE(one.ended, mta::io_error::none);
    EXPECT_NE(third.ended, mta::io_error::none);
    w.submit("mail.york.cc", {"kim@york.cc"});
    w.run(1s);
    EXPECT_EQ(w.delivered("mail.york.cc", "kim"), 1U);
}

// A server whose configuration is fatal answers nobody, says so in its log, and the rest of the mail system works.
TEST(smtp_server, that_cannot_start_keeps_its_clients_waiting) {
    world w(R"(
network: {subnet: 192.168.137.0/24}
hosts:
  mail.york.cc:
    address: 192.168.137.6
    mailboxes: [kim]
    postfix: {smtpd_tls_security_level: encrypt, smtpd_tls_mandatory_protocols: "!bogus"}
  pc.york.cc:
    address: 192.168.137.7
)");
    w.start_all();
    ASSERT_TRUE(w.system("mail.york.cc").running());
    const raw_client client(w, "pc.york.cc", "mail.york.cc", "QUIT\r\n");
    w.submit("mail.york.cc", {"kim@mail.york.cc"});
    w.run(10s);
    EXPECT_EQ(w.delivered("mail.york.cc", "kim"), 1U);
    if (count_in(w.log("mail.york.cc"), "fatal") > 0) {
        EXPECT_EQ(client.heard, "");
        EXPECT_EQ(count_in(w.log("mail.york.cc"), "sbin/smtpd: bad command startup -- throttling"), 1U);
    } else {
        EXPECT_NE(client.heard, "");
    }
    w.system("mail.york.cc").stop();
    w.run(1s);
    EXPECT_NE(client.ended, mta::io_error::none);
}

TEST(sendmail, gives_back_what_cleanup_will_not_take) {
    world w(chain_topology);
    w.start_all();
    std::string loops = "Subject: s\n";
    for (int i = 0; i < 60; ++i) loops += "Received: by nowhere\n";
    w.submit("smtp.6circles.cc", {"kim@york.cc"}, loops + "\nbody\n");
    w.submit("smtp.6circles.cc", {"kim@york.cc"}, "Subject: s\n\n" + std::string(11'000'000, 'x') + "\n");
    w.run(1h);
    EXPECT_EQ(w.delivered("mail.york.cc", "kim"), 0U);
    // The one that is too long never gets past sendmail(1), which tells its caller.
    EXPECT_EQ(w.delivered("smtp.6circles.cc", "zibi"), 1U) << w.all_logs_and_mail().substr(0, 5000);
}

constexpr std::string_view guarded_topology = R"(
network: {subnet: 192.168.137.0/24, latency: 1ms}
zones:
  york.cc: |
    @ IN MX 10 mail.york.cc.
hosts:
  mail.ohio.cc:
    address: 192.168.137.5
  mail.york.cc:
    address: 192.168.137.6
    mailboxes: [kim]
    master_cf: |
      smtp inet n - n - 1 postscreen
      smtpd pass - - n - - smtpd
      tlsproxy unix - - n - 0 tlsproxy
    postfix:
      mydestination: "$myhostname, york.cc"
      mynetworks: 127.0.0.0/8
      postscreen_greet_action: enforce
      postscreen_pipelining_enable: yes
      postscreen_non_smtp_command_enable: yes
      postscreen_non_smtp_command_action: enforce
      postscreen_bare_newline_enable: yes
      postscreen_bare_newline_action: enforce
      postscreen_command_count_limit: 1000000
)";

TEST(postscreen, survives_whatever_it_is_sent_and_takes_none_of_it) {
    world w(guarded_topology);
    w.start_all();
    std::string noise;
    std::uint64_t state = 7;
    for (int i = 0; i < 50'000; ++i) {
        state = state * 6364136223846793005U + 1442695040888963407U;
        noise += static_cast<char>(state >> 56);
        if (i % 50 == 0) noise += "\r\nMAIL FROM:<a@b.cc>\nRCPT TO:<kim@york.cc>\r\n";
    }
    const raw_client client(w, "mail.ohio.cc", "mail.york.cc", noise);
    w.run(1h);
    EXPECT_NE(client.ended, mta::io_error::none);
    EXPECT_EQ(count_in(w.log("mail.york.cc"), "postfix/smtpd"), 0U);
    EXPECT_EQ(count_in(w.log("mail.york.cc"), " PREGREET "), 1U);
    EXPECT_EQ(count_in(w.log("mail.york.cc"), " DISCONNECT "), 1U);
    EXPECT_EQ(w.violations(), "");
}

TEST(postscreen, a_server_that_waits_is_put_off_once_and_known_even_after_a_restart) {
    world w(guarded_topology);
    w.start_all();
    w.submit("mail.ohio.cc", {"kim@york.cc"});
    w.run(1h);
    EXPECT_EQ(count_in(w.log("mail.york.cc"), ": 450 4.3.2 Service currently unavailable"), 1U);
    EXPECT_EQ(count_in(w.log("mail.york.cc"), " PASS NEW "), 1U);
    EXPECT_EQ(count_in(w.log("mail.york.cc"), " PASS OLD "), 1U);
    EXPECT_EQ(count_in(w.mbox("mail.york.cc", "kim"), "From zibi@"), 1U);
    w.system("mail.york.cc").stop();
    w.system("mail.york.cc").start();
    w.submit("mail.ohio.cc", {"kim@york.cc"});
    w.run(1min);
    EXPECT_EQ(count_in(w.log("mail.york.cc"), " PASS OLD "), 2U);
    EXPECT_EQ(count_in(w.mbox("mail.york.cc", "kim"), "From zibi@"), 2U);
    EXPECT_EQ(w.violations(), "");
}

}  // namespace
}  // namespace sim::lab
