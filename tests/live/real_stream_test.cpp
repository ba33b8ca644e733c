#include <boost/asio/io_context.hpp>

#include "sim/network/real_socket.hpp"
#include "tests/live/live_network.hpp"

namespace tests {
namespace {

using mta::io_error;

// A connection from .2 to .5, and its two ends.
class real_stream : public live_network {
  protected:
    real_stream() : port(listen("192.168.137.5", at("192.168.137.5", 25))) {
        run([&]() -> mta::task<void> {
            const auto from = address("192.168.137.2");
            const auto deadline = in(30s);
            mta::connect_result made = co_await net.connect(from, at("192.168.137.5", 25), std::nullopt, deadline);
            client = std::move(made.stream);
            while (visits.empty()) co_await visited.wait();
            server = std::move(visits.front().stream);
        });
    }
    mta::task<void> write(mta::byte_stream& stream, std::string text, io_error expected = io_error::none) {
        const io_error error = co_await mta::write_all(stream, loop, text, 30s);
        EXPECT_EQ(error, expected);
    }

    std::unique_ptr<mta::listener> port;
    std::unique_ptr<mta::byte_stream> client, server;
};

TEST_F(real_stream, carries_bytes_both_ways_under_one_number) {
    EXPECT_NE(client->connection(), 0U);
    EXPECT_EQ(client->connection(), server->connection());
    run([&]() -> mta::task<void> {
        const auto deadline = in(30s);
        co_await write(*server, "220 ready\r\n");
        const heard greeting = co_await read_all(*client, deadline, 11);
        EXPECT_EQ(greeting.text, "220 ready\r\n");
        co_await write(*client, "QUIT\r\n");
        client->shut_down_write();
        const heard command = co_await read_all(*server, deadline);
        EXPECT_EQ(command.text, "QUIT\r\n");
        EXPECT_EQ(command.end, io_error::end_of_stream);
        co_await write(*server, "221 bye\r\n");
        const heard farewell = co_await read_all(*client, deadline, 9);
        EXPECT_EQ(farewell.text, "221 bye\r\n");
        co_await write(*client, "more", io_error::reset);
    });
}

TEST_F(real_stream, is_closed_in_good_order_even_with_bytes_unread) {
    run([&]() -> mta::task<void> {
        const auto deadline = in(30s);
        co_await write(*client, "NOOP\r\nNOOP\r\n");
        co_await write(*server, "421 too much\r\n");
        server.reset();
        const heard last = co_await read_all(*client, deadline);
        EXPECT_EQ(last.text, "421 too much\r\n");
        EXPECT_EQ(last.end, io_error::end_of_stream);
    });
}

TEST_F(real_stream, says_reset_where_it_was_aborted) {
    run([&]() -> mta::task<void> {
        const auto deadline = in(30s);
        server->abort();
        const heard nothing = co_await read_all(*client, deadline);
        EXPECT_EQ(nothing.text, "");
        EXPECT_EQ(nothing.end, io_error::reset);
        const heard own = co_await read_all(*server, deadline);
        EXPECT_EQ(own.end, io_error::reset);
        co_await write(*client, "x", io_error::reset);
    });
}

TEST_F(real_stream, wakes_those_who_wait_when_it_is_aborted) {
    heard end;
    mta::nursery beside([](std::exception_ptr error) { std::rethrow_exception(error); });
    const auto wait = [&]() -> mta::task<void> {
        const auto deadline = in(30min);
        end = co_await read_all(*client, deadline);
        visited.notify_all();
    };
    beside.start(wait());
    run([&]() -> mta::task<void> {
        client->abort();
        EXPECT_EQ(end.end, io_error::none) << "told from inside of abort()";
        co_await visited.wait();
        EXPECT_EQ(end.end, io_error::reset);
    });
}

TEST_F(real_stream, gives_up_at_the_deadline_and_works_on) {
    run([&]() -> mta::task<void> {
        const auto begin = loop.now();
        const heard nothing = co_await read_all(*client, begin + 2s);
        EXPECT_EQ(nothing.end, io_error::timed_out);
        EXPECT_GE(loop.now(), begin + 2s);
        co_await write(*server, "late");
        const auto deadline = in(30s);
        const heard late = co_await read_all(*client, deadline, 4);
        EXPECT_EQ(late.text, "late");
    });
}

TEST_F(real_stream, hands_over_what_has_come_before_it_speaks_of_time) {
    run([&]() -> mta::task<void> {
        struct reading final : mta::io_operation {
            explicit reading(std::span<char> into, mta::time_point until)
                : io_operation(into.data(), into.size(), until) {}
            mta::signal* tell = nullptr;
            void completed() override { tell->notify_all(); }
        };
        std::array<char, 8> buffer;
        const auto deadline = in(100ms);
        reading late(buffer, deadline);
        late.tell = &visited;
        EXPECT_FALSE(client->start_read(late));
        co_await write(*server, "in time");
        while (loop.now() < deadline + 1s) continue;  // the process was not given the processor
        co_await visited.wait();
        EXPECT_EQ(late.result.error, io_error::none);
        EXPECT_EQ(std::string_view(buffer.data(), late.result.bytes), "in time");
    });
}

TEST_F(real_stream, leaves_bytes_where_a_forgotten_read_did_not_take_them) {
    run([&]() -> mta::task<void> {
        {
            mta::nursery forgotten([](std::exception_ptr error) { std::rethrow_exception(error); });
            const auto wait = [&]() -> mta::task<void> {
                const auto deadline = in(30s);
                const heard lost = co_await read_all(*client, deadline, 1);
                ADD_FAILURE() << "took " << lost.text;
            };
            forgotten.start(wait());
        }
        co_await write(*server, "kept");
        const auto deadline = in(30s);
        const heard kept = co_await read_all(*client, deadline, 4);
        EXPECT_EQ(kept.text, "kept");
    });
}

TEST_F(real_stream, stalls_the_writer_when_nobody_reads_and_loses_nothing) {
    std::string much(std::size_t{16} << 20, '\0');
    for (std::size_t i = 0; i < much.size(); ++i) much[i] = static_cast<char>(i * 31 >> 8);
    bool written = false;
    mta::nursery beside([](std::exception_ptr error) { std::rethrow_exception(error); });
    const auto send = [&]() -> mta::task<void> {
        const io_error error = co_await mta::write_all(*server, loop, much, 1h);
        EXPECT_EQ(error, io_error::none);
        written = true;
        server.reset();
    };
    beside.start(send());
    EXPECT_FALSE(written);
    run([&]() -> mta::task<void> {
        const auto deadline = in(30min);
        const heard all = co_await read_all(*client, deadline);
        EXPECT_TRUE(all.text == much);
        EXPECT_EQ(all.end, io_error::end_of_stream);
    });
    EXPECT_TRUE(written);
}

TEST_F(real_stream, waits_for_a_cable_that_was_pulled) {
    run([&]() -> mta::task<void> {
        co_await write(*server, "on its way");
        net.plug(address("192.168.137.5"), false);
        const auto soon = in(1s);
        const heard nothing = co_await read_all(*client, soon);
        EXPECT_EQ(nothing.text, "");
        EXPECT_EQ(nothing.end, io_error::timed_out);
        net.plug(address("192.168.137.5"), true);
        const auto deadline = in(30s);
        const heard all = co_await read_all(*client, deadline, 10);
        EXPECT_EQ(all.text, "on its way");
    });
}

TEST_F(real_stream, goes_on_by_itself_when_the_cable_is_back) {
    net.plug(address("192.168.137.2"), false);
    heard got;
    mta::nursery beside([](std::exception_ptr error) { std::rethrow_exception(error); });
    const auto wait = [&]() -> mta::task<void> {
        const auto deadline = in(30min);
        got = co_await read_all(*client, deadline, 4);
        visited.notify_all();
    };
    const auto send = [&]() -> mta::task<void> { co_await write(*server, "back"); };
    beside.start(wait());
    beside.start(send());
    run([&]() -> mta::task<void> {
        co_await mta::sleep_for(loop, 1s);
        EXPECT_EQ(got.text, "");
        net.plug(address("192.168.137.2"), true);
        co_await visited.wait();
        EXPECT_EQ(got.text, "back");
    });
}

}  // namespace
}  // namespace tests
