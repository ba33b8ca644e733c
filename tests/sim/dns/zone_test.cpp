#include "sim/dns/zone.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "sim/dns/server.hpp"
#include "tests/sim/dns/corpus.hpp"

namespace sim::dns {
namespace {

using mta::dns::record_type;

std::string data_of(const mta::dns::record& entry) {
    switch (entry.type) {
        case record_type::a:
        case record_type::aaaa:
            return entry.address;
        case record_type::mx:
            return fmt::format("{} {}", entry.preference, entry.target);
        case record_type::srv:
            return fmt::format("{} {} {} {}", entry.preference, entry.weight, entry.port, entry.target);
        case record_type::txt: {
            std::string text;
            for (const auto& part : entry.text) text += fmt::format("\"{}\"", part);
            return text;
        }
        case record_type::tlsa:
            return fmt::format("{} bytes", 3 + entry.tlsa.data.size());
        default:
            return entry.target;
    }
}

std::string render(const mta::dns::response& answer, bool sorted) {
    std::vector<std::string> rows;
    for (const auto& entry : answer.answers) {
        rows.push_back(fmt::format("{} {} {} {}", entry.owner.empty() ? "." : entry.owner, entry.ttl_s,
                                   name_of(entry.type), data_of(entry)));
    }
    if (sorted) corpus::sort_sets(rows);
    std::string line = corpus::code_name(static_cast<int>(answer.code));
    for (const auto& row : rows) line += "; " + row;
    if (answer.negative_ttl_s > 0) line += fmt::format("; negative {}", answer.negative_ttl_s);
    return line;
}

server corpus_server() {
    zone_plan plan;
    plan.server_address = "127.0.0.1";
    for (const auto& zone : corpus::zones()) plan.zones.push_back({std::string(zone.name), zone.text});
    server lab;
    for (const auto& complaint : lab.load(std::move(plan))) {
        if (complaint.zone == "broken.test") continue;
        EXPECT_EQ(complaint.level, severity::warning) << to_string(complaint);
    }
    return lab;
}

zone_source source_of(std::string_view name, std::string text) {
    zone_plan plan;
    plan.server_address = "127.0.0.1";
    plan.zones.push_back({std::string(name), std::move(text)});
    return complete(plan).front();
}

// The complaints about a zone "york.cc" with this text, one a line.
std::string complaints_about(std::string text) {
    std::string all;
    for (const auto& complaint : zone::load(source_of("york.cc", std::move(text))).complaints) {
        all += to_string(complaint) + "\n";
    }
    return all;
}

TEST(zone, answers_as_bind_does) {
    const server lab = corpus_server();
    for (const auto& [name, type, answer] : corpus::questions()) {
        const auto got = lab.answer({std::string(name), *mta::dns::type_named(type)});
        EXPECT_EQ(render(got.response, true), answer) << name << " " << type;
    }
}

TEST(zone, loads_what_bind_loads) {
    for (const auto& [name, text, loads] : corpus::judgements()) {
        const auto loaded = zone::load(source_of(fmt::format("{}.test", name), text));
        EXPECT_EQ(loaded.contents != nullptr, loads) << name << "\n" << text;
        const bool error = std::any_of(loaded.complaints.begin(), loaded.complaints.end(),
                                       [](const diagnostic& one) { return one.level == severity::error; });
        EXPECT_EQ(error, !loads) << name;
    }
}

TEST(zone, records_of_a_set_keep_the_order_of_declaration) {
    const server lab = corpus_server();
    EXPECT_EQ(render(lab.answer({"a.test", record_type::mx}).response, false),
              "NOERROR; a.test 300 MX 20 second.a.test; a.test 300 MX 10 Mail.a.test");
}

TEST(zone, text_and_tlsa_data_arrive_whole) {
    const auto loaded =
        zone::load(source_of("york.cc", "@ IN TXT \"a b\" c\\032\\\"d\n_25._tcp IN TLSA 3 1 1 00ff10\n"));
    ASSERT_TRUE(loaded.contents);
    EXPECT_EQ(loaded.contents->find("york.cc", record_type::txt).records.at(0).text,
              (std::vector<std::string>{"a b", "c \"d"}));
    const auto tlsa = loaded.contents->find("_25._TCP.york.cc", record_type::tlsa).records.at(0).tlsa;
    EXPECT_EQ(tlsa, (mta::dns::tlsa_fields{3, 1, 1, std::string("\0\xff\x10", 3)}));
}

TEST(zone, errors_say_where_what_and_what_to_do) {
    EXPECT_EQ(complaints_about("@ IN A 192.0.2.1\n\nmail  IN MZ 10 x\n"),
              "york.cc:3:10: error: unknown record type MZ; did you mean MX?\n");
    EXPECT_EQ(complaints_about("mail IN A 192.0.2\n"),
              "york.cc:1:11: error: '192.0.2' is no IPv4 address; write four numbers from 0 to 255, as in 192.0.2.1\n");
    EXPECT_EQ(
        complaints_about("@ IN MX\n"),
        "york.cc:1:6: error: the record ends too early; a record is: name, TTL, IN, type, data; as in: @ 1h IN MX 10 "
        "mail\n");
    EXPECT_EQ(complaints_about("x CH A 192.0.2.1\n"),
              "york.cc:1:3: error: class CH is not what mail lives in; write IN, or nothing\n");
    EXPECT_EQ(complaints_about("; caf\xc3\xa9\ncaf\xc3\xa9 IN A 192.0.2.1 x\n"),
              "york.cc:2:22: error: 'x' is left over after the record; remove it, or put text in double quotes\n");
    EXPECT_EQ(complaints_about("$INCLUDE /etc/passwd\n"),
              "york.cc:1: error: $INCLUDE is refused: a zone may not read files; put the records here\n");
    EXPECT_EQ(
        complaints_about("@ IN TXT a\n$GENERATE 1-3 h$ A 192.0.2.$\n"),
        "york.cc:2:1: error: '$GENERATE' is no directive the lab knows; use $TTL and $ORIGIN; write what $GENERATE "
        "would make\n");
    EXPECT_EQ(complaints_about("@ IN A 192.0.2.1\n@ IN TXT ( a\n b\n"),
              "york.cc: error: a parenthesis is not closed; add ) after the record's last word\n");
}

TEST(zone, rules_between_records_name_the_line_that_broke_them) {
    EXPECT_EQ(
        complaints_about("mail IN CNAME x\nmail (\n IN A\n 192.0.2.1 )\n"),
        "york.cc:2: error: mail.york.cc has a CNAME and other data; remove the CNAME or the rest; a machine of the "
        "topology gets an A record unless it says a: false\n");
    EXPECT_EQ(
        complaints_about("ohio.cc. IN A 192.0.2.1\n"),
        "york.cc:1: warning: ohio.cc is not in the zone and is left out; put it into its own zone, or write it without "
        "the final dot to mean ohio.cc.york.cc\n");
    EXPECT_EQ(
        complaints_about("x 5 IN A 192.0.2.1\nx 6 IN A 192.0.2.2\n"),
        "york.cc:2: warning: x.york.cc A has two TTLs; 5, the first, counts; give all records of a name and type one "
        "TTL\n");
    EXPECT_EQ(complaints_about("@ IN MX 10 gone\n"),
              "york.cc:1: warning: MX gone.york.cc has no address in this zone; add an A record for it, or correct the "
              "name\n");
    EXPECT_EQ(complaints_about("x IN A 192.0.2.1 ; no SOA here\n").substr(0, 56),
              "york.cc:1: error: the record has no TTL, and none stands");
}

TEST(zone, an_error_in_what_the_lab_added_shows_the_line) {
    auto source = source_of("york.cc", "mail IN CNAME www\n");
    source.tail = {"mail.york.cc. IN A 192.0.2.1", "x.york.cc. IN A 192.0.2"};
    const auto complaints = zone::load(source).complaints;
    ASSERT_EQ(complaints.size(), 2u);
    EXPECT_EQ(complaints[0].message,
              "mail.york.cc has a CNAME and other data (in the lab's own line 'mail.york.cc. IN A 192.0.2.1')");
    EXPECT_EQ(to_string(complaints[1]).substr(0, 54), "york.cc: error: '192.0.2' is no IPv4 address (in the l");
}

TEST(zone, all_errors_of_a_text_are_shown_up_to_a_bound) {
    EXPECT_EQ(complaints_about("a IN A x\nb IN A 192.0.2.1\nc IN A y\n").find("york.cc:3:8"),
              complaints_about("a IN A x\n").size());
    std::string text;
    for (int i = 0; i < 5000; ++i) text += "a IN A x\n";
    EXPECT_LE(zone::load(source_of("york.cc", text)).complaints.size(), 51u);
}

TEST(zone, an_error_is_told_even_behind_many_warnings) {
    std::string text;
    for (int i = 0; i < 200; ++i) text += fmt::format("x{}.ohio.cc. IN A 192.0.2.1\n", i);
    const auto loaded = zone::load(source_of("york.cc", text + "a IN A x\n"));
    EXPECT_FALSE(loaded.contents);
    EXPECT_TRUE(std::any_of(loaded.complaints.begin(), loaded.complaints.end(),
                            [](const diagnostic& one) { return one.level == severity::error && one.line == 201; }));
}

TEST(zone, a_name_that_is_none_is_refused) {
    for (const std::string& name : {std::string("a..b"), std::string(), std::string("x\n$INCLUDE /etc/passwd"),
                                    std::string("a b"), std::string(64, 'a')}) {
        const auto loaded = zone::load(zone_source{name, "", "", {}, security::insecure});
        EXPECT_FALSE(loaded.contents) << name;
        EXPECT_EQ(loaded.complaints.size(), 1u) << name;
    }
}

TEST(zone, a_text_without_end_is_refused) {
    std::string text;
    while (text.size() <= 4u << 20) text += "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa IN TXT x\n";
    EXPECT_FALSE(zone::load(source_of("york.cc", text)).contents);
}

}  // namespace
}  // namespace sim::dns
