#include "mta/config/parameters.hpp"

#include <gtest/gtest.h>

#include "mta/config/default_networks.hpp"
#include "mta/config/master_cf.hpp"

namespace mta::config {
namespace {

using namespace std::chrono_literals;

parameters::pointer defaults() {
    return parameters::defaults({"mail.york.cc", {"192.168.137.5/24", "fd00::2/64"}});
}

parameters::pointer set(std::string_view text) {
    const auto cf = read_main_cf(text, "main.cf");
    EXPECT_TRUE(cf.found.empty());
    return parameters::layer(defaults(), cf.definitions);
}

template <typename work>
std::string refusal(const work& what) {
    try {
        what();
    } catch (const fatal& e) {
        return (e.warning().empty() ? "" : e.warning() + " / ") + e.what() + " @" + e.where().text();
    }
    return "accepted";
}

TEST(parameters, defaults_are_expanded) {
    const auto p = defaults();
    EXPECT_EQ(p->text("myhostname"), "mail.york.cc");
    EXPECT_EQ(p->text("mydomain"), "york.cc");
    EXPECT_EQ(p->text("mydestination"), "mail.york.cc, localhost.york.cc, localhost");
    EXPECT_EQ(p->text("smtpd_banner"), "mail.york.cc ESMTP Postfix");
    EXPECT_EQ(p->duration("smtpd_timeout"), 300s);
    EXPECT_EQ(p->number("smtpd_hard_error_limit"), 20);
    EXPECT_EQ(p->number("message_size_limit"), 10240000);
    EXPECT_TRUE(p->flag("append_at_myorigin"));
    EXPECT_EQ(p->duration("maximal_queue_lifetime"), 120h);
    EXPECT_EQ(p->text("default_rbl_reply").substr(0, 9), "$rbl_code");
    EXPECT_FALSE(p->is_set("myhostname"));
    EXPECT_EQ(p->where("myhostname").text(), "built-in default");
    EXPECT_EQ(parameters::defaults({"vm", {}})->text("myhostname"), "vm.localdomain");
}

TEST(parameters, every_default_converts) {
    const auto p = defaults();
    for (const auto& row : parameter_table()) {
        // virtual(8) does not start without virtual_mailbox_base; an empty debugger_command is never asked for.
        if (row.name == "virtual_mailbox_base" || row.name == "debugger_command") continue;
        switch (row.kind) {
            case type::string:
            case type::raw:
                EXPECT_NO_THROW((void)p->text(row.name)) << row.name;
                break;
            case type::boolean:
            case type::nbool:
                EXPECT_NO_THROW((void)p->flag(row.name)) << row.name;
                break;
            case type::integer:
            case type::nint:
            case type::long_integer:
                EXPECT_NO_THROW((void)p->number(row.name)) << row.name;
                break;
            case type::time:
                EXPECT_NO_THROW((void)p->duration(row.name)) << row.name;
                break;
        }
    }
    EXPECT_EQ(refusal([&] { (void)p->text("virtual_mailbox_base"); }),
              "bad string length 0 < 1: virtual_mailbox_base =  @built-in default");
}

TEST(parameters, compatibility_level_changes_defaults) {
    EXPECT_EQ(set("compatibility_level = 1\n")->text("mynetworks_style"), "subnet");
    EXPECT_EQ(set("compatibility_level = 3.6\n")->text("mynetworks_style"), "host");
    EXPECT_EQ(set("compatibility_level = 3.6\n")->text("smtp_tls_fingerprint_digest"), "sha256");
    EXPECT_FALSE(set("compatibility_level = 3.6\n")->flag("append_dot_mydomain"));
}

TEST(parameters, what_is_set_counts_last_and_keeps_its_place) {
    const auto p = set("relayhost = [a]\nmyhostname = mx.shop.test\nclass_a = check $relayhost\n");
    EXPECT_EQ(p->text("mydomain"), "shop.test");
    EXPECT_EQ(p->text("class_a"), "check [a]");
    EXPECT_EQ(p->where("relayhost").text(), "main.cf:1");
    const definition over[] = {{"relayhost", "[b]", place("lab.yaml", 7, 9)},
                               {"relayhost", "[c]", place("lab.yaml", 8, 9)}};
    const auto q = parameters::layer(p, over);
    EXPECT_EQ(q->text("relayhost"), "[c]");
    EXPECT_EQ(q->where("relayhost").text(), "lab.yaml:8:9");
    EXPECT_EQ(p->text("relayhost"), "[a]");
    EXPECT_EQ(q->set_names(), (std::vector<std::string>{"class_a", "myhostname", "relayhost"}));
}

TEST(parameters, bad_values_are_fatal_in_postfix_words) {
    const auto number = [](const char* name, const char* value) {
        return refusal([&] { (void)set(std::string(name) + " = " + value + "\n")->number(name); });
    };
    const auto time = [](const char* value) {
        return refusal([&] { (void)set("smtpd_timeout = " + std::string(value) + "\n")->duration("smtpd_timeout"); });
    };
    EXPECT_EQ(number("smtpd_hard_error_limit", "x"),
              "bad numerical configuration: smtpd_hard_error_limit = x @main.cf:1");
    EXPECT_EQ(number("smtpd_hard_error_limit", "0"), "invalid smtpd_hard_error_limit parameter value 0 < 1 @main.cf:1");
    EXPECT_EQ(number("unverified_sender_defer_code", "500"),
              "invalid unverified_sender_defer_code parameter value 500 > 499 @main.cf:1");
    EXPECT_EQ(number("line_length_limit", "5000000000"),
              "bad numerical configuration: line_length_limit = 5000000000 @main.cf:1");
    EXPECT_EQ(number("line_length_limit", "0x20"), "bad numerical configuration: line_length_limit = 0x20 @main.cf:1");
    EXPECT_EQ(number("line_length_limit", "+20"), "invalid line_length_limit parameter value 20 < 512 @main.cf:1");
    EXPECT_EQ(number("hash_queue_depth", ""), "bad numerical configuration: hash_queue_depth =  @main.cf:1");
    EXPECT_EQ(time("0"), "invalid smtpd_timeout: 0 (min 1) @main.cf:1");
    for (const auto wrong : {"5x", "5 m", "5M", "9999w", "-1", "99999999999999", ""}) {
        EXPECT_EQ(time(wrong),
                  "parameter smtpd_timeout: bad time value or unit: " + std::string(wrong) + " @main.cf:1");
    }
    EXPECT_EQ(time("5w2"), "accepted");
    EXPECT_EQ(time("soon"), "invalid smtpd_timeout: 0 (min 1) @main.cf:1");
    EXPECT_EQ(refusal([] { (void)set("in_flow_delay=11\n")->duration("in_flow_delay"); }),
              "invalid in_flow_delay: 11 (max 10) @main.cf:1");
    EXPECT_EQ(refusal([] { (void)set("smtpd_helo_required=ja\n")->flag("smtpd_helo_required"); }),
              "bad boolean configuration: smtpd_helo_required = ja @main.cf:1");
    EXPECT_TRUE(set("smtpd_helo_required=YES\n")->flag("smtpd_helo_required"));
    EXPECT_EQ(refusal([] { (void)set("myorigin=\n")->text("myorigin"); }),
              "bad string length 0 < 1: myorigin =  @main.cf:1");
    EXPECT_EQ(refusal([] { (void)set("default_verp_delimiters=abc\n")->text("default_verp_delimiters"); }),
              "bad string length 3 > 2: default_verp_delimiters = abc @main.cf:1");
}

TEST(parameters, computed_names_that_refer_to_each_other_end) {
    EXPECT_EQ(
        refusal([] { (void)set("myhostname=$mydomain\nmydomain=$myhostname\n")->text("myhostname"); }),
        "unreasonable macro call nesting: \"myhostname\" / dictionary mail_dict: macro processing error @main.cf:1");
    EXPECT_NO_THROW((void)set("myhostname=mx.$mydomain\n")->text("mydomain"));
    EXPECT_NO_THROW(
        (void)set("mynetworks_style=$mydomain${mynetworks}subnet\nmyhostname=$mynetworks\n")->is_set("mynetworks"));
    EXPECT_THROW((void)set("mynetworks_style=x$mynetworks\n")->text("mynetworks"), fatal);
}

TEST(parameters, names_and_types_are_the_programs_business) {
    EXPECT_THROW((void)defaults()->text("no_such_parameter"), std::logic_error);
    EXPECT_THROW((void)defaults()->number("myhostname"), std::logic_error);
    EXPECT_THROW((void)defaults()->flag("smtpd_timeout"), std::logic_error);
    EXPECT_THROW((void)defaults()->duration("soft_bounce"), std::logic_error);
}

TEST(parameters, transports_fall_back_to_the_default_ones) {
    const auto p =
        set("default_destination_concurrency_limit = 7\nslow_destination_rate_delay = 2m\n"
            "slow_destination_concurrency_limit = 1\n");
    EXPECT_EQ(p->transport_number("smtp", "_destination_concurrency_limit"), 7);
    EXPECT_EQ(p->transport_number("slow", "_destination_concurrency_limit"), 1);
    EXPECT_EQ(p->transport_number("local", "_destination_concurrency_limit"), 2);
    EXPECT_EQ(p->transport_duration("slow", "_destination_rate_delay"), 2min);
    EXPECT_EQ(p->transport_duration("smtp", "_destination_rate_delay"), 0s);
    EXPECT_EQ(p->transport_text("smtp", "_destination_concurrency_positive_feedback"), "1");
    EXPECT_EQ(p->transport_number("smtp", "_initial_destination_concurrency"), 5);
    EXPECT_EQ(p->transport_duration("filter", "_time_limit"), 1000s);
}

TEST(parameters, a_service_sees_its_overrides_and_its_name) {
    const auto master =
        stock_master_cf_with("587 inet n - n - - smtpd\n -o { mynetworks = 127.0.0.1, ::1 }\n", "master.cf");
    const auto view = parameters::for_service(defaults(), *master.transport("relay"));
    EXPECT_EQ(view->text("syslog_name"), "postfix/relay");
    EXPECT_EQ(view->text("process_name"), "smtp");
    const auto submission = parameters::for_service(defaults(), *master.find("587", transport_type::inet));
    EXPECT_EQ(submission->text("mynetworks"), "127.0.0.1, ::1");
    EXPECT_EQ(submission->where("mynetworks").text(), "master.cf:1");
    EXPECT_EQ(submission->text("syslog_name"), "postfix");
}

TEST(parameters, a_host_costs_a_few_hundred_bytes) {
    const auto p =
        set("myhostname = mail.york.cc\nmydestination = $myhostname, york.cc\ninet_protocols = ipv4\n"
            "relayhost = [smtp.6circles.cc]\nalias_maps =\nbiff = no\n");
    EXPECT_LT(p->bytes(), 500U);
}

TEST(default_networks, as_postconf_prints_them) {
    const std::vector<std::string> own = {"192.0.2.2/24", "fd00::2/64", "fe80::fc:ff:fe00:1/64"};
    const auto of = [&](const char* style, const char* interfaces, const char* protocols) {
        return default_networks(own, style, interfaces, protocols, {});
    };
    EXPECT_EQ(of("host", "all", "all"), "127.0.0.1/32 192.0.2.2/32 [::1]/128 [fd00::2]/128 [fe80::fc:ff:fe00:1]/128");
    EXPECT_EQ(of("subnet", "all", "all"), "127.0.0.0/8 192.0.2.0/24 [::1]/128 [fd00::]/64 [fe80::]/64");
    EXPECT_EQ(of("class", "all", "ipv4"), "127.0.0.0/8 192.0.2.0/24");
    EXPECT_EQ(of("subnet", "loopback-only", "ipv4"), "127.0.0.0/8");
    EXPECT_EQ(of("host", "192.0.2.2", "all"), "192.0.2.2/32");
    EXPECT_EQ(refusal([&] { (void)of("bla", "all", "all"); }),
              "unknown mynetworks mask style value \"bla\" in \"bla\" @built-in default");
    EXPECT_EQ(refusal([&] { (void)of("host", "all", "foo"); }),
              "unknown inet_protocols value \"foo\" in \"foo\" @built-in default");
}

}  // namespace
}  // namespace mta::config
