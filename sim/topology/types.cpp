#include "sim/topology/types.hpp"

#include "mta/text/strings.hpp"
#include "sim/topology/units.hpp"

namespace sim::topology {
namespace {

bool is_plain_text(const node& n) {
    return n.kind == node_kind::scalar && (n.quoted || kind_of(n.text) == scalar_kind::text);
}

// Takes a scalar, whatever it looks like; units do not care whether YAML saw a number.
bool is_scalar(const node& n) {
    return n.kind == node_kind::scalar;
}

template <class Parse>
auto read_unit(context& c, const node& n, Parse parse, std::string_view what, std::string_view how) {
    auto found = is_scalar(n) ? parse(n.text) : decltype(parse(n.text)){};
    if (!found) c.wrong_type(n, what, how);
    return found;
}

}  // namespace

std::optional<std::string> text_type::read(context& c, const node& n) {
    if (is_plain_text(n)) return n.text;
    c.wrong_type(n, "text",
                 is_scalar(n)                ? "put it in quotes: \"" + n.text.substr(0, 60) + "\""
                 : n.kind == node_kind::null ? std::string("write \"\" if it is to be empty")
                                             : std::string("write one value here"));
    return std::nullopt;
}

std::optional<std::string> wording_type::read(context& c, const node& n) {
    const scalar_kind kind = n.kind == node_kind::scalar ? kind_of(n.text) : scalar_kind::other_number;
    if (kind == scalar_kind::integer || kind == scalar_kind::fraction) return n.text;
    return text_type::read(c, n);
}

std::optional<std::string> line_type::read(context& c, const node& n) {
    auto text = text_type::read(c, n);
    if (text && text->find_first_of("\r\n") != std::string::npos) {
        c.wrong_type(n, "text of one line", "write it on one line, or use {raw: ...} or {group: [...]} in a dialogue");
        return std::nullopt;
    }
    return text;
}

std::optional<block_text> block_type::read(context& c, const node& n) {
    auto text = text_type::read(c, n);
    if (!text) return std::nullopt;
    return block_text{std::move(*text), n.literal ? n.text_at : n.at, n.literal};
}

std::optional<bool> boolean_type::read(context& c, const node& n) {
    if (is_scalar(n) && !n.quoted && kind_of(n.text) == scalar_kind::boolean) {
        const auto word = mta::text::lowered(n.text);
        return word == "true" || word == "yes" || word == "on";
    }
    c.wrong_type(n, "true or false", is_scalar(n) && n.quoted ? "write it without quotes" : "write true or false");
    return std::nullopt;
}

std::optional<std::uint64_t> read_integer(context& c, const node& n, std::uint64_t least, std::uint64_t most) {
    if (is_scalar(n) && !n.quoted && kind_of(n.text) == scalar_kind::integer) {
        const auto number = mta::text::to_number(n.text);
        if (number && static_cast<std::uint64_t>(*number) >= least && static_cast<std::uint64_t>(*number) <= most)
            return static_cast<std::uint64_t>(*number);
    }
    const bool is_integer = is_scalar(n) && kind_of(n.text) == scalar_kind::integer;
    c.wrong_type(n, "a number from " + std::to_string(least) + " to " + std::to_string(most),
                 !is_integer ? "write it in digits, without zeros before it"
                 : n.quoted  ? "write it without quotes"
                             : "choose one of them");
    return std::nullopt;
}

std::string integer_json(std::uint64_t least, std::uint64_t most) {
    return R"({"type": "integer", "minimum": )" + std::to_string(least) + R"(, "maximum": )" + std::to_string(most) +
           "}";
}

std::optional<duration_type::value> duration_type::read(context& c, const node& n) {
    return read_unit(c, n, parse_duration, "a duration",
                     "write a number and one of ms, s, m, h, d, as in 20ms or 5d, without a space");
}

std::optional<bandwidth_type::value> bandwidth_type::read(context& c, const node& n) {
    return read_unit(c, n, parse_bandwidth, "a bandwidth",
                     "write a number and one of bit/s, kbit/s, Mbit/s, Gbit/s, as in 10Mbit/s");
}

std::optional<probability_type::value> probability_type::read(context& c, const node& n) {
    return read_unit(c, n, parse_probability, "a percentage",
                     "write 0% to 100%, as in 0.1%, or a fraction, as in 0.001");
}

std::optional<subnet> subnet_type::read(context& c, const node& n) {
    constexpr int widest = 8, narrowest = 29;
    const auto found = is_scalar(n) ? parse_subnet(n.text) : std::nullopt;
    if (found && found->prefix >= widest && found->prefix <= narrowest) return found;
    c.wrong_type(n, "an IPv4 subnet of /8 to /29", "write its first address and the prefix, as in 192.168.137.0/24");
    return std::nullopt;
}

std::optional<address> address_type::read(context& c, const node& n) {
    const auto found = is_scalar(n) ? parse_address(n.text) : std::nullopt;
    if (!found) {
        c.wrong_type(n, "an IPv4 address", "write four numbers from 0 to 255, as in 192.168.137.2");
        return std::nullopt;
    }
    const subnet& net = c.model.network.subnet;
    const std::string within = to_string(net);
    if (!net.contains(*found)) {
        c.error(n.at, "the address " + n.text + " is outside the subnet " + within +
                          "; take one within it, or change network.subnet");
    } else if (*found == net.base || *found == net.broadcast()) {
        c.error(n.at, "the address " + n.text + " is the " +
                          (*found == net.base ? "network's own" : "broadcast address") + " of " + within +
                          "; take one between " + to_string(address{net.base.bits + 1}) + " and " +
                          to_string(address{net.broadcast().bits - 1}));
    } else if (*found == net.dns()) {
        c.error(n.at, "the address " + n.text + " is that of the lab's DNS (the second to last of " + within +
                          "); take another");
    } else if (const auto [at, is_new] =
                   c.addresses.try_emplace(found->bits, n.at.file + ":" + std::to_string(n.at.line));
               !is_new) {
        c.error(n.at, "the address " + n.text + " is taken (" + at->second + "); give each machine one of its own");
    }
    return found;
}

// A truth value is yes or no as main.cf has it. Within a list there is no such reading, so there it must be quoted.
std::optional<std::string> parameter_value_type::read(context& c, const node& n) {
    const auto scalar = [&](const node& v, bool within_list) -> std::optional<std::string> {
        const scalar_kind kind = v.quoted ? scalar_kind::text : kind_of(v.text);
        if (kind == scalar_kind::other_number) {
            c.error(v.at, quoted_word(c.key) + " is " + v.text.substr(0, 60) +
                              ", which YAML reads as octal, hexadecimal, base 60 or a fraction in another form; put it "
                              "in quotes to keep it as it is");
            return std::nullopt;
        }
        if (kind != scalar_kind::boolean) return v.text;
        if (within_list) {
            c.error(v.at, "within a list " + v.text + " is a truth value; put it in quotes");
            return std::nullopt;
        }
        const auto word = mta::text::lowered(v.text);
        return word == "true" || word == "yes" || word == "on" ? "yes" : "no";
    };
    std::string value;
    if (n.kind == node_kind::scalar) {
        const auto one = scalar(n, false);
        if (!one) return std::nullopt;
        value = *one;
    } else if (n.kind == node_kind::sequence) {
        for (const node* element : n.elements) {
            if (element->kind != node_kind::scalar) {
                c.wrong_type(*element, "a list of text",
                             "write each entry as text, in quotes if it holds , [ ] { } or : ");
                return std::nullopt;
            }
            const auto one = scalar(*element, true);
            if (!one) return std::nullopt;
            value += (value.empty() && element == n.elements.front() ? "" : ", ") + *one;
        }
    } else if (n.kind == node_kind::map) {
        c.wrong_type(n, "text, a number, true, false or a list", "put text that begins with { in quotes");
        return std::nullopt;
    }
    // A line of main.cf ends at a newline unless the next line begins with white space.
    for (std::size_t at = value.find('\n'); at != std::string::npos; at = value.find('\n', at + 1)) {
        const std::size_t next = at + 1;
        if (next < value.size() && value[next] != ' ' && value[next] != '\t' && value[next] != '\n') {
            c.error(n.at, quoted_word(c.key) +
                              " has a line that main.cf would take for a new parameter; indent the lines after "
                              "its first, or join them with \">\" instead of \"|\"");
            return std::nullopt;
        }
    }
    return value;
}

namespace {

bool is_of_kind(const named_machine& m, machine_kind wanted) {
    return wanted == machine_kind::any || m.kind == wanted ||
           (wanted == machine_kind::speaker && m.kind == machine_kind::host);
}

// What to write instead of a name that no machine has.
std::string machine_advice(const context& c, std::string_view name, machine_kind kind) {
    constexpr std::size_t most_listed = 8, longest_name = 255;
    std::vector<std::string_view> candidates;
    for (const auto& [folded, m] : c.names)
        if (is_of_kind(m, kind)) candidates.push_back(m.name);
    if (candidates.empty()) return "the file declares none";
    const auto near = mta::text::nearest(name.substr(0, longest_name), candidates);
    if (!near.empty()) return "did you mean " + quoted_word(near) + "?";
    std::string text = "there is ";
    for (std::size_t i = 0; i < std::min(candidates.size(), most_listed); ++i)
        text += (i == 0 ? "" : ", ") + std::string(candidates[i]);
    return text + (candidates.size() > most_listed ? ", ..." : "");
}

}  // namespace

std::optional<std::string> read_reference(context& c, const node& n, machine_kind kind) {
    auto name = text_type::read(c, n);
    if (!name) return std::nullopt;
    const auto found = c.names.find(mta::text::lowered(*name));
    if (found != c.names.end() && found->second.name == *name && is_of_kind(found->second, kind)) return name;
    constexpr std::array<std::string_view, 4> kinds{"host", "server", "client or host", "host, client or server"};
    c.error(n.at, "there is no " + std::string(kinds[static_cast<std::size_t>(kind)]) + " " + quoted_word(*name) +
                      "; " +
                      (c.gives_advice() ? machine_advice(c, *name, kind) : std::string("declare it, or name another")));
    return name;
}

std::optional<std::size_t> read_choice(context& c, const node& n, std::span<const std::string_view> words) {
    const auto found = is_scalar(n) ? std::find(words.begin(), words.end(), n.text) : words.end();
    if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
    const std::vector<std::string_view> candidates(words.begin(), words.end());
    const auto near =
        is_scalar(n) ? mta::text::nearest(std::string_view(n.text).substr(0, 100), candidates) : std::string_view{};
    c.wrong_type(n, choice_words(words),
                 near.empty() ? std::string("write one of them") : "did you mean " + quoted_word(near) + "?");
    return std::nullopt;
}

std::string choice_json(std::span<const std::string_view> words) {
    std::string json = R"({"enum": [)";
    for (const auto& word : words) json += (word == words.front() ? "\"" : ", \"") + std::string(word) + "\"";
    return json + "]}";
}

std::string choice_words(std::span<const std::string_view> words) {
    std::string text;
    for (std::size_t i = 0; i < words.size(); ++i)
        text += (i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + std::string(words[i]);
    return text;
}

bool good_key(context& c, const node& key, key_check check) {
    const auto wrong = check(key.text);
    if (wrong) c.error(key.at, *wrong);
    return !wrong;
}

const std::vector<entry>* entries_of(context& c, const node& n) {
    if (n.kind == node_kind::map || n.kind == node_kind::null) return &n.entries;
    c.wrong_type(n, "a map of names", "write \"name: value\" lines below it, or {name: value}");
    return nullptr;
}

}  // namespace sim::topology
