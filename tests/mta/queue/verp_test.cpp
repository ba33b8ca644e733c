#include "mta/queue/verp.hpp"

#include <gtest/gtest.h>

#include "mta/queue/queue_file.hpp"

namespace mta::queue {
namespace {

TEST(verp, the_sender_names_the_recipient) {
    EXPECT_EQ(verp_sender("+=", "list@a.example", "joe@b.example"), "list+joe=b.example@a.example");
    EXPECT_EQ(verp_sender("-#", "list@a.example", "joe"), "list-joe@a.example");
    EXPECT_EQ(verp_sender("+=", "list", "\"a@b\"@c.example"), "list+\"a@b\"=c.example");
}

TEST(verp, the_first_name_of_a_recipient_counts) {
    queue_file file;
    file.sender = "list@a.example";
    file.verp_delimiters = "+=";
    EXPECT_TRUE(is_verp(file));
    EXPECT_EQ(verp_sender(file, "alias@b.example", "joe@b.example"), "list+alias=b.example@a.example");
    EXPECT_EQ(verp_sender(file, "", "joe@b.example"), "list+joe=b.example@a.example");
    file.sender.clear();
    EXPECT_FALSE(is_verp(file));
}

}  // namespace
}  // namespace mta::queue
