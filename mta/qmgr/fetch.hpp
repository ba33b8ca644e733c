// mta/qmgr/fetch.hpp - what the next messages will need, asked of memory ahead of time.
//
// When ten thousand messages are tried in turn, nothing of a queue file is in the caches when its turn comes. Its parts
// are found one behind the other, so each is asked for a message earlier: the file of the third message from here, the
// recipients of the second, the addresses of the next. Hints alone: nothing is read or changed, which is why a call
// that is not inlined would be left out.
#pragma once
#include <cstddef>

#include "mta/queue/queue_file.hpp"

namespace mta::qmgr {

[[gnu::always_inline]] inline void fetch(const void* start, std::size_t bytes) {
    constexpr std::size_t cache_line = 64;
    for (std::size_t at = 0; at < bytes; at += cache_line) __builtin_prefetch(static_cast<const char*>(start) + at);
}

[[gnu::always_inline]] inline void fetch_file(const queue::queue_file& file) {
    // What the queue manager reads stands first.
    fetch(&file, offsetof(queue::queue_file, from));
}
[[gnu::always_inline]] inline void fetch_recipients(const queue::queue_file& file) {
    fetch(file.recipients.data(), sizeof(queue::recipient));
}
[[gnu::always_inline]] inline void fetch_addresses(const queue::queue_file& file) {
    if (file.recipients.empty()) return;
    fetch(file.recipients.front().address.data(), 1);
    fetch(file.recipients.front().original.data(), 1);
}

}  // namespace mta::qmgr
