#include "mta/tls/trust_anchors.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <climits>
#include <memory>

namespace mta::tls {
namespace {

struct free_with {
    void operator()(BIO* p) const { BIO_free(p); }
    void operator()(char* p) const { OPENSSL_free(p); }
    void operator()(unsigned char* p) const { OPENSSL_free(p); }
};
template <class T>
using owned = std::unique_ptr<T, free_with>;

constexpr std::size_t most_records = 1000;

// A certificate may be the server's own or that of who signed it, and so may a key: a record for each, of all of it.
// Whether the bytes are what they are said to be is the handshake's to find out.
bool add_object(std::vector<tlsa_record>& to, std::string_view name, std::string_view der) {
    const bool is_certificate = name == PEM_STRING_X509 || name == PEM_STRING_X509_OLD;
    if (!is_certificate && name != PEM_STRING_PUBLIC) return false;
    const std::uint8_t selector = is_certificate ? 0 : 1;
    for (const std::uint8_t usage : {std::uint8_t{3}, std::uint8_t{2}})
        to.push_back({usage, selector, 0, std::string(der)});
    return true;
}

}  // namespace

trust_anchors read_trust_anchors(std::string_view pem) {
    trust_anchors result;
    if (pem.size() > INT_MAX) return result;
    const owned<BIO> input(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    ERR_clear_error();
    result.good = input != nullptr;
    while (result.good && result.records.size() < most_records) {
        char* name = nullptr;
        char* header = nullptr;
        unsigned char* data = nullptr;
        long size = 0;
        if (PEM_read_bio(input.get(), &name, &header, &data, &size) != 1) break;
        const owned<char> kept_name(name), kept_header(header);
        const owned<unsigned char> kept_data(data);
        const std::string_view der(reinterpret_cast<const char*>(data), static_cast<std::size_t>(size));
        result.good = add_object(result.records, name, der);
    }
    // The end of the file is found by looking for one more.
    const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    result.good = result.good && !result.records.empty() && (at_end || result.records.size() >= most_records);
    ERR_clear_error();
    return result;
}

}  // namespace mta::tls
