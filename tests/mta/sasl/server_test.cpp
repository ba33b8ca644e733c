#include "mta/sasl/server.hpp"

#include <gtest/gtest.h>

#include "mta/text/strings.hpp"
#include "tests/support/seeded_random.hpp"

namespace mta::sasl {
namespace {

class sasl_server : public ::testing::Test {
  protected:
    sasl_server() {
        where_.local_domain = where_.host = "mx.example";
        where_.random = &random_;
        where_.password = [](std::string_view user, std::string_view domain) -> std::optional<std::string> {
            if (user != "ida" || domain != "mx.example") return std::nullopt;
            return "secret";
        };
    }
    tests::seeded_random random_;
    realm where_;
};

TEST_F(sasl_server, base64_is_as_strict_as_the_library) {
    EXPECT_EQ(decode_base64("AGlkYQ==").bytes, std::string("\0ida", 4));
    EXPECT_EQ(decode_base64("=").result, code::more_needed);
    EXPECT_EQ(decode_base64("not-base64").result, code::bad_protocol);
    EXPECT_EQ(decode_base64("AA==AAAA").result, code::bad_protocol);
}

TEST_F(sasl_server, plain_names_the_user_with_its_realm) {
    const auto exchange = begin("plain", where_);
    ASSERT_TRUE(exchange);
    const answer said = exchange->next(std::string("\0ida\0secret", 11));
    EXPECT_EQ(said.what, answer::kind::success);
    EXPECT_EQ(exchange->user(), "ida@mx.example");
}

TEST_F(sasl_server, plain_refuses_a_wrong_password_and_another_identity) {
    const answer wrong = begin("PLAIN", where_)->next(std::string("\0ida\0guess", 10));
    EXPECT_EQ(wrong.what, answer::kind::failure);
    EXPECT_EQ(wrong.warnings, std::vector<std::string>{"SASL authentication failure: Password verification failed"});
    EXPECT_EQ(begin("PLAIN", where_)->next(std::string("root\0ida\0secret", 15)).what, answer::kind::failure);
    EXPECT_EQ(begin("PLAIN", where_)->next(std::string("ida")).reason, code::bad_protocol);
}

TEST_F(sasl_server, login_asks_twice) {
    const auto exchange = begin("LOGIN", where_);
    EXPECT_EQ(exchange->next(std::nullopt).challenge, "Username:");
    EXPECT_EQ(exchange->next("ida").challenge, "Password:");
    EXPECT_EQ(exchange->next("secret").what, answer::kind::success);
}

// RFC 2195's example.
TEST_F(sasl_server, keyed_digest_is_that_of_cram_md5) {
    EXPECT_EQ(lower_hex(keyed_digest("MD5", "tanstaaftanstaaf", "<1896.697170952@postoffice.reston.mci.net>")),
              "b913a602c7eda7a495b4e6e7334d3890");
}

TEST_F(sasl_server, cram_md5_checks_the_digest_of_its_challenge) {
    const auto exchange = begin("CRAM-MD5", where_);
    const std::string challenge = exchange->next(std::nullopt).challenge;
    EXPECT_TRUE(challenge.ends_with("@mx.example>"));
    EXPECT_EQ(exchange->next("ida " + lower_hex(keyed_digest("MD5", "secret", challenge))).what, answer::kind::success);
    const auto other = begin("CRAM-MD5", where_);
    other->next(std::nullopt);
    EXPECT_EQ(other->next("ida 00").warnings,
              std::vector<std::string>{"SASL authentication failure: incorrect digest response"});
}

// The client's side of RFC 5802, done by hand.
TEST_F(sasl_server, scram_proves_both_sides) {
    const auto exchange = begin("SCRAM-SHA-256", where_);
    EXPECT_EQ(exchange->next(std::nullopt).challenge, "");
    const std::string bare = "n=ida,r=abc";
    const std::string first = exchange->next("n,," + bare).challenge;
    ASSERT_TRUE(first.starts_with("r=abc"));
    const auto parts = text::split(first, ",");
    const std::string salted = salted_password("secret", decode_base64(parts[1].substr(2)).bytes, 4096, "SHA256");
    const std::string without_proof = "c=biws," + std::string(parts[0]);
    const std::string all = bare + "," + first + "," + without_proof;
    std::string proof = keyed_digest("SHA256", salted, "Client Key");
    const std::string signature = keyed_digest("SHA256", plain_digest("SHA256", proof), all);
    for (std::size_t i = 0; i < proof.size(); ++i) proof[i] = static_cast<char>(proof[i] ^ signature[i]);
    const answer verified = exchange->next(without_proof + ",p=" + encode_base64(proof));
    ASSERT_EQ(verified.what, answer::kind::challenge);
    EXPECT_EQ(verified.challenge,
              "v=" + encode_base64(keyed_digest("SHA256", keyed_digest("SHA256", salted, "Server Key"), all)));
    EXPECT_EQ(exchange->next("").what, answer::kind::success);
}

TEST_F(sasl_server, scram_refuses_another_nonce_and_another_proof) {
    const auto exchange = begin("SCRAM-SHA-256", where_);
    exchange->next("n,,n=ida,r=abc");
    EXPECT_EQ(exchange->next("c=biws,r=xyz,p=abcd").reason, code::bad_protocol);
    const auto other = begin("SCRAM-SHA-256", where_);
    const std::string first = other->next("n,,n=ida,r=abc").challenge;
    EXPECT_EQ(other->next("c=biws," + first.substr(0, first.find(',')) + ",p=AAAA").reason, code::bad_authentication);
}

TEST_F(sasl_server, scram_says_what_is_wrong_with_a_message) {
    const std::pair<const char*, const char*> rows[] = {
        {"", "SCRAM-SHA-256 input expected"},
        {"junk", "Invalid SCRAM-SHA-256 input"},
        {"q,,n=ida,r=abc", "The initial SCRAM-SHA-256 client response needs to start with 'y', 'n' or 'p'"},
        {"n,x=1,n=ida,r=abc", "',' expected in SCRAM-SHA-256 input"},
        {"n,,m=1,n=ida,r=abc", "Unsupported mandatory extension to SCRAM-SHA-256"},
        {"n,,r=abc,n=ida", "Username (n=) expected in SCRAM-SHA-256 input"},
        {"n,,n=i=zz,r=abc", "Invalid username encoding in SCRAM-SHA-256 input"},
    };
    for (const auto& [message, warning] : rows) {
        const answer said = begin("SCRAM-SHA-256", where_)->next(std::string(message));
        EXPECT_EQ(said.reason, code::bad_protocol) << message;
        EXPECT_EQ(said.warnings, std::vector<std::string>{std::string("SASL authentication failure: ") + warning});
    }
}

TEST_F(sasl_server, properties_decide_what_is_permitted) {
    std::vector<std::string> unknown;
    const property_set wanted = parse_properties("noanonymous, noplaintext bogus", unknown);
    EXPECT_EQ(unknown, std::vector<std::string>{"bogus"});
    EXPECT_EQ(permitted("PLAIN", wanted), code::needs_encryption);
    EXPECT_EQ(permitted("CRAM-MD5", wanted), code::ok);
    EXPECT_EQ(permitted("CRAM-MD5", bit(property::no_active)), code::no_mechanism);
    EXPECT_EQ(permitted("SCRAM-SHA-256", bit(property::mutual_auth)), code::ok);
}

TEST_F(sasl_server, an_unknown_mechanism_is_none) {
    EXPECT_FALSE(begin("GSSAPI", where_));
}

}  // namespace
}  // namespace mta::sasl
