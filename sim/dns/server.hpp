// sim/dns/server.hpp - the lab's name server: all zones, the faults set on names, and who sees which view.
//
// Answers as an authoritative BIND without recursion would (RFC 1034, 4.3.2): CNAME chains within a zone are followed,
// bounded; a zone whose text did not load gives SERVFAIL; what no zone holds is REFUSED, or NXDOMAIN when there is a
// root zone (see automatic.hpp, which adds one). Nothing throws; time is only named (`reply::after`), never waited for.
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mta/dns.hpp"
#include "sim/dns/automatic.hpp"
#include "sim/dns/zone.hpp"

namespace sim::dns {

enum class fault_kind : std::uint8_t {
    servfail,  // answers SERVFAIL
    timeout,   // never answers; the asker gives up by itself
    slow,      // answers after `delay`
    stale      // goes on answering from the zone as it was when the fault was set
};

enum class fault_scope : std::uint8_t { name, subtree };  // the name alone, or with all below it

struct fault {
    std::string name;
    fault_kind kind = fault_kind::servfail;
    std::chrono::nanoseconds delay{0};  // of slow
    fault_scope scope = fault_scope::name;
    std::optional<mta::dns::record_type> type;  // nothing: all types
};

struct reply {
    mta::dns::response response;
    std::chrono::nanoseconds after{0};  // the server takes so long
    bool lost = false;                  // no reply will come: `response` is what a resolver says when it gave up
};

class server {
  public:
    // Which view a client sees, by its address; "" is the common one. A view's zones hide the common zones of the
    // same name, and all else is shared.
    using view_chooser = std::function<std::string(std::string_view client_address)>;

    // All zones of a topology, in place of those of the plan before. A text that does not load is kept out, its zone
    // then answers SERVFAIL as BIND's does, and the complaints say why. A zone that is as it was is not read again.
    std::vector<diagnostic> load(zone_plan plan);
    // Puts `text` in place of a declared zone's, or declares a new zone, and works out the automatic records anew.
    // The complaints are those about zones that changed by it.
    std::vector<diagnostic> replace_zone(std::string_view name, std::string_view text);

    // A zone as it stands, with nothing added: for views, and for zones beside the plan.
    std::vector<diagnostic> put_zone(const zone_source& source, std::string_view view = "");
    bool remove_zone(std::string_view name, std::string_view view = "");
    std::shared_ptr<const zone> find_zone(std::string_view name, std::string_view view = "") const;

    void choose_views_by(view_chooser chooser) { view_of_ = std::move(chooser); }

    // Of the faults on one name the last set wins; one on the name itself goes before one of a subtree, a deeper
    // subtree before a higher one. A fault is looked for under the name asked, not under those a CNAME leads to.
    // False: the name is none.
    bool set_fault(fault failure);
    bool clear_fault(std::string_view name);  // all that were set on exactly that name

    reply answer(const mta::dns::question& question, std::string_view client_address = "") const;

  private:
    struct slot {  // a zone's place, kept when its text does not load
        zone_source source;
        std::shared_ptr<const zone> contents;
    };
    using zone_set = std::map<std::string, std::shared_ptr<const slot>, std::less<>>;  // by key
    using view_set = std::map<std::string, zone_set, std::less<>>;
    struct active_fault {
        fault setting;
        view_set snapshot;  // of stale
    };

    const active_fault* fault_for(std::string_view key, mta::dns::record_type type) const;

    static const slot* covering(const view_set& views, std::string_view view, std::string_view key);
    static mta::dns::response resolve(const view_set& views, std::string_view view, const mta::dns::question& question);

    zone_plan plan_;
    view_set views_;
    std::map<std::string, std::vector<active_fault>, std::less<>> faults_;  // by key
    view_chooser view_of_;
};

}  // namespace sim::dns
