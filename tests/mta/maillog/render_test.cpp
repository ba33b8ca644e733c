// The lines that Postfix 3.7.11 wrote for these events, and what its format_tv(3), printable(3) and msg_logger(3) make
// of single values.
#include "mta/maillog/render.hpp"

#include <gtest/gtest.h>

#include <array>

namespace mta::maillog {
namespace {

using namespace std::chrono_literals;

std::string delay(std::int64_t seconds, std::int64_t microseconds, int digits = 2) {
    std::string out;
    append_delay(out, std::chrono::seconds(seconds) + std::chrono::microseconds(microseconds), digits);
    return out;
}

std::string text_of(std::string_view queue_id, event what, bool utf8 = true) {
    static const process smtpd{"postfix/smtpd", 559};
    std::string out;
    render_text({time_point{}, smtpd, queue_id, 0, std::move(what)}, out, utf8);
    return out;
}

struct delay_case {
    std::int64_t seconds, microseconds;
    const char* two_digits;
};
// As format_tv(vp, seconds, microseconds, 2, 2) of libpostfix-util wrote them.
constexpr std::array delays = {delay_case{0, 0, "0"},
                               delay_case{0, 4'999, "0"},
                               delay_case{0, 5'000, "0.01"},
                               delay_case{0, 9'999, "0.01"},
                               delay_case{0, 14'999, "0.01"},
                               delay_case{0, 15'000, "0.02"},
                               delay_case{0, 99'999, "0.1"},
                               delay_case{0, 994'999, "0.99"},
                               delay_case{0, 995'000, "1"},
                               delay_case{0, 999'999, "1"},
                               delay_case{1, 0, "1"},
                               delay_case{1, 49'999, "1"},
                               delay_case{1, 50'000, "1.1"},
                               delay_case{9, 949'999, "9.9"},
                               delay_case{9, 950'000, "10"},
                               delay_case{10, 499'999, "10"},
                               delay_case{10, 500'000, "11"},
                               delay_case{99, 499'999, "99"},
                               delay_case{99, 500'000, "100"},
                               delay_case{100, 499'999, "100"},
                               delay_case{100, 500'000, "101"},
                               delay_case{999, 999'999, "1000"},
                               delay_case{1'000'000, 500'000, "1000001"}};

TEST(render, delays_are_rounded_to_two_digits) {
    for (const auto& each : delays) {
        EXPECT_EQ(delay(each.seconds, each.microseconds), each.two_digits)
            << each.seconds << " s " << each.microseconds << " us";
    }
}

TEST(render, delays_have_no_more_digits_after_the_point_than_asked_for) {
    EXPECT_EQ(delay(0, 994'999, 0), "1");
    EXPECT_EQ(delay(9, 949'999, 0), "10");
    EXPECT_EQ(delay(0, 99'999, 1), "0.1");
    EXPECT_EQ(delay(0, 4'999, 3), "0.005");
    EXPECT_EQ(delay(0, 14'999, 3), "0.015");
    EXPECT_EQ(delay(1, 50'000, 6), "1.1");
}

TEST(render, a_delay_into_the_past_is_none) {
    std::string out;
    append_delay(out, -3s);
    EXPECT_EQ(out, "0");
}

TEST(render, a_delivery_is_measured_in_microseconds) {
    delivery e;
    e.recipient = "kimchen@york.cc";
    e.original_recipient = "kimchen@york.cc";
    e.relay = "mail.york.cc[192.168.137.5]:25";
    e.arrived = time_point(999ns);
    e.active = time_point(5ms);  // 5000 us after 0 us, though 4999.001 us after arrival
    e.agent_started = e.active + 8ms;
    e.connected = e.agent_started + 27ms;
    e.done = e.connected + 10ms;
    e.dsn = "2.0.0";
    e.status = "sent";
    e.text = "250 2.0.0 Ok: queued as ED796A72631";
    EXPECT_EQ(text_of("E2180A72621", e),
              "E2180A72621: to=<kimchen@york.cc>, relay=mail.york.cc[192.168.137.5]:25, delay=0.05, "
              "delays=0.01/0.01/0.03/0.01, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as ED796A72631)");
    e.original_recipient = "sales@york.cc";
    e.connection_uses = 2;
    EXPECT_EQ(
        text_of("E2180A72621", e),
        "E2180A72621: to=<kimchen@york.cc>, orig_to=<sales@york.cc>, relay=mail.york.cc[192.168.137.5]:25, conn_use=2, "
        "delay=0.05, delays=0.01/0.01/0.03/0.01, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as ED796A72631)");
}

TEST(render, sessions) {
    const peer client{"dialup.isp.example", "192.168.137.66"};
    EXPECT_EQ(text_of("", connected{client}), "connect from dialup.isp.example[192.168.137.66]");
    const std::array counts = {command_count{"ehlo", 1, 1}, command_count{"mail", 1, 1}, command_count{"rcpt", 0, 1},
                               command_count{"quit", 1, 1}};
    EXPECT_EQ(text_of("", disconnected{client, counts}),
              "disconnect from dialup.isp.example[192.168.137.66] ehlo=1 mail=1 rcpt=0/1 quit=1 commands=3/4");
    EXPECT_EQ(text_of("", connection_broken{false, "DATA (0 bytes)", client}),
              "lost connection after DATA (0 bytes) from dialup.isp.example[192.168.137.66]");
    EXPECT_EQ(text_of("", connection_broken{true, "RCPT", client}),
              "timeout after RCPT from dialup.isp.example[192.168.137.66]");
    EXPECT_EQ(
        text_of("NOQUEUE", verdict{"reject", "RCPT", client, "554 5.7.1 <a@b>: Relay access denied",
                                   "from=<> to=<a@b> proto=ESMTP helo=<x>"}),
        "NOQUEUE: reject: RCPT from dialup.isp.example[192.168.137.66]: 554 5.7.1 <a@b>: Relay access denied; from=<> "
        "to=<a@b> proto=ESMTP helo=<x>");
    EXPECT_EQ(text_of("A1", client_assigned{client, ", sasl_method=PLAIN, sasl_username=ann@relay.isp.test"}),
              "A1: client=dialup.isp.example[192.168.137.66], sasl_method=PLAIN, sasl_username=ann@relay.isp.test");
}

TEST(render, messages) {
    EXPECT_EQ(text_of("A1", became_active{"zibiten@york.cc", 326, 1}),
              "A1: from=<zibiten@york.cc>, size=326, nrcpt=1 (queue active)");
    EXPECT_EQ(text_of("A1", picked_up{102, "harriet", "B2"}), "A1: uid=102 from=<harriet> orig_id=B2");
    EXPECT_EQ(text_of("A1", message_id_seen{"<x@y>", false}), "A1: message-id=<x@y>");
    EXPECT_EQ(text_of("A1", expired{"s@dead.example", false}),
              "A1: from=<s@dead.example>, status=expired, returned to sender");
    EXPECT_EQ(text_of("A1", expired{"s@dead.example", true}),
              "A1: from=<s@dead.example>, status=force-expired, returned to sender");
    EXPECT_EQ(text_of("A1", notification{"sender non-delivery", "B2"}), "A1: sender non-delivery notification: B2");
    EXPECT_EQ(text_of("A1", removed{}), "A1: removed");
}

TEST(render, a_remark_has_its_queue_id_after_its_severity) {
    EXPECT_EQ(text_of("A1", remark{level::warning, "unreasonable virtual_alias_maps map nesting for round@virt"}),
              "warning: A1: unreasonable virtual_alias_maps map nesting for round@virt");
    EXPECT_EQ(text_of("", remark{level::info, "improper command pipelining"}), "improper command pipelining");
}

TEST(render, what_cannot_be_printed_is_a_question_mark) {
    const auto shown = [](std::string_view text, bool utf8) { return text_of("", remark{level::info, text}, utf8); };
    EXPECT_EQ(shown("a\tb\nc\x7f", true), "a?b?c?");
    EXPECT_EQ(shown("\xc3\xa9 x", true), "\xc3\xa9 x");
    EXPECT_EQ(shown("\xc3\xa9 x", false), "?? x");
    EXPECT_EQ(shown("\xc3 x", true), "? x");
    EXPECT_EQ(shown("\xa9x", true), "?x");
    EXPECT_EQ(shown("\xc1\x81x", true), "??x");
    EXPECT_EQ(shown("\xf0\x9f!", true), "\xf0\x9f!");  // printable(3) looks no closer
    EXPECT_EQ(shown("\xff\x80x", true), "??x");
    EXPECT_EQ(shown("\xc2", true), "?");
}

TEST(render, a_line_is_cut_after_2000_bytes_of_text_behind_its_severity) {
    const std::string much(5000, 'x');
    EXPECT_EQ(text_of("", remark{level::info, much}), std::string(2000, 'x'));
    EXPECT_EQ(text_of("", remark{level::warning, much}), "warning: " + std::string(2000, 'x'));
}

}  // namespace
}  // namespace mta::maillog
