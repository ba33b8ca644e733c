#include "mta/stream/byte_stream.hpp"

#include <gtest/gtest.h>

#include "mta/stream/smtp_stream.hpp"
#include "tests/support/fake_host.hpp"

namespace mta {
namespace {

using namespace std::chrono_literals;
using tests::virtual_clock;

// Takes a few bytes of each write, fails after some.
class narrow_stream final : public byte_stream {
  public:
    std::string written;
    std::size_t at_once = 3, fails_after = 1'000'000;
    bool start_read(io_operation& operation) override {
        operation.result = {0, io_error::end_of_stream};
        return true;
    }
    bool start_write(io_operation& operation) override {
        if (written.size() >= fails_after) {
            operation.result = {0, io_error::reset};
            return true;
        }
        const std::size_t taken = std::min(at_once, operation.size);
        written.append(operation.data, taken);
        operation.result = {taken, io_error::none};
        return true;
    }
    void cancel(io_operation&) override {}
    void shut_down_write() override {}
    void abort() override {}
    std::uint64_t connection() const override { return 1; }
};

TEST(write_all, writes_in_as_many_pieces_as_it_takes) {
    virtual_clock clock;
    narrow_stream stream;
    EXPECT_EQ(tests::finish(clock, write_all(stream, clock, "0123456789", 1s)), io_error::none);
    EXPECT_EQ(stream.written, "0123456789");
    EXPECT_EQ(tests::finish(clock, write_all(stream, clock, "", 1s)), io_error::none);
}

TEST(write_all, stops_at_the_error) {
    virtual_clock clock;
    narrow_stream stream;
    stream.fails_after = 6;
    EXPECT_EQ(tests::finish(clock, write_all(stream, clock, "0123456789", 1s)), io_error::reset);
    EXPECT_EQ(stream.written, "012345");
}

TEST(io_error, says_what_strerror_says) {
    constexpr std::pair<io_error, std::string_view> rows[] = {
        {io_error::timed_out, "Connection timed out"},
        {io_error::refused, "Connection refused"},
        {io_error::reset, "Connection reset by peer"},
        {io_error::host_unreachable, "No route to host"},
        {io_error::network_unreachable, "Network is unreachable"}};
    for (const auto& [error, text] : rows) EXPECT_EQ(describe(error), text);
}

// What a peer sends, in pieces, and the lines that come of it: "<" text "|" end ">"; l: LF, c: CRLF, n: cut.
std::string lines_of(const std::vector<std::string>& pieces, std::size_t limit, bool closes = true) {
    virtual_clock clock;
    auto [near, far] = tests::memory_stream::connected(clock, 1);
    smtp_stream stream(std::move(near), clock);
    nursery all([](std::exception_ptr error) { std::rethrow_exception(error); });
    const auto sends = [&](std::unique_ptr<tests::memory_stream> to) -> task<void> {
        for (const std::string& each : pieces) {
            co_await write_all(*to, clock, each, 1s);
            co_await sleep_for(clock, 10ms);
        }
        if (!closes) co_await sleep_for(clock, 1h);
    };
    std::string out;
    const auto reads = [&]() -> task<void> {
        std::string text;
        for (int i = 0; i < 1000; ++i) {
            const smtp_stream::line got = co_await stream.read_line(text, limit, 10s);
            constexpr char ends[] = {'n', 'l', 'c'};
            out += '<' + text + '|';
            out += got.ok() ? ends[static_cast<std::size_t>(got.end)] : got.error == io_error::timed_out ? 'T' : 'E';
            out += '>';
            if (!got.ok()) break;
        }
    };
    all.start(reads());
    all.start(sends(std::move(far)));
    clock.run();
    return out;
}

TEST(smtp_stream, reads_lines_whatever_the_pieces) {
    const std::string all = "EHLO x\r\nNOOP\nA\rB\r\n\r\nlast";
    const std::string wanted = "<EHLO x|c><NOOP|l><A\rB|c><|c><last|E>";
    EXPECT_EQ(lines_of({all}, 100), wanted);
    for (std::size_t cut = 0; cut <= all.size(); ++cut) {
        EXPECT_EQ(lines_of({all.substr(0, cut), all.substr(cut)}, 100), wanted) << cut;
    }
    std::vector<std::string> bytes;
    for (const char each : all) bytes.emplace_back(1, each);
    EXPECT_EQ(lines_of(bytes, 100), wanted);
}

TEST(smtp_stream, cuts_a_line_at_the_limit) {
    EXPECT_EQ(lines_of({"0123456789\n"}, 10), "<0123456789|l><|E>");
    EXPECT_EQ(lines_of({"0123456789a\n"}, 10), "<0123456789|n><a|l><|E>");
    EXPECT_EQ(lines_of({"01234567890123456789"}, 10), "<0123456789|n><0123456789|n><|E>");
    EXPECT_EQ(lines_of({"012345678", "9", "\n"}, 10), "<0123456789|n><|l><|E>");
}

TEST(smtp_stream, a_line_that_does_not_come_times_out_as_a_whole) {
    EXPECT_EQ(lines_of({"abc"}, 10, false), "<abc|T>");
}

// Trickling bytes does not keep a line alive: the time is that of the line.
TEST(smtp_stream, a_trickle_does_not_extend_the_time) {
    const std::vector<std::string> pieces(2000, "x");  // 20 s of them
    const std::string got = lines_of(pieces, 5000);
    EXPECT_EQ(got.substr(got.size() - 3), "|T>");
    EXPECT_EQ(got.size(), 1001 + 4U) << "one every ten milliseconds, from none to ten seconds";
}

TEST(smtp_stream, gathers_until_flush) {
    virtual_clock clock;
    auto lower = std::make_unique<narrow_stream>();
    narrow_stream& wire = *lower;
    smtp_stream stream(std::move(lower), clock);
    stream.put("250 ");
    stream.put("Ok\r\n");
    EXPECT_EQ(wire.written, "");
    EXPECT_EQ(tests::finish(clock, stream.flush(1s)), io_error::none);
    EXPECT_EQ(wire.written, "250 Ok\r\n");
    EXPECT_EQ(tests::finish(clock, stream.flush(1s)), io_error::none);
    EXPECT_EQ(wire.written, "250 Ok\r\n");
}

TEST(smtp_stream, forgets_what_was_read_ahead_when_the_stream_below_changes) {
    virtual_clock clock;
    auto [near, far] = tests::memory_stream::connected(clock, 1);
    auto [secure, other] = tests::memory_stream::connected(clock, 2);
    smtp_stream stream(std::move(near), clock);
    EXPECT_EQ(tests::finish(clock, write_all(*far, clock, "STARTTLS\r\nMAIL FROM:<injected@x>\r\n", 1s)),
              io_error::none);
    EXPECT_EQ(tests::finish(clock, write_all(*other, clock, "EHLO y\r\n", 1s)), io_error::none);
    std::string text;
    tests::finish(clock, stream.read_line(text, 100, 1s));
    EXPECT_EQ(text, "STARTTLS");
    EXPECT_TRUE(stream.has_line());
    const auto clear = stream.release();
    EXPECT_FALSE(stream.connected());
    stream.replace(std::move(secure));
    EXPECT_FALSE(stream.has_line());
    tests::finish(clock, stream.read_line(text, 100, 1s));
    EXPECT_EQ(text, "EHLO y");
}

TEST(smtp_stream, read_bytes_takes_what_is_there_and_no_more_than_asked) {
    virtual_clock clock;
    auto [near, far] = tests::memory_stream::connected(clock, 1);
    smtp_stream stream(std::move(near), clock);
    EXPECT_EQ(tests::finish(clock, write_all(*far, clock, "BDAT 5\r\nhelloQUIT\r\n", 1s)), io_error::none);
    std::string text;
    tests::finish(clock, stream.read_line(text, 100, 1s));
    std::string chunk = "<";
    EXPECT_EQ(tests::finish(clock, stream.read_bytes(chunk, 5, 1s)), io_error::none);
    EXPECT_EQ(chunk, "<hello");
    EXPECT_EQ(stream.unread(), "QUIT\r\n");
    far.reset();
    EXPECT_EQ(tests::finish(clock, stream.read_bytes(chunk, 6, 1s)), io_error::none);
    EXPECT_EQ(tests::finish(clock, stream.read_bytes(chunk, 6, 1s)), io_error::end_of_stream);
}

}  // namespace
}  // namespace mta
