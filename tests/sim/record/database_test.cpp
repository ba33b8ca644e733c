#include "sim/record/database.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "sim/record/maillog.hpp"
#include "tests/sim/record/query.hpp"
#include "tests/sim/record/seed_chain.hpp"
#include "tests/support/scratch_folder.hpp"

namespace sim::record {
namespace {

namespace log = mta::maillog;
using samples::query;
using samples::speaker;

database seed_chain() {
    database record;
    record.add_host("smtp.6circles.cc", "192.168.137.2");
    record.add_host("mail.ohio.cc", "192.168.137.9");
    record.add_host("mail.york.cc", "192.168.137.5");
    samples::play_seed_chain([&](std::string_view host, const log::entry& entry) { record.add(host, entry); });
    return record;
}

samples::sink into(database& record) {
    return [&record](std::string_view host, const log::entry& entry) { record.add(host, entry); };
}

class scratch : public testing::Test {
  protected:
    std::string path(const char* file) const { return (folder_ / file).string(); }
    static std::string failure(const auto& work) {
        try {
            work();
        } catch (const record_error& error) {
            return error.what();
        }
        return {};
    }
    const tests::scratch_folder folder_;
};
using database_file = scratch;

TEST(database, the_log_is_what_postfix_logged) {
    const database record = seed_chain();
    for (const auto host : {samples::smtp_host, samples::ohio_host, samples::york_host}) {
        EXPECT_EQ(query(record, "SELECT line FROM log WHERE host = '" + std::string(host) + "' ORDER BY id"),
                  samples::seed_chain_log(host));
    }
}

TEST(database, hops_follow_the_message_through_filter_and_network) {
    EXPECT_EQ(
        query(seed_chain(),
              "SELECT kind, host, queue_id, next_host, next_queue_id, next_address, tls_protocol, "
              "tls_cipher FROM route"),
        "filter|smtp.6circles.cc|BF807A725F1|smtp.6circles.cc|D7680A721F5|||\n"
        "smtp|smtp.6circles.cc|D7680A721F5|mail.ohio.cc|E2180A72621|192.168.137.9|TLSv1.3|TLS_AES_256_GCM_SHA384\n"
        "smtp|mail.ohio.cc|E2180A72621|mail.york.cc|ED796A72631|192.168.137.5|TLSv1.3|TLS_AES_256_GCM_SHA384\n");
    EXPECT_EQ(query(seed_chain(), "SELECT link FROM hops"), "message-id\nconnection\nconnection\n");
}

TEST(database, messages_have_one_row_a_host_and_queue_id) {
    EXPECT_EQ(
        query(seed_chain(),
              "SELECT host, queue_id, message_id, origin, sender, size, recipient_count, client_address, uid, "
              "ended FROM messages"),
        "smtp.6circles.cc|BF807A725F1|<20240923A9@smtp.6circles.cc>|smtp|zibiten@york.cc|326|1|192.168.137.10||"
        "removed\n"
        "smtp.6circles.cc|D7680A721F5|<20240923A9@smtp.6circles.cc>|submitted|zibiten@york.cc|461|1||65534|removed\n"
        "mail.ohio.cc|E2180A72621|<20240923A9@smtp.6circles.cc>|smtp|zibiten@york.cc|647|1|192.168.137.2||removed\n"
        "mail.york.cc|ED796A72631|<20240923A9@smtp.6circles.cc>|smtp|zibiten@york.cc|825|1|192.168.137.9||removed\n");
}

TEST(database, sessions_are_seen_from_both_ends) {
    EXPECT_EQ(query(seed_chain(),
                    "SELECT host, side, connection, peer_address, helo, protocol, tls_protocol, tls_bits, ended, "
                    "commands, commands_accepted FROM sessions"),
              "smtp.6circles.cc|server|1|192.168.137.10|laptop.6circles.cc|ESMTP|TLSv1.3|256|disconnect|7|7\n"
              "mail.ohio.cc|server|2|192.168.137.2|||TLSv1.3|256|disconnect|7|7\n"
              "smtp.6circles.cc|client|2|192.168.137.9|||TLSv1.3|256|disconnect||\n"
              "mail.york.cc|server|3|192.168.137.9|||TLSv1.3|256|disconnect|7|7\n"
              "mail.ohio.cc|client|3|192.168.137.5|||TLSv1.3|256|disconnect||\n");
}

TEST(database, deliveries_keep_nanoseconds_and_the_four_delays) {
    EXPECT_EQ(query(seed_chain(),
                    "SELECT agent, relay_name, relay_port, delay_ns, before_queue_manager_ns, in_active_queue_ns, "
                    "connecting_ns, transmitting_ns, status, next_queue_id FROM deliveries"),
              "pipe|||110000000|50000000|0|0|60000000|sent|\n"
              "smtp|mail.ohio.cc|25|48000000|2000000|10000000|22000000|14000000|sent|E2180A72621\n"
              "smtp|mail.york.cc|25|51000000|6000000|8000000|27000000|10000000|sent|ED796A72631\n"
              "local|||10000000|6000000|2000000|0|2000000|sent|\n");
}

TEST(database, every_reference_holds_and_every_row_has_host_and_time) {
    const database record = seed_chain();
    EXPECT_EQ(query(record, "PRAGMA foreign_key_check"), "");
    EXPECT_EQ(query(record, "SELECT version FROM schema_version"), "1\n");
    for (const char* table : {"hosts", "sessions", "commands", "messages", "hops", "deliveries", "events", "log"}) {
        const std::string rows = std::string(" FROM ") + table;
        EXPECT_NE(query(record, "SELECT count(*)" + rows), "0\n") << table;
        EXPECT_EQ(query(record, "SELECT count(*)" + rows + " WHERE host IS NULL OR time_ns IS NULL"), "0\n") << table;
    }
    EXPECT_EQ(query(record, "SELECT min(time_ns) FROM log"), "1795184885100000000\n");
}

// The part of docs/reference/record.md under "### name".
std::string documented(const std::string& name) {
    std::ifstream in("docs/reference/record.md");
    const std::string text(std::istreambuf_iterator<char>(in), {});
    const std::size_t start = text.find("\n### " + name + "\n");
    if (start == std::string::npos) return {};
    return text.substr(start, text.find("\n### ", start + 1) - start);
}

TEST(database, every_table_column_and_view_is_documented) {
    if (!std::filesystem::exists("docs/reference/record.md")) GTEST_SKIP() << "not run from the top of the source";
    const database record;
    std::istringstream columns(query(record,
                                     "SELECT t.name, c.name FROM sqlite_schema t JOIN pragma_table_info(t.name) c "
                                     "WHERE t.type = 'table' ORDER BY t.name, c.cid"));
    std::size_t count = 0;
    for (std::string line; std::getline(columns, line); ++count) {
        const std::string table = line.substr(0, line.find('|')), column = line.substr(line.find('|') + 1);
        EXPECT_NE(documented(table).find("\n| `" + column + "` |"), std::string::npos) << line;
    }
    EXPECT_GT(count, 80u);
    std::istringstream views(query(record, "SELECT name FROM sqlite_schema WHERE type = 'view'"));
    for (std::string view; std::getline(views, view);) {
        EXPECT_NE(documented("Views").find("| `" + view + "` |"), std::string::npos) << view;
    }
}

TEST(database, events_are_json) {
    const database record = seed_chain();
    EXPECT_EQ(query(record, "SELECT count(*) FROM events WHERE NOT json_valid(fields)"), "0\n");
    EXPECT_EQ(query(record, "SELECT fields FROM events WHERE name = 'became_active' LIMIT 1"),
              "{\"sender\":\"zibiten@york.cc\",\"size\":326,\"recipient_count\":1}\n");
    EXPECT_EQ(
        query(record, "SELECT queue_id FROM events JOIN messages USING (queue_id) WHERE events.message != messages.id"),
        "");
}

TEST(database, two_runs_give_the_same_rows) {
    EXPECT_EQ(samples::everything(seed_chain()), samples::everything(seed_chain()));
}

TEST(database, a_line_rendered_before_is_taken_as_it_is) {
    database record;
    const log::process qmgr{"postfix/qmgr", 7};
    record.add("a.example", {samples::at(0), qmgr, "A1", 0, log::removed{}}, "as rendered");
    record.add("a.example", {samples::at(0), qmgr, "A1", 0, log::removed{}}, "");
    EXPECT_EQ(query(record, "SELECT id, line FROM log"), "1|as rendered\n");
}

TEST(database, the_far_end_may_be_done_before_the_near_end_hears_of_it) {
    database record;
    const speaker a(into(record), "a.example"), b(into(record), "b.example");
    a(0, "postfix/pickup", 1, "A1", log::picked_up{0, "x@a.example", ""});
    a(1, "postfix/cleanup", 1, "A1", log::message_id_seen{"<1@a>", false});
    b(2, "postfix/smtpd", 2, "B1", log::client_assigned{{"a.example", "10.0.0.1"}, ""}, 9);
    b(3, "postfix/cleanup", 2, "B1", log::message_id_seen{"<1@a>", false});
    b(4, "postfix/qmgr", 3, "B1", log::became_active{"x@a.example", 9, 1});
    b(5, "postfix/local", 4, "B1",
      samples::delivery({"y@b.example", "local", {2, 4, 4, 4, 5}, "delivered to mailbox"}));
    b(5, "postfix/qmgr", 3, "B1", log::removed{});
    // The reply says nothing of a queue id: the connection is all there is.
    a(9, "postfix/smtp", 5, "A1",
      samples::delivery({"y@b.example", "b.example[10.0.0.2]:25", {0, 1, 1, 2, 9}, "250 thanks"}), 9);
    EXPECT_EQ(query(record, "SELECT queue_id, next_host, next_queue_id FROM route"), "A1|b.example|B1\n");
}

TEST(database, without_connections_the_queue_id_in_the_reply_links) {
    database record;
    record.add_host("b.example", "10.0.0.2");
    const speaker a(into(record), "a.example"), b(into(record), "b.example");
    a(0, "postfix/pickup", 1, "A1", log::picked_up{0, "x@a.example", ""});
    b(2, "postfix/smtpd", 2, "", log::connected{{"a.example", "10.0.0.1"}});
    b(2, "postfix/smtpd", 2, "A1", log::client_assigned{{"a.example", "10.0.0.1"}, ""});  // same id, another host
    a(9, "postfix/smtp", 5, "A1",
      samples::delivery({"y@b.example", "mx.b.example[10.0.0.2]:25", {0, 1, 1, 2, 9}, "250 2.0.0 Ok: queued as A1"}));
    EXPECT_EQ(query(record, "SELECT host, queue_id, next_host, next_queue_id, next_address FROM route"),
              "a.example|A1|b.example|A1|10.0.0.2\n");
    EXPECT_EQ(query(record, "SELECT link FROM hops"), "queue id\n");
}

TEST(database, recipients_of_one_transaction_share_a_hop_and_those_of_two_do_not) {
    database record;
    const speaker a(into(record), "a.example"), b(into(record), "b.example");
    a(0, "postfix/pickup", 1, "A1", log::picked_up{0, "x@a.example", ""});
    const log::peer client{"a.example", "10.0.0.1"};
    b(2, "postfix/smtpd", 2, "B1", log::client_assigned{client, ""}, 9);
    b(3, "postfix/smtpd", 2, "B2", log::client_assigned{client, ""}, 9);
    const auto sent = [&](const char* recipient, std::int64_t started, const char* reply) {
        a(9, "postfix/smtp", 5, "A1",
          samples::delivery({recipient, "b.example[10.0.0.2]:25", {0, 1, started, 2, 9}, reply}), 9);
    };
    sent("1@b.example", 1, "250 2.0.0 Ok: queued as B1");
    sent("2@b.example", 1, "250 2.0.0 Ok: queued as B1");
    sent("3@b.example", 2, "250 2.0.0 Ok: queued as B2");
    EXPECT_EQ(query(record, "SELECT queue_id, next_queue_id FROM route"), "A1|B1\nA1|B2\n");
    EXPECT_EQ(query(record, "SELECT hop FROM deliveries"), "1\n1\n2\n");
}

TEST(database, a_hop_beyond_the_lab_keeps_the_address) {
    database record;
    const speaker a(into(record), "a.example");
    a(0, "postfix/pickup", 1, "A1", log::picked_up{0, "x@a.example", ""});
    a(9, "postfix/smtp", 5, "A1", samples::delivery({"y@b.example", "mx[203.0.113.9]:2525", {0, 1, 1, 2, 9}, "250 ok"}),
      9);
    a(9, "postfix/smtp", 5, "A1",
      samples::delivery({"z@b.example", "mx[203.0.113.9]:2525", {0, 1, 1, 2, 9}, "450 no", "deferred", "4.0.0"}), 9);
    EXPECT_EQ(query(record, "SELECT kind, next_address, next_message FROM hops"), "smtp|203.0.113.9|\n");
    EXPECT_EQ(query(record, "SELECT recipient, relay_port, hop FROM deliveries"),
              "y@b.example|2525|1\nz@b.example|2525|\n");
}

TEST(database, a_filter_may_give_the_message_back_late_but_not_an_hour_later) {
    database record;
    const speaker a(into(record), "a.example");
    const auto pass_filter = [&](std::int64_t when, const char* id) {
        a(when, "postfix/pickup", 1, id, log::picked_up{0, "x@a.example", ""});
        a(when, "postfix/cleanup", 1, id, log::message_id_seen{"<1@a>", false});
        a(when, "postfix/pipe", 2, id,
          samples::delivery({"y@b.example", "scan", {when, when, when, when, when}, "delivered via scan service"}));
        a(when, "postfix/qmgr", 2, id, log::removed{});
    };
    pass_filter(0, "A1");
    a(2'000'000, "postfix/pickup", 1, "A2", log::picked_up{65534, "x@a.example", ""});
    a(2'000'000, "postfix/cleanup", 1, "A2", log::message_id_seen{"<1@a>", false});
    EXPECT_EQ(query(record, "SELECT kind, queue_id, next_queue_id FROM route"), "filter|A1|A2\n");
    pass_filter(3'000'000, "A3");
    a(3'600'000'000, "postfix/pickup", 1, "A4", log::picked_up{65534, "x@a.example", ""});
    a(3'600'000'000, "postfix/cleanup", 1, "A4", log::message_id_seen{"<1@a>", false});
    EXPECT_EQ(query(record, "SELECT count(*) FROM hops"), "1\n");
}

TEST(database, notices_forwards_and_requeues_are_hops_on_one_host) {
    database record;
    const speaker a(into(record), "a.example");
    a(0, "postfix/pickup", 1, "A1", log::picked_up{0, "x@a.example", ""});
    a(1, "postfix/cleanup", 2, "F1", log::message_id_seen{"<1@a>", false});
    a(1, "postfix/local", 3, "A1", samples::delivery({"list@a.example", "local", {0, 0, 0, 0, 1}, "forwarded as F1"}));
    a(2, "postfix/cleanup", 2, "N1", log::message_id_seen{"<n@a>", false});
    a(2, "postfix/bounce", 4, "A1", log::notification{"sender non-delivery", "N1"});
    a(3, "postfix/pickup", 1, "R1", log::picked_up{102, "x@a.example", "A1"});
    EXPECT_EQ(query(record, "SELECT kind, queue_id, next_queue_id FROM route"),
              "forward|A1|F1\nnotice|A1|N1\nrequeue|A1|R1\n");
    EXPECT_EQ(query(record, "SELECT notice FROM hops WHERE kind = 'notice'"), "sender non-delivery\n");
    EXPECT_EQ(query(record, "SELECT queue_id, origin FROM messages"),
              "A1|submitted\nF1|internal\nN1|internal\nR1|submitted\n");
}

TEST(database, a_queue_id_that_is_used_again_is_another_message) {
    database record;
    const speaker a(into(record), "a.example");
    for (int i = 0; i < 2; ++i) {
        a(i, "postfix/cleanup", 2, "A1", log::message_id_seen{"<1@a>", false});
        a(i, "postfix/qmgr", 2, "A1", log::became_active{"", 9, 1});
        a(i, "postfix/qmgr", 2, "A1", log::removed{});
    }
    EXPECT_EQ(query(record, "SELECT count(*) FROM messages WHERE ended = 'removed'"), "2\n");
}

TEST(database, mail_that_was_begun_and_never_finished_is_not_in_the_queue) {
    database record;
    const speaker a(into(record), "a.example");
    const log::peer client{"c.example", "10.0.0.3"};
    a(0, "postfix/smtpd", 2, "", log::connected{client}, 5);
    a(1, "postfix/smtpd", 2, "A1", log::client_assigned{client, ""}, 5);
    a(2, "postfix/smtpd", 2, "", log::connection_broken{true, "RCPT", client}, 5);
    a(3, "postfix/smtpd", 2, "", log::disconnected{client, {}}, 5);
    EXPECT_EQ(query(record, "SELECT queue_id, ended FROM messages"), "A1|abandoned\n");
    EXPECT_EQ(query(record, "SELECT count(*) FROM queued"), "0\n");
    EXPECT_EQ(query(record, "SELECT ended FROM sessions"), "timeout after RCPT\n");
}

TEST(database, processes_without_connection_numbers_serve_one_client_after_another) {
    database record;
    const speaker a(into(record), "a.example");
    for (const char* name : {"one", "two"}) {
        a(0, "postfix/smtpd", 2, "", log::connected{{name, "10.0.0.3"}});
        a(1, "postfix/smtpd", 2, "", log::disconnected{{name, "10.0.0.3"}, {}});
    }
    EXPECT_EQ(query(record, "SELECT peer_name, ended FROM sessions"), "one|disconnect\ntwo|disconnect\n");
}

TEST(database, hostile_text_stays_text) {
    database record;
    const speaker a(into(record), "a.example");
    a(0, "postfix/smtpd", 2, "", log::command{false, std::string_view("EHLO \0'\xff\"\n", 10), "501 '"}, 5);
    a(0, "postfix/smtpd", 2, "", log::remark{log::level::info, "\xff\x01\"\\"});
    EXPECT_EQ(query(record, "SELECT line, reply FROM commands"), "EHLO \xef\xbf\xbd'\xef\xbf\xbd\"\n|501 '\n");
    EXPECT_EQ(query(record, "SELECT fields, json_valid(fields) FROM events"),
              "{\"severity\":0,\"text\":\"\\ufffd\\u0001\\\"\\\\\"}|1\n");
}

TEST(database, refusals_and_outcomes_have_views) {
    database record;
    const speaker a(into(record), "a.example");
    a(0, "postfix/smtpd", 2, "NOQUEUE", log::verdict{"reject", "RCPT", {"c", "10.0.0.3"}, "554 5.7.1 no", "to=<a@b>"},
      5);
    a(1, "postfix/smtp", 2, "A1", samples::delivery({"y@b", "none", {0, 0, 0, 0, 1}, "later", "deferred", "4.4.1"}));
    a(2, "postfix/smtp", 2, "A1", samples::delivery({"y@b", "none", {0, 0, 0, 0, 2}, "no", "bounced", "5.4.1"}));
    EXPECT_EQ(query(record, "SELECT stage, address, text, context FROM refusals"),
              "RCPT|10.0.0.3|554 5.7.1 no|to=<a@b>\n");
    EXPECT_EQ(query(record, "SELECT recipient, status, attempts FROM outcomes"), "y@b|bounced|2\n");
}

TEST_F(database_file, dumps_of_two_runs_are_the_same_file) {
    const auto write = [&](const char* name) {
        database record = database::create(path(name));
        samples::play_seed_chain([&](std::string_view host, const log::entry& entry) { record.add(host, entry); });
        record.close();
        std::ifstream in(path(name), std::ios::binary);
        return std::string(std::istreambuf_iterator<char>(in), {});
    };
    const std::string first = write("one.db");
    EXPECT_GT(first.size(), 20'000u);
    EXPECT_EQ(first, write("two.db"));
}

TEST_F(database_file, an_earlier_record_is_replaced_and_read_again) {
    for (int i = 0; i < 2; ++i) {
        database record = database::create(path("run.db"));
        const speaker a(into(record), "a.example");
        a(0, "postfix/qmgr", 2, "A1", log::became_active{"", 9, 1});
        record.close();
    }
    const database record = database::open(path("run.db"));
    EXPECT_EQ(query(record, "SELECT count(*) FROM messages"), "1\n");
}

TEST_F(database_file, a_file_of_somebody_else_is_not_replaced) {
    std::ofstream(path("letter.txt")) << "Dear all, this is not a database and nobody wants it gone.";
    EXPECT_EQ(
        failure([&] { database::create(path("letter.txt")); }),
        path("letter.txt") + ": is no record of relaylab, so it is not replaced; choose another name or remove it");
    EXPECT_TRUE(std::filesystem::file_size(path("letter.txt")) > 50);
    sqlite3* other = nullptr;
    sqlite3_open(path("other.db").c_str(), &other);
    sqlite3_exec(other, "CREATE TABLE t (x)", nullptr, nullptr, nullptr);
    sqlite3_close(other);
    EXPECT_NE(failure([&] { database::create(path("other.db")); }), "");
    EXPECT_EQ(failure([&] { database::open(path("other.db")); }),
              path("other.db") + ": is an SQLite database, but no record of relaylab");
}

TEST_F(database_file, a_path_that_cannot_be_is_an_error_with_advice) {
    EXPECT_EQ(failure([&] { database::create(path("no/such/folder/run.db")); }),
              path("no/such/folder/run.db") +
                  ": cannot create the record: unable to open database file; see that its folder "
                  "exists and may be written to");
    EXPECT_NE(failure([&] { database::open(path("absent.db")); }).find("there is no such file"), std::string::npos);
    std::ofstream(path("letter.txt")) << std::string(5000, 'x');
    EXPECT_NE(failure([&] { database::open(path("letter.txt")); }).find("no whole SQLite database"), std::string::npos);
}

TEST_F(database_file, a_full_disk_is_reported_and_stays_reported) {
    database record = database::create(path("run.db"));
    query(record, "PRAGMA max_page_count = 40");
    const speaker a(into(record), "a.example");
    const std::string much(4000, 'x');
    const auto fill = [&] {
        for (int i = 0; i < 200; ++i) a(i, "postfix/smtpd", 2, "", log::remark{log::level::info, much});
        record.commit();
    };
    const std::string first = failure(fill);
    EXPECT_NE(first.find("cannot write the record: database or disk is full; make room on that disk"),
              std::string::npos)
        << first;
    EXPECT_EQ(failure([&] { record.commit(); }), first);
    EXPECT_EQ(failure([&] { record.close(); }), first);
    EXPECT_EQ(failure(fill), first);
}

}  // namespace
}  // namespace sim::record
