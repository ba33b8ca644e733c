#include "sim/lab/route_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "mta/address/quote.hpp"
#include "mta/address/token.hpp"
#include "mta/address/trivial_rewrite.hpp"
#include "mta/cleanup/mapping.hpp"
#include "mta/smtp/next_hop.hpp"
#include "mta/table/lookup_order.hpp"
#include "mta/text/strings.hpp"
#include "sim/lab/places.hpp"

namespace sim::lab {
namespace {

namespace address = mta::address;
namespace cleanup = mta::cleanup;
namespace table = mta::table;
using address::domain_class;
using address::route_source;

constexpr std::size_t most_steps = 200;
constexpr std::uint16_t smtp_port = 25, lmtp_port = 24;

// The list that puts a domain into a class, and the transport that the class has.
struct class_row {
    domain_class value;
    const char* list;
};
constexpr class_row class_rows[] = {{domain_class::local, "mydestination"},
                                    {domain_class::virtual_alias, "virtual_alias_domains"},
                                    {domain_class::virtual_mailbox, "virtual_mailbox_domains"},
                                    {domain_class::relay, "relay_domains"}};

class router {
  public:
    router(trial& host, std::string_view sender)
        : host_(host),
          mail_(host.mail()),
          parameters_(mail_.parameters()),
          places_(parameters_, host.folder()),
          sender_(sender),
          settings_(mail_, parameters_, ignored_),
          mapper_(settings_, mail_.rewrite()) {}

    route_report run(std::string_view asked) {
        route_report made;
        made.asked = asked;
        std::string now = mail_.rewrite().rewrite(asked, true);
        if (now != asked) {
            const char* by = asked.find('@') == std::string_view::npos ? "myorigin" : "mydomain";
            made.rewriting.push_back({"rewritten", std::string(asked), now, by, {}, places_.of_parameter(by)});
        }
        canonical(settings_.recipient_canonical, "recipient_canonical_maps", now, made);
        canonical(settings_.canonical, "canonical_maps", now, made);
        trace_aliases(now, made);
        cleanup::mapping_problems problems;
        const auto finals = mapper_.expand(now, problems);
        made.problem = problems.reason;
        for (const auto& each : problems.warnings) {
            if (!made.problem.empty()) made.problem += ": " + each.text;
        }
        for (const std::string& each : finals) {
            if (made.routes.size() >= most_steps) break;
            made.routes.push_back(route(each));
        }
        return made;
    }

  private:
    void canonical(const cleanup::canonical_table& with, const char* name, std::string& now, route_report& made) {
        if (with.maps.empty() || !with.classes.envelope_recipient) return;
        const table::match match = table::find_address(with.maps, now, mail_.rewrite().address_rules());
        if (!match.found()) return;
        std::string external = address::quote_822_local(now);
        cleanup::mapping_problems problems;
        mapper_.canonicalize(external, with.maps, problems);
        const std::string after = address::unquote_822_local(external);
        made.rewriting.push_back({"canonical", now, after, name, match.key, places_.of_entry(match.result.where)});
        now = after;
    }

    // Each entry that an expansion goes through, once.
    void trace_aliases(const std::string& first, route_report& made) {
        std::vector<std::string> waiting{first};
        std::set<std::string, std::less<>> seen;
        for (std::size_t i = 0; i < waiting.size() && made.rewriting.size() < most_steps; ++i) {
            const std::string current = waiting[i];
            if (!seen.insert(mta::text::lowered(current)).second) continue;
            const table::match match =
                table::find_address(settings_.virtual_alias, current, mail_.rewrite().address_rules());
            if (!match.found()) continue;
            made.rewriting.push_back({"virtual alias", current, match.result.value, "virtual_alias_maps", match.key,
                                      places_.of_entry(match.result.where)});
            const address::token_list tokens = address::parse_addresses(match.result.value, settings_.token_limit);
            for (const address::token* each : address::addresses_in(tokens))
                waiting.push_back(mail_.rewrite().rewrite(address::internalize(each->children), true));
        }
    }

    recipient_route route(const std::string& recipient) {
        recipient_route made;
        const address::resolved to = mail_.rewrite().route(sender_, recipient);
        made.recipient = to.recipient.empty() ? recipient : to.recipient;
        made.address_class = address::name_of(to.domain);
        made.transport = to.transport;
        made.next_hop = to.next_hop;
        made.warnings = to.warnings;
        const auto parts = address::split_at_domain(made.recipient);
        name_class(to.domain, std::string(parts.domain.value_or("")), made);
        name_source("transport", to.transport_source, made, to.transport);
        if (to.next_hop_source != to.transport_source) name_source("next hop", to.next_hop_source, made, to.next_hop);
        if (to.transport == "error" || to.transport == "retry") {
            made.problem = to.next_hop;
        } else {
            deliver(made);
        }
        return made;
    }

    void name_class(domain_class value, const std::string& domain, recipient_route& made) {
        for (const class_row& row : class_rows) {
            if (row.value != value) continue;
            std::vector<table::diagnostic> ignored;
            const table::domain_list list(
                row.list, parameters_.text(row.list), mail_.shared().tables, mail_.table_environment(parameters_),
                ignored, table::parent_style_of(row.list, parameters_.text("parent_domain_matches_subdomains")));
            const table::list_match match = list.match(domain);
            const bool in_file = match.where.line > 0 || match.where.file.find('/') != std::string::npos;
            made.steps.push_back(
                {"class", domain, made.address_class, row.list, match.pattern,
                 in_file ? places_.of_entry(match.where) : places_.of_phrase(row.list, match.pattern, 0)});
            return;
        }
        if (value == domain_class::other) made.steps.push_back({"class", domain, made.address_class, "", "", ""});
    }

    // Where the transport or the next hop was written.
    void name_source(const char* what, route_source source, recipient_route& made, const std::string& value) {
        const std::string name(address::name_of(source));
        switch (source) {
            case route_source::none:
            case route_source::virtual_alias_domains:
                return;
            case route_source::transport_maps:
            case route_source::transport_wildcard:
                add_lookup(what, "transport_maps", made.recipient, value, made);
                return;
            case route_source::sender_dependent_default_transport_maps:
            case route_source::sender_dependent_relayhost_maps:
                add_lookup(what, name, sender_.empty() ? "<>" : sender_, value, made);
                return;
            case route_source::relocated_maps:
                add_lookup(what, name, made.recipient, value, made);
                return;
            default:
                made.steps.push_back({what, made.recipient, value, name, {}, places_.of_parameter(name)});
        }
    }

    void add_lookup(const char* what, const std::string& name, const std::string& key, const std::string& value,
                    recipient_route& made) {
        std::vector<table::diagnostic> ignored;
        table::open_options options;
        options.allow_substitution = name == "relocated_maps";
        const auto maps = table::maps::open(name, parameters_.text(name), mail_.shared().tables,
                                            mail_.table_environment(parameters_), options, ignored);
        const bool by_domain = name == "transport_maps";
        const table::match found =
            by_domain ? table::find_transport(
                            maps, key, mail_.rewrite().address_rules().recipient_delimiter,
                            table::parent_style_of(name, parameters_.text("parent_domain_matches_subdomains")))
                      : table::find_address(maps, key, mail_.rewrite().address_rules());
        made.steps.push_back({what, key, value, name, fmt::format("{} {}", found.key, found.result.value),
                              places_.of_entry(found.result.where)});
    }

    void deliver(recipient_route& made) {
        const mta::master::daemon* agent = mail_.transport(made.transport);
        if (!agent) {
            made.problem = fmt::format("4.3.0 mail transport unavailable: master.cf has no service {}", made.transport);
            return;
        }
        const std::string& command = agent->service.command;
        if (command == "smtp" || command == "lmtp") {
            find_hosts(made, command == "lmtp");
        } else if (command == "local") {
            add_table("alias", "alias_maps", std::string(address::split_at_domain(made.recipient).local), made);
        } else if (command == "virtual") {
            add_table("mailbox", "virtual_mailbox_maps", made.recipient, made);
        }
    }

    void add_table(const char* what, const char* name, const std::string& key, recipient_route& made) {
        std::vector<table::diagnostic> ignored;
        table::open_options options;
        options.allow_substitution = false;
        if (std::string_view(name) == "alias_maps") options.syntax = table::source_syntax::aliases;
        const auto maps = table::maps::open(name, parameters_.text(name), mail_.shared().tables,
                                            mail_.table_environment(parameters_), options, ignored);
        const table::match found = table::find_address(maps, key, mail_.rewrite().address_rules());
        if (found.failed()) made.warnings.push_back(found.result.value);
        if (!found.found()) return;
        made.steps.push_back({what, key, found.result.value, name, found.key, places_.of_entry(found.result.where)});
    }

    void find_hosts(recipient_route& made, bool lmtp) {
        std::string hop = made.next_hop;
        if (lmtp && hop.starts_with("unix:")) return;
        if (lmtp && hop.starts_with("inet:")) hop.erase(0, 5);
        auto to = mta::smtp::parse_next_hop(hop, lmtp ? lmtp_port : smtp_port);
        if (!to) {
            made.problem = fmt::format("4.3.5 bad next hop {}", hop);
            return;
        }
        if (parameters_.words("smtp_host_lookup") == std::vector<std::string>{"native"}) to->no_mx = true;
        mta::smtp::lookup_settings settings;
        settings.order.randomize = false;
        settings.protocols = mta::config::inet_protocols::parse(parameters_.text("inet_protocols"));
        settings.detect_loops = to->port == smtp_port;
        mta::smtp::candidates found;
        const mta::smtp::next_hop destination = *to;
        const auto ask = [&]() -> mta::task<void> {
            mta::smtp::candidates all =
                co_await mta::smtp::find_hosts(host_.host(), mail_.rewrite(), destination, settings);
            found = std::move(all);
        };
        host_.run(ask());
        for (const mta::smtp::candidate& each : found.hosts)
            made.hosts.push_back({each.name, fmt::format("{}:{}", each.address, destination.port), each.preference});
        for (const std::string& each : found.warnings) made.warnings.push_back(each);
        if (found.failure) made.problem = fmt::format("{} {}", found.failure->dsn, found.failure->text);
    }

    trial& host_;
    mta::master::mail_system& mail_;
    const mta::config::parameters& parameters_;
    places places_;
    std::string sender_;
    std::vector<table::diagnostic> ignored_;
    cleanup::settings settings_;
    cleanup::address_mapper mapper_;
};

}  // namespace

route_report explain_route(trial& host, std::string_view sender, std::string_view recipient) {
    return router(host, sender).run(recipient);
}

}  // namespace sim::lab
