#include "mta/config/parameter_table.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <memory>
#include <string>

#include "mta/text/strings.hpp"

namespace mta::config {
namespace {

TEST(parameter_table, finds_every_row_and_no_stranger) {
    for (const auto& row : parameter_table()) EXPECT_EQ(find_parameter(row.name), &row);
    EXPECT_EQ(find_parameter(""), nullptr);
    EXPECT_EQ(find_parameter("myhostnam"), nullptr);
    EXPECT_EQ(find_parameter("zzz"), nullptr);
}

TEST(parameter_table, types_units_and_ranges) {
    const auto* const timeout = find_parameter("smtpd_timeout");
    EXPECT_EQ(timeout->kind, type::time);
    EXPECT_EQ(timeout->unit, 's');
    EXPECT_EQ(timeout->minimum, 1);
    EXPECT_EQ(find_parameter("maximal_queue_lifetime")->unit, 'd');
    EXPECT_EQ(find_parameter("delay_warning_time")->unit, 'h');
    EXPECT_EQ(find_parameter("message_size_limit")->kind, type::long_integer);
    EXPECT_EQ(find_parameter("smtpd_hard_error_limit")->kind, type::nint);
    EXPECT_EQ(find_parameter("default_rbl_reply")->kind, type::raw);
    EXPECT_EQ(find_parameter("smtp_per_request_deadline")->kind, type::nbool);
    EXPECT_EQ(find_parameter("unverified_sender_defer_code")->maximum, 499);
    for (const auto& row : parameter_table()) EXPECT_EQ(row.kind == type::time, row.unit != 0) << row.name;
}

TEST(parameter_table, transport_parameters_share_an_existing_base) {
    for (const auto& row : transport_parameter_table()) {
        EXPECT_NE(find_parameter(row.base), nullptr) << row.base;
        EXPECT_EQ(find_transport_parameter("foo" + std::string(row.suffix)), &row);
    }
    EXPECT_EQ(find_transport_parameter("local_destination_recipient_limit"), nullptr);  // a row of its own
    EXPECT_EQ(find_transport_parameter("_recipient_limit"), nullptr);
}

TEST(parameter_table, classes) {
    EXPECT_EQ(support_of("smtpd_recipient_restrictions"), support::simulated);
    EXPECT_EQ(support_of("command_directory"), support::without_meaning_in_a_lab);
    EXPECT_EQ(support_of("multi_instance_enable"), support::without_meaning_in_a_lab);
    EXPECT_EQ(support_of("multi_instance_name"), support::simulated);
    EXPECT_EQ(support_of("postscreen_upstream_proxy_protocol"), support::not_simulated);
}

std::string output_of(const char* command) {
    std::string out;
    const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command, "r"), pclose);
    std::array<char, 4096> buffer{};
    while (pipe && std::fgets(buffer.data(), buffer.size(), pipe.get())) out += buffer.data();
    return out;
}

TEST(parameter_table, defaults_are_those_of_an_installed_postfix) {
    if (output_of("postconf -h -d mail_version 2>/dev/null") != "3.7.11\n") GTEST_SKIP() << "no Postfix 3.7.11 here";
    const auto all = output_of("postconf -d 2>/dev/null");
    std::size_t seen = 0;
    for (const auto line : text::split(all, "\n")) {
        const auto name = line.substr(0, line.find(' '));
        const auto value = text::trimmed(line.substr(line.find('=') + 1));
        for (const auto machine :
             {"myhostname", "mydomain", "mynetworks", "process_id", "process_name", "service_name"}) {
            if (name == machine) seen += 1;
        }
        if (const auto* const row = find_parameter(name); row && row->default_text.empty()) {
            if (value.empty()) ++seen;
        } else if (row) {
            EXPECT_EQ(row->default_text, value) << name;
            ++seen;
        } else if (const auto* const derived = find_transport_parameter(name)) {
            EXPECT_EQ("$" + std::string(derived->base), value) << name;
        } else {
            ADD_FAILURE() << name << " is not in the table";
        }
    }
    // service_name is counted twice: as the machine's, and as empty.
    EXPECT_EQ(seen, parameter_table().size() + 1);
}

}  // namespace
}  // namespace mta::config
