#include "mta/delivery/mailbox_text.hpp"

#include <gtest/gtest.h>

namespace mta::delivery {
namespace {

constexpr time_point when{std::chrono::seconds(1795183200)};  // Fri Nov 20 14:00:00 2026

request one(std::string sender, std::string content, std::string original = {}) {
    request work;
    work.file = std::make_shared<queue::queue_file>();
    work.file->sender = std::move(sender);
    work.file->content = std::make_shared<const std::string>(std::move(content));
    work.file->recipients.resize(1);
    work.file->recipients[0].address = "kim@york.cc";
    work.file->recipients[0].original = std::move(original);
    work.targets.push_back({0, "kim@york.cc"});
    return work;
}

std::string text_of(const request& work, mailbox_format format, bool original = true,
                    std::string delivered = "kim@york.cc") {
    mailbox_headers headers;
    headers.original_to = original;
    headers.delivered_to = std::move(delivered);
    return mailbox_text(work, work.targets[0], headers, format, when, text::time_zone());
}

TEST(mailbox_text, of_an_mbox) {
    EXPECT_EQ(text_of(one("zibi@york.cc", "Subject: s\n\nbody\n", "k@york.cc"), mailbox_format::mbox),
              "From zibi@york.cc  Fri Nov 20 14:00:00 2026\n"
              "Return-Path: <zibi@york.cc>\n"
              "X-Original-To: k@york.cc\n"
              "Delivered-To: kim@york.cc\n"
              "Subject: s\n\nbody\n\n");
}

TEST(mailbox_text, of_a_maildir_has_no_from_line_and_no_escapes) {
    EXPECT_EQ(text_of(one("zibi@york.cc", "Subject: s\n\nFrom here\n"), mailbox_format::maildir, false, ""),
              "Return-Path: <zibi@york.cc>\nSubject: s\n\nFrom here\n");
}

TEST(mailbox_text, the_null_sender_is_mailer_daemon) {
    EXPECT_EQ(text_of(one("", "S: s\n\n"), mailbox_format::mbox, false, ""),
              "From MAILER-DAEMON  Fri Nov 20 14:00:00 2026\nReturn-Path: <>\nS: s\n\n\n");
}

// No line of a message can begin another message.
TEST(mailbox_text, escapes_from_lines_wherever_they_stand) {
    const std::string text =
        text_of(one("a b@york.cc", "From x\nFrom: y\n>From z\n\nFrom w\nFromage\n from v\n"), mailbox_format::mbox);
    EXPECT_NE(text.find("\n>From x\nFrom: y\n>From z\n\n>From w\nFromage\n from v\n\n"), std::string::npos) << text;
    EXPECT_EQ(text.substr(0, 20), "From \"a b\"@york.cc  ");
    EXPECT_EQ(text.find("\nFrom "), std::string::npos);
}

}  // namespace
}  // namespace mta::delivery
