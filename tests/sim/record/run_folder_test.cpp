#include "sim/record/run_folder.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "tests/support/scratch_folder.hpp"

namespace sim::record {
namespace {

namespace fs = std::filesystem;

class run_folders : public testing::Test {
  protected:
    std::string read(const char* path) const {
        std::ifstream in(root_ / path, std::ios::binary);
        return in ? std::string(std::istreambuf_iterator<char>(in), {}) : std::string("(no file)");
    }
    std::size_t entries() const {
        return static_cast<std::size_t>(std::distance(fs::directory_iterator(root_.path()), {}));
    }
    static std::string failure(const auto& work) {
        try {
            work();
        } catch (const record_error& error) {
            return error.what();
        }
        return {};
    }
    const tests::scratch_folder root_;
};

TEST_F(run_folders, every_result_has_its_file) {
    run_folder folder(root_ / "out");
    std::ofstream(folder.staging() / "run.db") << "database";
    folder.finish({{{"mail.york.cc", "log\n", {{"kimchen", "From a\n"}, {"../../escape", "x"}}, "{}\n", true},
                    {"mx.slow.example", "", {{"received", "From b\n"}}, "", false}},
                   {"S: 220\n", "S: 221\n"}});
    EXPECT_EQ(read("out/mail.york.cc/maillog"), "log\n");
    EXPECT_EQ(read("out/mail.york.cc/mbox/kimchen"), "From a\n");
    EXPECT_EQ(read("out/mail.york.cc/mbox/.._.._escape"), "x");
    EXPECT_EQ(read("out/mail.york.cc/queue.json"), "{}\n");
    EXPECT_EQ(read("out/mx.slow.example/mbox/received"), "From b\n");
    EXPECT_EQ(read("out/mx.slow.example/maillog"), "(no file)");
    EXPECT_EQ(read("out/dialogues/01.txt"), "S: 220\n");
    EXPECT_EQ(read("out/dialogues/02.txt"), "S: 221\n");
    EXPECT_EQ(read("out/run.db"), "database");
    EXPECT_EQ(entries(), 1u);
}

TEST_F(run_folders, a_run_folder_is_replaced_whole) {
    run_folder(root_ / "out").finish({{{"old.example", "log\n", {}, "", true}}, {}});
    run_folder(root_ / "out").finish({{{"new.example", "log\n", {}, "", true}}, {}});
    EXPECT_FALSE(fs::exists(root_ / "out/old.example"));
    EXPECT_TRUE(fs::exists(root_ / "out/new.example/maillog"));
    EXPECT_EQ(entries(), 1u);
}

TEST_F(run_folders, a_run_that_fails_leaves_the_earlier_one) {
    run_folder(root_ / "out").finish({{{"old.example", "log\n", {}, "", true}}, {}});
    {
        const run_folder unfinished(root_ / "out");
    }
    EXPECT_EQ(read("out/old.example/maillog"), "log\n");
    EXPECT_EQ(entries(), 1u);
}

TEST_F(run_folders, what_is_not_ours_is_refused_at_once) {
    fs::create_directories(root_ / "letters");
    std::ofstream(root_ / "letters/dear") << "x";
    EXPECT_EQ(failure([&] { run_folder folder(root_ / "letters"); }),
              (root_ / "letters").string() +
                  ": is not empty and no run folder of relaylab, so it is not replaced; name a new "
                  "folder, or remove this one first");
    EXPECT_NE(failure([&] { run_folder folder(root_ / "letters/dear"); }).find("is no folder"), std::string::npos);
    EXPECT_NE(failure([&] { run_folder folder(root_ / "letters/dear/out"); }).find("cannot make the folder"),
              std::string::npos);
    fs::create_directories(root_ / "out.partial");
    EXPECT_NE(failure([&] { run_folder folder(root_ / "out"); }).find("is in the way"), std::string::npos);
    EXPECT_EQ(read("letters/dear"), "x");
    EXPECT_EQ(failure([&] { run_folder folder(fs::path("")); }), "the run folder has no name");
}

TEST_F(run_folders, an_empty_folder_and_a_slash_at_the_end_are_fine) {
    fs::create_directories(root_ / "out");
    run_folder((root_ / "out").string() + "/").finish({{{"a.example", "log\n", {}, "", true}}, {}});
    EXPECT_EQ(read("out/a.example/maillog"), "log\n");
}

TEST(run_folder, a_maildir_is_one_mbox_file) {
    const std::vector<std::string> messages = {"A: 1\n\nx\n", "B: 2\n\ny\n"};
    EXPECT_EQ(maildir_as_mbox(messages),
              "From MAILDIR  Thu Jan  1 00:00:00 1970\nA: 1\n\nx\n\n"
              "From MAILDIR  Thu Jan  1 00:00:00 1970\nB: 2\n\ny\n\n");
}

TEST(run_folder, the_queue_is_listed_as_postqueue_lists_it) {
    const auto file = [](const char* id, mta::queue::name where) {
        auto made = std::make_shared<mta::queue::queue_file>();
        made->id = id;
        made->where = where;
        made->arrived = mta::time_point(std::chrono::milliseconds(1'795'183'688'999));
        made->size = 347;
        made->sender = "harriet@out.filters.example";
        return made;
    };
    auto deferred = file("26AFAA72009", mta::queue::name::deferred);
    deferred->recipients.resize(3);
    deferred->recipients[0].address = "a@second.test";
    deferred->recipients[0].delay = std::make_shared<const mta::queue::delivery_status>(
        "4.7.1", "host mx said: 450 4.7.1 \"greylisted\"\n(in reply to RCPT TO command)");
    deferred->recipients[1].address = "done@second.test";
    deferred->recipients[1].done = true;
    deferred->recipients[2].address = "b@second.test";
    auto held = file("AAAA", mta::queue::name::hold);
    held->sender.clear();
    held->forced_expired = true;
    auto maildrop = file("ZZZZ", mta::queue::name::maildrop);
    const std::vector<mta::queue::message> files = {held, deferred, maildrop, file("CC", mta::queue::name::corrupt)};
    const std::string first =
        R"({"queue_name": "maildrop", "queue_id": "ZZZZ", "arrival_time": 1795183688, )"
        R"("message_size": 347, "forced_expire": false, "sender": "harriet@out.filters.example", )"
        R"("recipients": []})";
    const std::string second =
        R"({"queue_name": "deferred", "queue_id": "26AFAA72009", "arrival_time": 1795183688, )"
        R"("message_size": 347, "forced_expire": false, "sender": "harriet@out.filters.example", )"
        R"("recipients": [{"address": "a@second.test", "delay_reason": "host mx said: 450 4.7.1 )"
        R"j(\"greylisted\"?(in reply to RCPT TO command)"}, {"address": "b@second.test"}]})j";
    const std::string third =
        R"({"queue_name": "hold", "queue_id": "AAAA", "arrival_time": 1795183688, )"
        R"("message_size": 347, "forced_expire": true, "sender": "MAILER-DAEMON", "recipients": []})";
    EXPECT_EQ(queue_json(files), first + "\n" + second + "\n" + third + "\n");
}

}  // namespace
}  // namespace sim::record
