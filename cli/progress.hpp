// cli/progress.hpp - one line on standard error that says how far a long run is, and goes away when it is over.
//
// Nothing is shown within the first second, or when standard error is no terminal.
#pragma once
#include <chrono>
#include <string>

#include "mta/async/scheduler.hpp"

namespace cli {

class progress {
  public:
    enum class visibility : unsigned char { shown, hidden };
    // `what` is what is done: "playing".
    progress(std::string what, visibility how);
    ~progress();
    progress(const progress&) = delete;
    progress& operator=(const progress&) = delete;

    void begin(mta::time_point virtual_now);
    // Step k of n; k = n: all are done.
    void step(std::size_t k, std::size_t n);
    void tick(mta::time_point virtual_now);
    void clear();

  private:
    using wall_clock = std::chrono::steady_clock;
    std::string what_;
    bool visible_;
    bool on_screen_ = false;
    wall_clock::time_point next_;
    mta::time_point began_{};
    std::size_t step_ = 0, steps_ = 0;
};

// "2d 04:11:32", "04:11:32" or "3.250 s".
std::string elapsed_text(mta::duration time);

}  // namespace cli
