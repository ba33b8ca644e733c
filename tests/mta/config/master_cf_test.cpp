#include "mta/config/master_cf.hpp"

#include <gtest/gtest.h>

namespace mta::config {
namespace {

std::string problem_of(std::string_view text) {
    const auto read = read_master_cf(text, "master.cf");
    return read.found.empty() ? ""
                              : (read.found[0].level == severity::fatal ? "fatal: " : "warning: ") + read.found[0].text;
}

TEST(master_cf, the_stock_services_are_read_without_a_word) {
    const auto stock = stock_master_cf_with("", "master.cf");
    EXPECT_TRUE(stock.found.empty());
    EXPECT_EQ(stock.services.size(), 25U);
    const auto* const smtpd = stock.find("smtp", transport_type::inet);
    ASSERT_NE(smtpd, nullptr);
    EXPECT_EQ(smtpd->port, 25);
    EXPECT_EQ(smtpd->command, "smtpd");
    EXPECT_FALSE(smtpd->is_private);
    EXPECT_EQ(smtpd->process_limit, std::nullopt);
    EXPECT_EQ(stock.transport("smtp")->command, "smtp");
    const auto* const flush = stock.transport("flush");
    EXPECT_EQ(flush->wakeup_seconds, 1000);
    EXPECT_TRUE(flush->wakeup_only_when_used);
    EXPECT_EQ(flush->process_limit, 0);
    const auto* const relay = stock.transport("relay");
    ASSERT_EQ(relay->overrides.size(), 1U);
    EXPECT_EQ(relay->overrides[0].name, "syslog_name");
    EXPECT_EQ(relay->overrides[0].value, "postfix/$service_name");
    EXPECT_EQ(stock.find("postlog", transport_type::unix_datagram)->command, "postlogd");
    EXPECT_EQ(stock.transport("submission"), nullptr);
}

TEST(master_cf, lines_are_added_to_the_stock_and_later_ones_replace) {
    const auto read = stock_master_cf_with(
        "submission inet n - n - - smtpd\n # c\n -o a=b\n\n  -o a=c\n"
        "smtp inet n - n - 1 postscreen\n",
        "master.cf");
    EXPECT_EQ(read.find("submission", transport_type::inet)->port, 587);
    EXPECT_EQ(read.find("submission", transport_type::inet)->overrides.back().value, "c");
    EXPECT_EQ(read.find("smtp", transport_type::inet)->command, "postscreen");
    EXPECT_TRUE(read.found.empty()) << read.found[0].text;  // to replace a stock line is no mistake
    EXPECT_EQ(read.find("smtp", transport_type::inet)->where.text(), "master.cf:6");
}

TEST(master_cf, options_and_arguments) {
    const auto read = read_master_cf(
        "f unix - n n - - pipe -v -o { x = a b } -oy=z flags=R user=nobody argv=/bin/x { a b } ${recipient} {} -o q\n",
        "m");
    ASSERT_TRUE(read.found.empty()) << read.found[0].text;
    const auto& s = read.services.at(0);
    ASSERT_EQ(s.overrides.size(), 2U);
    EXPECT_EQ(s.overrides[0].name, "x");
    EXPECT_EQ(s.overrides[0].value, "a b");
    EXPECT_EQ(s.overrides[1].value, "z");
    EXPECT_EQ(s.arguments, (std::vector<std::string>{"-v", "flags=R", "user=nobody", "argv=/bin/x", "a b",
                                                     "${recipient}", "", "-o", "q"}));
}

TEST(master_cf, inet_names) {
    const auto endpoint = [](const std::string& name) {
        const auto read = read_master_cf(name + " inet n - n - - smtpd\n", "m");
        return read.services.empty() ? read.found.at(0).text
                                     : read.services[0].host + "|" + std::to_string(read.services[0].port);
    };
    EXPECT_EQ(endpoint("smtp"), "|25");
    EXPECT_EQ(endpoint("submissions"), "|465");
    EXPECT_EQ(endpoint("smtps"), "|465");
    EXPECT_EQ(endpoint("lmtp"), "|24");
    EXPECT_EQ(endpoint(":20025"), "|20025");
    EXPECT_EQ(endpoint("127.0.0.1:smtp"), "127.0.0.1|25");
    EXPECT_EQ(endpoint("[::1]:2525"), "::1|2525");
    EXPECT_EQ(endpoint("127.0.0.1:"), "m: line 1: missing service information in \"127.0.0.1:\"");
    EXPECT_EQ(endpoint("127.0.0.1"), "m: line 1: garbage after numerical service in \"127.0.0.1\"");
    EXPECT_EQ(endpoint("foo:bar:25"), "m: line 1: valid hostname or network address required in \"foo:bar:25\"");
    EXPECT_EQ(endpoint("127.0.0.1:nosuch"), "127.0.0.1:nosuch: Servname not supported for ai_socktype");
}

TEST(master_cf, says_what_master_says) {
    const struct {
        const char* text;
        const char* expected;
    } rows[] = {
        {"x\n", "fatal: master.cf: line 1: missing \"transport type\" field"},
        {"x unix -\n", "fatal: master.cf: line 1: missing \"unprivileged\" field"},
        {"smtp inet n - n - -\n", "fatal: master.cf: line 1: missing \"command\" field"},
        {"smtp foo n - n - - smtpd\n", "fatal: master.cf: line 1: bad transport type: foo"},
        {"smtp inet x - n - - smtpd\n", "fatal: master.cf: line 1: field \"private\": bad value: \"x\""},
        {"smtp inet - - n - - smtpd\n", "fatal: master.cf: line 1: inet service cannot be private"},
        {"x unix - x - - - pipe\n", "fatal: master.cf: line 1: field \"unprivileged\": bad value: \"x\""},
        {"x unix - - - -1 - pipe\n", "fatal: master.cf: line 1: field \"wakeup_time\": bad value: \"-1\""},
        {"a unix - - - -? - pipe\n", "fatal: master.cf: line 1: field \"wakeup_time\": bad value: \"-?\""},
        {"smtp inet n - n - x smtpd\n", "fatal: master.cf: line 1: field \"max_proc\": bad value: \"x\""},
        {"smtp inet n - n 1x - smtpd\n", ""},
        {"x unix - - - - - pipe {a\n", "fatal: master.cf: line 1: missing '}' in \"{a\""},
        {"x unix - - - - - pipe {a}b\n", "fatal: master.cf: line 1: syntax error after '}' in \"{a}b\""},
        {"a unix n - n - - smtpd -o foo\n", "fatal: invalid \"-o foo\" option value: missing '=' after attribute name"},
        {"a unix n - n - - smtpd -o {=bar}\n", "fatal: invalid \"-o =bar\" option value: missing attribute name"},
        {"a unix n - n - - smtpd -o\n", "fatal: invalid option: o"},
        {"a unix n - n - - smtpd\na unix n - n - - smtpd -v\n",
         "warning: duplicate master.cf entry for service \"a\" (public/a) -- using the last entry"},
        {" x unix - - - - - pipe\n",
         "warning: master.cf: logical line must not start with whitespace: \" x unix - - - - - pipe\""},
    };
    for (const auto& r : rows) EXPECT_EQ(problem_of(r.text), r.expected) << r.text;
}

}  // namespace
}  // namespace mta::config
