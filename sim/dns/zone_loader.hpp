// sim/dns/zone_loader.hpp - reads a zone's text into a zone, with BIND's judgement of what may be loaded.
//
// BIND's defaults for a primary zone are the measure: check-names fail, check-integrity yes, check-mx warn. Reading
// goes on after an error as far as the scanner can, so that one look shows them all; a zone with an error is not
// served.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "sim/dns/zone.hpp"
#include "sim/dns/zone_text.hpp"

struct zs_scanner;

namespace sim::dns {

class zone_loader {
  public:
    explicit zone_loader(const zone_source& source);
    zone::loaded run();

  private:
    // What stands at an owner, whether or not the lab hands it out.
    struct owner_state {
        bool alias = false;
        bool other = false;
        bool address = false;
        std::map<mta::dns::record_type, std::uint32_t> ttls;  // of the record sets
    };
    // An NS or MX whose target is to be looked at when all is read.
    struct reference {
        mta::dns::record_type type;
        std::string owner_key;
        std::string target;
        std::uint64_t line = 0;
    };

    bool prepare();
    void scan();
    void take(zs_scanner& scanner, std::uint64_t line);
    bool place_is_right(const std::string& owner, const std::string& key, std::uint16_t code, std::uint64_t line);
    bool names_are_right(const mta::dns::record& entry, std::uint64_t line);
    bool joins_well(const mta::dns::record& entry, const std::string& key, std::uint16_t code, std::uint64_t line);
    std::uint32_t ttl_of(zs_scanner& scanner, const mta::dns::record* soa, std::uint64_t line);
    void keep(mta::dns::record entry, const std::string& key, std::uint64_t line);
    bool add_node(const std::string& key);
    void check_whole();
    void check(const reference& link);

    void complain(severity level, std::uint64_t line, std::string message, std::string advice, unsigned column = 0);
    void complain_at(std::uint64_t line, std::size_t rest, int code);
    void add(diagnostic complaint);

    const zone_source& source_;
    zone_text text_;
    std::shared_ptr<zone> zone_;
    std::vector<diagnostic> complaints_;
    std::size_t errors_ = 0;
    std::map<std::string, owner_state, std::less<>> owners_;
    std::set<std::string> seen_;  // identities of records, against repetition
    std::vector<reference> references_;
    std::size_t records_ = 0;
    std::uint32_t last_ttl_ = 0;
    bool last_ttl_known_ = false;
};

}  // namespace sim::dns
