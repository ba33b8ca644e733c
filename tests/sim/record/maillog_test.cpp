#include "sim/record/maillog.hpp"

#include <gtest/gtest.h>

#include <map>

#include "tests/sim/record/seed_chain.hpp"

namespace sim::record {
namespace {

TEST(maillog, the_seed_chain_reads_as_postfix_logged_it) {
    std::map<std::string, maillog, std::less<>> logs;
    samples::play_seed_chain([&](std::string_view host, const mta::maillog::entry& entry) {
        auto found = logs.find(host);
        if (found == logs.end()) found = logs.emplace(std::string(host), maillog(std::string(host))).first;
        found->second.add(entry);
    });
    ASSERT_EQ(logs.size(), 3u);
    for (const auto& [host, log] : logs) EXPECT_EQ(log.text(), samples::seed_chain_log(host)) << host;
    EXPECT_EQ(logs.find("mail.ohio.cc")->second.lines(), 9u);
}

TEST(maillog, a_line_is_printed_as_it_is_logged) {
    maillog log("mail.ohio.cc");
    std::string printed;
    log.print_with([&](std::string_view host, std::string_view line) { ((printed += host) += " | ") += line; });
    const mta::maillog::process qmgr{"postfix/qmgr", 7};
    const std::string_view line = log.add({samples::at(0), qmgr, "A1", 0, mta::maillog::removed{}});
    EXPECT_EQ(line, "Nov 20 14:28:06 mail postfix/qmgr[7]: A1: removed");
    EXPECT_EQ(printed, "mail.ohio.cc | Nov 20 14:28:06 mail postfix/qmgr[7]: A1: removed");
}

TEST(maillog, what_postfix_does_not_log_leaves_no_line) {
    maillog log("mail.ohio.cc");
    const mta::maillog::process smtpd{"postfix/smtpd", 7};
    EXPECT_EQ(log.add({samples::at(0), smtpd, "", 1, mta::maillog::command{false, "NOOP", "250 Ok"}}), "");
    EXPECT_EQ(log.add({samples::at(0), smtpd, "", 1, samples::tls(false, "a[192.0.2.1]")}), "");
    EXPECT_EQ(log.text(), "");
    EXPECT_EQ(log.lines(), 0u);
}

TEST(maillog, the_stamp_follows_the_time_and_the_zone) {
    maillog log("mail.ohio.cc", {90, "+0130"});
    const mta::maillog::process qmgr{"postfix/qmgr", 7};
    using namespace std::chrono_literals;
    log.add({samples::at(999'999), qmgr, "A1", 0, mta::maillog::removed{}});
    log.add({samples::at(1'000'000), qmgr, "A2", 0, mta::maillog::removed{}});
    log.add({mta::time_point{} - 1ns, qmgr, "A3", 0, mta::maillog::removed{}});
    EXPECT_EQ(log.text(),
              "Nov 20 15:58:06 mail postfix/qmgr[7]: A1: removed\n"
              "Nov 20 15:58:07 mail postfix/qmgr[7]: A2: removed\n"
              "Jan  1 01:29:59 mail postfix/qmgr[7]: A3: removed\n");
}

}  // namespace
}  // namespace sim::record
