#include "mta/tls/trust_anchors.hpp"

#include <gtest/gtest.h>

namespace mta::tls {
namespace {

TEST(trust_anchors, are_certificates_and_keys_each_as_the_peers_own_and_as_its_signer) {
    const trust_anchors found = read_trust_anchors(
        "words before\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
        "-----BEGIN PUBLIC KEY-----\nAQID\n-----END PUBLIC KEY-----\n");
    ASSERT_TRUE(found.good);
    ASSERT_EQ(found.records.size(), 4U);
    EXPECT_EQ(found.records[0].usage, 3);
    EXPECT_EQ(found.records[1].usage, 2);
    EXPECT_EQ(found.records[0].selector, 0);
    EXPECT_EQ(found.records[2].selector, 1);
    EXPECT_EQ(found.records[1].matching_type, 0);
    EXPECT_EQ(found.records[3].data, "\x01\x02\x03");
}

TEST(trust_anchors, are_refused_when_there_are_none_or_something_else) {
    EXPECT_FALSE(read_trust_anchors("").good);
    EXPECT_FALSE(read_trust_anchors("no certificate here\n").good);
    EXPECT_FALSE(read_trust_anchors("-----BEGIN PRIVATE KEY-----\nAQID\n-----END PRIVATE KEY-----\n").good);
    EXPECT_FALSE(read_trust_anchors("-----BEGIN CERTIFICATE-----\nAAAA\n").good);
}

}  // namespace
}  // namespace mta::tls
