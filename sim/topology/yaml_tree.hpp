// sim/topology/yaml_tree.hpp - a YAML file as a bounded tree of nodes that know their places; yaml-cpp stands behind
// it.
//
// yaml-cpp's own nodes hide duplicate keys and repeat an alias without a limit, so the tree is built from its events:
// keys are text and unique, `<<` is merged as YAML 1.1 has it, an alias shares its node and counts as often as it is
// used. The first syntax error ends a file: what follows it cannot be trusted.
#pragma once
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/topology/loader.hpp"
#include "sim/topology/position.hpp"

namespace sim::topology {

enum class node_kind { null, scalar, sequence, map };

struct node;
struct entry {
    const node* key = nullptr;  // a scalar
    const node* value = nullptr;
};
struct node {
    node_kind kind = node_kind::null;
    position at;
    std::string text;     // of a scalar
    bool quoted = false;  // quoted, a block, or tagged !!str: text whatever it looks like
    bool literal = false;
    position text_at;                   // of a literal block: its first line and the column its text begins at
    std::vector<const node*> elements;  // of a sequence
    std::vector<entry> entries;         // of a map, in order
    std::size_t weight = 1;             // nodes below and here, aliases followed
};

struct yaml_tree {
    std::deque<node> nodes;
    const node* root = nullptr;  // none when the file is empty or broken
    std::vector<problem> problems;
};

yaml_tree parse_yaml(std::string_view text, const std::string& file);

// What a plain scalar means in YAML 1.1, the reading of the tools around the lab.
enum class scalar_kind { text, boolean, integer, fraction, other_number };
scalar_kind kind_of(std::string_view plain);
// integer and fraction are decimal, as written; other_number is what such tools would write differently (octal, 1_000,
// 1:30, 1.50).

}  // namespace sim::topology
