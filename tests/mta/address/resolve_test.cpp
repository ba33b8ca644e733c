#include "mta/address/resolve.hpp"

#include <gtest/gtest.h>

#include <map>

namespace mta::address {
namespace {

rewrite_context local_context() {
    return {"mail.here.test", "here.test"};
}

std::string rewrite(std::string_view address, const rewrite_rules& rules = {}) {
    return rewrite_address(address, local_context(), rules);
}

TEST(rewrite, addresses_get_their_standard_form) {
    EXPECT_EQ(rewrite("joe"), "joe@mail.here.test");
    EXPECT_EQ(rewrite("joe@x"), "joe@x");
    EXPECT_EQ(rewrite("site!joe"), "joe@site");
    EXPECT_EQ(rewrite("joe%site"), "joe@site");
    EXPECT_EQ(rewrite("joe%site@x"), "joe%site@x");
    EXPECT_EQ(rewrite("@a,@b:joe@c"), "joe@c");
    EXPECT_EQ(rewrite("joe@x."), "joe@x");
    EXPECT_EQ(rewrite("joe@x.."), "joe@x..");
    EXPECT_EQ(rewrite("\"a b\""), "\"a b\"@mail.here.test");
    EXPECT_EQ(rewrite("@"), "\"\"");
    EXPECT_EQ(rewrite(""), "");
    EXPECT_EQ(rewrite("!,"), "\",\"@");
    EXPECT_EQ(rewrite_internal("a b", local_context(), {}), "a b@mail.here.test");
}

TEST(rewrite, each_rule_can_be_turned) {
    rewrite_rules rules;
    rules.swap_bangpath = rules.allow_percent_hack = rules.append_at_myorigin = false;
    rules.append_dot_mydomain = true;
    EXPECT_EQ(rewrite("site!joe", rules), "site!joe");
    EXPECT_EQ(rewrite("joe%site", rules), "joe%site");
    EXPECT_EQ(rewrite("joe@x", rules), "joe@x.here.test");
    EXPECT_EQ(rewrite("joe@[x]", rules), "joe@[x]");
    EXPECT_EQ(rewrite_address("joe@x", {"", ""}, rules), "joe@x");
}

domain_list one_of(std::vector<std::string> names) {
    return [names](std::string_view domain) {
        for (const auto& name : names) {
            if (name == domain) return lookup_status::found;
        }
        return lookup_status::absent;
    };
}

address_map table(std::map<std::string, std::string> rows) {
    return [rows](std::string_view address) -> lookup_result {
        for (const auto key : {address, address.substr(address.rfind('@') + 1)}) {
            if (const auto row = rows.find(std::string(key)); row != rows.end())
                return {lookup_status::found, row->second};
        }
        return {};
    };
}

resolve_context context() {
    resolve_context made;
    made.myhostname = "mail.here.test";
    made.local_transport = "local:mail.here.test";
    made.virtual_transport = "virtual";
    made.relay_transport = "relay";
    made.default_transport = "smtp";
    made.local = local_context();
    made.local_domains = one_of({"mail.here.test", "here.test", "[127.0.0.1]"});
    made.virtual_alias_domains = one_of({"va.test"});
    made.virtual_mailbox_domains = one_of({"vm.test"});
    made.relay_domains = one_of({"relay.test"});
    return made;
}

std::string route(const resolved& answer) {
    std::string text =
        answer.transport + "|" + answer.next_hop + "|" + answer.recipient + "|" + std::string(name_of(answer.domain));
    if (answer.flags.routed) text += "|routed";
    if (answer.flags.error) text += "|error";
    if (answer.flags.failed) text += "|failed";
    return text;
}
std::string resolve(std::string_view address, const resolve_context& with = context(),
                    std::string_view sender = "s@x.test") {
    return route(resolve_address(sender, address, with));
}

TEST(resolve, each_class_has_its_transport) {
    EXPECT_EQ(resolve("joe@here.test"), "local|mail.here.test|joe@here.test|local");
    EXPECT_EQ(resolve("joe"), "local|mail.here.test|joe@mail.here.test|local");
    EXPECT_EQ(resolve("joe@[127.0.0.1]"), "local|mail.here.test|joe@[127.0.0.1]|local");
    EXPECT_EQ(resolve("joe@va.test"), "error|5.1.1 User unknown in virtual alias table|joe@va.test|virtual_alias");
    EXPECT_EQ(resolve("joe@vm.test"), "virtual|vm.test|joe@vm.test|virtual_mailbox");
    EXPECT_EQ(resolve("joe@relay.test"), "relay|relay.test|joe@relay.test|relay");
    EXPECT_EQ(resolve("joe@other.test"), "smtp|other.test|joe@other.test|default");
    auto terse = context();
    terse.show_user_unknown_table_name = false;
    EXPECT_EQ(resolve("joe@va.test", terse), "error|5.1.1 User unknown|joe@va.test|virtual_alias");
}

TEST(resolve, domains_of_ours_hide_no_routing) {
    EXPECT_EQ(resolve("joe%other.test@here.test"), "smtp|other.test|joe@other.test|default");
    EXPECT_EQ(resolve("joe@other.test@here.test"), "smtp|other.test|joe@other.test|default");
    EXPECT_EQ(resolve("other.test!joe@here.test"), "smtp|other.test|joe@other.test|default");
    EXPECT_EQ(resolve("joe%far@other.test"), "smtp|other.test|joe%far@other.test|default|routed");
    EXPECT_EQ(resolve("joe@other.test."), "smtp|other.test|joe@other.test|default");
}

TEST(resolve, the_null_recipient_is_mailer_daemon) {
    EXPECT_EQ(resolve(""), "local|mail.here.test|MAILER-DAEMON@mail.here.test|local");
    EXPECT_EQ(resolve("@here.test"), "local|mail.here.test|MAILER-DAEMON@here.test|local");
}

TEST(resolve, bad_domains_are_errors) {
    for (const auto* address : {"joe@203.0.113.20", "joe@[bad]", "joe@a..b", "joe@", "-x@other.test", "\xff"}) {
        EXPECT_TRUE(resolve_address("", address, context()).flags.error) << address;
    }
    const auto answer = as_queue_manager_sees(resolve_address("", "joe@[bad]", context()));
    EXPECT_EQ(answer.transport + ":" + answer.next_hop, "error:5.1.3 bad address syntax");
    auto numeric = context();
    numeric.resolve_numeric_domain = true;
    EXPECT_EQ(resolve("joe@127.0.0.1", numeric), "local|mail.here.test|joe@[127.0.0.1]|local");
    EXPECT_EQ(resolve("joe@192.0.2.1", numeric), "smtp|[192.0.2.1]|joe@[192.0.2.1]|default");
}

TEST(resolve, transport_entries_keep_or_reset_the_next_hop) {
    auto with = context();
    with.relayhost = "[gw.test]:26";
    with.transport_maps = table({{"t@other.test", "error:5.7.1 no way"},
                                 {"slow.test", "slow:"},
                                 {"hop.test", ":[1.2.3.4]"},
                                 {"noop.test", ":"},
                                 {"err.test", "error"},
                                 {"wait.test", "retry:"},
                                 {"va.test", "smtp:x"}});
    EXPECT_EQ(resolve("t@other.test", with), "error|5.7.1 no way|t@other.test|default");
    EXPECT_EQ(resolve("a@other.test", with), "smtp|[gw.test]:26|a@other.test|default");
    EXPECT_EQ(resolve("a@slow.test", with), "slow|slow.test|a@slow.test|default");
    EXPECT_EQ(resolve("a@hop.test", with), "smtp|[1.2.3.4]|a@hop.test|default");
    EXPECT_EQ(resolve("a@noop.test", with), "smtp|[gw.test]:26|a@noop.test|default");
    EXPECT_EQ(resolve("a@err.test", with), "error|Address is undeliverable|a@err.test|default");
    EXPECT_EQ(resolve("a@wait.test", with), "retry|Address is undeliverable|a@wait.test|default");
    EXPECT_EQ(resolve("a@va.test", with), "error|5.1.1 User unknown in virtual alias table|a@va.test|virtual_alias");
    with.transport_wildcard = [] { return lookup_result{lookup_status::found, "smtp:[star]"}; };
    EXPECT_EQ(resolve("joe", with), "smtp|[star]|joe@mail.here.test|local");
    EXPECT_EQ(resolve_address("", "joe", with).transport_source, route_source::transport_wildcard);
}

TEST(resolve, the_sender_may_choose) {
    auto with = context();
    with.relayhost = "gw.test";
    with.sender_dependent_relayhost_maps =
        table({{"s@x.test", "[sender.relay]:587"}, {"d@x.test", "dunno"}, {"<>", "nullrelay"}});
    with.sender_dependent_default_transport_maps =
        table({{"s@x.test", "slow:"}, {"n@x.test", "slow:hop"}, {"e@x.test", ""}});
    EXPECT_EQ(resolve("a@other.test", with), "slow|[sender.relay]:587|a@other.test|default");
    EXPECT_EQ(resolve("a@other.test", with, "d@x.test"), "smtp|gw.test|a@other.test|default");
    EXPECT_EQ(resolve("a@other.test", with, "n@x.test"), "slow|hop|a@other.test|default");
    EXPECT_EQ(resolve("a@other.test", with, ""), "smtp|nullrelay|a@other.test|default");
    EXPECT_EQ(resolve("a@relay.test", with, "o@y.test"), "relay|gw.test|a@relay.test|relay");
    const auto ignored = resolve_address("e@x.test", "a@other.test", with);
    EXPECT_EQ(ignored.transport, "smtp");
    EXPECT_EQ(ignored.warnings,
              (std::vector<std::string>{
                  "sender_dependent_default_transport_maps: ignoring null lookup result for e@x.test"}));
}

TEST(resolve, relocated_users_bounce_last) {
    auto with = context();
    with.relocated_maps = table({{"moved@here.test", "new@x.test"}});
    EXPECT_EQ(resolve("moved@here.test", with), "error|5.1.6 User has moved to new@x.test|moved@here.test|local");
}

TEST(resolve, failed_lookups_and_doubtful_settings_are_told) {
    auto with = context();
    with.relay_domains = [](std::string_view) { return lookup_status::failed; };
    const auto failed = resolve_address("", "a@other.test", with);
    EXPECT_TRUE(failed.flags.failed);
    EXPECT_EQ(failed.warnings, std::vector<std::string>{"relay_domains lookup failure"});
    EXPECT_EQ(as_queue_manager_sees(failed).next_hop, "4.3.0 address resolver failure");
    with = context();
    with.virtual_alias_domains = one_of({"here.test"});
    EXPECT_EQ(resolve_address("", "a@here.test", with).warnings,
              std::vector<std::string>{"do not list domain here.test in BOTH mydestination and virtual_alias_domains"});
    with = context();
    with.default_transport = ":x";
    EXPECT_EQ(resolve_address("", "a@other.test", with).warnings,
              std::vector<std::string>{
                  "file /etc/postfix/main.cf: parameter default_transport: null transport is not allowed"});
}

}  // namespace
}  // namespace mta::address
