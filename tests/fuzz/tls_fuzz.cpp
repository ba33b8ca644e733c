// Invariant: whatever a peer sends in a handshake, an end of a TLS session answers, waits or fails for good; it neither
// crashes nor piles up output.
#include <cstdlib>
#include <memory>
#include <vector>

#include "mta/tls/engine.hpp"

namespace {

using mta::tls::engine;

class fixed final : public mta::random_source {
  public:
    std::uint64_t next() override { return state_ = state_ * 6364136223846793005u + 1442695040888963407u; }

  private:
    std::uint64_t state_ = 1;
};

std::shared_ptr<const mta::tls::context> make(mta::tls::side which) {
    mta::tls::context_settings settings;
    settings.side = which;
    std::vector<mta::tls::log_line> problems;
    return mta::tls::context::make(settings, problems);
}

template <class Options>
void play(const std::shared_ptr<const mta::tls::context>& with, std::string_view input) {
    fixed random;
    engine end(with, Options("peer", mta::time_point{}, mta::never, random));
    auto how = end.handshake();
    // The first byte of each piece says how long it is.
    while (how == engine::outcome::want_input && !input.empty()) {
        const auto part = input.substr(1, static_cast<unsigned char>(input[0]) + 1u);
        input.remove_prefix(part.size() + 1);
        end.feed(part);
        how = end.handshake();
        if (end.take_output().size() > 100000) std::abort();
    }
    char plain[100];
    std::size_t count = 0;
    if (how == engine::outcome::failed && end.read(plain, count) != engine::outcome::failed) std::abort();
    end.close();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto server = make(mta::tls::side::server), client = make(mta::tls::side::client);
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    play<mta::tls::accept_options>(server, input);
    play<mta::tls::connect_options>(client, input);
    return 0;
}
