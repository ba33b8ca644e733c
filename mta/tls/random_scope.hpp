// mta/tls/random_scope.hpp - OpenSSL's random numbers, drawn from the world that is running.
//
// OpenSSL knows one random method for the whole process. Ours asks the random_source that the innermost random_scope of
// this thread names, and the system's own generator where there is none: worlds on several threads, and code that has
// nothing to do with the lab, never see each other. docs/decisions/tls.md says why this way.
#pragma once
#include <array>
#include <cstdint>

#include "mta/random.hpp"

namespace mta::tls {

// While it lives, OpenSSL calls of this thread draw from `source`. Scopes nest; they must not span a co_await.
class random_scope {
  public:
    explicit random_scope(random_source& source);
    random_scope(const random_scope&) = delete;
    random_scope& operator=(const random_scope&) = delete;
    ~random_scope();

  private:
    random_source* outer_;
};

// A generator of one connection's or key's own, so that what one of them draws moves no other: it takes exactly four
// numbers from `seeds`. SFC64 (Doty-Humphrey, PractRand).
class own_random final : public random_source {
  public:
    explicit own_random(random_source& seeds);
    std::uint64_t next() override;

  private:
    std::array<std::uint64_t, 4> state_;
};

}  // namespace mta::tls
