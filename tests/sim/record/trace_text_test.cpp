#include <gtest/gtest.h>

#include <sstream>

#include "cli/trace.hpp"
#include "tests/sim/record/seed_chain.hpp"

namespace cli {
namespace {

namespace record = sim::record;
namespace samples = sim::record::samples;
namespace log = mta::maillog;

record::database seed_chain() {
    record::database made;
    samples::play_seed_chain([&](std::string_view host, const log::entry& entry) { made.add(host, entry); });
    return made;
}

TEST(trace_text, the_seed_chain_reads_from_laptop_to_mailbox) {
    const std::string expected = R"(Message <20240923A9@smtp.6circles.cc>
from <zibiten@york.cc>, 326 bytes, 4 stops

 1  smtp.6circles.cc  BF807A725F1  Nov 20 14:28:06.784
    arrived   from laptop.6circles.cc[192.168.137.10] over TLSv1.3 TLS_AES_256_GCM_SHA384
    sent      kimchen@york.cc to spamassassin; Nov 20 14:28:06.894
              pipe 2.0.0 (delivered via spamassassin service)
    waited    before queue manager 0.05, in active queue 0, connecting 0, transmitting 0.06 s
    next      stop 2, smtp.6circles.cc D7680A721F5
    left      the queue after 0.11 s

 2  smtp.6circles.cc  D7680A721F5  Nov 20 14:28:06.882
    arrived   back from the content filter of stop 1 (uid 65534)
    sent      kimchen@york.cc to mail.ohio.cc[192.168.137.9]:25; Nov 20 14:28:06.930
              smtp 2.0.0 (250 2.0.0 Ok: queued as E2180A72621)
    waited    before queue manager 0, in active queue 0.01, connecting 0.02, transmitting 0.01 s
    next      stop 3, mail.ohio.cc at 192.168.137.9:25 over TLSv1.3 TLS_AES_256_GCM_SHA384
    left      the queue after 0.05 s

 3  mail.ohio.cc  E2180A72621  Nov 20 14:28:06.925
    arrived   from smtp.6circles.cc[192.168.137.2] over TLSv1.3 TLS_AES_256_GCM_SHA384
    sent      kimchen@york.cc to mail.york.cc[192.168.137.5]:25; Nov 20 14:28:06.976
              smtp 2.0.0 (250 2.0.0 Ok: queued as ED796A72631)
    waited    before queue manager 0.01, in active queue 0.01, connecting 0.03, transmitting 0.01 s
    next      stop 4, mail.york.cc at 192.168.137.5:25 over TLSv1.3 TLS_AES_256_GCM_SHA384
    left      the queue after 0.05 s

 4  mail.york.cc  ED796A72631  Nov 20 14:28:06.973
    arrived   from mail.ohio.cc[192.168.137.9] over TLSv1.3 TLS_AES_256_GCM_SHA384
    sent      kimchen@york.cc, into the mailbox of kimchen; Nov 20 14:28:06.983
              local 2.0.0 (delivered to mailbox)
    waited    before queue manager 0.01, in active queue 0, connecting 0, transmitting 0 s
    left      the queue after 0.01 s
)";
    EXPECT_EQ(trace_command(seed_chain(), "1", false, {}).text, expected);
}

TEST(trace_text, no_line_is_wider_than_asked_for) {
    trace_style narrow;
    narrow.width = 60;
    std::istringstream lines(trace_command(seed_chain(), "1", false, narrow).text);
    std::size_t count = 0;
    for (std::string line; std::getline(lines, line); ++count) EXPECT_LE(line.size(), 60u) << line;
    EXPECT_GT(count, 30u);
}

TEST(trace_text, color_only_when_asked_for_and_never_from_the_mail) {
    record::database made;
    const samples::speaker a([&](std::string_view host, const log::entry& entry) { made.add(host, entry); },
                             "a.example");
    a(0, "postfix/cleanup", 1, "A1", log::message_id_seen{"<\x1b[31m\xc2\x9b@evil>", false});
    a(0, "postfix/qmgr", 1, "A1", log::became_active{"x\x1b@evil", 9, 1});
    const std::string text = trace_command(made, "A1", false, {}).text + trace_command(made, "", false, {}).text +
                             trace_command(made, "\x1b", false, {}).error;
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
    EXPECT_EQ(text.find('\x9b'), std::string::npos);
    trace_style bright;
    bright.color = true;
    EXPECT_NE(trace_command(made, "A1", false, bright).text.find("\x1b[1mMessage <?[31m??@evil>\x1b[0m"),
              std::string::npos);
}

TEST(trace_text, attempts_that_say_the_same_are_one_row) {
    record::database made;
    const samples::speaker a([&](std::string_view host, const log::entry& entry) { made.add(host, entry); },
                             "a.example");
    a(0, "postfix/pickup", 1, "A1", log::picked_up{0, "x@a.example", ""});
    for (int i = 1; i <= 12; ++i) {
        a(i * 1'000'000, "postfix/smtp", 1, "A1",
          samples::delivery({"y@b", "none", {0, 0, 0, 0, i * 1'000'000}, "no route", "deferred", "4.4.1"}));
    }
    const std::string text = trace_command(made, "A1", false, {}).text;
    EXPECT_NE(text.find("deferred  y@b; 12 times from Nov 20 14:28:07.000 on; Nov 20 14:28:18.000\n"),
              std::string::npos)
        << text;
    EXPECT_EQ(text.find("no route"), text.rfind("no route"));
    EXPECT_NE(text.find("queued    still, at the end of the record"), std::string::npos);
}

TEST(trace_text, the_list_names_each_message_once) {
    const auto made = seed_chain();
    EXPECT_EQ(trace_command(made, "", false, {}).text,
              "  no  arrived          host              queue id     from             to\n"
              "   1  Nov 20 14:28:06  smtp.6circles.cc  BF807A725F1  zibiten@york.cc  kimchen@york.cc: sent\n");
    EXPECT_EQ(trace_command(made, "", true, {}).text,
              "{\"messages\":[{\"number\":1,\"host\":\"smtp.6circles.cc\",\"queue_id\":\"BF807A725F1\",\"message_id\":"
              "\"<20240923A9@smtp.6circles.cc>\",\"sender\":\"zibiten@york.cc\",\"recipients\":[\"kimchen@york.cc\"],"
              "\"time_ns\":1795184886784000000,\"outcome\":\"sent\"}]}\n");
}

TEST(trace_text, json_has_the_stops_with_their_waits) {
    const std::string text = trace_command(seed_chain(), "E2180A72621", true, {}).text;
    EXPECT_TRUE(text.starts_with("{\"stops\":[{\"stop\":1,\"parent\":null,\"host\":\"smtp.6circles.cc\"")) << text;
    EXPECT_NE(
        text.find(
            "\"next_address\":\"192.168.137.5:25\",\"before_queue_manager_ns\":6000000,\"in_active_queue_ns\":8000000,"
            "\"connecting_ns\":27000000,\"transmitting_ns\":10000000"),
        std::string::npos);
    EXPECT_NE(text.find("\"mailbox\":\"kimchen\",\"next_stop\":null"), std::string::npos);
}

TEST(trace_text, an_unknown_message_is_met_with_the_nearest) {
    const auto output = trace_command(seed_chain(), "E2180A72612", false, {});
    EXPECT_EQ(output.exit_status, 2);
    EXPECT_EQ(output.text, "");
    EXPECT_TRUE(
        output.error.starts_with("no message of the record has the Message-Id, queue id or number 'E2180A72612'\n"
                                 "nearest:\n    E2180A72621\n"))
        << output.error;
}

TEST(trace_text, differences_of_the_received_headers_are_spelt_out) {
    EXPECT_EQ(differences_text({}, {}), "The Received headers agree with the record, hop by hop.\n");
    EXPECT_EQ(differences_text({{"mail.ohio.cc E2", "by", "mail.ohio.cc", "", "Nobody wrote it."}}, {}),
              "The Received headers differ from the record:\n\n"
              "  mail.ohio.cc E2: by\n"
              "    record    mail.ohio.cc\n"
              "    header    (nothing)\n"
              "              Nobody wrote it.\n");
}

}  // namespace
}  // namespace cli
