// sim/topology/machine_types.hpp - the types of single keys of networks and machines: zones, link ends, certificates.
//
// Internal to sim/topology; reader.hpp says what a type is.
#pragma once
#include "mta/text/strings.hpp"
#include "sim/topology/tables.hpp"
#include "sim/topology/types.hpp"

namespace sim::topology {

struct zones_type {
    using value = std::vector<zone>;
    static std::optional<value> read(context& c, const node& n) {
        const auto* entries = entries_of(c, n);
        if (!entries) return std::nullopt;
        value all;
        for (const entry& e : *entries) {
            if (!good_key(c, *e.key, check_zone_name)) continue;
            c.key = e.key->text;
            auto text = block_type::read(c, *e.value);
            if (!text) continue;
            zone made{e.key->at, zone_name(e.key->text), std::move(*text)};
            if (const auto [first, is_new] = c.zones.try_emplace(made.name, made.at); !is_new)
                c.error(made.at, "the zone " + quoted_word(made.name) + " is declared twice (first at " +
                                     to_string(first->second) + "); put all its records into one");
            check_zone_text(c, made.name, made.text);
            all.push_back(std::move(made));
        }
        return all;
    }
    static std::string json() { return pairs_of<text_type, check_zone_name>::json(); }
    static std::string words() { return "map of zone to master-file text"; }
};

struct secure_zone_type {
    using value = secure_zone;
    static std::optional<value> read(context& c, const node& n) {
        const auto name = text_type::read(c, n);
        if (!name || !good_key(c, n, check_zone_name)) return std::nullopt;
        return secure_zone{n.at, zone_name(*name)};
    }
    static std::string json() { return text_type::json(); }
    static std::string words() { return "name of a zone"; }
};

// The two ends of a link.
struct ends {
    std::string one;
    std::optional<std::string> other;
};
struct ends_type {
    using value = ends;
    static std::optional<ends> read(context& c, const node& n) {
        if (n.kind != node_kind::sequence || n.elements.size() != 2) {
            c.wrong_type(n, "a list of two machines", "write [one.example, other.example], or [one.example, any]");
            return std::nullopt;
        }
        const auto one = read_reference(c, *n.elements[0], machine_kind::any);
        std::optional<std::string> other;
        if (const node& second = *n.elements[1]; second.kind != node_kind::scalar || second.text != "any") {
            other = read_reference(c, second, machine_kind::any);
            if (other && one == other)
                c.error(second.at, "a link cannot lead from a machine to itself; name two machines");
        }
        return ends{one.value_or(""), other};
    }
    static std::string json() {
        return R"({"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 2})";
    }
    static std::string words() { return "list of two machines, or a machine and `any`"; }
};

// Whom a firewall rule is about.
struct endpoint_type {
    using value = std::optional<subnet>;
    static std::optional<value> read(context& c, const node& n) {
        if (n.kind == node_kind::scalar) {
            if (n.text == "any") return value{};
            if (const auto net = parse_subnet(n.text)) return value{*net};
            if (const auto one = parse_address(n.text)) return value{subnet{*one, 32}};
            if (n.text.find('/') == std::string::npos) {
                const auto name = read_reference(c, n, machine_kind::any);
                const machine* found = name ? c.model.find_machine(*name) : nullptr;
                return value{found ? std::optional(subnet{found->address, 32}) : std::nullopt};
            }
        }
        c.wrong_type(n, "any, a machine, an address or a subnet",
                     "a subnet has no bits beyond its prefix, as in 10.1.0.0/16");
        return std::nullopt;
    }
    static std::string json() { return text_type::json(); }
    static std::string words() { return "`any`, a machine, an address or a subnet"; }
};

struct any_port_type {
    using value = std::optional<std::uint16_t>;
    static std::optional<value> read(context& c, const node& n) {
        if (n.kind == node_kind::scalar && n.text == "any") return value{};
        const auto port = port_type::read(c, n);
        if (!port) return std::nullopt;
        return value{*port};
    }
    static std::string json() { return R"({"oneOf": [{"const": "any"}, )" + port_type::json() + "]}"; }
    static std::string words() { return "`any` or a port"; }
};

struct tls_type {
    using value = std::optional<certificate>;
    static std::optional<value> read(context& c, const node& n) {
        if (n.kind == node_kind::map) return value{object_type<certificate>::read(c, n)};
        const auto wanted = boolean_type::read(c, n);
        if (!wanted) return std::nullopt;
        return *wanted ? value{certificate{}} : value{};
    }
    static std::string json() {
        return R"({"oneOf": [{"type": "boolean"}, )" + object_type<certificate>::json() + "]}";
    }
    static std::string words() { return "true, false, or " + object_type<certificate>::words(); }
};

struct domain_type {
    using value = std::string;
    static std::optional<std::string> read(context& c, const node& n) {
        auto name = text_type::read(c, n);
        if (!name) return std::nullopt;
        if (const auto wrong = check_domain_name(*name)) {
            c.error(n.at, *wrong);
            return std::nullopt;
        }
        return name;
    }
    static std::string json() { return text_type::json(); }
    static std::string words() { return "host name"; }
};
struct ptr_type {
    using value = std::optional<std::string>;
    static std::optional<value> read(context& c, const node& n) {
        if (n.kind == node_kind::null) return value{};
        auto name = domain_type::read(c, n);
        if (!name) return std::nullopt;
        return value{std::move(name)};
    }
    static std::string json() { return R"({"type": ["string", "null"]})"; }
    static std::string words() { return "host name, or `null`"; }
};

struct mailbox_user_type {
    using value = std::string;
    static std::optional<std::string> read(context& c, const node& n) {
        auto name = text_type::read(c, n);
        if (!name || !good_key(c, n, check_user_name)) return std::nullopt;
        return name;
    }
    static std::string json() { return text_type::json(); }
    static std::string words() { return "user name"; }
};

// main.cf parameters, each name shown to the hook that knows Postfix's own.
struct parameters_type
    : placed_pairs_of<parameter, &parameter::name, &parameter::value, parameter_value_type, check_parameter_name> {
    static std::optional<value> read(context& c, const node& n) {
        auto all = placed_pairs_of::read(c, n);
        if (all && c.hooks.check_parameter)
            for (const parameter& p : *all)
                if (const auto doubt = c.hooks.check_parameter(p.name)) c.warning(p.at, *doubt);
        return all;
    }
};

// A folder, relative to the file that names it.
struct config_type {
    using value = std::string;
    static std::optional<std::string> read(context& c, const node& n) {
        const auto written = text_type::read(c, n);
        if (!written || written->empty()) return std::nullopt;
        const std::string folder = beside(n.at.file, *written);
        const std::string wrong = c.hooks.folder ? c.hooks.folder(folder) : "";
        if (!wrong.empty()) c.error(n.at, "the folder " + quoted_word(*written) + " " + wrong);
        return folder;
    }
    static std::string json() { return text_type::json(); }
    static std::string words() { return "path of a folder"; }
};

}  // namespace sim::topology
