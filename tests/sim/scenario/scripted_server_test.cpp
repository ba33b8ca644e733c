#include "sim/scenario/scripted_server.hpp"

#include <gtest/gtest.h>

#include "sim/topology/model.hpp"
#include "tests/support/fake_host.hpp"

namespace sim::scenario {
namespace {

using namespace std::chrono_literals;
using mta::task;
using tests::finish;

class scripted : public testing::Test {
  protected:
    // Says the lines and hands back what the server said, a line each.
    std::string say(std::vector<std::string> lines, bool tls = false) {
        std::vector<dialogue_entry> entries;
        for (auto& each : lines) entries.emplace_back(line{std::move(each)});
        dialogue_route route;
        route.server = {server.address(), port};
        if (tls) route.start_tls = same_stream;
        const std::string all = finish(net.clock, run_dialogue(client, std::move(route), entries));
        std::string result;
        for (std::size_t at = 0; at < all.size();) {
            const std::size_t end = all.find('\n', at);
            if (all.compare(at, 3, "S: ") == 0) result += all.substr(at + 3, end - at - 2);
            at = end + 1;
        }
        return result;
    }
    static task<std::unique_ptr<mta::byte_stream>> same_stream(std::unique_ptr<mta::byte_stream> stream) {
        co_return std::move(stream);
    }

    tests::fake_network net;
    tests::fake_host client{net, "pc.york.cc", "192.168.137.9"};
    tests::fake_host server{net, "mx.slow.example", "192.168.137.50"};
    std::uint16_t port = 25;
};

script with(replies answers) {
    script result;
    result.replies = std::move(answers);
    return result;
}

TEST_F(scripted, a_plain_server_accepts_everything) {
    scripted_server mx(server, server.address(), {});
    EXPECT_FALSE(mx.listening());
    ASSERT_TRUE(mx.play({}));
    EXPECT_TRUE(mx.listening());
    EXPECT_EQ(say({"HELO a", "NOOP", "XYZ b", "", "RSET", "quit"}),
              "220 mx.slow.example ESMTP\n250 mx.slow.example\n250 2.0.0 ok\n250 2.0.0 ok\n250 2.0.0 ok\n250 2.0.0 "
              "ok\n221 2.0.0 bye\n");
}

TEST_F(scripted, every_verb_has_its_reply) {
    scripted_server mx(server, server.address(), {});
    ASSERT_TRUE(mx.play(with({{"CONNECT", {"220 hi"}},
                              {"EHLO", {"250-a\n250 b"}},
                              {"HELO", {"250 h"}},
                              {"MAIL", {"450 m"}},
                              {"RCPT", {"550 r"}},
                              {"DATA", {"503 d"}},
                              {"NOOP", {"251 n"}},
                              {"AUTH", {"535 a"}},
                              {"RSET", {"252 r"}},
                              {"STARTTLS", {"454 t"}},
                              {"QUIT", {"221 q"}}})));
    EXPECT_EQ(say({"EHLO x", "HELO x", "MAIL FROM:<a@b>", "RCPT TO:<c@d>", "DATA", "NOOP", "AUTH PLAIN", "RSET",
                   "STARTTLS", "QUIT"}),
              "220 hi\n250-a\n250 b\n250 h\n450 m\n550 r\n503 d\n251 n\n535 a\n252 r\n454 t\n221 q\n");
}

TEST_F(scripted, a_list_is_used_up_over_all_sessions_and_its_last_reply_stays) {
    scripted_server mx(server, server.address(), {});
    ASSERT_TRUE(mx.play(with({{"NOOP", {"450 1", "450 2", "250 3"}}})));
    EXPECT_EQ(say({"NOOP", "QUIT"}), "220 mx.slow.example ESMTP\n450 1\n221 2.0.0 bye\n");
    EXPECT_EQ(say({"NOOP", "NOOP", "NOOP"}), "220 mx.slow.example ESMTP\n450 2\n250 3\n250 3\n");
    ASSERT_TRUE(mx.play(with({{"NOOP", {"450 1", "450 2"}}})));
    EXPECT_EQ(say({"NOOP"}), "220 mx.slow.example ESMTP\n450 1\n");
}

TEST_F(scripted, a_reply_has_its_times_and_conditions) {
    scripted_server mx(server, server.address(), {});
    scripted_reply twice("450 4.2.0 later"), never("550 5.1.1 no such user"), second("421 4.3.2 not now");
    twice.times = 2;
    never.recipient = "*@gone.example";
    second.session = session_range{2, 2};
    ASSERT_TRUE(mx.play(with({{"CONNECT", {second}}, {"RCPT", {never, twice, "250 2.1.5 ok"}}})));
    EXPECT_EQ(say({"MAIL FROM:<a@b>", "RCPT TO:<c@d>", "RCPT TO:<c@gone.example>", "RCPT TO:<c@d>", "RCPT TO:<c@d>",
                   "RCPT TO:<c@d>"}),
              "220 mx.slow.example ESMTP\n250 2.1.0 ok\n450 4.2.0 later\n550 5.1.1 no such user\n450 4.2.0 later\n"
              "250 2.1.5 ok\n250 2.1.5 ok\n");
    EXPECT_EQ(say({}), "421 4.3.2 not now\n");
    EXPECT_EQ(say({"MAIL FROM:<a@b>", "RCPT TO:<c@d>"}), "220 mx.slow.example ESMTP\n250 2.1.0 ok\n250 2.1.5 ok\n");
}

TEST_F(scripted, a_senders_reply_takes_its_time) {
    scripted_server mx(server, server.address(), {});
    scripted_reply slow("250 2.0.0 at last");
    slow.sender = "slow@?";
    slow.delay = 7s;
    ASSERT_TRUE(mx.play(with({{"MAIL", {slow}}})));
    const auto before = net.clock.now();
    EXPECT_EQ(say({"MAIL FROM:<fast@b>", "MAIL FROM:<slow@b>"}),
              "220 mx.slow.example ESMTP\n250 2.1.0 ok\n250 2.0.0 at last\n");
    EXPECT_EQ(net.clock.now() - before, 7s);
}

TEST_F(scripted, drops_the_connection_within_a_message) {
    scripted_server mx(server, server.address(), {});
    scripted_reply cut("354 go ahead");
    cut.close_after = 4;
    cut.times = 1;
    ASSERT_TRUE(mx.play(with({{"DATA", {cut, "354 and now"}}})));
    const std::vector<std::string> mail = {"MAIL FROM:<a>", "RCPT TO:<b>", "DATA", "one", "two", "."};
    EXPECT_EQ(say(mail), "220 mx.slow.example ESMTP\n250 2.1.0 ok\n250 2.1.5 ok\n354 go ahead\n(closed)\n");
    EXPECT_TRUE(mx.received().empty());
    EXPECT_EQ(say(mail), "220 mx.slow.example ESMTP\n250 2.1.0 ok\n250 2.1.5 ok\n354 and now\n250 2.0.0 accepted\n");
    EXPECT_EQ(mx.received().size(), 1u);
}

TEST_F(scripted, announces_its_extensions) {
    scripted_server mx(server, server.address(), {});
    script next;
    next.extensions = {"SIZE 100", "DSN"};
    ASSERT_TRUE(mx.play(next));
    EXPECT_EQ(say({"EHLO x"}), "220 mx.slow.example ESMTP\n250-mx.slow.example\n250-SIZE 100\n250 DSN\n");
}

TEST_F(scripted, speaks_tls_when_it_has_a_certificate) {
    scripted_server mx(server, server.address(), same_stream);
    ASSERT_TRUE(mx.play({}));
    EXPECT_EQ(
        say({"EHLO x", "STARTTLS", "EHLO x"}, true),
        "220 mx.slow.example ESMTP\n250-mx.slow.example\n250 STARTTLS\n220 2.0.0 go ahead\n250 mx.slow.example\n");
    scripted_server without(client, client.address(), {});
    ASSERT_TRUE(without.play({}));
}

TEST_F(scripted, drops_a_client_that_wants_tls_without_a_certificate) {
    scripted_server mx(server, server.address(), {});
    ASSERT_TRUE(mx.play({}));
    EXPECT_EQ(say({"STARTTLS", "EHLO x"}, true), "220 mx.slow.example ESMTP\n220 2.0.0 go ahead\n(closed)\n");
}

TEST_F(scripted, closes_where_it_is_told_to) {
    scripted_server mx(server, server.address(), {});
    ASSERT_TRUE(mx.play(with({{"CONNECT", {"close", "220 x"}}, {"RCPT", {"close"}}})));
    EXPECT_EQ(say({}), "(closed)\n");
    EXPECT_EQ(say({"MAIL FROM:<a>", "RCPT TO:<b>", "DATA"}), "220 x\n250 2.1.0 ok\n(closed)\n");
}

TEST_F(scripted, hangs_until_the_client_has_enough) {
    scripted_server mx(server, server.address(), {});
    ASSERT_TRUE(mx.play(with({{"END", {"hang"}}})));
    const auto before = net.clock.now();
    EXPECT_EQ(say({"MAIL FROM:<a>", "RCPT TO:<b>", "DATA", "x", "."}),
              "220 mx.slow.example ESMTP\n250 2.1.0 ok\n250 2.1.5 ok\n354 go ahead\n(no reply)\n");
    EXPECT_EQ(net.clock.now() - before, 20s);
    EXPECT_TRUE(mx.received().empty());
}

TEST_F(scripted, keeps_what_it_took_and_only_that) {
    scripted_server mx(server, server.address(), {});
    ASSERT_TRUE(mx.play(with({{"RCPT", {"550 no", "250 ok"}}, {"END", {"550 spam", "250 ok"}}})));
    say({"MAIL FROM:<a@b> SIZE=3", "RCPT TO:<no@d>", "RCPT TO:<yes@d>", "DATA", "refused", ".", "MAIL FROM:<>",
         "RCPT TO:<c@d> NOTIFY=NEVER", "RCPT TO:<e@f>", "DATA", "Subject: s", "", "..x\xff", ".", "DATA", ".", "QUIT"});
    ASSERT_EQ(mx.received().size(), 2u);
    EXPECT_EQ(mx.received()[0].sender(), "");
    EXPECT_EQ(mx.received()[0].recipients(), (std::vector<std::string>{"c@d", "e@f"}));
    EXPECT_EQ(
        mx.mbox(),
        "From <  Thu Jan  1 00:00:00 1970\nX-Received-Mail: MAIL FROM:<>\nX-Received-Rcpt: RCPT TO:<c@d> NOTIFY=NEVER\n"
        "X-Received-Rcpt: RCPT TO:<e@f>\nSubject: s\n\n.x\\xff\n\n"
        "From <  Thu Jan  1 00:00:00 1970\nX-Received-Mail: MAIL FROM:<>\nX-Received-Rcpt: RCPT TO:<c@d> NOTIFY=NEVER\n"
        "X-Received-Rcpt: RCPT TO:<e@f>\n\n\n");
}

TEST_F(scripted, names_the_sender_in_its_mbox_as_the_command_has_it) {
    scripted_server mx(server, server.address(), {});
    ASSERT_TRUE(mx.play({}));
    say({"MAIL FROM:<u@firm.example> BODY=8BITMIME", "RCPT TO:<v@e>", "DATA", "x", "."});
    say({"MAIL", "DATA", "y", "."});
    EXPECT_EQ(
        mx.mbox(),
        "From <u@firm.example  Thu Jan  1 00:00:00 1970\nX-Received-Mail: MAIL FROM:<u@firm.example> BODY=8BITMIME\n"
        "X-Received-Rcpt: RCPT TO:<v@e>\nx\n\nFrom MAILER-DAEMON  Thu Jan  1 00:00:00 1970\nX-Received-Mail: "
        "MAIL\ny\n\n");
    EXPECT_EQ(mx.received()[0].sender(), "u@firm.example");
}

TEST_F(scripted, a_new_script_ends_the_sessions_and_may_move_or_close_the_port) {
    scripted_server mx(server, server.address(), {});
    ASSERT_TRUE(mx.play({}));
    std::string transcript;
    mta::nursery all([](std::exception_ptr error) { std::rethrow_exception(error); });
    const std::vector<dialogue_entry> lines = {line{"NOOP"}, pause{5s}, line{"NOOP"}};
    const auto keep = [](std::string& into, task<std::string> from) -> task<void> { into = co_await from; };
    dialogue_route route;
    route.server = {server.address(), 25};
    all.start(keep(transcript, run_dialogue(client, route, lines)));
    net.clock.run_for(1s);
    script down;
    down.down = true;
    ASSERT_TRUE(mx.play(down));
    EXPECT_FALSE(mx.listening());
    net.clock.run();
    EXPECT_EQ(transcript, "S: 220 mx.slow.example ESMTP\nC: NOOP\nS: 250 2.0.0 ok\nC: NOOP\nS: (closed)\n");
    EXPECT_EQ(say({}), "(Connection refused)\n");
    script moved;
    moved.port = port = 2525;
    ASSERT_TRUE(mx.play(moved));
    EXPECT_EQ(say({"QUIT"}), "220 mx.slow.example ESMTP\n221 2.0.0 bye\n");
}

TEST_F(scripted, a_taken_port_is_not_listened_on) {
    scripted_server mx(server, server.address(), {}), second(server, server.address(), {});
    ASSERT_TRUE(mx.play({}));
    EXPECT_FALSE(second.play({}));
    EXPECT_FALSE(second.listening());
}

TEST_F(scripted, bounds_what_it_takes) {
    scripted_server mx(server, server.address(), {});
    ASSERT_TRUE(mx.play({}));
    EXPECT_EQ(say({std::string(std::size_t{2} << 20, 'x')}), "220 mx.slow.example ESMTP\n(closed)\n");
}

TEST(first_script, is_the_servers_own) {
    topology::server of;
    of.name = "mx";
    of.port = 26;
    of.down = true;
    of.extensions = {"DSN"};
    of.replies = {{"RCPT", {"450 x"}}};
    const script first = first_script(of);
    EXPECT_EQ(first.server, "mx");
    EXPECT_EQ(first.port, 26);
    EXPECT_TRUE(first.down);
    EXPECT_EQ(first.extensions, of.extensions);
    EXPECT_EQ(first.replies, of.replies);
}

}  // namespace
}  // namespace sim::scenario
