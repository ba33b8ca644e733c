// sim/dns/zone.hpp - one zone: master-file text in, answers as an authoritative server gives them out.
//
// Text is read by libzscanner (RFC 1035, 5.1: $TTL, $ORIGIN, @, relative names, parentheses, quoting). What BIND would
// refuse to load is an error with its line, and a zone with an error serves nothing; what BIND loads with a complaint
// is a warning. RFC 1034, 4.3.2 (answers), RFC 4592 (wildcards), RFC 2308 (negative answers).
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mta/dns.hpp"

namespace sim::dns {

enum class severity : std::uint8_t { error, warning };

// Something wrong with a zone's text, and what to do about it.
struct diagnostic {
    severity level = severity::error;
    std::string zone;
    unsigned line = 0;    // in the text as declared, from 1; 0: the zone as a whole, or a line the lab added
    unsigned column = 0;  // from 1; 0: not known
    std::string message;  // what is wrong
    std::string advice;   // what to do
};
// "york.cc:3:8: error: unknown record type MZ; did you mean MX?"
std::string to_string(const diagnostic& complaint);

enum class security : std::uint8_t { insecure, secure };  // secure: answers carry the AD bit, as if signed

// A zone as the topology gives it, with what the lab puts around the text (see automatic.hpp).
struct zone_source {
    std::string name;  // "york.cc", "." for the root
    std::string text;
    std::string head;               // put before the text
    std::vector<std::string> tail;  // lines put after it
    security trust = security::insecure;
    bool operator==(const zone_source&) const = default;
};

class zone {
  public:
    struct loaded;
    // Never throws: a zone that does not load comes back null, with at least one error.
    static loaded load(const zone_source& source);

    // What the zone holds for a name in or below it.
    enum class finding : std::uint8_t { records, cname, no_data, no_name, referral };
    struct match {
        finding kind = finding::no_name;
        bool glue = false;                      // the referral comes with the address of a server
        std::vector<mta::dns::record> records;  // of the type, or the one CNAME; a wildcard's have `name`
                                                // for their owner
    };
    // `name` is in the zone. At and below a delegation the server has only a referral to give.
    match find(std::string_view name, mta::dns::record_type type) const;

    const std::string& name() const { return name_; }  // lower case, no final dot
    security trust() const { return trust_; }
    const mta::dns::record& soa() const;
    std::uint32_t negative_ttl_s() const;  // RFC 2308, 5: the lesser of the SOA's TTL and MINIMUM
    // Every record, by owner in DNSSEC order (RFC 4034, 6.1), then in order of declaration.
    std::vector<mta::dns::record> records() const;

  private:
    friend class zone_loader;
    using node = std::vector<mta::dns::record>;  // empty: an empty non-terminal, or types not handed out
    zone() = default;
    std::map<std::string, node, std::less<>>::const_iterator node_for(const std::string& key) const;
    bool is_delegated(const std::string& key) const;
    bool has_glue(const std::string& key) const;  // where it is delegated

    std::string name_;
    std::string key_;
    security trust_ = security::insecure;
    std::map<std::string, node, std::less<>> nodes_;  // by name_key.hpp's key
};

struct zone::loaded {
    std::shared_ptr<const zone> contents;  // null when there was an error
    std::vector<diagnostic> complaints;    // in order of line
};

}  // namespace sim::dns
