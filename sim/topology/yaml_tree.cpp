#include "sim/topology/yaml_tree.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <sstream>

#include "mta/text/strings.hpp"

namespace sim::topology {
namespace {

constexpr std::size_t deepest = 24;
constexpr std::size_t most_weight = 200'000;  // nodes, each 64 bytes of text counting as one, aliases followed
constexpr std::size_t bytes_for_each_node = 64;

// Ends the parse from within an event; its problem is already noted.
struct parse_stopped {};

// Offsets of the lines, and columns in characters where yaml-cpp counts bytes.
class source {
  public:
    source(std::string_view text, std::string file) : text_(text), file_(std::move(file)) {
        starts_.push_back(0);
        for (std::size_t i = 0; i < text.size(); ++i)
            if (text[i] == '\n') starts_.push_back(i + 1);
    }
    std::string_view line(std::size_t index) const {  // from 0
        if (index >= starts_.size()) return {};
        const auto rest = text_.substr(starts_[index]);
        return rest.substr(0, rest.find('\n'));
    }
    position place(std::size_t line_index, std::size_t byte) const {
        const auto before = line(line_index).substr(0, byte);
        const auto characters = std::count_if(before.begin(), before.end(), [](char c) { return (c & 0xC0) != 0x80; });
        // A mark past the end of its line (the end of the file) keeps its distance.
        const std::size_t beyond = byte - before.size();
        return {file_, static_cast<int>(line_index) + 1, static_cast<int>(characters) + static_cast<int>(beyond) + 1};
    }
    position place(const YAML::Mark& mark) const {
        if (mark.line < 0 || mark.column < 0) return {file_, 1, 1};
        return place(static_cast<std::size_t>(mark.line), static_cast<std::size_t>(mark.column));
    }
    position place_of_offset(std::size_t offset) const {
        const auto after = std::upper_bound(starts_.begin(), starts_.end(), offset);
        const auto index = static_cast<std::size_t>(after - starts_.begin()) - 1;
        return place(index, offset - starts_[index]);
    }

    // Of the "-" (or the like) after which nothing stands.
    position place_before(const YAML::Mark& mark) const {
        if (mark.line < 0 || mark.column < 0 || static_cast<std::size_t>(mark.line) >= starts_.size())
            return place(mark);
        const std::size_t offset = starts_[static_cast<std::size_t>(mark.line)] + static_cast<std::size_t>(mark.column);
        if (offset < text_.size() && (text_[offset] == '~' || mta::text::lower(text_[offset]) == 'n'))
            return place(mark);
        const auto before = text_.substr(0, offset).find_last_not_of(" \t\r\n");
        return before == std::string_view::npos ? place(mark) : place_of_offset(before);
    }
    // Whether the quotes that open at `mark`, if any do, are closed somewhere.
    bool quotes_close(const YAML::Mark& mark) const {
        if (mark.line < 0 || mark.column < 0 || static_cast<std::size_t>(mark.line) >= starts_.size()) return true;
        std::size_t at = starts_[static_cast<std::size_t>(mark.line)] + static_cast<std::size_t>(mark.column);
        if (at >= text_.size() || (text_[at] != '"' && text_[at] != '\'')) return true;
        const char quote = text_[at];
        for (++at; at < text_.size(); ++at) {
            if (quote == '"' && text_[at] == '\\')
                ++at;
            else if (text_[at] != quote)
                continue;
            else if (quote == '\'' && at + 1 < text_.size() && text_[at + 1] == '\'')
                ++at;
            else
                return true;
        }
        return false;
    }

  private:
    std::string_view text_;
    std::string file_;
    std::vector<std::size_t> starts_;
};

class builder final : public YAML::EventHandler {
  public:
    builder(yaml_tree& tree, const source& from) : tree_(tree), source_(from) {}

    void OnDocumentStart(const YAML::Mark& mark) override {
        if (documents_++ > 0)
            stop(source_.place(mark),
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
            made.at = source_.place_before(mark);
        add(made, anchor);
    }
    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& value) override {
        node& made = make(mark, node_kind::scalar);
        check_tag(made.at, tag, {"?", "!", "", "tag:yaml.org,2002:str"});
        made.text = value;
        made.quoted = tag == "!" || tag == "tag:yaml.org,2002:str";
        made.weight = 1 + value.size() / bytes_for_each_node;
        if (made.quoted) find_block(made, mark);
        // yaml-cpp takes a newline at the end of the file for the missing quote.
        if (made.quoted && !source_.quotes_close(mark))
            stop(made.at,
                 "these quotes are never closed; add the closing one, or put quotes that belong to the text within "
                 "others");
        add(made, anchor);
    }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        const auto found = anchors_.find(anchor);
        const position at = source_.place(mark);
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
        made.at = source_.place(mark);
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
    void find_block(node& made, const YAML::Mark& mark) {
        if (mark.line < 0 || mark.column < 0) return;
        const auto index = static_cast<std::size_t>(mark.line);
        const auto header = source_.line(index);
        auto column = static_cast<std::size_t>(mark.column);
        while (column < header.size() && (header[column] == '&' || header[column] == '!')) {  // an anchor, a tag
            column = header.find(' ', column);
            if (column != std::string_view::npos) column = header.find_first_not_of(' ', column);
        }
        if (column >= header.size() || header[column] != '|') return;
        made.literal = true;
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
    const source& source_;
    std::map<YAML::anchor_t, node*> anchors_;
    std::vector<node*> open_;
    std::vector<const node*> keys_;  // the key that waits for its value, for each open node
    std::vector<bool> flow_;
    std::size_t spent_ = 0;
    int documents_ = 0;
};

// yaml-cpp's words, and what they mean to someone who writes a topology.
constexpr std::array<std::pair<std::string_view, std::string_view>, 14> explanations{{
    {"illegal tab when looking for indentation", "a tab where indentation should be; use spaces"},
    {"illegal map value",
     "a \":\" where no value can stand; put text that contains \": \" in quotes, and begin each key on a line "
     "of its own"},
    {"illegal map key", "a key cannot stand here; begin it on a line of its own, as far in as its neighbours"},
    {"illegal block entry", "a list entry \"- \" cannot begin here; put it on a line of its own"},
    {"the referenced anchor is not defined",
     "this alias names no anchor above it; write \"&name\" where the value first "
     "stands, or put the text in quotes"},
    {"illegal EOF in scalar", "the file ends within quotes; close them"},
    {"illegal document indicator in scalar", "\"---\" or \"...\" within quotes; close the quotes before it"},
    {"unknown token", "a value cannot begin with this character; put it in quotes"},
    {"end of map not found",
     "this line is indented like none of those above it; align it with the key it belongs beside"},
    {"end of sequence not found",
     "this line is indented like none of those above it; align it with the list it belongs to"},
    {"end of sequence flow not found",
     "this \"[\" is never closed; add \"]\", and put entries that contain , [ ] { } in quotes"},
    {"end of map flow not found",
     "this \"{\" is never closed; add \"}\", and put values that contain , [ ] { } in quotes"},
    {"illegal flow end", "a closing bracket that nothing opened; remove it, or put the text in quotes"},
    {"unknown escape character: ", "a backslash before a character that needs none; use single quotes, or write \\\\"},
}};

std::string explain(std::string_view message) {
    for (const auto& [theirs, ours] : explanations)
        if (message == theirs || (theirs.ends_with(": ") && message.starts_with(theirs))) return std::string(ours);
    return "this is not YAML (" + std::string(message.substr(0, 120)) + "); compare it with the lines above";
}

void note_syntax_error(yaml_tree& tree, const source& from, const builder& build, const YAML::Exception& error) {
    position at = from.place(error.mark);
    std::string text = explain(error.msg);
    if (error.msg.find("flow not found") != std::string::npos) at = build.open_bracket().value_or(at);
    if (const auto opened = build.open_bracket(); opened && error.msg == "illegal flow end")
        text = "a closing bracket of the wrong kind: the one that opened on line " + std::to_string(opened->line) +
               ", column " + std::to_string(opened->column) + " is still open; close that first";
    const auto line = from.line(static_cast<std::size_t>(at.line - 1));
    const auto indentation = line.substr(0, line.find_first_not_of(" \t"));
    if (const auto tab = indentation.find('\t'); tab != std::string_view::npos) {
        at = from.place(static_cast<std::size_t>(at.line - 1), tab);
        text = explain("illegal tab when looking for indentation");
    }
    tree.problems.push_back({at, severity::error, text});
}

// The length of the UTF-8 character (RFC 3629) at the front of `text`, or 0.
std::size_t utf8_length(std::string_view text) {
    const auto byte = [&](std::size_t i) -> unsigned {
        return i < text.size() ? static_cast<unsigned char>(text[i]) : 0;
    };
    const unsigned first = byte(0);
    if (first < 0x80) return 1;
    const std::size_t length = first >= 0xC2 && first <= 0xDF   ? 2
                               : first >= 0xE0 && first <= 0xEF ? 3
                               : first >= 0xF0 && first <= 0xF4 ? 4
                                                                : 0;
    for (std::size_t i = 1; i < length; ++i)
        if ((byte(i) & 0xC0) != 0x80) return 0;
    const unsigned second = byte(1);
    const bool overlong = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
    const bool beyond = (first == 0xED && second > 0x9F) || (first == 0xF4 && second > 0x8F);
    return overlong || beyond ? 0 : length;
}

// Bytes that no topology has. yaml-cpp takes some of them for the end of the file.
std::optional<problem> find_bad_byte(std::string_view text, const source& from) {
    for (std::size_t i = 0; i < text.size();) {
        const char c = text[i];
        const auto complain = [&](std::string what) {
            return problem{from.place_of_offset(i), severity::error, std::move(what)};
        };
        if (c == '\0') return complain("a NUL byte; save the file as UTF-8 text");
        if (c == '\r' && (i + 1 == text.size() || text[i + 1] != '\n'))
            return complain("a carriage return within a line; end lines with a newline");
        if ((static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7F)
            return complain("a control character; remove it, or write it as an escape in double quotes");
        const std::size_t length = utf8_length(text.substr(i));
        if (length == 0) return complain("not UTF-8; save the file as UTF-8 text");
        i += length;
    }
    return std::nullopt;
}

}  // namespace

yaml_tree parse_yaml(std::string_view text, const std::string& file) {
    yaml_tree tree;
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    const source from(text, file);
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

scalar_kind kind_of(std::string_view plain) {
    static constexpr std::array<std::string_view, 6> truths{"true", "false", "yes", "no", "on", "off"};
    const auto folded = mta::text::lowered(plain);
    const bool one_case = plain == folded || plain == mta::text::uppered(plain) ||
                          (!plain.empty() && plain.substr(1) == std::string_view(folded).substr(1));
    if (one_case && std::find(truths.begin(), truths.end(), folded) != truths.end()) return scalar_kind::boolean;

    auto digits = plain;
    const bool negative = digits.starts_with('-');
    if (negative || digits.starts_with('+')) digits.remove_prefix(1);
    if (digits.empty()) return scalar_kind::text;
    const auto only = [](std::string_view text, std::string_view allowed) {
        return text.find_first_not_of(allowed) == std::string_view::npos;
    };
    const bool starts_as_number =
        mta::text::is_digit(digits[0]) || (digits[0] == '.' && digits.size() > 1 && mta::text::is_digit(digits[1]));
    if (starts_as_number && only(digits, "0123456789")) {
        const bool as_written = (digits == "0" && !negative) || (digits[0] != '0');
        return as_written && !plain.starts_with('+') ? scalar_kind::integer : scalar_kind::other_number;
    }
    if (digits.starts_with("0x") || digits.starts_with("0b"))
        return digits.size() > 2 && only(digits.substr(2), digits[1] == 'x' ? "0123456789abcdefABCDEF_" : "01_")
                   ? scalar_kind::other_number
                   : scalar_kind::text;
    const std::string_view infinities[] = {".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN"};
    if (std::find(std::begin(infinities), std::end(infinities), digits) != std::end(infinities))
        return scalar_kind::other_number;
    if (!starts_as_number) return scalar_kind::text;
    const auto points = std::count(digits.begin(), digits.end(), '.');
    if (points == 1 && digits.find(':') == std::string_view::npos && only(digits, "0123456789._eE+-"))
        return scalar_kind::other_number;
    if (points == 0 && only(digits, "0123456789_")) return scalar_kind::other_number;
    // 1:30 is ninety (base 60), as long as what follows the first colon are numbers under 60.
    if (digits.find(':') == std::string_view::npos || points > 1 || !only(digits, "0123456789_:."))
        return scalar_kind::text;
    const auto fields = mta::text::split(digits, ":");
    for (std::size_t i = 1; i < fields.size(); ++i)
        if (fields[i].size() > 2 || mta::text::to_number(fields[i]).value_or(60) > 59) return scalar_kind::text;
    return scalar_kind::other_number;
}

}  // namespace sim::topology
