#include "sim/topology/yaml_tree.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

#include "mta/text/strings.hpp"
#include "sim/topology/yaml_source.hpp"

namespace sim::topology {
namespace {

constexpr std::size_t deepest = 24;
constexpr std::size_t most_weight = 200'000;  // nodes, each 64 bytes of text counting as one, aliases followed
constexpr std::size_t bytes_for_each_node = 64;

// Ends the parse from within an event; its problem is already noted.
struct parse_stopped {};

yaml_mark at_mark(const YAML::Mark& mark) {
    return {mark.line, mark.column};
}

class builder final : public YAML::EventHandler {
  public:
    builder(yaml_tree& tree, const yaml_source& from) : tree_(tree), source_(from) {}

    void OnDocumentStart(const YAML::Mark& mark) override {
        if (documents_++ > 0)
            stop(source_.place(at_mark(mark)),
                 "a second document begins here; a topology is one document: indent this like the "
                 "lines it belongs to, or remove it");
    }
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        node& made = make(mark, node_kind::null);
        // yaml-cpp places what is not there at whatever comes next.
        if (!open_.empty() && keys_.back() != nullptr)
            made.at = keys_.back()->at;
        else
            made.at = source_.place_before(at_mark(mark));
        add(made, anchor);
    }
    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& value) override {
        node& made = make(mark, node_kind::scalar);
        check_tag(made.at, tag, {"?", "!", "", "tag:yaml.org,2002:str"});
        made.text = value;
        made.quoted = tag == "!" || tag == "tag:yaml.org,2002:str";
        made.weight = 1 + value.size() / bytes_for_each_node;
        if (made.quoted) find_block(made, at_mark(mark));
        // yaml-cpp takes a newline at the end of the file for the missing quote.
        if (made.quoted && !source_.quotes_close(at_mark(mark)))
            stop(made.at,
                 "these quotes are never closed; add the closing one, or put quotes that belong to the text within "
                 "others");
        add(made, anchor);
    }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        const auto found = anchors_.find(anchor);
        const position at = source_.place(at_mark(mark));
        if (found == anchors_.end() || std::find(open_.begin(), open_.end(), found->second) != open_.end())
            stop(at, "this alias stands within what it repeats; write that part out");
        spend(found->second->weight, at);
        attach(found->second, found->second->weight);
    }
    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value style) override {
        open(mark, tag, anchor, style, node_kind::sequence);
    }
    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value style) override {
        open(mark, tag, anchor, style, node_kind::map);
    }
    void OnSequenceEnd() override { close(); }
    void OnMapEnd() override {
        node& map = *open_.back();
        check_keys(map);
        merge(map);
        close();
    }

    // The innermost [ or { that is still open, for errors that yaml-cpp places elsewhere.
    std::optional<position> open_bracket() const {
        for (auto i = open_.size(); i > 0; --i)
            if (flow_[i - 1]) return open_[i - 1]->at;
        return std::nullopt;
    }

  private:
    [[noreturn]] void stop(const position& at, std::string text) {
        tree_.problems.push_back({at, severity::error, std::move(text)});
        throw parse_stopped{};
    }
    void check_tag(const position& at, const std::string& tag, std::initializer_list<std::string_view> allowed) {
        if (std::find(allowed.begin(), allowed.end(), tag) == allowed.end())
            tree_.problems.push_back(
                {at, severity::error, "the tag \"" + tag.substr(0, 40) + "\" has no meaning here; remove it"});
    }
    void spend(std::size_t weight, const position& at) {
        spent_ += weight;
        if (spent_ > most_weight)
            stop(at, "this file is too large once its aliases are followed (over " + std::to_string(most_weight) +
                         " values); write fewer of them");
    }
    node& make(const YAML::Mark& mark, node_kind kind) {
        node& made = tree_.nodes.emplace_back();
        made.kind = kind;
        made.at = source_.place(at_mark(mark));
        return made;
    }
    void add(node& made, YAML::anchor_t anchor) {
        spend(made.weight, made.at);
        if (anchor != 0) anchors_[anchor] = &made;
        const bool is_container = made.kind == node_kind::sequence || made.kind == node_kind::map;
        attach(&made, is_container ? 0 : made.weight);
    }
    void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, YAML::EmitterStyle::value style,
              node_kind kind) {
        node& made = make(mark, kind);
        check_tag(made.at, tag, {"?", "!", ""});
        if (open_.size() >= deepest)
            stop(made.at, "this is nested too deeply; no part of a topology needs more than " +
                              std::to_string(deepest) + " levels");
        add(made, anchor);
        open_.push_back(&made);
        keys_.push_back(nullptr);
        flow_.push_back(style == YAML::EmitterStyle::Flow);
    }
    void close() {
        const node* closed = open_.back();
        open_.pop_back();
        keys_.pop_back();
        flow_.pop_back();
        if (!open_.empty()) open_.back()->weight += closed->weight;
    }
    // `weight` is 0 for a container that has just been opened: its own follows when it is closed.
    void attach(const node* child, std::size_t weight) {
        if (open_.empty()) {
            tree_.root = child;
            return;
        }
        node& parent = *open_.back();
        parent.weight += weight;
        if (parent.kind == node_kind::sequence) {
            parent.elements.push_back(child);
        } else if (keys_.back() == nullptr) {
            keys_.back() = child;
        } else {
            parent.entries.push_back({keys_.back(), child});
            keys_.back() = nullptr;
        }
    }

    // Keys are scalars, each once. What is neither is reported and left out.
    void check_keys(node& map) {
        std::map<std::string_view, const node*> seen;
        std::vector<entry> kept;
        for (const entry& e : map.entries) {
            if (e.key->kind != node_kind::scalar) {
                tree_.problems.push_back({e.key->at, severity::error, "a key must be a word; write \"key: value\""});
                continue;
            }
            const auto [at, is_new] = seen.try_emplace(e.key->text, e.key);
            if (is_new) {
                kept.push_back(e);
            } else {
                tree_.problems.push_back({e.key->at, severity::error,
                                          "\"" + e.key->text.substr(0, 80) + "\" stands here twice (first on line " +
                                              std::to_string(at->second->at.line) + "); remove or rename one of them"});
            }
        }
        map.entries = std::move(kept);
    }

    // https://yaml.org/type/merge.html: keys of the map itself win, then those of the maps named first.
    void merge(node& map) {
        const auto is_merge = [](const entry& e) { return e.key->text == "<<" && !e.key->quoted; };
        const auto found = std::find_if(map.entries.begin(), map.entries.end(), is_merge);
        if (found == map.entries.end()) return;
        std::vector<const node*> sources;
        if (found->value->kind == node_kind::sequence)
            sources = found->value->elements;
        else
            sources.push_back(found->value);
        std::vector<entry> merged;
        std::map<std::string_view, std::size_t> where;
        const auto put = [&](const entry& e) {
            const auto [at, is_new] = where.try_emplace(e.key->text, merged.size());
            if (is_new)
                merged.push_back(e);
            else
                merged[at->second] = e;
        };
        for (auto i = sources.rbegin(); i != sources.rend(); ++i) {
            if ((*i)->kind != node_kind::map) {
                tree_.problems.push_back({found->key->at, severity::error,
                                          "\"<<\" takes a map or a list of maps; give it an alias such as *name"});
                continue;
            }
            for (const entry& e : (*i)->entries) put(e);
        }
        for (const entry& e : map.entries)
            if (!is_merge(e)) put(e);
        map.entries = std::move(merged);
    }

    // Where the text of a literal block begins, so that errors within it have lines of the file.
    void find_block(node& made, yaml_mark mark) {
        if (mark.line < 0 || !source_.is_literal_block(mark)) return;
        made.literal = true;
        const auto index = static_cast<std::size_t>(mark.line);
        std::size_t indent = 0;
        std::string_view rest = made.text;
        for (std::size_t line = index + 1; !rest.empty(); ++line) {
            const auto text = rest.substr(0, rest.find('\n'));
            if (!text.empty()) {
                const auto written = mta::text::trimmed_right(source_.line(line)).size();
                indent = written - std::min(written, mta::text::trimmed_right(text).size());
                break;
            }
            rest.remove_prefix(1);
        }
        made.text_at = source_.place(index + 1, indent);
    }

    yaml_tree& tree_;
    const yaml_source& source_;
    std::map<YAML::anchor_t, node*> anchors_;
    std::vector<node*> open_;
    std::vector<const node*> keys_;  // the key that waits for its value, for each open node
    std::vector<bool> flow_;
    std::size_t spent_ = 0;
    int documents_ = 0;
};

void note_syntax_error(yaml_tree& tree, const yaml_source& from, const builder& build, const YAML::Exception& error) {
    position at = from.place(at_mark(error.mark));
    std::string text = explain_yaml_error(error.msg);
    if (error.msg.find("flow not found") != std::string::npos) at = build.open_bracket().value_or(at);
    if (const auto opened = build.open_bracket(); opened && error.msg == "illegal flow end")
        text = "a closing bracket of the wrong kind: the one that opened on line " + std::to_string(opened->line) +
               ", column " + std::to_string(opened->column) + " is still open; close that first";
    const auto line = from.line(static_cast<std::size_t>(at.line - 1));
    const auto indentation = line.substr(0, line.find_first_not_of(" \t"));
    if (const auto tab = indentation.find('\t'); tab != std::string_view::npos) {
        at = from.place(static_cast<std::size_t>(at.line - 1), tab);
        text = explain_yaml_error("illegal tab when looking for indentation");
    }
    tree.problems.push_back({at, severity::error, text});
}

}  // namespace

yaml_tree parse_yaml(std::string_view text, const std::string& file) {
    yaml_tree tree;
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    const yaml_source from(text, file);
    if (text.size() > largest_file) {
        tree.problems.push_back({{file, 1, 1},
                                 severity::error,
                                 "this file is larger than " + std::to_string(largest_file) +
                                     " bytes; split it, or move tables out of it"});
        return tree;
    }
    if (auto bad = find_bad_byte(text, from)) {
        tree.problems.push_back(std::move(*bad));
        return tree;
    }
    builder build(tree, from);
    try {
        std::istringstream stream{std::string(text)};
        YAML::Parser parser(stream);
        while (parser.HandleNextDocument(build)) {
        }
    } catch (const YAML::Exception& error) {
        note_syntax_error(tree, from, build, error);
        tree.root = nullptr;
    } catch (const parse_stopped&) {
        tree.root = nullptr;
    }
    return tree;
}

}  // namespace sim::topology
