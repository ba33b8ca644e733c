#include "sim/dns/cache.hpp"

#include <gtest/gtest.h>

namespace sim::dns {
namespace {

using namespace std::chrono_literals;
using mta::dns::question;
using mta::dns::record;
using mta::dns::record_type;
using mta::dns::response;
using mta::dns::status;

const cache::time_point start{std::chrono::seconds(1'700'000'000)};

record address(std::string owner, std::uint32_t ttl_s) {
    record made;
    made.owner = std::move(owner);
    made.ttl_s = ttl_s;
    made.address = "192.0.2.1";
    return made;
}

response positive(std::uint32_t ttl_s) {
    response made;
    made.state = status::ok;
    made.code = mta::dns::rcode::noerror;
    made.answers = {address("york.cc", ttl_s)};
    return made;
}

response absent(std::uint32_t ttl_s) {
    response made;
    made.state = status::nxdomain;
    made.code = mta::dns::rcode::nxdomain;
    made.negative_ttl_s = ttl_s;
    return made;
}

const question york{"york.cc", record_type::a};

TEST(cache, an_answer_lives_as_long_as_its_ttl_and_counts_down) {
    cache memory;
    memory.store(york, positive(60), start);
    EXPECT_EQ(memory.find({"York.CC.", record_type::a}, start + 59'999ms)->answers.at(0).ttl_s, 1u);
    EXPECT_FALSE(memory.find(york, start + 60s));
    EXPECT_FALSE(memory.find({"york.cc", record_type::mx}, start));
}

TEST(cache, the_shortest_ttl_of_a_chain_counts) {
    cache memory;
    auto chain = positive(600);
    chain.answers.push_back(address("alias.york.cc", 5));
    memory.store(york, chain, start);
    EXPECT_EQ(memory.find(york, start + 4s)->answers.at(0).ttl_s, 596u);
    EXPECT_FALSE(memory.find(york, start + 5s));
}

TEST(cache, absence_lives_by_the_soa_and_failure_not_at_all) {
    cache memory;
    memory.store(york, absent(30), start);
    EXPECT_EQ(memory.find(york, start + 10s)->negative_ttl_s, 20u);
    EXPECT_FALSE(memory.find(york, start + 30s));
    response failed;
    memory.store({"broken.example", record_type::mx}, failed, start);
    EXPECT_FALSE(memory.find({"broken.example", record_type::mx}, start));
}

TEST(cache, bounds_cut_long_ttls) {
    cache_bounds limits;
    limits.longest_ttl_s = 100;
    limits.longest_negative_ttl_s = 10;
    cache memory(limits);
    memory.store(york, positive(1'000'000), start);
    memory.store({"gone.cc", record_type::a}, absent(1'000'000), start);
    EXPECT_TRUE(memory.find(york, start + 99s));
    EXPECT_FALSE(memory.find(york, start + 100s));
    EXPECT_FALSE(memory.find({"gone.cc", record_type::a}, start + 10s));
}

TEST(cache, when_full_the_answer_nearest_its_end_goes_then_the_older) {
    cache_bounds limits;
    limits.limit = 2;
    cache memory(limits);
    const question a{"a.cc", record_type::a};
    const question b{"b.cc", record_type::a};
    const question c{"c.cc", record_type::a};
    memory.store(b, positive(60), start);
    memory.store(a, positive(30), start);
    memory.store(c, positive(60), start);
    EXPECT_FALSE(memory.find(a, start));
    memory.store(york, positive(60), start);
    EXPECT_FALSE(memory.find(b, start));
    EXPECT_TRUE(memory.find(c, start));
    EXPECT_EQ(memory.size(), 2u);
}

TEST(cache, a_new_answer_takes_the_place_of_the_old_even_when_it_may_not_be_kept) {
    cache memory;
    memory.store(york, positive(60), start);
    memory.store(york, positive(0), start);
    EXPECT_FALSE(memory.find(york, start));
    EXPECT_EQ(memory.size(), 0u);
}

}  // namespace
}  // namespace sim::dns
