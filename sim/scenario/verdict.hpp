// sim/scenario/verdict.hpp - whether an expectation held, and if not, what came nearest to it.
//
// A pure function of the expectation and the evidence. Addresses and host names are compared without case.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "sim/scenario/evidence.hpp"
#include "sim/scenario/expectation.hpp"

namespace sim::scenario {

struct verdict {
    topology::position at;
    bool held = false;
    std::string expected;  // the expectation in words: "delivered to kimchen@york.cc by hops a, b"
    std::string found;     // "2 deliveries, not 1"; what fitted when it held
    std::string nearest;   // of a failed one: "delivered to kimchen@york.cc, but by hops a, c", or ""; one line
};

verdict judge(const expectation& claim, const evidence& facts);
std::vector<verdict> judge_all(std::span<const expectation> claims, const evidence& facts);
// "file:line:column: expected ...: found ...; nearest: ...", or "... held".
std::string to_string(const verdict& v);

}  // namespace sim::scenario
