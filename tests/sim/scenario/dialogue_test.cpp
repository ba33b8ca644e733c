#include "sim/scenario/dialogue.hpp"

#include <gtest/gtest.h>

#include "sim/scenario/scripted_server.hpp"
#include "tests/support/fake_host.hpp"

namespace sim::scenario {
namespace {

using namespace std::chrono_literals;
using mta::io_error;
using mta::task;
using tests::finish;

// A peer that says what a test gives it and keeps what it hears.
struct parrot {
    tests::fake_network& net;
    std::vector<std::string> says;  // one after each piece of input, the first at once
    std::string heard;
    mta::nursery sessions{[](std::exception_ptr error) { std::rethrow_exception(error); }};
    std::unique_ptr<mta::listener> port;

    parrot(tests::fake_network& on, tests::fake_host& host, std::vector<std::string> what)
        : net(on), says(std::move(what)) {
        port = host.listen({host.address(), 25},
                           [this](auto stream, const auto&, const auto&) { sessions.start(serve(std::move(stream))); });
    }
    task<void> serve(std::unique_ptr<mta::byte_stream> stream) {
        for (const std::string& each : says) {
            if (each == "abort") {
                stream->abort();
                co_return;
            }
            const io_error error = co_await mta::write_all(*stream, net.clock, each, 1s);
            if (error != io_error::none) co_return;
            std::array<char, 4096> buffer;
            const mta::io_result got = co_await mta::read_some(*stream, buffer, mta::never);
            if (!got.ok()) co_return;
            heard.append(buffer.data(), got.bytes);
        }
    }
};

class dialogue : public testing::Test {
  protected:
    std::string talk(std::vector<dialogue_entry> lines) {
        dialogue_route route;
        route.server = {server.address(), 25};
        route.source = client.address();
        route.start_tls = start_tls;
        route.early = early;
        return finish(net.clock, run_dialogue(client, std::move(route), lines));
    }
    std::string talk_to(std::vector<std::string> says, std::vector<dialogue_entry> lines) {
        parrot peer(net, server, std::move(says));
        std::string result = talk(std::move(lines));
        heard = peer.heard;
        return result;
    }
    tests::fake_network net;
    tests::fake_host client{net, "pc.york.cc", "192.168.137.9"};
    tests::fake_host server{net, "mail.york.cc", "192.168.137.5"};
    stream_upgrade start_tls;
    bool early = false;
    std::string heard;
};

line say(std::string text) {
    return {std::move(text)};
}

TEST_F(dialogue, takes_turns_with_a_server) {
    scripted_server plain(server, server.address(), {});
    ASSERT_TRUE(plain.play({}));
    EXPECT_EQ(talk({say("EHLO pc"), say("MAIL FROM:<a@b>"), say("RCPT TO:<c@d>"), say("DATA"), say("Subject: x"),
                    say(""), say("..hello"), say("."), say("QUIT")}),
              "S: 220 mail.york.cc ESMTP\nC: EHLO pc\nS: 250 mail.york.cc\nC: MAIL FROM:<a@b>\nS: 250 2.1.0 ok\n"
              "C: RCPT TO:<c@d>\nS: 250 2.1.5 ok\nC: DATA\nS: 354 go ahead\nC: Subject: x\nC: \nC: ..hello\nC: .\n"
              "S: 250 2.0.0 accepted\nC: QUIT\nS: 221 2.0.0 bye\n");
    ASSERT_EQ(plain.received().size(), 1u);
    EXPECT_EQ(plain.received()[0].body, "Subject: x\n\n.hello\n");
}

TEST_F(dialogue, an_early_client_talks_before_the_greeting) {
    scripted_server plain(server, server.address(), {});
    ASSERT_TRUE(plain.play({}));
    early = true;
    EXPECT_EQ(talk({say("HELO pc"), say("QUIT")}),
              "C: HELO pc\nS: 220 mail.york.cc ESMTP\nS: 250 mail.york.cc\nC: QUIT\nS: 221 2.0.0 bye\n");
}

TEST_F(dialogue, an_early_client_may_get_its_answer_in_place_of_a_greeting) {
    early = true;
    EXPECT_EQ(talk_to({"220-bait\r\n250 for HELO\r\n", "221 bye\r\n"}, {say("HELO pc"), say("QUIT")}),
              "C: HELO pc\nS: 220-bait\nS: 250 for HELO\nC: QUIT\nS: 221 bye\n");
    EXPECT_EQ(heard, "HELO pc\r\nQUIT\r\n");
}

TEST_F(dialogue, reads_a_reply_of_several_lines) {
    EXPECT_EQ(talk_to({"220 x\r\n", "250-x\r\n250-SIZE\r\n250 DSN\r\n", ""}, {say("EHLO a")}),
              "S: 220 x\nC: EHLO a\nS: 250-x\nS: 250-SIZE\nS: 250 DSN\n");
    EXPECT_EQ(heard, "EHLO a\r\n");
}

TEST_F(dialogue, pipelines_a_group) {
    EXPECT_EQ(talk_to({"220 x\r\n", "250 a\r\n250 b\r\n354 c\r\n", "250 done\r\n", ""},
                      {group{{"MAIL FROM:<a>", "RCPT TO:<b>", "DATA"}}, say("text."), say(".")}),
              "S: 220 x\nC: MAIL FROM:<a>\nC: RCPT TO:<b>\nC: DATA\nS: 250 a\nS: 250 b\nS: 354 c\nC: text.\nC: .\nS: "
              "250 done\n");
    EXPECT_TRUE(heard.starts_with("MAIL FROM:<a>\r\nRCPT TO:<b>\r\nDATA\r\n"));
}

TEST_F(dialogue, a_group_whose_last_reply_is_no_354_is_answered_line_by_line_again) {
    EXPECT_EQ(talk_to({"220 x\r\n", "354 a\r\n250 b\r\n", "250 c\r\n", ""}, {group{{"DATA", "NOOP"}}, say("NOOP")}),
              "S: 220 x\nC: DATA\nC: NOOP\nS: 354 a\nS: 250 b\nC: NOOP\nS: 250 c\n");
}

TEST_F(dialogue, sends_raw_bytes_and_gathers_replies_for_a_second) {
    const auto before = net.clock.now();
    EXPECT_EQ(talk_to({"220 x\r\n", "250 a\r\n25", "", ""}, {raw{"NO\\x4fP\\r\\n", "NOOP\r\n"}, pause{3s}}),
              "S: 220 x\nC: (raw) NO\\x4fP\\r\\n\nS: 250 a\n");
    EXPECT_EQ(heard, "NOOP\r\n");
    EXPECT_EQ(net.clock.now() - before, 4s);
}

TEST_F(dialogue, keeps_half_a_line_for_the_next_reply) {
    EXPECT_EQ(talk_to({"220 x\r\n", "250 a\r\n25", "0 b\r\n", ""}, {raw{"A", "A"}, say("B")}),
              "S: 220 x\nC: (raw) A\nS: 250 a\nC: B\nS: 250 b\n");
}

TEST_F(dialogue, gives_up_after_20_seconds_of_silence) {
    const auto before = net.clock.now();
    EXPECT_EQ(talk_to({"220 x\r\n", ""}, {say("NOOP"), say("QUIT")}), "S: 220 x\nC: NOOP\nS: (no reply)\n");
    EXPECT_EQ(net.clock.now() - before, 20s);
}

TEST_F(dialogue, goes_on_without_a_greeting) {
    EXPECT_EQ(talk_to({"", "250 a\r\n", ""}, {say("HELO x"), say("QUIT")}),
              "S: (no reply)\nC: HELO x\nS: 250 a\nC: QUIT\nS: (no reply)\n");
}

TEST_F(dialogue, notes_a_close_and_a_reset) {
    EXPECT_EQ(talk_to({"220 x\r\n"}, {say("NOOP"), say("QUIT")}), "S: 220 x\nC: NOOP\nS: (closed)\n");
    EXPECT_EQ(talk_to({"220 x\r\n", "abort"}, {say("NOOP"), say("QUIT")}), "S: 220 x\nC: NOOP\nS: (closed)\n");
    EXPECT_EQ(talk_to({"220 x\r\n"}, {raw{"A", "A"}, say("QUIT")}), "S: 220 x\nC: (raw) A\nS: (closed)\n");
    EXPECT_EQ(talk_to({"220 x\r\n"}, {group{{"A", "B"}}, say("QUIT")}), "S: 220 x\nC: A\nC: B\nS: (closed)\n");
    EXPECT_EQ(talk_to({"abort"}, {say("A"), say("B")}), "S: (closed)\nC: A\nS: (closed)\n");
    EXPECT_EQ(talk_to({"abort"}, {group{{"A"}}, say("B")}), "S: (closed)\nC: A\nS: (closed)\n");
    EXPECT_EQ(talk_to({"abort"}, {raw{"A", "A"}, say("B")}), "S: (closed)\nC: (raw) A\nS: (closed)\n");
}

TEST_F(dialogue, an_empty_reply_ends_it) {
    EXPECT_EQ(talk_to({"220 x\r\n", "\r\n", "250 b\r\n"}, {say("NOOP"), say("QUIT")}), "S: 220 x\nC: NOOP\nS: \n");
}

TEST_F(dialogue, shows_bytes_that_are_no_text) {
    EXPECT_EQ(talk_to({"220 \xff\xc3\xa9\r\n", "250 a\rb\r\n", ""}, {say("NOOP")}),
              "S: 220 \\xff\xc3\xa9\nC: NOOP\nS: 250 a\nb\n");
    // The fourth character is that of the text as it is shown: "\xff" are four.
    EXPECT_EQ(talk_to({"22\xff-\r\n", ""}, {}), "S: 22\\xff-\n");
}

TEST_F(dialogue, says_why_there_is_no_connection) {
    EXPECT_EQ(talk({say("NOOP")}), "S: (Connection refused)\n");
    net.unreachable[server.address()] = io_error::host_unreachable;
    EXPECT_EQ(talk({say("NOOP")}), "S: (No route to host)\n");
    net.unreachable[server.address()] = io_error::timed_out;
    const auto before = net.clock.now();
    EXPECT_EQ(talk({say("NOOP")}), "S: (Connection timed out)\n");
    EXPECT_EQ(net.clock.now() - before, 20s);
}

TEST_F(dialogue, turns_to_tls_when_the_server_says_220) {
    int upgrades = 0;
    start_tls = [&](std::unique_ptr<mta::byte_stream> stream) -> task<std::unique_ptr<mta::byte_stream>> {
        ++upgrades;
        co_return std::move(stream);
    };
    EXPECT_EQ(talk_to({"220 x\r\n", "454 no\r\n", "220 go\r\n", "250 a\r\n", ""},
                      {say("STARTTLS"), say("starttls"), say("EHLO a")}),
              "S: 220 x\nC: STARTTLS\nS: 454 no\nC: starttls\nS: 220 go\nC: (TLS)\nC: EHLO a\nS: 250 a\n");
    EXPECT_EQ(upgrades, 1);
}

TEST_F(dialogue, reads_on_after_tls_what_came_in_clear) {
    start_tls = [](std::unique_ptr<mta::byte_stream> stream) -> task<std::unique_ptr<mta::byte_stream>> {
        co_return std::move(stream);
    };
    EXPECT_EQ(talk_to({"220 x\r\n", "220 go\r\n250 injected\r\n", ""}, {say("STARTTLS"), say("EHLO a")}),
              "S: 220 x\nC: STARTTLS\nS: 220 go\nC: (TLS)\nC: EHLO a\nS: 250 injected\n");
}

TEST_F(dialogue, ends_when_there_is_no_tls) {
    EXPECT_EQ(talk_to({"220 x\r\n", "220 go\r\n", ""}, {say("STARTTLS"), say("QUIT")}),
              "S: 220 x\nC: STARTTLS\nS: 220 go\nS: (TLS failure)\n");
    start_tls = [](std::unique_ptr<mta::byte_stream>) -> task<std::unique_ptr<mta::byte_stream>> { co_return nullptr; };
    EXPECT_EQ(talk_to({"220 x\r\n", "220 go\r\n", ""}, {say("STARTTLS"), say("QUIT")}),
              "S: 220 x\nC: STARTTLS\nS: 220 go\nS: (TLS failure)\n");
}

TEST_F(dialogue, a_peer_that_floods_is_cut_off) {
    const std::string long_line(std::size_t{3} << 20, 'x');
    EXPECT_EQ(talk_to({long_line}, {say("NOOP")}).substr(0, 14), "S: (too much)\n");
    std::string many;
    while (many.size() < (std::size_t{20} << 20)) many += "250-more and more and more\r\n";
    EXPECT_LT(talk_to({many}, {say("NOOP")}).size(), std::size_t{18} << 20);
}

TEST_F(dialogue, is_ended_by_its_owner_at_any_moment) {
    parrot peer(net, server, {"220 x\r\n", ""});
    const std::vector<dialogue_entry> lines = {say("NOOP")};
    dialogue_route route;
    route.server = {server.address(), 25};
    {
        mta::nursery all([](std::exception_ptr error) { std::rethrow_exception(error); });
        const auto forget = [](task<std::string> from) -> task<void> { co_await from; };
        all.start(forget(run_dialogue(client, route, lines)));
        net.clock.run_for(5s);
        EXPECT_FALSE(all.idle());
    }
    net.clock.run();
    EXPECT_EQ(peer.heard, "NOOP\r\n");
    EXPECT_TRUE(peer.sessions.idle());
}

}  // namespace
}  // namespace sim::scenario
