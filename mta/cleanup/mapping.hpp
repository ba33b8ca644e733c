// mta/cleanup/mapping.hpp - addresses to other addresses: canonical(5), virtual(5), masquerade_domains
// (cleanup_map11.c, cleanup_map1n.c, cleanup_masquerade.c, mail_addr_map(3); ADDRESS_REWRITING_README).
//
// Every job is bounded: by the recursion limits, the expansion limit and the length limit. Past one, or when a table
// fails, the problem says what the log says and the address stays as it was given.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mta/cleanup/settings.hpp"

namespace mta::address {
class trivial_rewrite;
}

namespace mta::cleanup {

struct mapping_problems {
    struct warning {
        std::string text;
        bool of_message = true;  // begins with the queue id
    };
    std::vector<warning> warnings;
    bool failed = false;        // a lookup: try again later (CLEANUP_STAT_WRITE)
    bool unreasonable = false;  // a limit: try again later (CLEANUP_STAT_DEFER)
    std::string reason;         // "4.6.0 Alias expansion error"
};

class address_mapper {
  public:
    // Both must outlive it.
    address_mapper(const settings& options, const address::trivial_rewrite& rewrite)
        : options_(options), rewrite_(rewrite) {}

    // One address to one, again and again until nothing changes. External (quoted) form.
    void canonicalize(std::string& external, const table::maps& maps, mapping_problems& problems) const;
    void masquerade(std::string& external, mapping_problems& problems) const;
    // What virtual_alias_maps make of an address, in internal form; the address itself when they say nothing of it.
    std::vector<std::string> expand(const std::string& internal, mapping_problems& problems) const;
    // sender_bcc_maps, recipient_bcc_maps.
    std::optional<std::string> find_bcc(const table::maps& maps, std::string_view internal,
                                        mapping_problems& problems) const;

  private:
    enum class found : std::uint8_t { no, yes, failed };
    found look_up(const table::maps& maps, std::string_view internal, bool propagate, std::vector<std::string>& out,
                  mapping_problems& problems) const;
    bool expand_one(std::vector<std::string>& addresses, std::size_t index, std::vector<std::string>& finished,
                    const std::string& whole, mapping_problems& problems) const;

    const settings& options_;
    const address::trivial_rewrite& rewrite_;
};

}  // namespace mta::cleanup
