// mta/dns.hpp - what a mail system sees of the DNS: questions, records, answers, and Postfix's words for a failure.
//
// Values only: whoever implements the host's resolver fills them in, nothing here asks anybody. Names are kept without
// the final dot (the root is ""), in the case they were given in, and are compared without case; a dot or backslash
// inside a label, and a byte that does not print, stand escaped as in a master file (RFC 1035, 5.1; RFC 4343).
// Failure is a `status`, never an exception. The distinctions are those of res_query(3)'s h_errno, with which
// Postfix's dns_lookup(3) chooses between bouncing and deferring.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mta::dns {

enum class record_type : std::uint8_t { a, aaaa, mx, ns, cname, ptr, txt, soa, srv, tlsa };

std::string_view name_of(record_type type);                    // "MX"
std::uint16_t code_of(record_type type);                       // 15 (IANA)
std::optional<record_type> type_named(std::string_view name);  // any case
std::optional<record_type> type_of_code(std::uint16_t code);

struct tlsa_fields {  // RFC 6698, 2.1
    std::uint8_t usage = 0;
    std::uint8_t selector = 0;
    std::uint8_t matching = 0;
    std::string data;  // bytes, not hexadecimal
    bool operator==(const tlsa_fields&) const = default;
};

struct soa_fields {       // RFC 1035, 3.3.13; `record::target` is MNAME
    std::string mailbox;  // RNAME
    std::uint32_t serial = 0;
    std::uint32_t refresh_s = 0;
    std::uint32_t retry_s = 0;
    std::uint32_t expire_s = 0;
    std::uint32_t minimum_s = 0;
    bool operator==(const soa_fields&) const = default;
};

// One record; what its type has no use for stays empty.
struct record {
    std::string owner;
    record_type type = record_type::a;
    std::uint32_t ttl_s = 0;
    std::uint16_t preference = 0;   // MX; SRV's priority
    std::uint16_t weight = 0;       // SRV
    std::uint16_t port = 0;         // SRV
    std::string target;             // MX, NS, CNAME, PTR, SRV, SOA; "" is the root
    std::string address;            // A, AAAA, as inet_ntop(3) writes it
    std::vector<std::string> text;  // TXT, one entry a character-string
    tlsa_fields tlsa;
    soa_fields soa;
    bool operator==(const record&) const = default;
};

struct question {
    std::string name;
    record_type type = record_type::a;
    bool operator==(const question&) const = default;
};

enum class status : std::uint8_t {
    ok,            // records of the type, at the end of `answers`' CNAME chain if there is one
    nxdomain,      // HOST_NOT_FOUND
    nodata,        // NO_DATA: the name exists, the type does not (or not at the end of a chain)
    try_again,     // TRY_AGAIN: no answer in time, no way to a server, SERVFAIL, NOTIMP, REFUSED
    failure,       // NO_RECOVERY: FORMERR and the rarer codes, or a question that cannot be put on the wire
    malformed,     // the reply made no sense
    invalid_name,  // never asked: the question is no host or domain name
    null_mx,       // an MX whose target is the root: the domain takes no mail (RFC 7505)
    loop,          // more CNAMEs than dns_lookup(3) follows
    filtered,      // there were records, and a DNS reply filter ignored all of them
    bad_filter     // a DNS reply filter could not be asked, or said what is no action
};

// RFC 1035, 4.1.1: what the header of the reply says; `no_reply` when there was none.
enum class rcode : std::int8_t { no_reply = -1, noerror = 0, formerr, servfail, nxdomain, notimp, refused };

struct response {
    status state = status::try_again;
    dns::rcode code = dns::rcode::no_reply;
    std::vector<record> answers;       // the CNAME chain in order, then the records
    bool authenticated = false;        // the AD bit: every zone on the way is secure
    std::uint32_t negative_ttl_s = 0;  // of nxdomain and nodata (RFC 2308, 5)
    bool operator==(const response&) const = default;

    bool ok() const { return state == status::ok; }
    bool not_found() const { return state == status::nxdomain || state == status::nodata; }
};

// What glibc's stub resolver makes of a reply's code; `nodata` for NOERROR, to be mended when there are records.
status status_of(rcode code);

// The records of `type` in an answer, without its CNAMEs, in the order they came.
std::vector<record> records_of(const response& answer, record_type type);
// An MX has the root for a target. RFC 7505 wants it alone and of preference 0; Postfix asks for neither.
bool has_null_mx(const response& answer);

// h_errno's text as dns_strerror(3) has it: "Host not found, try again".
std::string_view text_of(status state);
// The reason Postfix logs and bounces with; "" for ok. `asked` is the question that failed (lookup::asked()).
std::string explain(const question& asked, status state);

// dns_lookup(3): a reply that ends in a CNAME without the records asked for is followed by asking for its target, up
// to ten questions. A machine without I/O:
//     lookup way(question{"york.cc", record_type::mx});
//     while (!way.done()) way.feed(<answer to way.asked()>);
//     way.result();
class lookup {
  public:
    explicit lookup(question first);
    bool done() const { return done_; }
    const question& asked() const { return asked_; }  // to ask now; when done, what the result is about
    void feed(response reply);
    const response& result() const { return result_; }

  private:
    question asked_;
    response result_;
    int questions_ = 0;
    bool done_ = false;
};

// Names ---------------------------------------------------------------------------------------------------------------

// valid_hostname(3) with underscores and a leading "*." allowed; an address is no host name.
bool is_valid_hostname(std::string_view name);
// The labels of a name, first to last, a final dot ignored; views into `name`. Escaped dots do not divide.
std::vector<std::string_view> labels_of(std::string_view name);
// What a label stands for, its escapes undone; and the label that stands for some bytes.
std::string label_bytes(std::string_view label);
std::string escaped_label(std::string_view bytes);
// `name` without its final dot, or nothing when it does not fit the wire: a label of none or over 63 bytes, 255 in all.
std::optional<std::string> wire_sized(std::string_view name);
// Equal as DNS names: no case, no final dot.
bool same_name(std::string_view a, std::string_view b);
// "192.0.2.1" -> "1.2.0.192.in-addr.arpa"; IPv6 gives 32 nibbles under ip6.arpa; nothing when it is no address.
std::optional<std::string> reverse_name(std::string_view address);
// "192.0.2.1", "bl.example" -> "1.2.0.192.bl.example" (RFC 5782, 2.1 and 2.4).
std::optional<std::string> dnsbl_name(std::string_view address, std::string_view list);
// An address as inet_ntop(3) writes it, or nothing.
std::optional<std::string> canonical_address(std::string_view address);

}  // namespace mta::dns
