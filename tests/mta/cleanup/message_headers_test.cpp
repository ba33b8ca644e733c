#include "mta/cleanup/message_headers.hpp"

#include <gtest/gtest.h>

namespace mta::cleanup {
namespace {

std::string finished(std::string content, std::vector<std::string> drop = {}, bool add = false) {
    message_headers headers(std::move(content));
    for (const std::string& name : drop) headers.drop_all(name);
    if (add) headers.append("X-New", "value");
    const auto whole = headers.finish();
    EXPECT_LE(whole.header_size, whole.text.size());
    EXPECT_TRUE(whole.header_size == whole.text.size() || whole.text[whole.header_size] == '\n') << whole.text;
    return whole.text;
}

TEST(message_headers, come_back_as_they_were) {
    for (const char* text : {"A: 1\nB: 2\n\nbody\n", "A: 1\n folded\n\n", "A: 1\n\n\n\n", "\nbody\n", "A :1\n\nx\n"}) {
        EXPECT_EQ(finished(text), text);
    }
}

TEST(message_headers, a_body_without_headers_gets_an_empty_line) {
    EXPECT_EQ(finished("hello\n"), "\nhello\n");
    EXPECT_EQ(finished("A: 1\nhello\n"), "A: 1\n\nhello\n");
    EXPECT_EQ(finished(""), "\n");
    EXPECT_EQ(finished("A: 1"), "A: 1\n\n");
    EXPECT_EQ(finished(" leading space\n"), "\n leading space\n");
}

TEST(message_headers, what_is_added_stands_last) {
    EXPECT_EQ(finished("A: 1\n\nbody\n", {}, true), "A: 1\nX-New: value\n\nbody\n");
    EXPECT_EQ(finished("body\n", {}, true), "X-New: value\n\nbody\n");
    EXPECT_EQ(finished("\nbody\n", {}, true), "X-New: value\n\nbody\n");
    EXPECT_EQ(finished("A: 1\nB: 2\n\nbody\n", {"A"}, true), "B: 2\nX-New: value\n\nbody\n");
}

TEST(message_headers, all_of_a_name_are_dropped_with_their_continuations) {
    EXPECT_EQ(finished("Bcc: a\n b\nTo: x\nBCC: c\n\t d\n\nBcc: body\n", {"bcc"}), "To: x\n\nBcc: body\n");
    EXPECT_EQ(finished("Bcc: a\n\nx\n", {"bcc"}), "\nx\n");
    EXPECT_EQ(finished("Bcc: a\nx\n", {"bcc"}), "\nx\n");
}

TEST(message_headers, are_found_by_name_in_any_case) {
    const message_headers headers("Subject: one\n two\nsubject: three\nX y: no\n\n");
    EXPECT_EQ(headers.count("SUBJECT"), 2);
    ASSERT_TRUE(headers.find("subject"));
    EXPECT_EQ(headers.find("subject")->value(headers.text()), " one\n two");
    EXPECT_FALSE(headers.find("X y"));
    EXPECT_FALSE(headers.find("Sub"));
}

TEST(message_headers, a_line_that_is_no_header_ends_them) {
    for (const char* line : {": x", "no colon", "sp ace: x", "\x01: x", "\xc3\xa9: x"}) {
        const message_headers headers(std::string("A: 1\n") + line + "\nB: 2\n\n");
        EXPECT_EQ(headers.count("B"), 0) << line;
    }
}

}  // namespace
}  // namespace mta::cleanup
