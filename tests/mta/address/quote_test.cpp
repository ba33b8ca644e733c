#include "mta/address/quote.hpp"

#include <gtest/gtest.h>

#include "mta/address/extension.hpp"

namespace mta::address {
namespace {

TEST(quote, a_dot_string_needs_none) {
    for (const auto* address : {"a.b@c", "a|b", "a%b!c@d", "a'b@c", "\x80@b", "a@b c", "u+x@[1.2.3.4]"}) {
        EXPECT_EQ(quote_822_local(address), address);
        EXPECT_EQ(quote_821_local(address), address);
    }
}

TEST(quote, the_rest_gets_it) {
    EXPECT_EQ(quote_822_local(""), "\"\"");
    EXPECT_EQ(quote_822_local("@d"), "\"\"@d");
    EXPECT_EQ(quote_822_local(".a@b"), "\".a\"@b");
    EXPECT_EQ(quote_822_local("a..b@c"), "\"a..b\"@c");
    EXPECT_EQ(quote_822_local("a b@c"), "\"a b\"@c");
    EXPECT_EQ(quote_822_local("a@b@c"), "\"a@b\"@c");
    EXPECT_EQ(quote_822_local("\"a\"@b"), "\"\\\"a\\\"\"@b");
    quote_flags strict;
    strict.eight_bit_clean = false;
    EXPECT_EQ(quote_821_local("a\x80@b", strict), "\"a\\\x80\"@b");
    quote_flags bare;
    bare.bare_local_part = true;
    EXPECT_EQ(quote_822_local("a@b", bare), "\"a@b\"");
}

TEST(quote, only_the_header_form_knows_source_routes) {
    EXPECT_EQ(quote_822_local("@a,@b:u@d"), "@a,@b:u@d");
    EXPECT_EQ(quote_821_local("@a,@b:u@d"), "\"@a,@b:u\"@d");
}

TEST(quote, unquoting_gives_the_address_back) {
    for (const auto* address : {"a b@c", "a\"b@c", "a\\b@c", "a@b@c", "@c", "", ".a@b"}) {
        EXPECT_EQ(unquote_822_local(quote_822_local(address)), address);
    }
    EXPECT_EQ(unquote_822_local("\"a"), "a");
    EXPECT_EQ(unquote_822_local("x\"y\"@z\"w\""), "xy@z\"w\"");
}

TEST(quote, xtext) {
    EXPECT_EQ(xtext_encode("a+b=c d\x7f!~", "+="), "a+2Bb+3Dc+20d+7F!~");
    EXPECT_EQ(xtext_decode("a+2Bb+3d"), "a+b=");
    for (const auto* wrong : {"+", "+2", "+2g", "++2B"}) EXPECT_EQ(xtext_decode(wrong), std::nullopt) << wrong;
    EXPECT_EQ(uxtext_decode("\\x{FC}\\x{2B}\\x{20AC}\\x{1F600}"), "\u00fc+\u20ac\U0001F600");
    EXPECT_EQ(uxtext_decode("\\x2B"), "\\x2B");
    EXPECT_EQ(uxtext_encode("a b+\\\u00fc\u20ac\U0001F600", "+"), "a\\x{20}b\\x{2B}\\x{5C}\\x{FC}\\x{20AC}\\x{1F600}");
    EXPECT_EQ(uxtext_encode("\xc3", "+"), "\xc3");
    for (const auto* wrong : {"\\x{2B", "\\x{110000}", "\\x{zz}"})
        EXPECT_EQ(uxtext_decode(wrong), std::nullopt) << wrong;
}

TEST(quote, the_domain_is_after_the_last_at) {
    const auto parts = split_at_domain("a@b@c");
    EXPECT_EQ(parts.local, "a@b");
    EXPECT_EQ(parts.domain, "c");
    EXPECT_EQ(split_at_domain("a").domain, std::nullopt);
}

std::string split(std::string_view local, std::string_view delimiters, bool owner_request = true) {
    const auto found = split_extension(local, {delimiters, owner_request, "double-bounce"});
    return found ? std::string(found->user) + "|" + std::string(found->extension) : "";
}

TEST(extension, the_first_delimiter_splits) {
    EXPECT_EQ(split("a+b", "+"), "a|b");
    EXPECT_EQ(split("a+b-c", "-+"), "a|b-c");
    EXPECT_EQ(split("a-b+c", "-+"), "a|b+c");
    EXPECT_EQ(split("a++b", "+"), "a|+b");
    EXPECT_EQ(split("a+", "+"), "a|");
    for (const auto* whole : {"+a", "a", ""}) EXPECT_EQ(split(whole, "+"), "");
    EXPECT_EQ(split("a+b", ""), "");
}

TEST(extension, reserved_names_stay_whole) {
    for (const auto* name : {"MAILER-DAEMON", "Double-Bounce", "owner-list", "list-request"})
        EXPECT_EQ(split(name, "-"), "");
    EXPECT_EQ(split("mailer-daemon-x", "-"), "mailer|daemon-x");
    EXPECT_EQ(split("owner-list", "-", false), "owner|list");
    EXPECT_EQ(split("owner-a+b", "+"), "owner-a|b");
}

TEST(extension, an_address_loses_it_before_its_domain) {
    const auto stripped = strip_extension("a+b@c@d+e", {"+", true, "double-bounce"});
    ASSERT_TRUE(stripped);
    EXPECT_EQ(stripped->address, "a@d+e");
    EXPECT_EQ(stripped->extension, "+b@c");
    EXPECT_FALSE(strip_extension("a@b+c", {"+", true, "double-bounce"}));
}

}  // namespace
}  // namespace mta::address
