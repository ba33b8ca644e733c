// tests/sim/lab/chain.hpp - a virtual lab that a test drives by hand, without a player: start, submit, let time pass,
// look.
#pragma once
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mta/master/mail_system.hpp"
#include "mta/text/strings.hpp"
#include "sim/lab/virtual_lab.hpp"
#include "sim/topology/loader.hpp"

namespace sim::lab {

// smtp.6circles.cc hands all to mail.ohio.cc, which relays to the MX of york.cc.
inline constexpr std::string_view chain_topology = R"(
network: {subnet: 192.168.137.0/24, latency: 1ms}
zones:
  york.cc: |
    @ IN MX 10 mail.york.cc.
hosts:
  smtp.6circles.cc:
    address: 192.168.137.4
    mailboxes: [zibi]
    postfix: {relayhost: "[mail.ohio.cc]", mydestination: "$myhostname, 6circles.cc"}
  mail.ohio.cc:
    address: 192.168.137.5
    postfix: {mynetworks: 192.168.137.0/24}
  mail.york.cc:
    address: 192.168.137.6
    mailboxes: [kim, tom]
    postfix: {mydestination: "$myhostname, york.cc"}
)";
inline constexpr std::string_view chain_hosts[] = {"smtp.6circles.cc", "mail.ohio.cc", "mail.york.cc"};

inline topology::topology load_or_fail(std::string_view text) {
    auto loaded = topology::load_text(text, "test.yaml");
    std::string all;
    for (const auto& each : loaded.problems) all += to_string(each) + "\n";
    EXPECT_TRUE(loaded.ok()) << all;
    if (!loaded.ok()) throw std::runtime_error(all);
    return std::move(*loaded.value);
}

inline std::size_t count_in(std::string_view text, std::string_view what) {
    std::size_t count = 0;
    for (std::size_t at = 0; (at = text.find(what, at)) != std::string_view::npos; at += what.size()) ++count;
    return count;
}

class world {
  public:
    explicit world(std::string_view text, std::uint64_t seed = 1, bool database = false) : what_(load_or_fail(text)) {
        options how;
        how.seed = seed;
        how.record.database = database;
        lab_ = std::make_unique<virtual_lab>(what_, how);
        began_ = loop().now();
    }
    virtual_lab& lab() { return *lab_; }
    event_loop& loop() { return lab_->loop(); }
    mta::master::mail_system& system(std::string_view host) { return lab_->mail_system(host); }
    void start_all() {
        for (const auto& each : what_.hosts) system(each.name).start();
    }
    void run(mta::duration more) { loop().run_until(loop().now() + more); }
    mta::duration passed() { return loop().now() - began_; }
    void submit(std::string_view host, std::vector<std::string> to, std::string body = "Subject: s\n\nbody\n",
                std::string from = "zibi@6circles.cc") {
        mta::master::submission message;
        message.sender = std::move(from);
        message.recipients = std::move(to);
        message.content = std::move(body);
        system(host).submit(std::move(message));
    }
    std::string log(std::string_view host) { return lab_->recorder().log_of(host)->text(); }
    std::string mbox(std::string_view host, std::string_view user) {
        for (const auto& each : lab_->mailboxes_of(host)) {
            if (each.user == user) return each.text;
        }
        return {};
    }
    std::size_t delivered(std::string_view host, std::string_view user) {
        return count_in("\n" + mbox(host, user), "\nFrom ");
    }
    // Ids of the spool, with the queue's first letter before each.
    std::string queue(std::string_view host) {
        std::string out;
        for (const auto& each : lab_->machine(host).queue_files().all()) {
            out += std::string(to_string(each->where)).substr(0, 1) + ":" + each->id + " ";
        }
        return out;
    }
    std::string violations() {
        std::string out;
        for (const auto& each : lab_->violations()) out += to_string(each) + "\n";
        return out;
    }
    // Everything that a user can see of it.
    std::string all_logs_and_mail() {
        std::string out;
        for (const auto& each : what_.hosts) {
            out += log(each.name);
            for (const auto& box : lab_->mailboxes_of(each.name)) out += box.user + ":\n" + box.text;
            out += queue(each.name) + "\n";
        }
        return out;
    }

  private:
    topology::topology what_;
    std::unique_ptr<virtual_lab> lab_;
    mta::time_point began_{};
};

}  // namespace sim::lab
