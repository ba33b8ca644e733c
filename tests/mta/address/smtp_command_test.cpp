#include "mta/address/smtp_command.hpp"

#include <gtest/gtest.h>

namespace mta::address {
namespace {

command_line line(std::string_view text) {
    auto parsed_line = parse_command(text);
    return std::get<command_line>(std::move(parsed_line));
}

template <class value>
std::string reply_of(const parsed<value>& result) {
    const auto* refused = std::get_if<refusal>(&result);
    return refused ? refused->reply : "";
}

// The reverse path in brackets, or the reply.
std::string mail(std::string_view arguments, const command_rules& rules = {}) {
    const auto result = parse_mail(line("MAIL FROM:" + std::string(arguments)), rules);
    const auto* good = std::get_if<mail_command>(&result);
    return good ? "<" + good->reverse_path + ">" : reply_of(result);
}
std::string rcpt(std::string_view arguments, const command_rules& rules = {}) {
    const auto result = parse_rcpt(line("RCPT TO:" + std::string(arguments)), rules, false);
    const auto* good = std::get_if<rcpt_command>(&result);
    return good ? "<" + good->forward_path + ">" : reply_of(result);
}

constexpr const char* bad_sender = "501 5.1.7 Bad sender address syntax";
constexpr const char* bad_recipient = "501 5.1.3 Bad recipient address syntax";

TEST(smtp_command, verbs_in_any_case_and_after_spaces) {
    EXPECT_EQ(line(" nOOp").name, verb::noop);
    EXPECT_EQ(line("XYZZY a").name, verb::unknown);
    EXPECT_EQ(reply_of(parse_command("")), "500 5.5.2 Error: bad syntax");
    EXPECT_EQ(reply_of(parse_command("  \t")), "500 5.5.2 Error: bad syntax");
    EXPECT_EQ(reply_of(parse_command("MAIL FROM:<\xff>")), "500 5.5.2 Error: bad UTF-8 syntax");
    EXPECT_EQ(reply_of(parse_command("MAIL FROM:<\xff>", false)), "");
    EXPECT_TRUE(looks_like_header("Subject:"));
    EXPECT_TRUE(looks_like_header("MAIL:FROM:<a>"));
    EXPECT_FALSE(looks_like_header("GET"));
    EXPECT_FALSE(looks_like_header(":"));
}

TEST(smtp_command, words_end_at_space_or_after_from_or_to) {
    const std::vector<argument> expected = {
        {"MAIL", false}, {"FROM:", false}, {"<\"a b\"@c>", false}, {"X=\"y z\"", false}};
    EXPECT_EQ(tokenize_command("MAIL FROM:<\"a b\"@c>  X=\"y z\""), expected);
    EXPECT_EQ(tokenize_command("a\\ b <c\\> d> <e").size(), 3U);
    EXPECT_TRUE(tokenize_command("<e").back().unterminated);
    EXPECT_TRUE(tokenize_command("\"a\\").back().unterminated);
    EXPECT_EQ(tokenize_command("<<a b>>").size(), 1U);
    EXPECT_EQ(tokenize_command("[a b]").size(), 2U);
}

TEST(smtp_command, addresses_with_and_without_brackets) {
    for (const auto* form : {"<a@b.c>", "a@b.c", " <a@b.c>", "<<a@b.c>>", "x<a@b.c>", "(c)<a@b.c>", "<@x,@y:a@b.c>",
                             "@x:a@b.c", "a@b.c>", "<a@b.c>,"}) {
        EXPECT_EQ(mail(form), "<a@b.c>") << form;
    }
    for (const auto* form : {"<>", "< >", "<<>>", "<\"\">", "<@a:>"}) EXPECT_EQ(mail(form), "<>") << form;
    EXPECT_EQ(mail("<\"a b\"@c.d>"), "<a b@c.d>");
    EXPECT_EQ(mail("\"a@b\""), "<a@b>");
    EXPECT_EQ(rcpt("<\"\"@b.c>"), "<@b.c>");
    for (const auto* form : {"<a b@c.d>", "<a@b.c", "a@b,c@d", "<a<b>c@d.e>", "<a\"b>c\"d@e.f>", "<a@b.c>SIZE=1"}) {
        EXPECT_EQ(mail(form), bad_sender) << form;
    }
    for (const auto* form : {"<>", "<\"\">", "<\"@b.c>"}) EXPECT_EQ(rcpt(form), bad_recipient) << form;
}

TEST(smtp_command, paths_need_their_keyword) {
    for (const auto* text :
         {"MAIL", "MAIL FROM", "MAIL FROM:", "MAIL FROM <a@b>", "MAIL TO:<a@b>", "MAIL FROM :<a@b>"}) {
        EXPECT_EQ(reply_of(parse_mail(line(text), {})), "501 5.5.4 Syntax: MAIL FROM:<address>") << text;
    }
    EXPECT_EQ(reply_of(parse_rcpt(line("RCPT TO:"), {}, false)), "501 5.5.4 Syntax: RCPT TO:<address>");
}

TEST(smtp_command, strict_envelopes_want_brackets_and_nothing_else) {
    command_rules strict;
    strict.strict_rfc821_envelopes = true;
    EXPECT_EQ(mail("<a@b.c>", strict), "<a@b.c>");
    for (const auto* form : {"a@b.c", "<a@b.c>(c)", "<a@b.c(c)>", "<@b.c>"})
        EXPECT_EQ(mail(form, strict), bad_sender) << form;
}

TEST(smtp_command, the_resolver_has_a_say) {
    command_rules rules;
    rules.resolve = [](std::string_view address) -> std::optional<std::string> {
        if (address == "a@192.0.2.1") return std::nullopt;
        return std::string(address);
    };
    EXPECT_EQ(mail("<a@192.0.2.1>", rules), bad_sender);
    EXPECT_EQ(mail("<a@\u00fc.z>", rules), bad_sender);
    EXPECT_EQ(mail("<a@\u00fc.z> SMTPUTF8", rules), "<a@\u00fc.z>");
    EXPECT_EQ(mail("<\u00fc@y.z>", rules), "<\u00fc@y.z>");
    const auto refused = parse_mail(line("MAIL FROM:<a@192.0.2.1>"), rules);
    EXPECT_EQ(std::get<refusal>(refused).illegal_address, "<a@192.0.2.1>");
}

TEST(smtp_command, mail_parameters) {
    const auto result = parse_mail(line("MAIL FROM:<a> size=5 BODY=8bitmime RET=full ENVID=a+2Bb AUTH=x SMTPUTF8"), {});
    const auto& good = std::get<mail_command>(result);
    EXPECT_EQ(good.size, 5);
    EXPECT_EQ(good.body, body_type::eight_bit_mime);
    EXPECT_EQ(good.ret, dsn_ret::full);
    EXPECT_EQ(good.envid, "a+b");
    EXPECT_EQ(good.auth, "x");
    EXPECT_TRUE(good.smtputf8);
    EXPECT_EQ(good.as_sent, "<a>");
}

TEST(smtp_command, each_bad_mail_parameter_has_its_reply) {
    const std::pair<const char*, const char*> cases[] = {
        {"SIZE=", "501 5.5.4 Bad message size syntax"},
        {"SIZE=-1", "501 5.5.4 Bad message size syntax"},
        {"SIZE=9223372036854775808", "552 5.3.4 Message size exceeds file system imposed limit"},
        {"RET=x", "501 5.5.4 Bad RET parameter syntax"},
        {"RET=HDRS RET=FULL", "501 5.5.4 Bad RET parameter syntax"},
        {"ENVID=", "501 5.5.4 Bad ENVID parameter syntax"},
        {"ENVID=a+0Ab", "501 5.5.4 Bad ENVID parameter syntax"},
        {"ENVID=a ENVID=b", "501 5.5.4 Bad ENVID parameter syntax"},
        {"BODY=BINARYMIME", "555 5.5.4 Unsupported option: BODY=BINARYMIME"},
        {"SIZE", "555 5.5.4 Unsupported option: SIZE"},
        {"XVERP", "555 5.5.4 Unsupported option: XVERP"},
        {"AUTH=x AUTH=<>", "503 5.5.4 Error: multiple AUTH= options"},
    };
    for (const auto& [option, reply] : cases) EXPECT_EQ(mail("<a> " + std::string(option)), reply);
    EXPECT_EQ(mail("<a> AUTH=<> AUTH=<>"), "<a>");
}

TEST(smtp_command, xverp_needs_permission_delimiters_and_a_sender) {
    command_rules rules;
    rules.xverp_allowed = true;
    EXPECT_EQ(mail("<a> XVERP", rules), "<a>");
    EXPECT_EQ(mail("<a> XVERP=xx", rules), "501 5.5.4 Error: XVERP needs two characters from -=+");
    EXPECT_EQ(mail("<> XVERP", rules), "503 5.5.4 Error: XVERP requires non-null sender");
}

TEST(smtp_command, a_refused_mail_leaves_auth_and_size_behind) {
    command_rules rules;
    const auto first = parse_mail(line("MAIL FROM:<a> AUTH=x SIZE=77 bogus"), rules);
    rules.leftovers = std::get<refusal>(first).leftovers;
    EXPECT_EQ(mail("<a> AUTH=<>", rules), "503 5.5.4 Error: multiple AUTH= options");
    const auto second = parse_mail(line("MAIL FROM:<a>"), rules);
    EXPECT_EQ(std::get<mail_command>(second).size, 77);
}

TEST(smtp_command, rcpt_parameters) {
    const auto result = parse_rcpt(line("RCPT TO:<a> NOTIFY=success,Delay ORCPT=rfc822;x+40y"), {}, false);
    const auto& good = std::get<rcpt_command>(result);
    EXPECT_EQ(good.notify, notify_success | notify_delay);
    EXPECT_EQ(good.orcpt_type, "rfc822");
    EXPECT_EQ(good.orcpt_address, "x@y");
    const auto utf8 = parse_rcpt(line("RCPT TO:<a> ORCPT=utf-8;\\x{FC}"), {}, false);
    EXPECT_EQ(std::get<rcpt_command>(utf8).orcpt_address, "\u00fc");
    for (const auto* option : {"NOTIFY=", "NOTIFY=x", "NOTIFY=NEVER,DELAY", "NOTIFY=NEVER NOTIFY=NEVER"}) {
        EXPECT_EQ(rcpt("<a> " + std::string(option)), "501 5.5.4 Error: Bad NOTIFY parameter syntax") << option;
    }
    for (const auto* option : {"ORCPT=rfc822", "ORCPT=;a", "ORCPT=x;+", "ORCPT=x;a ORCPT=x;a"}) {
        EXPECT_EQ(rcpt("<a> " + std::string(option)), "501 5.5.4 Error: Bad ORCPT parameter syntax") << option;
    }
    EXPECT_EQ(rcpt("<a> SIZE=1"), "555 5.5.4 Unsupported option: SIZE=1");
    command_rules without_dsn;
    without_dsn.dsn = false;
    EXPECT_EQ(rcpt("<a> NOTIFY=NEVER", without_dsn), "501 5.7.1 DSN support is disabled");
}

TEST(smtp_command, the_other_commands) {
    EXPECT_EQ(reply_of(parse_helo(line("EHLO"))), "501 Syntax: EHLO hostname");
    const auto helo = parse_helo(line("HELO a(b)c;d\"e\"f@g\\h:i|j[k] l"));
    EXPECT_EQ(std::get<helo_command>(helo).name, "a?b?c?d?e?f?g?h:i|j[k]?l");
    EXPECT_EQ(reply_of(parse_vrfy(line("VRFY"), {})), "501 5.5.4 Syntax: VRFY address [SMTPUTF8]");
    EXPECT_EQ(reply_of(parse_vrfy(line("VRFY two words"), {})), bad_recipient);
    const auto vrfy = parse_vrfy(line("VRFY <ed@thistle.example> SMTPUTF8"), {});
    EXPECT_EQ(std::get<vrfy_command>(vrfy).as_sent, "<ed@thistle.example>");
    EXPECT_EQ(std::get<vrfy_command>(vrfy).address, "ed@thistle.example");
    EXPECT_EQ(reply_of(parse_etrn(line("ETRN two words"))), "500 Syntax: ETRN domain");
    EXPECT_EQ(reply_of(parse_etrn(line("ETRN bad_domain!"))), "501 Error: invalid parameter syntax");
    const auto etrn = parse_etrn(line("ETRN @thistle.example"));
    EXPECT_EQ(std::get<etrn_command>(etrn).domain, "thistle.example");
    EXPECT_EQ(reply_of(parse_auth(line("AUTH PLAIN a b c"))), "501 5.5.4 Syntax: AUTH mechanism");
    for (const auto* bad : {"BDAT", "BDAT x", "BDAT 1 x", "BDAT 1 LAST x", "BDAT -1"}) {
        EXPECT_EQ(reply_of(parse_bdat(line(bad))), "521 5.5.4 Syntax: BDAT count [LAST]") << bad;
    }
    const auto bdat = parse_bdat(line("BDAT 10 last"));
    EXPECT_TRUE(std::get<bdat_command>(bdat).last);
    EXPECT_EQ(reply_of(parse_bare(line("RSET now"))), "501 5.5.4 Syntax: RSET");
    EXPECT_EQ(reply_of(parse_bare(line("QUIT now"))), "");
    EXPECT_EQ(reply_of(parse_attributes(line("XCLIENT"))), "501 5.5.4 Syntax: XCLIENT attribute=value...");
    const auto attributes = parse_attributes(line("XCLIENT NAME=a ADDR=b=c PORT"));
    EXPECT_EQ(std::get<attribute_list>(attributes), (attribute_list{{"NAME", "a"}, {"ADDR", "b=c"}, {"PORT", ""}}));
}

}  // namespace
}  // namespace mta::address
