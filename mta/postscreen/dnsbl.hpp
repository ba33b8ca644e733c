// mta/postscreen/dnsbl.hpp - what DNS lists say of a client, added up (postscreen_dnsbl.c, dnsblog(8)).
//
// Each list is asked once, all at a time; answers count as they come, and what has not come in time does not count.
#pragma once
#include <functional>
#include <memory>
#include <string>

#include "mta/async/task.hpp"
#include "mta/postscreen/settings.hpp"

namespace mta::postscreen {

struct dnsbl_score {
    int total = 0, pending = 0;
    std::string name;  // of the list that counts most, as clients are told
    int weight = 0;    // of that list
    std::uint32_t ttl_s = 0;
    bool has_ttl = false;
    std::function<void()> on_complete;  // when the last answer has come
    // What the list `domain` said of the client: the A records that it has for it.
    void add(const std::vector<dnsbl_site>& sites, std::string_view domain, const std::vector<std::string>& addresses);
    bool complete() const { return pending == 0; }
};

// Asks all lists about an IPv4 address; the score fills up as answers come.
std::shared_ptr<dnsbl_score> ask_lists(master::mail_system& mail, const settings& options, const std::string& address);

}  // namespace mta::postscreen
