#include "sim/record/received_chain.hpp"

#include <gtest/gtest.h>

#include "mta/text/strings.hpp"
#include "tests/sim/record/seed_chain.hpp"

namespace sim::record {
namespace {

using strings = std::vector<std::string>;

message_trace seed_story() {
    database record;
    samples::play_seed_chain([&](std::string_view host, const mta::maillog::entry& entry) { record.add(host, entry); });
    return trace(record, 1);
}

strings differences(std::string_view message) {
    strings out;
    for (const auto& each : compare_received(received_chain(message), seed_story(), 3)) {
        out.push_back(each.hop + ": " + each.field + ": " + each.recorded + " / " + each.header);
    }
    return out;
}

std::string changed(std::string_view from, std::string_view to) {
    return mta::text::replaced(samples::delivered_message, from, to);
}

TEST(received_chain, reads_what_postfix_writes) {
    const auto chain = received_chain(samples::delivered_message);
    ASSERT_EQ(chain.size(), 4u);
    EXPECT_EQ(chain[0].from, "mail.ohio.cc");
    EXPECT_EQ(chain[0].client_name, "mail.ohio.cc");
    EXPECT_EQ(chain[0].client_address, "192.168.137.9");
    EXPECT_EQ(chain[0].by, "mail.york.cc");
    EXPECT_EQ(chain[0].with, "ESMTPS");
    EXPECT_EQ(chain[0].id, "ED796A72631");
    EXPECT_EQ(chain[0].recipient, "kimchen@york.cc");
    EXPECT_EQ(chain[0].date, "Fri, 20 Nov 2026 14:28:06 +0000 (UTC)");
    EXPECT_EQ(chain[2].from, "");
    EXPECT_EQ(chain[2].by, "smtp.6circles.cc");
    EXPECT_EQ(chain[2].with, "");
    EXPECT_EQ(chain[2].id, "D7680A721F5");
}

TEST(received_chain, survives_what_a_network_may_send) {
    for (const char* text : {"", "Received", "Received:", "Received: from", "Received: from (", "Received: from ( [",
                             "Received: from x ([)", "Received: by", "Received: id ;", "Received: ;;;",
                             " folded\n\tonly", "Received: )))((( by a", "\r\n\r\n"}) {
        EXPECT_LE(received_chain(text).size(), 1u) << text;
    }
    std::string many;
    for (int i = 0; i < 5000; ++i) many += "Received: by a; b\n";
    EXPECT_EQ(received_chain(many).size(), 1000u);
    EXPECT_EQ(received_chain("Received: from a (b [IPv6:2001:db8::1])\r\n\tby c id d; e\r\n\r\nReceived: body")
                  .at(0)
                  .client_address,
              "2001:db8::1");
}

TEST(received_chain, the_delivered_message_tells_what_happened) {
    EXPECT_EQ(differences(samples::delivered_message), strings{});
}

TEST(received_chain, every_forged_field_is_named_with_its_hop) {
    EXPECT_EQ(differences(changed("by mail.ohio.cc", "by mail.utah.cc")),
              strings{"mail.ohio.cc E2180A72621: by: mail.ohio.cc / mail.utah.cc"});
    EXPECT_EQ(differences(changed("id E2180A72621", "id E2180A72622")),
              strings{"mail.ohio.cc E2180A72621: id: E2180A72621 / E2180A72622"});
    EXPECT_EQ(differences(changed("with ESMTPS id ED796", "with ESMTP id ED796")),
              strings{"mail.york.cc ED796A72631: with: ESMTPS / ESMTP"});
    EXPECT_EQ(differences(changed("[192.168.137.10]", "[192.168.137.11]")),
              strings{"smtp.6circles.cc BF807A725F1: from: laptop.6circles.cc[192.168.137.10] / "
                      "laptop.6circles.cc[192.168.137.11]"});
    EXPECT_EQ(differences(changed("by smtp.6circles.cc (Postfix, from userid 65534)",
                                  "from x (x [192.0.2.1]) by smtp.6circles.cc (Postfix) with SMTP")),
              strings{"smtp.6circles.cc D7680A721F5: from: (none) / x SMTP"});
}

TEST(received_chain, a_missing_and_a_foreign_header_are_named) {
    const std::string ohio =
        "Received: from smtp.6circles.cc (smtp.6circles.cc [192.168.137.2])\n\tby mail.ohio.cc (Postfix) "
        "with ESMTPS id E2180A72621\n\tfor <kimchen@york.cc>; Fri, 20 Nov 2026 14:28:06 +0000 (UTC)\n";
    EXPECT_EQ(differences(changed(ohio, "")),
              strings{"mail.ohio.cc E2180A72621: header: by mail.ohio.cc id E2180A72621 / "});
    EXPECT_EQ(differences(changed("X-Spam-Status: No\n", "Received: by ghost id Z; now\n")),
              strings{"ghost Z: header:  / by ghost id Z; now"});
    EXPECT_EQ(differences(changed("From: zibiten@york.cc\n", "Received: by before id Y; now\nFrom: zibiten@york.cc\n")),
              strings{"before Y: header:  / by before id Y; now"});
}

}  // namespace
}  // namespace sim::record
