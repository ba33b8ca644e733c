#include "mta/sasl/client.hpp"

#include <gtest/gtest.h>

#include "mta/sasl/server.hpp"
#include "tests/support/seeded_random.hpp"

namespace mta::sasl {
namespace {

class sasl_client : public ::testing::Test {
  protected:
    sasl_client() {
        who_.user = "ida";
        who_.password = "secret";
        who_.random = &random_;
    }
    std::string chosen(std::string_view offered, std::string_view options) {
        unsigned required = 0;
        std::string unknown;
        EXPECT_TRUE(parse_requirements(options, required, unknown));
        const auto found = choose(offered, required, who_);
        return found ? std::string(found->mechanism()) : "none";
    }
    tests::seeded_random random_;
    credentials who_;
};

TEST_F(sasl_client, takes_the_strongest_mechanism_that_the_options_leave) {
    EXPECT_EQ(chosen("LOGIN PLAIN CRAM-MD5 SCRAM-SHA-1 SCRAM-SHA-256", ""), "SCRAM-SHA-256");
    EXPECT_EQ(chosen("LOGIN PLAIN CRAM-MD5", "noanonymous"), "CRAM-MD5");
    EXPECT_EQ(chosen("login plain", "noanonymous"), "PLAIN");
    EXPECT_EQ(chosen("LOGIN PLAIN", "noplaintext, noanonymous"), "none");
    EXPECT_EQ(chosen("CRAM-MD5 SCRAM-SHA-1", "mutual_auth"), "SCRAM-SHA-1");
    EXPECT_EQ(chosen("SCRAM-SHA-256", "nodictionary"), "none");
    EXPECT_EQ(chosen("ANONYMOUS", "noplaintext"), "ANONYMOUS");
    EXPECT_EQ(chosen("ANONYMOUS", "noanonymous"), "none");
    EXPECT_EQ(chosen("GSSAPI", ""), "none");
}

TEST_F(sasl_client, names_an_option_that_there_is_not) {
    unsigned required = 0;
    std::string unknown;
    EXPECT_FALSE(parse_requirements("noplaintext bogus", required, unknown));
    EXPECT_EQ(unknown, "bogus");
}

// The example of RFC 2195.
TEST_F(sasl_client, answers_cram_md5) {
    who_.user = "tim";
    who_.password = "tanstaaftanstaaf";
    const auto exchange = choose("CRAM-MD5", 0, who_);
    ASSERT_TRUE(exchange);
    const response said = exchange->next("<1896.697170952@postoffice.reston.mci.net>");
    EXPECT_EQ(said.text, "tim b913a602c7eda7a495b4e6e7334d3890");
    EXPECT_EQ(exchange->next("").result, code::failed);
}

// Every mechanism that our server has takes a login of our client, and refuses one with another password.
TEST_F(sasl_client, logs_in_at_our_server) {
    realm where;
    where.local_domain = where.host = "mx.example";
    where.random = &random_;
    where.password = [](std::string_view, std::string_view) -> std::optional<std::string> { return "secret"; };
    for (const std::string_view each : mechanisms()) {
        for (const bool right : {true, false}) {
            who_.password = right ? "secret" : "wrong";
            const auto client = choose(each, 0, who_);
            const auto server = begin(each, where);
            if (!client || !server) continue;
            const std::string initial = client->initial();
            answer said = server->next(initial.empty() ? std::nullopt : std::optional(initial));
            for (int step = 0; step < 5 && said.what == answer::kind::challenge; ++step) {
                const response reply = client->next(said.challenge);
                ASSERT_EQ(reply.result, code::ok) << each;
                said = server->next(reply.text);
            }
            EXPECT_EQ(said.what, right ? answer::kind::success : answer::kind::failure) << each;
        }
    }
}

// What a server sends is hostile: work without end, a nonce that is not ours, a signature that it cannot know.
TEST_F(sasl_client, scram_trusts_no_server) {
    for (const std::string_view challenge : {"", "r=", "r=other,s=QQ==,i=4096", "r=,s=QQ==,i=4096"}) {
        const auto exchange = choose("SCRAM-SHA-256", 0, who_);
        exchange->initial();
        EXPECT_EQ(exchange->next(challenge).result, code::bad_protocol) << challenge;
    }
    const auto exchange = choose("SCRAM-SHA-256", 0, who_);
    const std::string first = exchange->initial();
    const std::string nonce = first.substr(first.find("r=") + 2);
    EXPECT_EQ(choose("SCRAM-SHA-256", 0, who_)->next("r=" + nonce + ",s=QQ==,i=999999999").result, code::bad_protocol);
    EXPECT_EQ(exchange->next("r=" + nonce + "more,s=QQ==,i=4096").result, code::ok);
    EXPECT_EQ(exchange->next("v=AAAA").result, code::bad_server);
}

}  // namespace
}  // namespace mta::sasl
