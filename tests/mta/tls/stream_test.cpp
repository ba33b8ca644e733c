// The stream over a session: bytes both ways in any chunks, its end, and what a hostile peer or wire makes of it.
#include <gtest/gtest.h>

#include "tests/mta/tls/session.hpp"

namespace mta::tls::test {
namespace {

struct pair : session {
    using session::session;
    void open(const std::string& protocols = ">=TLSv1") {
        auto client = client_settings();
        client.protocols = protocols;
        from_client.level = security_level::verify;
        from_client.match_names = {"mail.york.cc"};
        shake(client, server_settings(usual().host));
    }
    byte_stream& client() { return *at_client.stream; }
    byte_stream& server() { return *at_server.stream; }
};

std::string content(std::size_t size, std::uint64_t seed) {
    tests::seeded_random random(seed);
    std::string text(size, '\0');
    for (char& c : text) c = static_cast<char>(random.next());
    return text;
}

task<void> send(byte_stream& into, scheduler& clock, std::string text, std::size_t step, io_error& error) {
    std::string_view left = text;
    while (!left.empty() && error == io_error::none) {
        const auto part = left.substr(0, step);
        error = co_await write_all(into, clock, part, std::chrono::minutes(1));
        left.remove_prefix(part.size());
    }
    into.shut_down_write();
}

task<void> receive(byte_stream& from, scheduler& clock, std::size_t step, std::string& text, io_error& error) {
    std::string buffer(step, '\0');
    while (true) {
        const io_result got = co_await read_some(from, buffer, clock.now() + std::chrono::minutes(1));
        text.append(buffer, 0, got.bytes);
        error = got.error;
        if (!got.ok()) co_return;
    }
}

struct shape {
    std::size_t size, write, read, chunk, capacity;
    const char* protocols;
};

class tls_data : public testing::TestWithParam<shape> {};

TEST_P(tls_data, arrives_both_ways) {
    const auto& [size, write, read, chunk, capacity, protocols] = GetParam();
    pair both;
    for (auto& way : {both.ends.to_server, both.ends.to_client}) way->chunk = chunk, way->capacity = capacity;
    both.open(protocols);
    ASSERT_TRUE(both.at_client.stream && both.at_server.stream);
    const std::string up = content(size, 1), down = content(size, 2);
    std::string got_up, got_down;
    io_error sent_up{}, sent_down{}, end_up{}, end_down{};
    both.work.start(send(both.client(), both.clock, up, write, sent_up));
    both.work.start(receive(both.server(), both.clock, read, got_up, end_up));
    both.work.start(send(both.server(), both.clock, down, write, sent_down));
    both.work.start(receive(both.client(), both.clock, read, got_down, end_down));
    both.clock.run();
    EXPECT_TRUE(both.work.idle());
    EXPECT_EQ(sent_up, io_error::none);
    EXPECT_EQ(sent_down, io_error::none);
    EXPECT_TRUE(got_up == up) << got_up.size();
    EXPECT_TRUE(got_down == down) << got_down.size();
    EXPECT_EQ(end_up, io_error::end_of_stream);
    EXPECT_EQ(end_down, io_error::end_of_stream);
}

INSTANTIATE_TEST_SUITE_P(in_chunks, tls_data,
                         testing::Values(shape{300, 1, 1, 1, 1, ">=TLSv1"}, shape{5000, 7, 100, 3, 11, ">=TLSv1"},
                                         shape{2000000, 2000000, 100000, 65536, 65536, ">=TLSv1"},
                                         shape{400000, 400000, 1, 1000, 1500, ">=TLSv1"},
                                         shape{100000, 16384, 16384, 65536, 4096, "TLSv1.2"},
                                         shape{50000, 16385, 333, 1448, 14480, "TLSv1"}));

TEST(tls_stream, records_hold_16_kib_at_most) {
    pair both;
    both.open();
    both.ends.to_server->capacity = 1 << 20;
    const std::string text(100000, 'x');
    io_error error{};
    const auto before = both.ends.to_server->transcript.size();
    both.work.start(send(both.client(), both.clock, text, text.size(), error));
    both.clock.run();
    std::size_t at = before, records = 0;
    const auto& wire = both.ends.to_server->transcript;
    while (at + 5 <= wire.size()) {
        const std::size_t length =
            static_cast<unsigned char>(wire[at + 3]) * 256u + static_cast<unsigned char>(wire[at + 4]);
        EXPECT_EQ(wire[at], 23);
        EXPECT_LE(length, 16384u + 256u);
        at += 5 + length;
        ++records;
    }
    EXPECT_EQ(at, wire.size());
    EXPECT_EQ(records, 8u);  // seven of data, one of close_notify
}

TEST(tls_stream, closing_says_so_and_truncation_reads_as_an_end) {
    pair orderly;
    orderly.open();
    const auto before = orderly.ends.to_client->transcript.size();
    orderly.at_server.stream.reset();
    EXPECT_GT(orderly.ends.to_client->transcript.size(), before);
    std::string text;
    io_error end{};
    orderly.work.start(receive(orderly.client(), orderly.clock, 100, text, end));
    orderly.clock.run();
    EXPECT_EQ(end, io_error::end_of_stream);

    pair truncated;
    truncated.open();
    auto& wire = *truncated.ends.to_client;
    wire.cut_after = wire.transcript.size() + 10;
    io_error sent{};
    truncated.work.start(send(truncated.server(), truncated.clock, "221 2.0.0 Bye\r\n", 100, sent));
    truncated.work.start(receive(truncated.client(), truncated.clock, 100, text, end));
    truncated.clock.run();
    EXPECT_EQ(end, io_error::end_of_stream);
    EXPECT_EQ(text, "");
}

TEST(tls_stream, a_damaged_record_ends_it_with_postfixs_line) {
    for (const auto* protocols : {"TLSv1.3", "TLSv1.2"}) {
        pair both;
        std::vector<log_line> said;
        both.from_server.on_problem = [&](const log_line& line) { said.push_back(line); };
        both.open(protocols);
        auto& wire = *both.ends.to_server;
        wire.flip_at = wire.transcript.size() + 20;
        std::string text;
        io_error sent{}, end{};
        both.work.start(send(both.client(), both.clock, "MAIL FROM:<zibiten@york.cc>\r\n", 100, sent));
        both.work.start(receive(both.server(), both.clock, 100, text, end));
        both.clock.run();
        EXPECT_EQ(end, io_error::tls_failed);
        EXPECT_EQ(text, "");
        EXPECT_NE(
            logged(said).find("warning: TLS library problem: error:0A000119:SSL routines::decryption failed or bad "
                              "record mac:../ssl/record/ssl3_record.c:"),
            std::string::npos)
            << logged(said);
        // The peer hears of it in an alert.
        io_error told{};
        both.work.start(receive(both.client(), both.clock, 100, text, told));
        both.clock.run();
        EXPECT_EQ(told, io_error::tls_failed);
    }
}

TEST(tls_stream, clear_text_in_place_of_a_hello_is_refused) {
    struct row {
        std::string sent;
        const char* said;
    };
    using namespace std::string_literals;
    for (const auto& [sent, said] :
         {row{"EHLO again\r\n", "error:0A00010B:SSL routines::wrong version number:"},
          row{"GET / HTTP/1.0\r\n\r\n", "error:0A00009C:SSL routines::http request:"},
          row{"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00"s, "error:0A0000A0:SSL routines::length too short:"},
          row{"\x16\x03\x01\xff\xff\x01\x00\x00\x01\x00"s, "error:0A0000C6:SSL routines::packet length too long:"},
          row{"\x15\x03\x01\x00\x02\x02\x28"s, "error:0A0000F4:SSL routines::unexpected message:"}}) {
        session both;
        std::vector<log_line> problems;
        io_error written{};
        both.work.start(send(*both.ends.client, both.clock, sent, sent.size(), written));
        both.work.start(both.run_server(context::make(server_settings(usual().host), problems)));
        both.clock.run();
        EXPECT_EQ(both.at_server.error, io_error::tls_failed);
        const auto log = logged(both.at_server.log);
        EXPECT_TRUE(log.starts_with(std::string("SSL_accept error from ") + client_name +
                                    ": -1\nwarning: TLS library problem: " + said))
            << log;
    }
}

TEST(tls_stream, every_damaged_byte_of_a_handshake_fails_it_or_does_no_harm) {
    std::vector<log_line> problems;
    const auto client = context::make(client_settings(), problems),
               server = context::make(server_settings(usual().host), problems);
    std::size_t failures = 0;
    for (const bool upwards : {true, false}) {
        session whole;
        whole.start(client, server);
        whole.clock.run();
        const auto size = (upwards ? whole.ends.to_server : whole.ends.to_client)->transcript.size();
        for (std::size_t at = 0; at < size; at += 7) {
            session both;
            (upwards ? both.ends.to_server : both.ends.to_client)->flip_at = at;
            both.start(client, server);
            both.clock.run();
            EXPECT_TRUE(both.client_done && both.server_done) << at;
            failures += !both.at_server.stream || !both.at_client.stream;
            session cut;
            (upwards ? cut.ends.to_server : cut.ends.to_client)->cut_after = at;
            cut.start(client, server);
            cut.clock.run();
            EXPECT_TRUE(cut.client_done && cut.server_done) << at;
            EXPECT_FALSE(cut.at_server.stream && cut.at_client.stream) << at;
        }
    }
    EXPECT_GT(failures, 100u);
}

TEST(tls_stream, reads_and_writes_time_out_and_go_on) {
    pair both;
    both.open();
    std::string text;
    io_error end{};
    both.work.start(receive(both.client(), both.clock, 100, text, end));
    both.clock.run();
    EXPECT_EQ(end, io_error::timed_out);

    // A record that only half fitted is finished by the next write.
    both.ends.to_server->capacity = 100;
    io_error sent{};
    const std::string first = content(1000, 3), second = content(500, 4);
    both.work.start(send(both.client(), both.clock, first, first.size(), sent));
    both.clock.run();
    EXPECT_EQ(sent, io_error::timed_out);
    EXPECT_EQ(both.ends.to_server->bytes.size(), 100u);
}

class pending final : public io_operation {
  public:
    pending(std::string& buffer) : io_operation(buffer.data(), buffer.size(), never) {}
    bool done = false;

  private:
    void completed() override { done = true; }
};

TEST(tls_stream, a_cancelled_write_does_not_tear_its_record) {
    pair both;
    both.open();
    both.ends.to_server->capacity = 100;
    std::string first = content(1000, 3), second = content(500, 4);
    pending abandoned(first);
    ASSERT_FALSE(both.client().start_write(abandoned));
    both.client().cancel(abandoned);
    io_error sent{}, end{};
    std::string text;
    both.work.start(send(both.client(), both.clock, second, second.size(), sent));
    both.work.start(receive(both.server(), both.clock, 64, text, end));
    both.clock.run();
    EXPECT_FALSE(abandoned.done);
    EXPECT_EQ(sent, io_error::none);
    EXPECT_TRUE(text == first + second);
}

TEST(tls_stream, a_cancelled_read_loses_nothing) {
    pair both;
    both.open();
    std::string buffer(100, '\0');
    {
        pending abandoned(buffer);
        ASSERT_FALSE(both.server().start_read(abandoned));
        both.server().cancel(abandoned);
    }
    io_error sent{}, end{};
    std::string text;
    both.work.start(send(both.client(), both.clock, "QUIT\r\n", 100, sent));
    both.clock.run();
    both.work.start(receive(both.server(), both.clock, 100, text, end));
    both.clock.run();
    EXPECT_EQ(text, "QUIT\r\n");
}

TEST(tls_stream, may_be_destroyed_by_whoever_it_wakes) {
    pair both;
    both.open();
    class destroyer final : public io_operation {
      public:
        destroyer(std::string& buffer, std::unique_ptr<byte_stream>& victim)
            : io_operation(buffer.data(), buffer.size(), never), victim_(victim) {}

      private:
        void completed() override { victim_.reset(); }
        std::unique_ptr<byte_stream>& victim_;
    };
    std::string buffer(100, '\0');
    destroyer waits(buffer, both.at_server.stream);
    ASSERT_FALSE(both.server().start_read(waits));
    io_error sent{};
    both.work.start(send(both.client(), both.clock, "DATA\r\n", 100, sent));
    both.clock.run();
    EXPECT_FALSE(both.at_server.stream);
    EXPECT_EQ(waits.result.bytes, 6u);
}

TEST(tls_stream, aborts_without_a_word) {
    pair both;
    both.open();
    const auto before = both.ends.to_server->transcript.size();
    both.client().abort();
    both.at_client.stream.reset();
    EXPECT_EQ(both.ends.to_server->transcript.size(), before);
    std::string text;
    io_error end{};
    both.work.start(receive(both.server(), both.clock, 100, text, end));
    both.clock.run();
    EXPECT_EQ(end, io_error::reset);
}

}  // namespace
}  // namespace mta::tls::test
