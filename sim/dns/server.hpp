// sim/dns/server.hpp - the lab's name server: all zones, the faults set on names, and who sees which view.
//
// Answers as an authoritative BIND without recursion would (RFC 1034, 4.3.2): CNAME chains within a zone are followed,
// bounded; a zone whose text did not load gives SERVFAIL; what no zone holds is REFUSED, or NXDOMAIN when there is a
// root zone (see automatic.hpp). Nothing throws; time is only named (`reply::after`), never waited for.
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mta/dns.hpp"
#include "sim/dns/automatic.hpp"
#include "sim/dns/zone.hpp"

namespace sim::dns {

enum class fault_kind : std::uint8_t {
    servfail,       // answers SERVFAIL
    timeout,        // never answers; the asker gives up by itself
    slow,           // answers after `delay`
    stale           // goes on answering from the zone as it was when the fault was set
};

enum class fault_scope : std::uint8_t { name, subtree };       // the name alone, or with all below it

struct fault {
    std::string name;
    fault_kind kind = fault_kind::servfail;
    std::chrono::nanoseconds delay{0};                         // of slow
    fault_scope scope = fault_scope::name;
    std::optional<mta::dns::record_type> type;                 // nothing: all types
};

struct reply {
    mta::dns::response response;
    std::chrono::nanoseconds after{0};      // the server takes so long
    bool lost = false;                      // no reply will come: `response` is what a resolver says when it gave up
};

class server {
  public:
    // Which view a client sees, by its address; "" is the common one. A view's zones hide the common zones of the
    // same name, and all else is shared.
    using view_chooser = std::function<std::string(std::string_view client_address)>;

    // Puts a zone in place of the one of that name, or adds it. A text that does not load is kept out, the name then
    // answers SERVFAIL as BIND's does, and the complaints say why.
    std::vector<diagnostic> replace_zone(const zone_source& source, std::string_view view = "");
    // The same with the head and tail the zone had before, or none.
    std::vector<diagnostic> replace_zone(std::string_view name, std::string_view text, std::string_view view = "");
    // All of `sources`, in order, into the common view.
    std::vector<diagnostic> load(std::span<const zone_source> sources);
    bool remove_zone(std::string_view name, std::string_view view = "");
    std::shared_ptr<const zone> find_zone(std::string_view name, std::string_view view = "") const;

    void choose_views_by(view_chooser chooser) { view_of_ = std::move(chooser); }

    // The last fault set on a name wins; a fault of the name goes before one of a subtree, a deeper subtree before a
    // higher one. `clear_fault` takes away all that were set on exactly that name.
    void set_fault(fault failure);
    bool clear_fault(std::string_view name);

    reply answer(const mta::dns::question& question, std::string_view client_address = "") const;

  private:
    struct slot {                           // a zone's place, kept when its text does not load
        zone_source source;
        std::shared_ptr<const zone> contents;
    };
    using zone_set = std::map<std::string, slot, std::less<>>;
    struct active_fault {
        fault setting;
        std::map<std::string, zone_set, std::less<>> snapshot;         // of stale
    };

    const slot* covering(const std::map<std::string, zone_set, std::less<>>& views, std::string_view view,
                         std::string_view key) const;
    const active_fault* fault_for(std::string_view key, mta::dns::record_type type) const;
    mta::dns::response resolve(const std::map<std::string, zone_set, std::less<>>& views, std::string_view view,
                               const mta::dns::question& question) const;

    std::map<std::string, zone_set, std::less<>> views_;
    std::map<std::string, std::vector<active_fault>, std::less<>> faults_;
    view_chooser view_of_;
};

}  // namespace sim::dns
