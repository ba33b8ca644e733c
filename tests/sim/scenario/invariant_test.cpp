#include "sim/scenario/invariant.hpp"

#include <gtest/gtest.h>

#include <map>

namespace sim::scenario {
namespace {

namespace log = mta::maillog;

// Writes a log as the daemons would.
class conserved : public testing::Test {
  protected:
    conserved() {
        mail.add_host("a.test", {"192.0.2.1"});
        mail.add_host("b.test", {"192.0.2.2"});
    }
    void say(std::string_view host, std::string_view daemon, std::string_view id, log::event what, int pid = 1) {
        const log::process by{"postfix/" + std::string(daemon), pid};
        mail.add(host, log::entry{{}, by, id, 0, std::move(what)});
    }
    void client(std::string_view id, std::string_view host = "a.test") {
        say(host, "smtpd", id, log::client_assigned{{"pc", "192.0.2.9"}, ""});
        say(host, "cleanup", id, log::message_id_seen{"<1@pc>", false});
    }
    void answered(std::string_view reply, bool at_client = false) {
        say("a.test", "smtpd", "", log::command{at_client, ".", reply});
    }
    void pickup(std::string_view id, std::string_view original = "", unsigned uid = 0) {
        say("a.test", "pickup", id, log::picked_up{uid, "s@a.test", original});
        say("a.test", "cleanup", id, log::message_id_seen{"<2@a.test>", false});
    }
    void active(std::string_view id, std::size_t recipients, std::string_view host = "a.test") {
        say(host, "qmgr", id, log::became_active{"s@a.test", 100, recipients});
    }
    void end(std::string_view id, std::string_view to, std::string_view status = "sent",
             std::string_view text = "250 ok", std::string_view daemon = "smtp",
             std::string_view relay = "x[203.0.113.1]:25", std::string_view original = "") {
        log::delivery d;
        d.recipient = to;
        d.original_recipient = original;
        d.relay = relay;
        d.dsn = "2.0.0";
        d.status = status;
        d.text = text;
        say("a.test", daemon, id, d);
    }
    void removed(std::string_view id, std::string_view daemon = "qmgr") { say("a.test", daemon, id, log::removed{}); }
    void waits(std::string_view id, mta::queue::name where, std::vector<std::pair<std::string, bool>> recipients,
               std::string_view host = "a.test", unsigned uid = 0) {
        auto file = std::make_shared<mta::queue::queue_file>();
        file->id = id;
        file->where = where;
        file->uid = uid;
        for (auto& [address, done] : recipients) {
            mta::queue::recipient one;
            one.address = address;
            one.done = done;
            file->recipients.push_back(one);
        }
        queues[std::string(host)].push_back(std::move(file));
    }
    std::vector<std::string> found() {
        for (const auto& [host, files] : queues) mail.add_queue(host, files);
        std::vector<std::string> result;
        for (const auto& each : mail.violations()) result.push_back(to_string(each));
        return result;
    }
    using list = std::vector<std::string>;
    conservation mail;
    std::map<std::string, std::vector<mta::queue::message>> queues;
};

TEST_F(conserved, a_message_that_is_sent_and_removed) {
    client("A1");
    answered("250 2.0.0 Ok: queued as A1");
    active("A1", 2);
    end("A1", "x@t");
    end("A1", "y@t", "deferred");
    active("A1", 2);
    end("A1", "y@t", "bounced");
    removed("A1");
    EXPECT_EQ(found(), list{});
}

TEST_F(conserved, a_message_that_vanishes_after_its_250) {
    client("A1");
    answered("250 2.0.0 Ok: 12 bytes queued as A1");
    EXPECT_EQ(found(), list{"a.test: A1: the message was accepted, and never heard of again"});
}

TEST_F(conserved, a_message_that_vanishes_after_pickup_or_within_the_mail_system) {
    pickup("A1");
    say("a.test", "cleanup", "A2", log::message_id_seen{"<3@a.test>", false});
    EXPECT_EQ(found(), (list{"a.test: A1: the message was accepted, and never heard of again",
                             "a.test: A2: the message was accepted, and never heard of again"}));
}

TEST_F(conserved, a_message_that_was_never_accepted_may_go) {
    client("A1");
    answered("250 2.0.0 Ok: queued as A1", true);
    answered("451 4.3.0 not queued as A1");
    answered("354 go ahead");
    EXPECT_EQ(found(), list{});
}

TEST_F(conserved, an_active_message_that_is_neither_removed_nor_queued) {
    pickup("A1");
    active("A1", 1);
    end("A1", "x@t", "deferred");
    EXPECT_EQ(found(), list{"a.test: A1: the message is in no queue, though nothing says that it was removed"});
}

TEST_F(conserved, a_deferred_message_waits) {
    pickup("A1");
    active("A1", 2);
    end("A1", "x@t", "deferred");
    end("A1", "y@t");
    waits("A1", mta::queue::name::deferred, {{"x@t", false}, {"y@t", true}});
    pickup("A2");
    waits("A2", mta::queue::name::hold, {{"x@t", false}});
    EXPECT_EQ(found(), list{});
}

TEST_F(conserved, a_recipient_that_is_lost) {
    pickup("A1");
    active("A1", 3);
    end("A1", "x@t");
    end("A1", "y@t", "deferred");
    removed("A1");
    EXPECT_EQ(found(), list{"a.test: A1: 2 of 3 recipients came to no end before the message was removed"});
}

TEST_F(conserved, a_recipient_that_ends_twice) {
    pickup("A1");
    active("A1", 1);
    end("A1", "x@t");
    end("A1", "x@t", "bounced");
    removed("A1");
    EXPECT_EQ(found(), list{"a.test: A1: 1 recipient came to 2 ends: x@t to 2"});
}

TEST_F(conserved, more_recipients_than_there_were) {
    pickup("A1");
    active("A1", 1);
    end("A1", "x@t");
    end("A1", "y@t");
    removed("A1");
    EXPECT_EQ(found(), list{"a.test: A1: 1 recipient came to 2 ends"});
}

TEST_F(conserved, lines_after_the_end) {
    pickup("A1");
    active("A1", 1);
    end("A1", "x@t");
    removed("A1");
    active("A1", 1);
    EXPECT_EQ(found(), list{"a.test: A1: there are log lines of the message after it was removed"});
}

TEST_F(conserved, a_removed_message_that_is_still_there) {
    pickup("A1");
    active("A1", 1);
    end("A1", "x@t");
    removed("A1");
    waits("A1", mta::queue::name::deferred, {{"x@t", true}});
    EXPECT_EQ(found(), list{"a.test: A1: the message was removed and is still in the deferred queue"});
}

TEST_F(conserved, a_queue_that_says_something_else_than_the_log) {
    pickup("A1");
    active("A1", 2);
    end("A1", "X@t");
    waits("A1", mta::queue::name::deferred, {{"x@t", false}, {"y@t", false}});
    pickup("A2");
    active("A2", 2);
    end("A2", "x@t");
    waits("A2", mta::queue::name::deferred, {{"x@t", true}, {"y@t", true}});
    EXPECT_EQ(found(), (list{"a.test: A1: x@t came to an end and still waits in the deferred queue",
                             "a.test: A2: 2 recipients marked as done in the deferred queue, with 1 end in the log",
                             "a.test: A2: all recipients are done and the message is still in the deferred queue"}));
}

TEST_F(conserved, a_message_that_owes_its_sender_a_notice) {
    pickup("A1");
    active("A1", 1);
    end("A1", "x@t", "bounced");
    waits("A1", mta::queue::name::deferred, {{"x@t", true}});
    queues["a.test"].back()->bounces.emplace_back();
    EXPECT_EQ(found(), list{});
}

TEST_F(conserved, the_same_address_twice_in_one_message) {
    pickup("A1");
    active("A1", 2);
    end("A1", "x@t", "sent", "250 ok", "smtp", "x[203.0.113.1]:25", "one@t");
    waits("A1", mta::queue::name::deferred, {{"x@t", true}, {"x@t", false}});
    EXPECT_EQ(found(), list{});
}

TEST_F(conserved, an_expired_message_is_returned) {
    pickup("A1");
    active("A1", 2);
    end("A1", "x@t", "deferred");
    say("a.test", "qmgr", "A1", log::expired{"s@a.test", false});
    removed("A1");
    EXPECT_EQ(found(), list{});
    pickup("A2");
    active("A2", 1);
    say("a.test", "qmgr", "A2", log::expired{"s@a.test", false});
    waits("A2", mta::queue::name::deferred, {{"x@t", false}});
    EXPECT_EQ(found(), list{"a.test: A2: the message was returned as expired and is still in the deferred queue"});
}

TEST_F(conserved, a_message_that_a_rule_discards) {
    client("A1");
    say("a.test", "cleanup", "A1", log::verdict{"discard", "header", {"pc", "192.0.2.9"}, "Subject: x", ""});
    answered("250 2.0.0 Ok: queued as A1");
    // smtpd decides before there is an id.
    say("a.test", "smtpd", "NOQUEUE", log::verdict{"discard", "RCPT", {"pc", "192.0.2.9"}, "x", ""}, 7);
    say("a.test", "smtpd", "A2", log::client_assigned{{"pc", "192.0.2.9"}, ""}, 7);
    answered("250 2.0.0 Ok: queued as A2");
    EXPECT_EQ(found(), list{});
    waits("A1", mta::queue::name::incoming, {{"x@t", false}});
    EXPECT_EQ(found(), list{"a.test: A1: the message was discarded and is still in the incoming queue"});
}

// smtpd says so for the first recipient, before the queue file has a name.
TEST_F(conserved, a_redirected_message_has_one_end) {
    say("a.test", "smtpd", "NOQUEUE", log::verdict{"redirect", "RCPT", {"pc", "192.0.2.9"}, "x", ""});
    client("A1");
    active("A1", 2);
    end("A1", "elsewhere@c.test");
    removed("A1");
    EXPECT_EQ(found(), list{});
    say("a.test", "smtpd", "NOQUEUE", log::verdict{"redirect", "RCPT", {"pc", "192.0.2.9"}, "x", ""}, 7);
    say("a.test", "smtpd", "", log::disconnected{{"pc", "192.0.2.9"}, {}}, 7);
    say("a.test", "smtpd", "A2", log::client_assigned{{"pc", "192.0.2.9"}, ""}, 7);
    active("A2", 2);
    end("A2", "elsewhere@c.test");
    removed("A2");
    EXPECT_EQ(found().size(), 1u);
}

TEST_F(conserved, a_discard_is_for_its_own_session) {
    say("a.test", "smtpd", "NOQUEUE", log::verdict{"discard", "RCPT", {"pc", "192.0.2.9"}, "x", ""}, 7);
    say("a.test", "smtpd", "", log::disconnected{{"pc", "192.0.2.9"}, {}}, 7);
    say("a.test", "smtpd", "A1", log::client_assigned{{"pc", "192.0.2.9"}, ""}, 7);
    answered("250 2.0.0 Ok: queued as A1");
    EXPECT_EQ(found(), list{"a.test: A1: the message was accepted, and never heard of again"});
}

TEST_F(conserved, a_message_that_cleanup_rejects) {
    pickup("A1");
    say("a.test", "cleanup", "A1", log::verdict{"reject", "header", {"localhost", "127.0.0.1"}, "Subject: x", ""});
    end("A1", "x@t", "bounced", "no spam", "cleanup", "none");
    pickup("A2");
    say("a.test", "smtpd", "A2", log::verdict{"reject", "RCPT", {"pc", "192.0.2.9"}, "554", ""});
    EXPECT_EQ(found(), list{"a.test: A2: the message was accepted, and never heard of again"});
}

TEST_F(conserved, a_message_that_stays_in_the_maildrop_as_cleanup_failed) {
    pickup("A1");
    say("a.test", "pickup", "",
        log::remark{log::level::warning, "maildrop/B2: error writing A1: queue file write error"});
    pickup("A3");
    say("a.test", "cleanup", "A3", log::remark{log::level::warning, "virtual_alias_maps map lookup problem"});
    pickup("A4");
    say("a.test", "cleanup", "A4", log::remark{log::level::info, "A4: nothing"});
    say("a.test", "smtpd", "A4", log::remark{log::level::warning, "nothing"});
    waits("B2", mta::queue::name::maildrop, {{"x@t", false}});
    EXPECT_EQ(found(), list{"a.test: A4: the message was accepted, and never heard of again"});
}

TEST_F(conserved, what_the_operator_deletes_and_requeues) {
    pickup("A1");
    active("A1", 1);
    removed("A1", "postsuper");
    pickup("A2");
    active("A2", 2);
    end("A2", "x@t");
    pickup("A3", "A2", 102);
    active("A3", 1);
    end("A3", "y@t");
    removed("A3");
    pickup("A4");
    active("A4", 1);
    waits("A4", mta::queue::name::maildrop, {{"x@t", false}});
    EXPECT_EQ(found(), list{});
}

TEST_F(conserved, a_message_that_is_both_removed_and_requeued) {
    pickup("A1");
    active("A1", 1);
    end("A1", "x@t");
    removed("A1");
    pickup("A2", "A1", 102);
    waits("A2", mta::queue::name::incoming, {{"x@t", false}});
    EXPECT_EQ(found(), list{"a.test: A1: there are log lines of the message after it was removed"});
}

TEST_F(conserved, an_id_that_comes_again) {
    pickup("A1");
    active("A1", 2);
    end("A1", "x@t");
    removed("A1");
    pickup("A1");
    active("A1", 1);
    end("A1", "x@t");
    removed("A1");
    EXPECT_EQ(found(), list{"a.test: A1: 1 of 2 recipients came to no end before the message was removed"});
}

TEST_F(conserved, aliases_that_local_expands) {
    pickup("A1");
    active("A1", 2);
    end("A1", "u@a.test", "sent", "delivered to mailbox", "local", "local", "list@a.test");
    end("A1", "v@a.test", "sent", "delivered to mailbox", "local", "local", "list@a.test");
    end("A1", "list@a.test", "sent", "forwarded as A2", "local", "local");
    end("A1", "x@t");
    removed("A1");
    say("a.test", "cleanup", "A2", log::message_id_seen{"<2@a.test>", false});
    waits("A2", mta::queue::name::incoming, {{"far@t", false}});
    EXPECT_EQ(found(), list{});
}

TEST_F(conserved, a_forwarded_message_that_was_never_queued) {
    pickup("A1");
    active("A1", 1);
    end("A1", "list@a.test", "sent", "forwarded as A2", "local", "local");
    removed("A1");
    EXPECT_EQ(found(), list{"a.test: A1: list@a.test was relayed to a.test as A2, which that host knows nothing of"});
}

TEST_F(conserved, names_of_an_alias_that_another_agent_delivers) {
    pickup("A1");
    active("A1", 1);
    say("a.test", "local", "A1", log::remark{log::level::info, "passing <u@a.test> to transport=smtp"});
    end("A1", "u@a.test");
    end("A1", "v@a.test");
    removed("A1");
    EXPECT_EQ(found(), list{});
}

TEST_F(conserved, what_is_relayed_must_arrive) {
    client("B1", "b.test");
    active("B1", 1, "b.test");
    waits("B1", mta::queue::name::active, {{"x@t", false}}, "b.test");
    client("B2", "b.test");
    pickup("A1");
    active("A1", 4);
    end("A1", "w@t", "sent", "250 2.0.0 Ok: queued as C9", "smtp", "elsewhere[203.0.113.1]:25");
    end("A1", "x@t", "sent", "250 2.0.0 Ok: queued as B1", "smtp", "b.test[192.0.2.2]:25");
    end("A1", "y@t", "sent", "250 2.0.0 Ok: queued as B2", "smtp", "b.test[192.0.2.2]:25");
    end("A1", "z@t", "sent", "250 2.0.0 Ok: queued as B3", "smtp", "127.0.0.1[127.0.0.1]:10025");
    removed("A1");
    EXPECT_EQ(found(), (list{"a.test: A1: y@t was relayed to b.test as B2, which that host knows nothing of",
                             "a.test: A1: z@t was relayed to a.test as B3, which that host knows nothing of"}));
}

TEST_F(conserved, a_notice_that_is_announced_must_be_queued) {
    pickup("A1");
    active("A1", 1);
    end("A1", "x@t", "bounced");
    say("a.test", "cleanup", "A2", log::message_id_seen{"<n@a.test>", false});
    say("a.test", "bounce", "A1", log::notification{"sender non-delivery", "A2"});
    say("a.test", "bounce", "A1", log::notification{"sender delay", "A3"});
    say("a.test", "bounce", "A1", log::notification{"postmaster non-delivery", "A4"});
    removed("A1");
    active("A2", 1);
    end("A2", "s@a.test", "bounced");
    removed("A2");
    waits("A4", mta::queue::name::incoming, {{"postmaster@a.test", false}});
    EXPECT_EQ(found(), list{"a.test: A1: the notice A3 was announced, and never queued"});
}

TEST_F(conserved, what_filters_give_back_must_be_picked_up) {
    pickup("A1");
    active("A1", 1);
    end("A1", "x@t", "sent", "delivered via spam service", "pipe", "spam");
    removed("A1");
    mail.add_handed_back("a.test", 65534);
    mail.add_handed_back("a.test", 65534);
    pickup("A2", "", 65534);
    waits("A2", mta::queue::name::incoming, {{"x@t", false}});
    EXPECT_EQ(found(), list{"a.test: content filters gave 2 messages back, and 1 came to the queue"});
    waits("B1", mta::queue::name::maildrop, {{"x@t", false}}, "a.test", 65534);
    EXPECT_EQ(found(), list{});
}

TEST_F(conserved, nothing_at_all) {
    say("a.test", "smtpd", "NOQUEUE", log::verdict{"reject", "RCPT", {"pc", "192.0.2.9"}, "554", ""});
    say("a.test", "smtpd", "", log::connected{{"pc", "192.0.2.9"}});
    EXPECT_EQ(found(), list{});
}

}  // namespace
}  // namespace sim::scenario
