#include "mta/delivery/mail_copy.hpp"

#include <gtest/gtest.h>

#include "mta/delivery/mailbox.hpp"

namespace mta::delivery {
namespace {

constexpr time_point when{std::chrono::seconds(1795183200)};  // Fri Nov 20 14:00:00 2026

std::string text_of(std::string sender, std::string_view content, unsigned flags, std::string original = {}) {
    copy_addresses about;
    about.sender = std::move(sender);
    about.original_to = std::move(original);
    about.delivered_to = "kim@york.cc";
    return mail_copy(content, flags, about, when, text::time_zone());
}

TEST(mail_copy, of_an_mbox) {
    EXPECT_EQ(text_of("zibi@york.cc", "Subject: s\n\nbody\n", copy_mbox, "k@york.cc"),
              "From zibi@york.cc  Fri Nov 20 14:00:00 2026\n"
              "Return-Path: <zibi@york.cc>\n"
              "X-Original-To: k@york.cc\n"
              "Delivered-To: kim@york.cc\n"
              "Subject: s\n\nbody\n\n");
}

TEST(mail_copy, of_a_maildir_has_no_from_line_and_no_escapes) {
    EXPECT_EQ(text_of("zibi@york.cc", "Subject: s\n\nFrom here\n", copy_maildir & ~copy_delivered_to),
              "Return-Path: <zibi@york.cc>\nSubject: s\n\nFrom here\n");
}

TEST(mail_copy, the_null_sender_is_mailer_daemon) {
    EXPECT_EQ(text_of("", "\nbody\n", copy_from_line | copy_return_path),
              "From MAILER-DAEMON  Fri Nov 20 14:00:00 2026\nReturn-Path: <>\n\nbody\n");
}

TEST(mail_copy, escapes_lines_wherever_they_stand) {
    EXPECT_EQ(text_of("a@b", "From x\n.\n..y\nFrom\n", copy_quote_from | copy_dot), ">From x\n..\n...y\nFrom\n");
}

TEST(mail_copy, quotes_addresses) {
    EXPECT_EQ(text_of("a b@c", "", copy_return_path), "Return-Path: <\"a b\"@c>\n");
}

TEST(mail_copy, ends_lines_as_the_program_wants_them) {
    EXPECT_EQ(mail_copy("a\nb\n", copy_blank_line, {}, when, text::time_zone(), "\r\n"), "a\r\nb\r\n\r\n");
}

TEST(was_delivered_to, looks_at_the_headers_alone) {
    EXPECT_TRUE(was_delivered_to("Delivered-To: Kim@York.cc\n\nbody\n", "kim@york.cc"));
    EXPECT_TRUE(was_delivered_to("Delivered-To: \"a b\"@york.cc\n\n", "a b@york.cc"));
    EXPECT_FALSE(was_delivered_to("Subject: s\n\nDelivered-To: kim@york.cc\n", "kim@york.cc"));
}

}  // namespace
}  // namespace mta::delivery
