#include "sim/dns/automatic.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "mta/dns.hpp"
#include "mta/text/strings.hpp"

namespace sim::dns {

namespace text = mta::text;

namespace {

std::string_view type_for(std::string_view address) {
    return address.find(':') == std::string_view::npos ? "A" : "AAAA";
}

std::string_view after_spaces(std::string_view rest) {
    while (!rest.empty() && text::is_space(rest.front())) rest.remove_prefix(1);
    return rest;
}

// `word`, then white space, at the start of `rest`: what follows, or nothing.
std::optional<std::string_view> after_word(std::string_view rest, std::string_view word) {
    if (rest.size() <= word.size() || !text::starts_with_ignoring_case(rest, word)) return std::nullopt;
    if (!text::is_space(rest[word.size()])) return std::nullopt;
    return after_spaces(rest.substr(word.size()));
}

// A line that begins with `owner` as it stands, then perhaps IN, then the type.
bool declares(std::string_view zone_text, std::string_view owner, std::string_view type) {
    for (std::size_t begin = 0; begin < zone_text.size();) {
        if (auto rest = after_word(zone_text.substr(begin), owner)) {
            if (const auto data = after_word(*rest, "IN")) rest = data;
            if (after_word(*rest, type)) return true;
        }
        const auto end = zone_text.find('\n', begin);
        if (end == std::string_view::npos) return false;
        begin = end + 1;
    }
    return false;
}

bool has_soa(std::string_view zone_text) {
    for (auto at = zone_text.find("SOA"); at != std::string_view::npos; at = zone_text.find("SOA", at + 1)) {
        const bool begins = at > 0 && text::is_space(zone_text[at - 1]);
        if (begins && at + 3 < zone_text.size() && text::is_space(zone_text[at + 3])) return true;
    }
    return false;
}

std::string head_of(std::string_view zone, std::string_view server_address) {
    const bool root = zone == ".";
    const std::string base = root ? "root." : fmt::format("{}.", zone);
    return fmt::format("$TTL 300\n@ IN SOA ns.{0} hostmaster.{0} 1 3600 600 86400 60\n@ IN NS ns.{0}\n{1} IN {2} {3}\n",
                       base, root ? "ns.root." : "ns", type_for(server_address), server_address);
}

std::string without_final_dots(std::string_view name) {
    while (name.size() > 1 && name.ends_with('.')) name.remove_suffix(1);
    return std::string(name);
}

class completion {
  public:
    explicit completion(const zone_plan& plan) : server_address_(plan.server_address), root_trust_(plan.root_trust) {
        for (const auto& declared : plan.zones) {
            zone_source source;
            source.name = without_final_dots(declared.name);
            source.text = declared.text;
            source.trust = declared.trust;
            sources_.push_back(std::move(source));
        }
    }

    void add_address(const machine& host) {
        zone_source& home = home_of(host.name);
        const bool apex = home.name.size() >= host.name.size();
        const std::string owner = apex ? "@" : host.name.substr(0, host.name.size() - home.name.size() - 1);
        const auto type = type_for(host.address);
        if (!declares(home.text, owner, type)) {
            home.tail.push_back(fmt::format("{}. IN {} {}", host.name, type, host.address));
        }
    }

    void add_pointer(const machine& host) {
        const auto reverse = mta::dns::reverse_name(host.address);
        if (!reverse || !host.ptr) return;
        zone_source& home = named(reverse->substr(reverse->find('.') + 1));
        home.tail.push_back(fmt::format("{}. IN PTR {}.", *reverse, *host.ptr));
    }

    std::vector<zone_source> finish() {
        zone_source& root = named(".");
        if (root_trust_ == security::secure) root.trust = root_trust_;
        for (auto& source : sources_) {
            if (!has_soa(source.text)) source.head = head_of(source.name, server_address_);
        }
        return std::move(sources_);
    }

  private:
    // The longest zone that holds the name; the first declared of several.
    zone_source& home_of(const std::string& name) {
        zone_source* home = nullptr;
        for (auto& source : sources_) {
            const bool holds =
                text::equal_ignoring_case(name, source.name) || text::ends_with_ignoring_case(name, "." + source.name);
            if (holds && (!home || source.name.size() > home->name.size())) home = &source;
        }
        if (home) return *home;
        const auto dot = name.find('.');
        return named(dot == std::string::npos ? name : name.substr(dot + 1));
    }

    zone_source& named(const std::string& name) {
        const auto found = std::find_if(sources_.begin(), sources_.end(), [&](const zone_source& source) {
            return text::equal_ignoring_case(source.name, name);
        });
        if (found != sources_.end()) return *found;
        sources_.emplace_back().name = name;
        return sources_.back();
    }

    std::string server_address_;
    security root_trust_;
    std::vector<zone_source> sources_;
};

}  // namespace

std::vector<zone_source> complete(const zone_plan& plan) {
    completion all(plan);
    for (const auto& host : plan.machines) {
        if (host.a) all.add_address(host);
        if (host.ptr && !host.ptr->empty()) all.add_pointer(host);
    }
    return all.finish();
}

}  // namespace sim::dns
