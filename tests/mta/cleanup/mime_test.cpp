// Messages cut into headers and bodies, as real Postfix cut them.
#include "mta/cleanup/mime.hpp"

#include <gtest/gtest.h>

#include "mta/text/strings.hpp"

namespace mta::cleanup {
namespace {

// Notes what it is given, a line each: "P:", "M:", "N:" headers, "B:" body, "E:" errors, "--" the end of the top.
class notebook final : public mime_handler {
  public:
    void header(header_class where, const header_options*, std::string& text) override {
        lines += std::string(1, "PMN"[static_cast<std::size_t>(where)]) + ":" + text::replaced(text, "\n", "|") + "\n";
    }
    void primary_headers_end() override { lines += "--\n"; }
    void body(std::string_view text, bool whole, std::int64_t offset) override {
        lines += (whole ? "B" : "b") + std::to_string(offset) + ":" + std::string(text) + "\n";
    }
    void error(mime_error error, std::string_view text) override {
        lines += std::string("E:") + describe(error).text + ": " + std::string(text) + "\n";
    }
    std::string lines;
};

std::string parsed(std::string_view message, const mime_options& options = {}) {
    const header_table headers({});
    notebook notes;
    mime_parser parser(options, headers, notes);
    for (std::size_t begin = 0; begin < message.size();) {
        const auto end = std::min(message.find('\n', begin), message.size());
        parser.text(message.substr(begin, end - begin), true);
        begin = end + 1;
    }
    parser.end();
    return notes.lines;
}

TEST(mime, headers_are_unfolded_whole_and_the_body_follows) {
    EXPECT_EQ(parsed("Subject : one\n two\nTo: x\n\nbody\n"), "P:Subject: one| two\nP:To: x\n--\nB0:\nB1:body\n");
}

TEST(mime, what_is_no_header_begins_the_body_after_an_empty_line) {
    EXPECT_EQ(parsed("To: x\nno header\nA: b\n"), "P:To: x\n--\nB0:\nB0:no header\nB10:A: b\n");
    EXPECT_EQ(parsed("To: x\n"), "P:To: x\n--\n");
}

TEST(mime, parts_and_nested_messages_have_headers_of_their_own) {
    EXPECT_EQ(parsed("Content-Type: multipart/mixed; boundary=\"q q\"\n\npre\n--q q\nContent-Type: "
                     "message/rfc822\n\nSubject: in\n\nx\n--q q--\nafter\n"),
              "P:Content-Type: multipart/mixed; boundary=\"q q\"\n--\nB0:\nB1:pre\nB5:--q q\nM:Content-Type: "
              "message/rfc822\nB0:\nN:Subject: in\nB0:\nB1:x\n"
              "B0:--q q--\nB8:after\n");
}

TEST(mime, a_digest_holds_messages) {
    EXPECT_EQ(parsed("Content-Type: multipart/digest; (why) boundary=d\n\n--d\n\nSubject: in\n\nx\n"),
              "P:Content-Type: multipart/digest; (why) boundary=d\n--\nB0:\nB1:--d\nB0:\nN:Subject: in\nB0:\nB1:x\n");
}

TEST(mime, garbage_in_a_part_header_gets_no_empty_line) {
    EXPECT_EQ(parsed("Content-Type: multipart/mixed; boundary=m\n\n--m\ngarbage\n--m--\n"),
              "P:Content-Type: multipart/mixed; boundary=m\n--\nB0:\nB1:--m\nB0:garbage\nB0:--m--\n");
}

TEST(mime, a_header_takes_lines_until_it_has_reached_its_limit) {
    mime_options options;
    options.header_size_limit = 12;
    EXPECT_EQ(parsed("To: 012345\n more\n lost\nCc: 01234567\n lost\n\n", options),
              "P:To: 012345| more\nP:Cc: 01234567\n--\nB0:\n");
}

TEST(mime, without_structure_there_is_one_body) {
    mime_options options;
    options.ignore_structure = true;
    EXPECT_EQ(parsed("Content-Type: multipart/mixed; boundary=m\n\n--m\nA: b\n", options),
              "P:Content-Type: multipart/mixed; boundary=m\n--\nB0:\nB1:--m\nB5:A: b\n");
}

TEST(mime, nesting_has_a_limit_that_the_outermost_part_does_not_count_for) {
    mime_options options;
    options.report_nesting = true;
    options.nesting_limit = 1;
    std::string message;
    for (const char* name : {"a", "b", "c", "d"})
        message += std::string("Content-Type: multipart/mixed; boundary=") + name + "\n\n--" + name + "\n";
    const std::string lines = parsed(message, options);
    EXPECT_NE(lines.find("E:MIME nesting exceeds safety limit: Content-Type: multipart/mixed; boundary=d"),
              std::string::npos)
        << lines;
    EXPECT_EQ(lines.find("safety limit: Content-Type: multipart/mixed; boundary=c"), std::string::npos) << lines;
}

TEST(mime, strictness_reports_each_error_once) {
    mime_options options;
    options.report_eight_bit_header = options.report_eight_bit_body = options.report_encoding_domain = true;
    EXPECT_EQ(parsed("A: \xc3\xbc\nB: \xc3\xbc\n\n\xc3\xa4\n\xc3\xa4\n", options),
              "E:improper use of 8-bit data in message header: A: \xc3\xbc\nP:A: \xc3\xbc\nP:B: \xc3\xbc\n--\nB0:\n"
              "E:improper use of 8-bit data in message body: \xc3\xa4\nB1:\xc3\xa4\nB4:\xc3\xa4\n");
    EXPECT_NE(parsed("Content-Type: multipart/x; boundary=a\nContent-Transfer-Encoding: base64\n\n", options)
                  .find("encoding domain: base64"),
              std::string::npos);
    EXPECT_EQ(parsed("Content-Transfer-Encoding: 8bit\n\n\xc3\xa4\n", options).find("E:"), std::string::npos);
}

}  // namespace
}  // namespace mta::cleanup
