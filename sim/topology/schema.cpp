// sim/topology/schema.cpp - the format for editors (JSON Schema 2020-12) and for people (Markdown), from the tables.
#include <boost/json.hpp>

#include "mta/text/strings.hpp"
#include "sim/topology/tables.hpp"

namespace sim::topology {
namespace {

struct key_words {
    std::string key, doc, json, words;
    bool required = false;
};
struct object_words {
    std::string name, doc;
    bool exactly_one = false;
    std::vector<key_words> keys;
};

template <class T>
object_words words_of() {
    const object_table<T>& table = table_of<T>();
    object_words words{std::string(table.name), std::string(table.doc), table.exactly_one, {}};
    for (const row<T>& r : table.rows)
        words.keys.push_back(
            {std::string(r.key), std::string(r.doc), r.json(), r.words(), r.presence == need::required});
    return words;
}

template <class... T>
std::vector<object_words> words_of_all() {
    return {words_of<T>()...};
}

// In the order in which a reader meets them.
std::vector<object_words> all_objects() {
    using namespace scenario;
    return words_of_all<topology, network_settings, sim::topology::link, firewall_rule, host, certificate, filter,
                        filter_rule, policy, greylist, policy_rule, client, server, scripted_reply, step, submit, smtp,
                        dialogue_item, settle, script, superuser, zone_change, expectation, delivered, bounced, refused,
                        log_line, queue_length, mailbox>();
}

// Markdown's marks are of no use in an editor's tooltip.
std::string plain(std::string_view doc) {
    return mta::text::replaced(doc, "`", "");
}

boost::json::object schema_of(const object_words& o) {
    boost::json::object schema;
    schema["description"] = plain(o.doc);
    boost::json::object properties;
    boost::json::array required;
    for (const key_words& k : o.keys) {
        boost::json::object property = boost::json::parse(k.json).as_object();
        property["description"] = plain(k.doc);
        properties[k.key] = std::move(property);
        if (k.required) required.emplace_back(k.key);
    }
    if (o.exactly_one || !required.empty())
        schema["type"] = "object";
    else
        schema["type"] = boost::json::array{"object", "null"};
    schema["additionalProperties"] = false;
    if (o.exactly_one) {
        schema["minProperties"] = 1;
        schema["maxProperties"] = 1;
    }
    if (!required.empty()) schema["required"] = std::move(required);
    schema["properties"] = std::move(properties);
    return schema;
}

// Two spaces a level; short values stay on a line. The tables bound the depth.
void print(std::string& out, const boost::json::value& v, std::size_t indent) {
    constexpr std::size_t short_enough = 100;
    std::string flat = boost::json::serialize(v);
    if (flat.size() <= short_enough || (!v.is_object() && !v.is_array())) {
        out += flat;
        return;
    }
    const std::string margin(indent + 2, ' ');
    bool first = true;
    const auto begin_item = [&] {
        out += first ? "\n" : ",\n";
        out += margin;
        first = false;
    };
    out += v.is_object() ? '{' : '[';
    if (v.is_object()) {
        for (const auto& [key, value] : v.get_object()) {
            begin_item();
            out += boost::json::serialize(boost::json::value(key)) + ": ";
            print(out, value, indent + 2);
        }
    } else {
        for (const auto& value : v.get_array()) {
            begin_item();
            print(out, value, indent + 2);
        }
    }
    out += "\n" + std::string(indent, ' ') + (v.is_object() ? '}' : ']');
}

// A cell of a Markdown table.
std::string cell(std::string_view text) {
    return mta::text::replaced(text, "|", "\\|");
}

}  // namespace

std::string json_schema() {
    const auto objects = all_objects();
    boost::json::object schema;
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema";
    schema["title"] = "relaylab topology";
    schema["$ref"] = "#/$defs/" + objects.front().name;
    boost::json::object definitions;
    for (const object_words& o : objects) definitions[o.name] = schema_of(o);
    schema["$defs"] = std::move(definitions);
    std::string text;
    print(text, schema, 0);
    return text + "\n";
}

std::string markdown_reference() {
    std::string text;
    for (const object_words& o : all_objects()) {
        text += "### " + o.name + "\n\n" + o.doc + (o.exactly_one ? " Exactly one of:" : "") + "\n\n";
        text += "| key | value | meaning |\n| --- | --- | --- |\n";
        for (const key_words& k : o.keys)
            text += "| `" + k.key + "`" + (k.required ? " (required)" : "") + " | " + cell(k.words) + " | " +
                    cell(k.doc) + " |\n";
        text += "\n";
    }
    return text;
}

}  // namespace sim::topology
