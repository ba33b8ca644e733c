#include "sim/scenario/steps.hpp"

#include <gtest/gtest.h>

namespace sim::scenario {
namespace {

TEST(message_text, composes_header_and_body_from_little) {
    submit step;
    step.from = "zibiten@york.cc";
    step.to = {"kimchen@york.cc", "b@ohio.cc"};
    EXPECT_EQ(message_text(step), "From: zibiten@york.cc\nTo: kimchen@york.cc, b@ohio.cc\nSubject: test\n\nHello.\n");
}

TEST(message_text, puts_more_headers_after_the_subject) {
    submit step;
    step.from = "a@b.example";
    step.to = {"c@d.example"};
    step.subject = "s";
    step.body = "b";
    step.headers = {{"X-One", "1"}, {"Cc", "e@f.example"}};
    step.header_from = "Someone <else@b.example>";
    EXPECT_EQ(message_text(step),
              "From: Someone <else@b.example>\nTo: c@d.example\nSubject: s\nX-One: 1\nCc: e@f.example\n\nb");
}

TEST(message_text, of_the_null_sender_and_of_none_is_from_the_mailer_daemon) {
    submit step;
    step.to = {"c@d.example"};
    EXPECT_EQ(message_text(step), "From: MAILER-DAEMON\nTo: c@d.example\nSubject: test\n\nHello.\n");
    step.from = "";
    EXPECT_EQ(message_text(step), "From: MAILER-DAEMON\nTo: c@d.example\nSubject: test\n\nHello.\n");
}

TEST(message_text, is_the_message_as_it_stands_if_there_is_one) {
    submit step;
    step.to = {"c@d.example"};
    step.message = "Subject: raw\n\nbody";
    EXPECT_EQ(message_text(step), "Subject: raw\n\nbody");
}

TEST(decode_raw, knows_the_escapes) {
    EXPECT_EQ(decode_raw("QUIT\\r\\n"), "QUIT\r\n");
    EXPECT_EQ(decode_raw("\\x41\\101\\u0042\\U00000043\\\\\\t"), "AABC\\\t");
    EXPECT_EQ(decode_raw("\\xff"), "\xFF");
    EXPECT_EQ(decode_raw("\xC3\xBF"), "\xFF") << "U+00FF as UTF-8";
    EXPECT_EQ(decode_raw("\\q"), "\\q");
    EXPECT_EQ(decode_raw("\\0end"), std::string("\0end", 4));
    EXPECT_EQ(decode_raw(std::string_view("a\0b", 3)), std::string("a\0b", 3));
}

TEST(decode_raw, refuses_what_is_no_byte) {
    for (const auto wrong :
         {"\\", "\\x4", "\\xg1", "\\u12", "\\u0100", "\\777", "\\U00110000", "\xC4\x80", "\\N{BULLET}", "\xC3"})
        EXPECT_FALSE(decode_raw(wrong)) << wrong;
}

}  // namespace
}  // namespace sim::scenario
