// sim/topology/types.hpp - the types of values in a topology file: text, numbers, units, names, lists and maps.
//
// Internal to sim/topology; reader.hpp says what a type is. A `read` that gives nothing has reported why.
#pragma once
#include <algorithm>
#include <array>

#include "sim/topology/reader.hpp"

namespace sim::topology {

// Text, quoted where YAML would take it for something else.
struct text_type {
    using value = std::string;
    static std::optional<std::string> read(context& c, const node& n);
    static std::string json() { return R"({"type": "string"})"; }
    static std::string words() { return "text"; }
};
// Text, or a number that reads the same as text.
struct wording_type {
    using value = std::string;
    static std::optional<std::string> read(context& c, const node& n);
    static std::string json() { return R"({"type": ["string", "number"]})"; }
    static std::string words() { return "text"; }
};
// Text without line ends: what becomes part of one line elsewhere.
struct line_type {
    using value = std::string;
    static std::optional<std::string> read(context& c, const node& n);
    static std::string json() { return R"({"type": "string", "pattern": "^[^\\r\\n]*$"})"; }
    static std::string words() { return "text of one line"; }
};
struct block_type {
    using value = block_text;
    static std::optional<block_text> read(context& c, const node& n);
    static std::string json() { return text_type::json(); }
    static std::string words() { return "lines of text"; }
};
// A regular expression that the hook for its kind, if any, can compile.
template <auto Hook>
struct checked_pattern_type {
    using value = std::string;
    static std::optional<std::string> read(context& c, const node& n) {
        auto text = text_type::read(c, n);
        const auto& check = c.hooks.*Hook;
        if (!text || !check) return text;
        if (const auto wrong = check(*text)) {
            c.wrong_type(n, "a regular expression", *wrong);
            return std::nullopt;
        }
        return text;
    }
    static std::string json() { return text_type::json(); }
    static std::string words() { return "regular expression"; }
};
using pattern_type = checked_pattern_type<&load_hooks::check_pattern>;
using filter_pattern_type = checked_pattern_type<&load_hooks::check_filter_pattern>;
struct boolean_type {
    using value = bool;
    static std::optional<bool> read(context& c, const node& n);
    static std::string json() { return R"({"type": "boolean"})"; }
    static std::string words() { return "true or false"; }
};

std::optional<std::uint64_t> read_integer(context& c, const node& n, std::uint64_t least, std::uint64_t most);
std::string integer_json(std::uint64_t least, std::uint64_t most);
template <class Number, std::uint64_t Least, std::uint64_t Most>
struct integer_type {
    using value = Number;
    static std::optional<Number> read(context& c, const node& n) {
        const auto number = read_integer(c, n, Least, Most);
        if (!number) return std::nullopt;
        return static_cast<Number>(*number);
    }
    static std::string json() { return integer_json(Least, Most); }
    static std::string words() { return "number, " + std::to_string(Least) + " to " + std::to_string(Most); }
};
using port_type = integer_type<std::uint16_t, 1, 65535>;
using count_type = integer_type<std::uint32_t, 0, 1'000'000>;
using seed_type = integer_type<std::uint64_t, 0, 9'007'199'254'740'991>;  // what JSON's numbers hold exactly

struct duration_type {
    using value = std::chrono::nanoseconds;
    static std::optional<value> read(context& c, const node& n);
    static std::string json() {
        return R"({"type": ["string", "number"], "pattern": "^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)?$", "minimum": 0})";
    }
    static std::string words() { return "duration"; }
};
struct bandwidth_type {
    using value = std::uint64_t;
    static std::optional<value> read(context& c, const node& n);
    static std::string json() {
        return R"({"type": "string", "pattern": "^[0-9]+(\\.[0-9]+)?(bit|kbit|Mbit|Gbit)(/s)?$"})";
    }
    static std::string words() { return "bandwidth"; }
};
struct probability_type {
    using value = double;
    static std::optional<value> read(context& c, const node& n);
    static std::string json() {
        return R"({"type": ["string", "number"], "pattern": "^[0-9]+(\\.[0-9]+)?%?$", "minimum": 0, "maximum": 1})";
    }
    static std::string words() { return "percentage"; }
};
struct subnet_type {
    using value = subnet;
    static std::optional<value> read(context& c, const node& n);
    static std::string json() { return R"({"type": "string", "pattern": "^[0-9.]+/[0-9]+$"})"; }
    static std::string words() { return "subnet"; }
};
// An address of the lab's subnet that no other machine has.
struct address_type {
    using value = address;
    static std::optional<value> read(context& c, const node& n);
    static std::string json() { return R"({"type": "string", "format": "ipv4"})"; }
    static std::string words() { return "IPv4 address"; }
};
// The value of a main.cf parameter, as main.cf has it.
struct parameter_value_type {
    using value = std::string;
    static std::optional<std::string> read(context& c, const node& n);
    static std::string json() {
        return R"({"type": ["string", "integer", "boolean", "null", "array"], "items": {"type": ["string", "integer"]}})";
    }
    static std::string words() { return "text, number, true, false, nothing, or a list of text"; }
};

// Names of machines that the file has.
std::optional<std::string> read_reference(context& c, const node& n, machine_kind kind);
template <machine_kind Kind>
struct reference_type {
    using value = std::string;
    static std::optional<std::string> read(context& c, const node& n) { return read_reference(c, n, Kind); }
    static std::string json() { return text_type::json(); }
    static std::string words() {
        constexpr std::array<std::string_view, 4> names{"name of a host", "name of a server",
                                                        "name of a client or host", "name of a host, client or server"};
        return std::string(names[static_cast<std::size_t>(Kind)]);
    }
};
using host_type = reference_type<machine_kind::host>;

// Either of a few words.
std::optional<std::size_t> read_choice(context& c, const node& n, std::span<const std::string_view> words);
std::string choice_json(std::span<const std::string_view> words);
std::string choice_words(std::span<const std::string_view> words);
// `Words` are the enumerators' names in their order.
template <class Enum, const auto& Words>
struct choice_type {
    using value = Enum;
    static std::optional<Enum> read(context& c, const node& n) {
        const auto at = read_choice(c, n, Words);
        if (!at) return std::nullopt;
        return static_cast<Enum>(*at);
    }
    static std::string json() { return choice_json(Words); }
    static std::string words() { return choice_words(Words); }
};

template <class Type>
struct list_of {
    using value = std::vector<typename Type::value>;
    static std::optional<value> read(context& c, const node& n) {
        if (n.kind != node_kind::sequence) {
            c.wrong_type(n, "a list", "write [one, two], or a line \"- one\" for each");
            return std::nullopt;
        }
        value all;
        for (const node* element : n.elements)
            if (auto one = Type::read(c, *element)) all.push_back(std::move(*one));
        return all;
    }
    static std::string json() { return R"({"type": "array", "items": )" + Type::json() + "}"; }
    static std::string words() { return "list of " + Type::words(); }
};
template <class Type>
struct one_or_list_of {
    using value = std::vector<typename Type::value>;
    static std::optional<value> read(context& c, const node& n) {
        if (n.kind == node_kind::sequence) {
            if (n.elements.empty()) {
                c.wrong_type(n, Type::words() + " or a list of it", "write at least one");
                return std::nullopt;
            }
            return list_of<Type>::read(c, n);
        }
        auto one = Type::read(c, n);
        if (!one) return std::nullopt;
        value all;
        all.push_back(std::move(*one));
        return all;
    }
    static std::string json() { return R"({"oneOf": [)" + Type::json() + ", " + list_of<Type>::json() + "]}"; }
    static std::string words() { return Type::words() + ", or a list of it"; }
};

template <class T>
struct object_type {
    using value = T;
    static std::optional<T> read(context& c, const node& n) {
        T made;
        if constexpr (requires { made.at = n.at; }) made.at = n.at;
        read_object(c, n, made);
        return made;
    }
    static std::string json() { return R"({"$ref": "#/$defs/)" + std::string(table_of<T>().name) + "\"}"; }
    static std::string words() {
        const std::string name(table_of<T>().name);
        return "[" + name + "](#" + name + ")";
    }
};

// What is wrong with a key and what to do, or nothing.
using key_check = std::optional<std::string> (*)(std::string_view);
std::optional<std::string> check_machine_name(std::string_view name);  // with a dot: its domain follows it
std::optional<std::string> check_domain_name(std::string_view name);   // RFC 1123, and "_" as DNS has it
std::optional<std::string> check_zone_name(std::string_view name);
std::optional<std::string> check_parameter_name(std::string_view name);
std::optional<std::string> check_file_name(std::string_view name);
std::optional<std::string> check_service_name(std::string_view name);
std::optional<std::string> check_policy_endpoint(std::string_view name);
std::optional<std::string> check_stand_in(std::string_view name);
std::optional<std::string> check_variable_name(std::string_view name);
std::optional<std::string> check_user_name(std::string_view name);
std::optional<std::string> check_header_name(std::string_view name);
std::optional<std::string> check_smtp_verb(std::string_view name);
// Reports a bad key; null is as good as `{}` where a map is wanted.
bool good_key(context& c, const node& key, key_check check);
const std::vector<entry>* entries_of(context& c, const node& n);

// `name: value` pairs in the file's order; `Made` has members `name`, and the value goes where `Set` puts it.
template <class Type, key_check Check>
struct pairs_of {
    using value = std::vector<std::pair<std::string, typename Type::value>>;
    static std::optional<value> read(context& c, const node& n) {
        const auto* entries = entries_of(c, n);
        if (!entries) return std::nullopt;
        value all;
        for (const entry& e : *entries) {
            if (!good_key(c, *e.key, Check)) continue;
            c.key = e.key->text;
            if (auto one = Type::read(c, *e.value)) all.emplace_back(e.key->text, std::move(*one));
        }
        return all;
    }
    static std::string json() {
        return R"({"type": ["object", "null"], "additionalProperties": )" + Type::json() + "}";
    }
    static std::string words() { return "map of name to " + Type::words(); }
};
// The same where a name's place matters: T has `at`, `name` or `user`, and `Member` for the value.
template <class T, auto Name, auto Member, class Type, key_check Check>
struct placed_pairs_of {
    using value = std::vector<T>;
    static std::optional<value> read(context& c, const node& n) {
        const auto* entries = entries_of(c, n);
        if (!entries) return std::nullopt;
        value all;
        for (const entry& e : *entries) {
            if (!good_key(c, *e.key, Check)) continue;
            c.key = e.key->text;
            auto one = Type::read(c, *e.value);
            if (!one) continue;
            T& made = all.emplace_back();
            made.at = e.key->at;
            made.*Name = e.key->text;
            made.*Member = std::move(*one);
        }
        return all;
    }
    static std::string json() { return pairs_of<Type, Check>::json(); }
    static std::string words() { return pairs_of<Type, Check>::words(); }
};
// Objects by name; T has `at` and `name`, and `begin(context, T&)` completes it before its keys are read.
template <class T, key_check Check, auto Begin>
struct named_objects {
    using value = std::vector<T>;
    static std::optional<value> read(context& c, const node& n) {
        const auto* entries = entries_of(c, n);
        if (!entries) return std::nullopt;
        value all;
        for (const entry& e : *entries) {
            if (!good_key(c, *e.key, Check)) continue;
            c.key = e.key->text;
            T made;
            made.at = e.key->at;
            made.name = e.key->text;
            Begin(c, made);
            read_object(c, *e.value, made);
            all.push_back(std::move(made));
        }
        return all;
    }
    static std::string json() {
        return R"({"type": ["object", "null"], "additionalProperties": {"$ref": "#/$defs/)" +
               std::string(table_of<T>().name) + "\"}}";
    }
    static std::string words() { return "map of name to " + object_type<T>::words(); }
};

}  // namespace sim::topology
