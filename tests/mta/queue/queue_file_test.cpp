#include "mta/queue/queue_file.hpp"

#include <gtest/gtest.h>

namespace mta::queue {
namespace {

using namespace std::chrono_literals;

constexpr time_point at(std::int64_t seconds, std::int64_t microseconds) {
    return time_point(std::chrono::seconds(seconds) + std::chrono::microseconds(microseconds));
}

TEST(queue_id, short_is_microseconds_and_inode_in_hex) {
    EXPECT_EQ(short_id(at(1795183200, 0x71c50), 0x98c832), "71C5098C832") << "as Postfix had it";
    EXPECT_EQ(short_id(at(1795183200, 0), 0x98c832), "0000098C832");
    EXPECT_EQ(short_id(at(1795183200, 999'999), 1), "F423F1");
    EXPECT_EQ(short_id(at(1, 1), 0), "000010");
}

// mail_queue.h: six digits of seconds and four of microseconds in base 52, "z", the inode in base 51.
TEST(queue_id, long_is_in_base_52_and_51_without_vowels) {
    EXPECT_EQ(long_id(at(0, 0), 0), "0000000000z0");
    EXPECT_EQ(long_id(at(51, 51), 50), "00000z000zzy");
    EXPECT_EQ(long_id(at(52, 52), 51), "0000100010z10");
    const std::string id = long_id(at(1795183200, 123'456), 9'999'999);
    EXPECT_EQ(id.size(), 6 + 4 + 1 + 5U);
    EXPECT_EQ(id.find_first_of("AEIOUaeiou"), std::string::npos);
    EXPECT_EQ(id.find('z', 11), std::string::npos) << "the separator is the last z";
}

TEST(queue_id, long_ids_sort_by_time) {
    std::string last;
    for (std::int64_t seconds = 1; seconds < 9'000'000'000; seconds = seconds * 7 + 1) {
        const std::string id = long_id(at(seconds, 5), 1);
        if (id.size() == 12) {
            EXPECT_LT(last, id);
            last = id;
        }
    }
    EXPECT_FALSE(last.empty());
}

TEST(queue_file, is_done_when_every_recipient_is) {
    queue_file file;
    EXPECT_TRUE(file.all_done());
    file.recipients.resize(2);
    file.recipients[0].done = true;
    EXPECT_FALSE(file.all_done());
    file.recipients[1].done = true;
    EXPECT_TRUE(file.all_done());
}

TEST(queue_name, is_the_directory) {
    constexpr std::pair<name, std::string_view> names[] = {{name::maildrop, "maildrop"}, {name::incoming, "incoming"},
                                                           {name::active, "active"},     {name::deferred, "deferred"},
                                                           {name::hold, "hold"},         {name::corrupt, "corrupt"}};
    for (const auto& [value, text] : names) EXPECT_EQ(to_string(value), text);
}

}  // namespace
}  // namespace mta::queue
