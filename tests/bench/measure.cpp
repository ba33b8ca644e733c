#include "tests/bench/measure.hpp"

#include <malloc.h>
#include <time.h>

#include <chrono>

namespace bench {
namespace {

double cpu_now() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

}  // namespace

spent time_of(const std::function<void()>& work) {
    const auto wall = std::chrono::steady_clock::now();
    const double cpu = cpu_now();
    work();
    spent result;
    result.cpu_seconds = cpu_now() - cpu;
    result.wall_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - wall).count();
    return result;
}

std::size_t heap_in_use() {
    const auto info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

}  // namespace bench
