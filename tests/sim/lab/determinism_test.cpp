// Worlds do not see each other, and a seed is all that a run depends on.
#include <thread>

#include "tests/sim/lab/chain.hpp"

namespace sim::lab {
namespace {

using namespace std::chrono_literals;

void begin(world& w) {
    w.start_all();
    w.submit("smtp.6circles.cc", {"kim@york.cc", "tom@york.cc"});
    w.submit("smtp.6circles.cc", {"ghost@york.cc"});
}

struct trail {
    std::uint64_t digest = 0;
    std::string seen;
    bool operator==(const trail&) const = default;
};
trail end(world& w) {
    w.run(24h);
    return {w.loop().digest(), w.all_logs_and_mail()};
}
trail alone(std::uint64_t seed) {
    world w(chain_topology, seed);
    begin(w);
    return end(w);
}

TEST(determinism, the_same_seed_gives_the_same_run) {
    const trail first = alone(7);
    EXPECT_EQ(first, alone(7));
    EXPECT_NE(first.seen.find("status=sent (delivered to mailbox)"), std::string::npos);
    EXPECT_NE(first.seen.find("status=bounced"), std::string::npos);
}

TEST(determinism, another_seed_gives_other_ids_and_the_same_outcome) {
    world a(chain_topology, 7), b(chain_topology, 8);
    for (world* each : {&a, &b}) begin(*each);
    const trail one = end(a), other = end(b);
    EXPECT_NE(one.digest, other.digest);
    EXPECT_NE(one.seen, other.seen);
    for (const char* user : {"kim", "tom"}) {
        EXPECT_EQ(a.delivered("mail.york.cc", user), 1U);
        EXPECT_EQ(b.delivered("mail.york.cc", user), 1U);
    }
    for (const std::string_view host : chain_hosts) {
        for (const char* what : {"status=sent", "status=bounced", "status=deferred", "removed", "connect from"}) {
            EXPECT_EQ(count_in(a.log(host), what), count_in(b.log(host), what)) << host << " " << what;
        }
    }
}

TEST(determinism, two_worlds_in_one_process_do_not_see_each_other) {
    const trail first = alone(7), second = alone(8);
    world a(chain_topology, 7), b(chain_topology, 8);
    begin(a);
    begin(b);
    for (int i = 0; i < 300; ++i) {
        a.run(1ms);
        b.run(3ms);
    }
    EXPECT_EQ(end(b), second);
    EXPECT_EQ(end(a), first);
}

TEST(determinism, two_worlds_on_two_threads_do_not_see_each_other) {
    const trail first = alone(7), second = alone(8);
    trail on_thread[2];
    std::thread one([&] { on_thread[0] = alone(7); });
    std::thread other([&] { on_thread[1] = alone(8); });
    one.join();
    other.join();
    EXPECT_EQ(on_thread[0], first);
    EXPECT_EQ(on_thread[1], second);
}

// Cutting time into slices changes nothing.
TEST(determinism, how_time_is_cut_does_not_matter) {
    const trail whole = alone(7);
    for (const mta::duration slice : {1ms, 7ms, 333ms}) {
        world w(chain_topology, 7);
        begin(w);
        while (w.passed() < 2s) w.run(slice);
        EXPECT_EQ(end(w), whole);
    }
}

}  // namespace
}  // namespace sim::lab
