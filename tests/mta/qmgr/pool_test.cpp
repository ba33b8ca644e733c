#include "mta/qmgr/pool.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <vector>

namespace mta::qmgr {
namespace {

struct counted {
    int& alive;
    int value;
    counted(int& count, int what) : alive(count), value(what) {
        if (what < 0) throw std::runtime_error("no such value");
        ++alive;
    }
    ~counted() { --alive; }
    counted(const counted&) = delete;
    counted& operator=(const counted&) = delete;
};

TEST(pool, objects_stay_where_they_are_while_others_come_and_go) {
    int alive = 0;
    pool<counted> room;
    std::vector<counted*> made;
    for (int i = 0; i < 1000; ++i) made.push_back(&room.make(alive, i));
    for (int i = 0; i < 1000; i += 2) room.destroy(*made[static_cast<std::size_t>(i)]);
    EXPECT_EQ(alive, 500);
    for (int i = 0; i < 1000; i += 2) made[static_cast<std::size_t>(i)] = &room.make(alive, i);
    for (int i = 0; i < 1000; ++i) EXPECT_EQ(made[static_cast<std::size_t>(i)]->value, i);
    for (counted* each : made) room.destroy(*each);
    EXPECT_EQ(alive, 0);
}

TEST(pool, what_is_given_back_is_the_next_room_that_is_taken) {
    int alive = 0;
    pool<counted> room;
    counted& first = room.make(alive, 1);
    const void* const place = &first;
    room.destroy(first);
    counted& second = room.make(alive, 2);
    EXPECT_EQ(&second, place);
    room.destroy(second);
}

TEST(pool, a_handle_gives_its_object_back) {
    int alive = 0;
    pool<counted> room;
    counted& made = room.make(alive, 1);
    {
        const auto held = room.hold(made);
        EXPECT_EQ(held->value, 1);
    }
    EXPECT_EQ(alive, 0);
}

TEST(pool, a_constructor_that_throws_takes_no_room) {
    int alive = 0;
    pool<counted> room;
    EXPECT_THROW(room.make(alive, -1), std::runtime_error);
    counted& first = room.make(alive, 1);
    counted& second = room.make(alive, 2);
    EXPECT_EQ(first.value + second.value, 3);
    room.destroy(first);
    room.destroy(second);
}

}  // namespace
}  // namespace mta::qmgr
