#include "mta/config/check.hpp"

#include <gtest/gtest.h>

namespace mta::config {
namespace {

std::vector<std::string> found(std::string_view main_text, std::string_view master_text = "",
                               lab_notes notes = lab_notes::leave_out) {
    const auto main = read_main_cf(main_text, "main.cf");
    const auto master = stock_master_cf_with(master_text, "master.cf");
    const auto values = parameters::layer(parameters::defaults({"mail.york.cc", {}}), main.definitions);
    std::vector<std::string> out;
    for (const auto& p : check(main, master, values, notes)) {
        out.push_back(p.where.text() + (p.level == severity::fatal ? " fatal: " : " warning: ") + p.text);
    }
    return out;
}

using lines = std::vector<std::string>;

TEST(check, nothing_to_say_of_a_sound_configuration) {
    EXPECT_EQ(found("myhostname = mx.shop.test\n"
                    "smtpd_restriction_classes = greylist\ngreylist = permit\n"
                    "nets = 10.0.0.0/8\nmynetworks = $nets\n"
                    "virtual_alias_maps = ldap:people\npeople_server_host = x\n"
                    "relay_destination_rate_delay = 1s\nvirtual_maps =\nforward_path = $home/.forward\n",
                    "587 inet n - n - - smtpd -o smtpd_timeout=5m\n"),
              lines{});
}

TEST(check, all_problems_are_listed_in_postfix_words) {
    EXPECT_EQ(found("foo\nbar = x\nmydestination = $zork\nsmtpd_timeout = 5x\nrelayhost = ${x\n"
                    "nosuch_destination_rate_delay = 1s\n"),
              (lines{"main.cf:1 fatal: main.cf, line 1: missing '=' after attribute name: \"foo\"",
                     "main.cf:2 warning: main.cf: unused parameter: bar=x",
                     "main.cf:3 warning: main.cf: undefined parameter: zork",
                     "main.cf:6 warning: main.cf: unused parameter: nosuch_destination_rate_delay=1s",
                     "main.cf:5 warning: main.cf: undefined parameter: x",
                     "main.cf:5 warning: truncated macro reference: \"${x\"",
                     "main.cf:5 fatal: dictionary mail_dict: macro processing error",
                     "main.cf:4 fatal: parameter smtpd_timeout: bad time value or unit: 5x"}));
}

TEST(check, services_are_checked_with_their_overrides) {
    EXPECT_EQ(found("", "587 inet n - n - - smtpd -o smtpd_timeout=0 -o foo=bar\n"),
              (lines{"master.cf:1 fatal: invalid smtpd_timeout: 0 (min 1)",
                     "master.cf:1 warning: master.cf: unused parameter: foo=bar"}));
}

TEST(check, the_lab_says_what_it_does_not_simulate_and_what_may_be_meant) {
    EXPECT_EQ(found("postscreen_upstream_proxy_protocol = haproxy\nmydestinatoin = x\n", "", lab_notes::include),
              (lines{"main.cf:2 warning: main.cf: unused parameter: mydestinatoin=x",
                     "main.cf:2 warning: mydestinatoin: did you mean mydestination?",
                     "main.cf:1 warning: postscreen_upstream_proxy_protocol is not simulated: the lab does as with its "
                     "default"}));
}

}  // namespace
}  // namespace mta::config
