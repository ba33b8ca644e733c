#include "sim/record/trace.hpp"

#include <gtest/gtest.h>

#include "tests/sim/record/query.hpp"
#include "tests/sim/record/seed_chain.hpp"

namespace sim::record {
namespace {

namespace log = mta::maillog;
using samples::speaker;
using strings = std::vector<std::string>;

samples::sink into(database& record) {
    return [&record](std::string_view host, const log::entry& entry) { record.add(host, entry); };
}

strings way(const message_trace& story) {
    strings out;
    for (const auto& stop : story.stops) {
        std::string line = stop.parent ? std::to_string(*stop.parent) + " " : "";
        out.push_back((((line += to_string(stop.how)) += " ") += stop.host) += " " + stop.queue_id);
    }
    return out;
}

TEST(trace, the_seed_chain_has_four_stops_whichever_of_them_is_named) {
    database record;
    samples::play_seed_chain(into(record));
    const strings expected = {"smtp smtp.6circles.cc BF807A725F1", "0 filtered smtp.6circles.cc D7680A721F5",
                              "1 smtp mail.ohio.cc E2180A72621", "2 smtp mail.york.cc ED796A72631"};
    for (std::int64_t message = 1; message <= 4; ++message) EXPECT_EQ(way(trace(record, message)), expected);
    const message_trace story = trace(record, 1);
    EXPECT_EQ(story.path_to(3), (std::vector<std::size_t>{0, 1, 2, 3}));
    EXPECT_EQ(story.stops[0].tls_protocol, "TLSv1.3");
    EXPECT_EQ(story.stops[0].protocol, "ESMTP");
    EXPECT_EQ(story.stops[1].uid, 65534u);
    EXPECT_EQ(story.stops[2].client_name, "smtp.6circles.cc");
    EXPECT_EQ(story.stops[1].arrived, samples::at(882'000));
    EXPECT_EQ(story.stops[1].removed, samples::at(930'000));
    const trace_delivery& relayed = story.stops[1].deliveries.at(0);
    EXPECT_EQ(relayed.next_address, "192.168.137.9:25");
    EXPECT_EQ(relayed.next_message, story.stops[2].message);
    EXPECT_EQ(relayed.tls_cipher, "TLS_AES_256_GCM_SHA384");
    EXPECT_EQ(relayed.waited.connecting, std::chrono::milliseconds(22));
    EXPECT_EQ(relayed.reply, "250 2.0.0 Ok: queued as E2180A72621");
    EXPECT_EQ(story.stops[3].deliveries.at(0).mailbox, "kimchen");
    EXPECT_EQ(story.stops[1].deliveries.at(0).mailbox, "");
}

TEST(trace, a_bounce_links_the_message_to_its_notice_and_the_notice_goes_its_own_way) {
    database record;
    const speaker a(into(record), "a.example");
    a(0, "postfix/pickup", 1, "A1", log::picked_up{0, "x@a.example", ""});
    a(0, "postfix/cleanup", 1, "A1", log::message_id_seen{"<1@a>", false});
    a(1, "postfix/smtp", 3, "A1",
      samples::delivery({"y@b", "none", {0, 0, 0, 0, 1}, "Host not found", "bounced", "5.4.4"}));
    a(2, "postfix/cleanup", 1, "N1", log::message_id_seen{"<n@a>", false});
    a(2, "postfix/bounce", 4, "A1", log::notification{"sender non-delivery", "N1"});
    a(2, "postfix/qmgr", 5, "N1", log::became_active{"", 99, 1});
    a(2, "postfix/qmgr", 5, "A1", log::removed{});
    a(3, "postfix/local", 6, "N1",
      samples::delivery({"x@a.example", "local", {2, 2, 2, 2, 3}, "delivered to mailbox"}));
    const message_trace story = trace(record, 1);
    EXPECT_EQ(way(story), (strings{"submitted a.example A1", "0 notice a.example N1"}));
    EXPECT_EQ(story.stops[1].notice_kind, "sender non-delivery");
    EXPECT_EQ(story.stops[1].deliveries.at(0).mailbox, "x");

    const auto all = messages(record);
    ASSERT_EQ(all.size(), 1u);
    EXPECT_EQ(all[0].outcome, "bounced");
    EXPECT_EQ(all[0].recipients, strings{"y@b"});
}

TEST(trace, branches_come_in_order_of_time_and_each_to_its_end) {
    database record;
    record.add_host("b.example", "10.0.0.2");
    record.add_host("c.example", "10.0.0.3");
    const speaker a(into(record), "a.example"), b(into(record), "b.example"), c(into(record), "c.example");
    const log::peer client{"a.example", "10.0.0.1"};
    a(0, "postfix/pickup", 1, "A1", log::picked_up{0, "x@a.example", ""});
    b(1, "postfix/smtpd", 1, "B1", log::client_assigned{client, ""}, 1);
    c(2, "postfix/smtpd", 1, "C1", log::client_assigned{client, ""}, 2);
    b(3, "postfix/cleanup", 1, "B2", log::message_id_seen{"<1@a>", false});
    b(3, "postfix/local", 1, "B1", samples::delivery({"y@b", "local", {1, 1, 1, 1, 3}, "forwarded as B2"}));
    a(4, "postfix/smtp", 1, "A1",
      samples::delivery({"z@c", "c.example[10.0.0.3]:25", {0, 0, 0, 0, 4}, "250 Ok: queued as C1"}), 2);
    a(5, "postfix/smtp", 2, "A1",
      samples::delivery({"y@b", "b.example[10.0.0.2]:25", {0, 0, 0, 0, 5}, "250 Ok: queued as B1"}), 1);
    EXPECT_EQ(way(trace(record, 1)), (strings{"submitted a.example A1", "0 smtp b.example B1",
                                              "1 forwarded b.example B2", "0 smtp c.example C1"}));
    EXPECT_EQ(messages(record).at(0).outcome, "queued");
}

TEST(trace, a_message_is_chosen_by_any_of_its_names) {
    database record;
    samples::play_seed_chain(into(record));
    EXPECT_EQ(choose_message(record, "<20240923A9@smtp.6circles.cc>").message, 1);
    EXPECT_EQ(choose_message(record, "20240923A9@smtp.6circles.cc").message, 1);
    EXPECT_EQ(choose_message(record, "E2180A72621").message, 3);
    EXPECT_EQ(choose_message(record, "1").message, 1);
    EXPECT_FALSE(choose_message(record, "2").message);
    const auto misspelt = choose_message(record, "E2180A72612");
    EXPECT_FALSE(misspelt.message);
    ASSERT_FALSE(misspelt.nearest.empty());
    EXPECT_EQ(misspelt.nearest.front(), "E2180A72621");
    EXPECT_EQ(choose_message(record, "20240923a9").nearest.at(0), "<20240923A9@smtp.6circles.cc>");
    EXPECT_TRUE(choose_message(record, "nothing like it").nearest.empty());
}

TEST(trace, the_list_has_a_message_once_with_how_it_ended) {
    database record;
    samples::play_seed_chain(into(record));
    const auto all = messages(record);
    ASSERT_EQ(all.size(), 1u);
    EXPECT_EQ(all[0].number, 1u);
    EXPECT_EQ(all[0].queue_id, "BF807A725F1");
    EXPECT_EQ(all[0].outcome, "sent");
    EXPECT_EQ(all[0].recipients, strings{"kimchen@york.cc"});
}

TEST(trace, a_record_whose_hops_go_in_circles_ends) {
    database record;
    samples::play_seed_chain(into(record));
    samples::query(record, "UPDATE hops SET next_message = 1 WHERE id = 3");
    EXPECT_EQ(trace(record, 1).stops.size(), 3u);
    EXPECT_TRUE(trace(record, 99).stops.empty());
}

}  // namespace
}  // namespace sim::record
