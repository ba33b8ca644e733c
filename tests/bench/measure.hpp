// tests/bench/measure.hpp - time and memory of a piece of work, as the benchmarks report them.
#pragma once
#include <cstddef>
#include <functional>

namespace bench {

struct spent {
    double cpu_seconds = 0;  // of this thread: what other programs do does not count
    double wall_seconds = 0;
};

spent time_of(const std::function<void()>& work);

// Bytes that malloc(3) has given out and not taken back, its own headers included (mallinfo2).
std::size_t heap_in_use();

}  // namespace bench
