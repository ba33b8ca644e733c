#include "sim/lab/verdict_matrix.hpp"

#include <gtest/gtest.h>

#include "mta/config/problem.hpp"

namespace sim::lab {
namespace {

TEST(verdict_matrix, columns_in_their_own_order_without_a_header) {
    const auto rows =
        read_matrix("# comment\n\n192.0.2.1,helo,a@b,c@d\r\n192.0.2.2,h,<>,\"x,\"\"y\"\"@d\",kim,defer\n", "f");
    ASSERT_EQ(rows.size(), 2u);
    EXPECT_EQ(rows[0].line, 3u);
    EXPECT_EQ(rows[0].recipient, "c@d");
    EXPECT_EQ(rows[1].recipient, "x,\"y\"@d");
    EXPECT_EQ(rows[1].login, "kim");
    EXPECT_EQ(rows[1].expect, "defer");
}

TEST(verdict_matrix, a_header_names_them) {
    const auto rows = read_matrix("recipient, Sender,client,expect\nc@d,a@b,192.0.2.1,accept", "f");
    ASSERT_EQ(rows.size(), 1u);
    EXPECT_EQ(rows[0].sender, "a@b");
    EXPECT_EQ(rows[0].client, "192.0.2.1");
    EXPECT_EQ(rows[0].expect, "accept");
}

TEST(verdict_matrix, a_mistake_has_its_line) {
    for (const auto& [text, line] :
         {std::pair{"client,nonsense\n", 1u}, {"a,b,c,d\n\na,b\n", 3u}, {"a,b,c,d,e,f,g\n", 1u}}) {
        try {
            read_matrix(text, "f");
            ADD_FAILURE() << text;
        } catch (const mta::config::fatal& error) {
            EXPECT_EQ(error.where().line, line) << text;
        }
    }
}

TEST(verdict_matrix, expectations) {
    EXPECT_TRUE(meets("250 2.1.5 Ok", false, ""));
    EXPECT_TRUE(meets("250 2.1.5 Ok", false, "accept"));
    EXPECT_FALSE(meets("554 5.7.1 no", true, "accept"));
    EXPECT_TRUE(meets("554 5.7.1 no", true, "reject"));
    EXPECT_FALSE(meets("454 4.7.1 no", true, "reject"));
    EXPECT_TRUE(meets("454 4.7.1 no", true, "defer"));
    EXPECT_TRUE(meets("554 5.7.1 <a@b>: no", true, "554 5.7.1 *"));
    EXPECT_FALSE(meets("554 5.7.1 <a@b>: no", true, "554 5.7.1"));
}

}  // namespace
}  // namespace sim::lab
