// sim/network/authority.hpp - the lab's certificate authority: "CN=lab CA", and a certificate for each host that asks.
//
// EC P-256, valid for 30 days from the start of virtual time. Everything follows from the seed: keys, serial numbers
// and signatures of each name depend on the seed and that name alone, not on who asked first. Nothing is made until it
// is asked for, so that a lab without TLS pays nothing. Throws std::runtime_error when OpenSSL fails (out of memory).
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "mta/async/scheduler.hpp"

namespace sim::network {

struct certificate {
    std::string key_pem;
    std::string certificate_pem;
    // The text of a *_tls_chain_files file: key first.
    std::string chain_file() const { return key_pem + certificate_pem; }
};

enum class signed_by : std::uint8_t { authority, itself };

class authority {
  public:
    authority(std::uint64_t seed, mta::time_point valid_from);
    authority(const authority&) = delete;
    authority& operator=(const authority&) = delete;
    ~authority();

    // "CN=lab CA", signed by itself; the text of a CAfile. Made at the first call, as all of them.
    const std::string& certificate_pem();
    // CN=`name` and subjectAltName DNS:`name`. The reference holds as long as the authority.
    const certificate& certificate_of(std::string_view name, signed_by issuer = signed_by::authority);

  private:
    struct native;
    const native& own();

    std::uint64_t seed_;
    mta::time_point valid_from_;
    std::unique_ptr<native> own_;
    std::string certificate_pem_;
    std::map<std::string, certificate, std::less<>> issued_;
};

}  // namespace sim::network
