// sim/topology/reader.hpp - how a table of keys becomes a reader, a JSON Schema and a reference page.
//
// Internal to sim/topology. Each kind of object has one `object_table<T>`: its keys, each with a type, whether it must
// stand there, and a line of documentation. `read_object` walks it over a node; schema.cpp walks it for editors and
// people. A type is a struct with `value`, `read`, `json` (a JSON Schema as text) and `words` (for people).
#pragma once
#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/topology/loader.hpp"
#include "sim/topology/yaml_tree.hpp"

namespace sim::topology {

// What a name in a step may stand for; `speaker` is a client or a host.
enum class machine_kind { host, server, speaker, any };

struct named_machine {
    std::string name;
    position at;
    machine_kind kind;  // host, server, or speaker for a client
};

// One load: its problems, the topology so far, and what must be unique across files.
class context {
  public:
    context(const load_hooks& h, topology& t) : hooks(h), model(t) {}

    void error(const position& at, std::string text) { report(at, severity::error, std::move(text)); }
    void warning(const position& at, std::string text) { report(at, severity::warning, std::move(text)); }
    void report(const position& at, severity level, std::string text);
    // `"key" must be WHAT, not FOUND; HOW`. For what stands under the key being read.
    void wrong_type(const node& found, std::string_view what, std::string_view how);
    // Gives the known key that was probably meant, or "".
    std::string_view unknown_key(const node& key, std::string_view object, std::span<const std::string_view> known);
    void missing_key(const position& at, std::string_view object, std::string_view key, std::string_view doc);
    // A `what` that is not a map; `known` are its keys.
    void not_a_map(const node& found, std::string_view object, std::span<const std::string_view> known);
    // A map that must have one of `known` and has none or several.
    void not_one_key(const node& found, std::string_view object, std::span<const std::string_view> known);
    bool failed() const { return failed_; }
    // Looking for what was meant takes time; of thousands of mistakes only the first get so much.
    bool gives_advice() const { return problems_.size() < most_advised; }
    // All that was reported, by place, files in the order they were opened; at most `most_problems`.
    std::pair<std::vector<problem>, std::size_t> take_problems();

    const load_hooks& hooks;
    topology& model;
    std::string_view key;                        // being read
    std::vector<std::string> files;              // in the order they were opened
    std::map<std::string, named_machine> names;  // of machines, by their names in lower case
    std::map<std::string, position> zones;
    std::vector<zone> zone_texts;  // to be checked once all machines are known
    std::map<std::uint32_t, std::string> addresses;

  private:
    static constexpr std::size_t most_advised = 3 * most_problems;
    std::vector<problem> problems_;
    std::size_t left_out_ = 0;
    bool failed_ = false;
};

// What was found, for people: `"text"`, `a list`, `nothing`.
std::string found_words(const node& n);
// `path` as a file that `file` names: relative to its folder.
std::string beside(const std::string& file, const std::string& path);
std::string quoted_word(std::string_view word);  // in double quotes, cut and made printable

enum class need { required, optional };

template <class Owner>
struct row {
    std::string_view key;
    need presence;
    std::string_view doc;
    void (*read)(context&, const node&, Owner&);
    std::string (*json)();
    std::string (*words)();
};

template <class Owner>
struct object_table {
    std::string_view name;  // of the object, in the schema and for people
    std::string_view doc;
    std::span<const row<Owner>> rows;
    bool exactly_one = false;  // a verb and what it takes
};

// Specialised where the table stands.
template <class T>
const object_table<T>& table_of();

// A key whose value goes to a member.
template <class Owner, auto Member, class Type>
constexpr row<Owner> field(std::string_view key, need presence, std::string_view doc) {
    return {key,
            presence,
            doc,
            [](context& c, const node& n, Owner& owner) {
                if (auto value = Type::read(c, n)) owner.*Member = std::move(*value);
            },
            &Type::json,
            &Type::words};
}
// A key whose value `Set(owner, value, node)` puts where it belongs.
template <class Owner, class Type, auto Set>
constexpr row<Owner> field_set(std::string_view key, need presence, std::string_view doc) {
    return {key,
            presence,
            doc,
            [](context& c, const node& n, Owner& owner) {
                if (auto value = Type::read(c, n)) Set(owner, std::move(*value), n);
            },
            &Type::json,
            &Type::words};
}
// One alternative of an object that is exactly one of several.
template <class Owner, class Type>
constexpr row<Owner> verb(std::string_view key, std::string_view doc) {
    return field_set<Owner, Type, [](Owner& o, typename Type::value v, const node&) { o.what = std::move(v); }>(
        key, need::optional, doc);
}

// Keys are read in the table's order, whatever the file's: a later row may rely on an earlier one.
template <class T>
void read_object(context& c, const node& n, T& into) {
    const object_table<T>& table = table_of<T>();
    std::vector<std::string_view> known;
    for (const auto& r : table.rows) known.push_back(r.key);
    if (n.kind != node_kind::map && n.kind != node_kind::null) return c.not_a_map(n, table.name, known);
    if (table.exactly_one && n.entries.size() != 1) return c.not_one_key(n, table.name, known);

    std::map<std::string_view, const entry*> present;
    std::set<std::string_view> misspelt;  // its absence needs no second word
    for (const entry& e : n.entries) {
        present.emplace(e.key->text, &e);
        if (std::find(known.begin(), known.end(), e.key->text) == known.end())
            misspelt.insert(c.unknown_key(*e.key, table.name, known));
    }
    const auto outer = c.key;
    for (const auto& r : table.rows) {
        const auto found = present.find(r.key);
        c.key = r.key;
        if (found != present.end())
            r.read(c, *found->second->value, into);
        else if (r.presence == need::required && !misspelt.contains(r.key))
            c.missing_key(n.at, table.name, r.key, r.doc);
    }
    c.key = outer;
}

}  // namespace sim::topology
