#include "mta/address/resolve.hpp"

#include "mta/address/host_name.hpp"
#include "mta/address/quote.hpp"
#include "mta/text/strings.hpp"

namespace mta::address {
namespace {

constexpr std::string_view error_transport = "error";
constexpr std::string_view retry_transport = "retry";

// A step of the resolver says whether to go on; it has set flags where not.
enum class step : bool { stop, go_on };

class resolver {
  public:
    resolver(std::string_view sender, std::string_view address, const resolve_context& context)
        : sender_(sender), address_(address), context_(context) {}

    resolved run() {
        if (strip_local_domains() == step::go_on && make_recipient() == step::go_on && choose_class() == step::go_on &&
            check_transport() == step::go_on && look_in_transport_maps() == step::go_on) {
            look_in_relocated_maps();
            if (!answer_.flags.failed && !context_.allow_min_user && answer_.recipient.starts_with('-')) {
                answer_.flags.error = true;
            }
        }
        return std::move(answer_);
    }

  private:
    step fail() {
        answer_.flags.failed = true;
        return step::stop;
    }
    step fail(std::string_view parameter) {
        warn(std::string(parameter) + " lookup failure");
        return fail();
    }
    void warn(std::string text) { answer_.warnings.push_back(std::move(text)); }

    lookup_status is_local(std::string_view domain) const {
        if (domain.ends_with('.')) domain.remove_suffix(1);
        if (domain.empty() || domain.back() == '.' || !context_.local_domains) return lookup_status::absent;
        return context_.local_domains(domain);
    }

    // Strips domains of ours, and with them whatever routing they hide, until the address is remote or has none.
    step strip_local_domains() {
        tokens_ = scan(quote_822_local(address_));
        const std::size_t round_limit = address_.size() + 100;
        for (std::size_t round = 0; round <= round_limit; ++round) {
            strip_trailing_punctuation();
            if (const auto at = rfind_op(tokens_, '@'); at != no_token) {
                const token_list domain(tokens_.begin() + static_cast<std::ptrdiff_t>(at + 1), tokens_.end());
                if (!domain.empty()) {
                    const auto local = is_local(internalize(domain));
                    if (local == lookup_status::failed) return fail();
                    remote_ = local == lookup_status::absent;
                    if (remote_) return step::go_on;
                }
                saved_domain_.assign(tokens_.begin() + static_cast<std::ptrdiff_t>(at), tokens_.end());
                tokens_.resize(at);
            }
            if (has_routing()) {
                rewrite_tokens(tokens_, context_.local, context_.rules);
            } else if (!crack_quoted_local()) {
                name_the_null_recipient();
                return step::go_on;
            }
        }
        warn("resolve_addr: <" + std::string(address_) + ">: giving up after " + std::to_string(round_limit + 1) +
             " iterations");
        return fail();
    }

    // Bogus forms such as "a@b.." stay, for the diagnostics.
    void strip_trailing_punctuation() {
        const auto size = tokens_.size();
        if (size >= 2 && tokens_.back().is('.') && rfind_op(tokens_, '@') != no_token && !tokens_[size - 2].is('.') &&
            !tokens_[size - 2].is('@')) {
            tokens_.pop_back();
        }
        if (context_.resolve_null_domain && !tokens_.empty() && tokens_.back().is('@')) tokens_.pop_back();
    }

    bool has_routing() const {
        return rfind_op(tokens_, '@') != no_token ||
               (context_.rules.swap_bangpath && rfind_op(tokens_, '!') != no_token) ||
               (context_.rules.allow_percent_hack && rfind_op(tokens_, '%') != no_token);
    }

    // A quoted local part that hides an operator is looked into: "a@b"@ours must not relay.
    bool crack_quoted_local() {
        if (!context_.resolve_dequoted_address || tokens_.size() != 1) return false;
        token& local = tokens_.front();
        if (local.kind != token_kind::quoted_string) return false;
        auto at = local.text.rfind('@');
        if (at == std::string::npos && context_.rules.allow_percent_hack) at = local.text.rfind('%');
        if (at == std::string::npos && context_.rules.swap_bangpath) at = local.text.rfind('!');
        if (at == std::string::npos) return false;
        if (local.text[at] == '%') local.text[at] = '@';
        const std::string inside = local.text[at] == '@' ? quote_822_local(local.text) : local.text;
        tokens_ = scan(inside);
        rewrite_tokens(tokens_, context_.local, context_.rules);
        return true;
    }

    void name_the_null_recipient() {
        const bool empty_string =
            tokens_.size() == 1 && tokens_.front().kind == token_kind::quoted_string && tokens_.front().text.empty();
        if (tokens_.empty() || empty_string) tokens_ = scan(context_.empty_address_recipient);
    }

    // The recipient in user@domain form. A bare network address is no domain (RFC 5321 4.1.3).
    step make_recipient() {
        if (!remote_) {
            if (saved_domain_.empty()) {
                saved_domain_ = scan(context_.myhostname);
                saved_domain_.insert(saved_domain_.begin(), make_op('@'));
            }
            tokens_.insert(tokens_.end(), saved_domain_.begin(), saved_domain_.end());
        }
        answer_.recipient = internalize(tokens_);
        set_domain();
        if (domain_.starts_with('[')) {
            auto fault = mailhost_literal_fault(domain_);
            answer_.flags.error = fault.has_value();
            if (fault) warn(*std::move(fault));
        } else if (context_.smtputf8_enable && !valid_utf8(answer_.recipient)) {
            answer_.flags.error = true;
        } else if (!valid_utf8_hostname(context_.smtputf8_enable, domain_)) {
            if (!context_.resolve_numeric_domain || !valid_hostaddr(domain_)) {
                answer_.flags.error = true;
            } else {
                answer_.recipient.insert(answer_.recipient.size() - domain_.size(), "[");
                answer_.recipient += ']';
                set_domain();
                const auto local = is_local(domain_);
                if (local == lookup_status::failed) return fail();
                if (local == lookup_status::found) remote_ = false;
            }
        }
        if (answer_.flags.error) {
            answer_.domain = domain_class::other;
            return step::stop;
        }
        // Operators count even where we do not act on them: the next host might.
        const auto op = answer_.recipient.find_first_of("@!%");
        answer_.flags.routed = answer_.recipient.substr(op + 1) != domain_;
        return step::go_on;
    }

    void set_domain() { domain_ = split_at_domain(answer_.recipient).domain.value_or(""); }

    struct listing {
        const domain_list* list;
        std::string_view parameter;
    };

    void warn_of_double_listing(std::string_view first, std::initializer_list<listing> others) {
        if (!context_.helpful_warnings) return;
        for (const auto& other : others) {
            if (*other.list && (*other.list)(domain_) == lookup_status::found) {
                warn("do not list domain " + domain_ + " in BOTH " + std::string(first) + " and " +
                     std::string(other.parameter));
            }
        }
    }

    void route(std::string_view transport, route_source source, domain_class domain) {
        answer_.transport = transport;
        answer_.transport_source = source;
        answer_.next_hop = domain_;
        answer_.next_hop_source = route_source::none;
        answer_.domain = domain;
    }

    step choose_class() {
        const listing alias{&context_.virtual_alias_domains, "virtual_alias_domains"};
        const listing mailbox{&context_.virtual_mailbox_domains, "virtual_mailbox_domains"};
        const listing relay{&context_.relay_domains, "relay_domains"};
        if (!remote_) {
            warn_of_double_listing("mydestination", {alias, mailbox});
            route(context_.local_transport, route_source::local_transport, domain_class::local);
            return step::go_on;
        }
        const auto listed = [this](const listing& where) {
            return *where.list ? (*where.list)(domain_) : lookup_status::absent;
        };
        if (const auto found = listed(alias); found == lookup_status::failed) {
            return fail(alias.parameter);
        } else if (found == lookup_status::found) {
            warn_of_double_listing(alias.parameter, {mailbox, relay});
            route(error_transport, route_source::virtual_alias_domains, domain_class::virtual_alias);
            answer_.next_hop = "5.1.1 User unknown";
            if (context_.show_user_unknown_table_name) answer_.next_hop += " in virtual alias table";
            answer_.next_hop_source = route_source::virtual_alias_domains;
            return step::go_on;
        }
        if (const auto found = listed(mailbox); found == lookup_status::failed) {
            return fail(mailbox.parameter);
        } else if (found == lookup_status::found) {
            warn_of_double_listing(mailbox.parameter, {relay});
            route(context_.virtual_transport, route_source::virtual_transport, domain_class::virtual_mailbox);
            return step::go_on;
        }
        if (const auto found = listed(relay); found == lookup_status::failed) {
            return fail(relay.parameter);
        } else if (found == lookup_status::found) {
            route(context_.relay_transport, route_source::relay_transport, domain_class::relay);
        } else if (choose_default_transport() == step::stop) {
            return step::stop;
        }
        return choose_relayhost();
    }

    // A sender-dependent map's word on the sender: "DUNNO" (or nothing, with a warning) leaves it to the default.
    lookup_result ask_for_sender(const address_map& map, std::string_view null_key, std::string_view map_name) {
        if (!map) return {};
        const std::string_view key = sender_.empty() ? null_key : sender_;
        lookup_result result = map(key);
        if (result.status == lookup_status::found && result.value.empty()) {
            warn(std::string(map_name) + ": ignoring null lookup result for " + std::string(key));
            result.value = "DUNNO";
        }
        return result;
    }

    step choose_default_transport() {
        constexpr std::string_view name = "sender_dependent_default_transport_maps";
        const auto found = ask_for_sender(context_.sender_dependent_default_transport_maps,
                                          context_.empty_address_default_transport_maps_lookup_key, name);
        if (found.status == lookup_status::failed) return fail(name);
        const bool by_sender = found.status == lookup_status::found;
        const bool dunno = by_sender && text::equal_ignoring_case(found.value, "DUNNO");
        route(by_sender && !dunno ? found.value : context_.default_transport,
              by_sender ? route_source::sender_dependent_default_transport_maps : route_source::default_transport,
              domain_class::other);
        return step::go_on;
    }

    step choose_relayhost() {
        const auto found =
            ask_for_sender(context_.sender_dependent_relayhost_maps, context_.empty_address_relayhost_maps_lookup_key,
                           context_.sender_dependent_relayhost_maps_name);
        if (found.status == lookup_status::failed) return fail(context_.sender_dependent_relayhost_maps_name);
        if (found.status == lookup_status::found && !text::equal_ignoring_case(found.value, "DUNNO")) {
            answer_.next_hop = found.value;
            answer_.next_hop_source = route_source::sender_dependent_relayhost_maps;
        } else if (!context_.relayhost.empty()) {
            answer_.next_hop = context_.relayhost;
            answer_.next_hop_source = route_source::relayhost;
        }
        return step::go_on;
    }

    // "transport:nexthop" in main.cf overrides the next hop.
    step check_transport() {
        auto [transport, next_hop] = split_transport(answer_.transport);
        if (!next_hop.empty() && answer_.domain != domain_class::virtual_alias) {
            answer_.next_hop = std::move(next_hop);
            answer_.next_hop_source = answer_.transport_source;
        }
        answer_.transport = std::move(transport);
        if (!answer_.transport.empty()) return step::go_on;
        warn("file " + context_.config_directory + "/main.cf: parameter " +
             std::string(name_of(answer_.transport_source)) + ": null transport is not allowed");
        return fail();
    }

    step look_in_transport_maps() {
        if (!context_.transport_maps || answer_.domain == domain_class::virtual_alias) return step::go_on;
        lookup_result found = context_.transport_maps(answer_.recipient);
        route_source source = route_source::transport_maps;
        if (found.status == lookup_status::absent && context_.transport_wildcard) {
            found = context_.transport_wildcard();
            source = route_source::transport_wildcard;
        }
        if (found.status == lookup_status::failed) return fail("transport_maps");
        if (found.status == lookup_status::found) apply_transport_entry(found.value, source);
        return step::go_on;
    }

    // ":nexthop" keeps the transport; "transport:" resets the next hop; ":" changes nothing.
    void apply_transport_entry(std::string_view entry, route_source source) {
        auto [transport, next_hop] = split_transport(entry);
        if (!next_hop.empty()) {
            answer_.next_hop = std::move(next_hop);
            answer_.next_hop_source = source;
        } else if (!transport.empty()) {
            const bool says_why = transport == error_transport || transport == retry_transport;
            answer_.next_hop = says_why ? "Address is undeliverable" : domain_;
            answer_.next_hop_source = source;
        }
        if (!transport.empty()) {
            answer_.transport = std::move(transport);
            answer_.transport_source = source;
        }
    }

    void look_in_relocated_maps() {
        if (!context_.relocated_maps) return;
        const auto found = context_.relocated_maps(answer_.recipient);
        if (found.status == lookup_status::failed) {
            fail("relocated_maps");
        } else if (found.status == lookup_status::found) {
            answer_.transport = error_transport;
            answer_.next_hop = "5.1.6 User has moved to " + found.value;
            answer_.transport_source = answer_.next_hop_source = route_source::relocated_maps;
        }
    }

    std::string_view sender_;
    std::string_view address_;
    const resolve_context& context_;
    token_list tokens_;
    token_list saved_domain_;  // from its '@' on
    bool remote_ = false;
    std::string domain_;
    resolved answer_;
};

}  // namespace

resolved resolve_address(std::string_view sender, std::string_view address, const resolve_context& context) {
    return resolver(sender, address, context).run();
}

resolved as_queue_manager_sees(resolved answer) {
    if (answer.flags.failed) {
        answer.transport = retry_transport;
        answer.next_hop = "4.3.0 address resolver failure";
    } else if (answer.flags.error) {
        answer.transport = error_transport;
        answer.next_hop = "5.1.3 bad address syntax";
    }
    return answer;
}

transport_and_next_hop split_transport(std::string_view text) {
    const auto colon = text.find(':');
    if (colon == std::string_view::npos) return {std::string(text), ""};
    return {std::string(text.substr(0, colon)), std::string(text.substr(colon + 1))};
}

std::string_view name_of(domain_class value) {
    constexpr std::string_view names[] = {"none", "local", "virtual_alias", "virtual_mailbox", "relay", "default"};
    return names[static_cast<std::size_t>(value)];
}

std::string_view name_of(route_source value) {
    constexpr std::string_view names[] = {"none",
                                          "local_transport",
                                          "virtual_alias_domains",
                                          "virtual_transport",
                                          "relay_transport",
                                          "default_transport",
                                          "sender_dependent_default_transport_maps",
                                          "relayhost",
                                          "sender_dependent_relayhost_maps",
                                          "transport_maps",
                                          "transport_maps (*)",
                                          "relocated_maps"};
    return names[static_cast<std::size_t>(value)];
}

}  // namespace mta::address
