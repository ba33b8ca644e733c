#include "mta/smtp/reply.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "mta/smtp/next_hop.hpp"

namespace mta::smtp {
namespace {

TEST(enhanced_status, is_taken_when_it_is_one_of_the_right_class) {
    struct {
        const char* text;
        char digit;
        const char* wanted;
    } rows[] = {{"5.1.1 no such user", '5', "5.1.1"},
                {"5.1.1", '5', "5.1.1"},
                {"4.999.999 x", '4', "4.999.999"},
                {"5.1.1", '4', ""},
                {"5.1.1000 x", '5', ""},
                {"5.1.1x", '5', ""},
                {"5.1", '5', ""},
                {"5..1 x", '5', ""},
                {"5.1.", '5', ""},
                {"", '5', ""},
                {"5", '5', ""},
                {"5.1111.1 x", '5', ""},
                {" 5.1.1", '5', ""},
                {"2.1.5\tok", '2', "2.1.5"}};
    for (const auto& row : rows) EXPECT_EQ(enhanced_status(row.text, row.digit), row.wanted) << row.text;
}

reply parsed(const std::vector<std::string>& lines) {
    reply_parser parser;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const bool complete = parser.add(lines[i]) == reply_parser::line::last;
        EXPECT_EQ(complete, i + 1 == lines.size()) << lines[i];
    }
    return parser.result();
}

TEST(reply_parser, gathers_the_lines_of_a_reply) {
    const reply ehlo = parsed({"250-mail.york.cc", "250-SIZE 100", "250 DSN"});
    EXPECT_EQ(ehlo.code, 250);
    EXPECT_TRUE(ehlo.positive());
    EXPECT_EQ(ehlo.text, "250-mail.york.cc\n250-SIZE 100\n250 DSN");
    EXPECT_EQ(ehlo.one_line(), "250-mail.york.cc 250-SIZE 100 250 DSN");
    EXPECT_EQ(ehlo.dsn, "2.0.0");
    EXPECT_EQ(parsed({"550 5.1.1 no"}).dsn, "5.1.1");
    EXPECT_EQ(parsed({"550 4.1.1 no"}).dsn, "5.0.0") << "of another class";
    EXPECT_TRUE(parsed({"354"}).intermediate());
}

TEST(reply_parser, bounds_what_it_keeps) {
    reply_parser parser;
    const std::string line = "250-" + std::string(2000, 'x');
    for (int i = 0; i < 1000; ++i) EXPECT_EQ(parser.add(line), reply_parser::line::more);
    EXPECT_EQ(parser.add("250 end"), reply_parser::line::last);
    EXPECT_LT(parser.result().text.size(), 5000U);
    EXPECT_EQ(parser.result().code, 250);
}

TEST(reply_parser, waits_out_what_is_no_reply) {
    for (const char* line : {"", "25", "hello", "2 50", "25x ok", "250_ok", "2500 ok"}) {
        reply_parser parser;
        EXPECT_EQ(parser.add(line), reply_parser::line::garbage) << line;
        EXPECT_EQ(parser.result().code, 0) << line;
        EXPECT_EQ(parser.add("550 5.1.1 no"), reply_parser::line::last);
        EXPECT_EQ(parser.result().text, std::string(line) + "\n550 5.1.1 no");
        EXPECT_EQ(parser.result().dsn, "5.1.1");
    }
}

TEST(reply_parser, only_an_answer_or_a_refusal_has_a_status) {
    EXPECT_EQ(parsed({"354 3.0.0 go"}).dsn, "5.5.0");
    EXPECT_EQ(parsed({"650 6.0.0 what"}).dsn, "5.5.0");
    EXPECT_EQ(parsed({"250   2.1.5 spaced"}).dsn, "2.1.5");
}

TEST(next_hop, is_a_domain_or_a_host_and_a_port) {
    struct {
        const char* text;
        const char* domain;
        std::uint16_t port;
        bool no_mx;
    } rows[] = {{"york.cc", "york.cc", 25, false},
                {"york.cc:587", "york.cc", 587, false},
                {"[mail.york.cc]", "mail.york.cc", 25, true},
                {"[mail.york.cc]:smtp", "mail.york.cc", 25, true},
                {"[192.168.137.9]:2525", "192.168.137.9", 2525, true},
                {"192.168.137.9", "192.168.137.9", 25, true},
                {"[IPv6:::1]:26", "::1", 26, true},
                {"[mail.york.cc]:", "mail.york.cc", 25, true},
                {"[::1]", "::1", 25, true}};
    for (const auto& row : rows) {
        const auto to = parse_next_hop(row.text, 25);
        ASSERT_TRUE(to) << row.text;
        EXPECT_EQ(to->domain, row.domain) << row.text;
        EXPECT_EQ(to->port, row.port) << row.text;
        EXPECT_EQ(to->no_mx, row.no_mx) << row.text;
        EXPECT_EQ(to->as_written, row.text);
    }
    for (const char* wrong : {"[mail.york.cc", "york.cc:nosuchport", "[x]:0x19", "[x]:0", "[x]25", "-x", "[]"}) {
        EXPECT_FALSE(parse_next_hop(wrong, 25)) << wrong;
    }
}

}  // namespace
}  // namespace mta::smtp
