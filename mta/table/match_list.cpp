#include "mta/table/match_list.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include "mta/table/cidr_match.hpp"
#include "mta/table/registry.hpp"
#include "mta/table/source_text.hpp"
#include "mta/text/strings.hpp"

namespace mta::table {
namespace {

constexpr std::size_t max_file_depth = 8;
constexpr std::size_t max_files = 10'000;  // files that name each other must not multiply
constexpr std::size_t max_patterns = 1'000'000;
constexpr std::size_t max_parents = 128;

bool looks_like_network(std::string_view pattern) {
    constexpr std::string_view v4_characters = "0123456789.";
    constexpr std::string_view all_characters = "0123456789.abcdefABCDEF:[]/";
    return pattern.find_first_of(":/") != pattern.npos && pattern.find_first_not_of(v4_characters) != pattern.npos &&
           pattern.find_first_not_of(all_characters) == pattern.npos;
}

class list_reader {
  public:
    list_reader(std::string_view title, registry& registry, const environment& host,
                std::vector<diagnostic>& diagnostics)
        : title_(title), registry_(registry), host_(host), diagnostics_(diagnostics) {}

    std::vector<match_list::pattern> patterns;

    void read(std::string_view text, bool negated, const position& where, std::size_t depth) {
        for (const std::string_view field : text::split_quoting_braces(text, text::comma_or_space)) {
            if (patterns.size() >= max_patterns) return;
            if (field.starts_with('#')) {
                return note(severity::warning, "comment at end of line is not supported: " + rest_of(text, field),
                            where);
            }
            const std::size_t begin = std::min(field.find_first_not_of('!'), field.size());
            const std::string_view item = field.substr(begin);
            const bool inverted = negated != (begin % 2 == 1);
            if (item.empty()) {
                note(severity::fatal, "no pattern after '!'", where);
            } else if (item.starts_with('/')) {
                read_file(item, inverted, where, depth);
            } else if (!item.starts_with('[') && item.find(':') != item.npos) {
                opened table = registry_.open(item, host_);
                diagnostics_.insert(diagnostics_.end(), table.diagnostics.begin(), table.diagnostics.end());
                patterns.push_back({std::string(item), inverted, where, std::move(table.value), std::nullopt});
            } else {
                add_text(text::lowered(item), inverted, where);
            }
        }
    }

  private:
    void add_text(std::string item, bool negated, const position& where) {
        match_list::pattern& made = patterns.emplace_back();
        if (looks_like_network(item)) made.network = cidr_pattern::parse(item);
        made.text = std::move(item);
        made.negated = negated;
        made.where = where;
    }

    void note(severity level, const std::string& text, const position& where) {
        diagnostics_.push_back({level, title_ + ": " + text, where});
    }

    static std::string rest_of(std::string_view text, std::string_view field) {
        return printable(text::trimmed(text.substr(static_cast<std::size_t>(field.data() - text.data()))));
    }

    void read_file(std::string_view path, bool negated, const position& where, std::size_t depth) {
        const std::optional<std::string> text = host_.read ? host_.read(path) : std::nullopt;
        if (!text || depth >= max_file_depth || ++files_read_ > max_files) {
            const std::string reason =
                "open file " + std::string(path) + (text ? ": files nest too deeply" : ": No such file or directory");
            diagnostics_.push_back({severity::error, reason, where});
            patterns.push_back({std::string(path), negated, where, stand_in(path, reason), std::nullopt});
            return;
        }
        std::string_view rest = *text;
        for (std::size_t number = 1; !rest.empty(); ++number) {
            const std::size_t end = std::min(rest.find('\n'), rest.size());
            const std::string_view line = rest.substr(0, end);
            if (!line.starts_with('#')) read(line, negated, {std::string(path), number}, depth + 1);
            rest.remove_prefix(std::min(end + 1, rest.size()));
        }
    }

    // A table that fails with the reason that the file could not be read.
    static table_ptr stand_in(std::string_view path, std::string reason) {
        class unreadable final : public table {
          public:
            unreadable(std::string_view path, std::string reason)
                : table("non-existent", path, key_style::pattern, false, false), reason_(std::move(reason)) {}

          private:
            lookup_result find(std::string_view) const override {
                return lookup_result::error(type_and_name() + " is unavailable. " + reason_);
            }
            std::string reason_;
        };
        return std::make_shared<unreadable>(path, std::move(reason));
    }

    std::string title_;
    registry& registry_;
    const environment& host_;
    std::vector<diagnostic>& diagnostics_;
    std::size_t files_read_ = 0;
};

// One pattern's say: not_found leaves the decision to the next pattern.
struct verdict {
    outcome status = outcome::not_found;
    position where;
    std::vector<std::string> warnings;
};

verdict plain(bool holds) {
    return {holds ? outcome::found : outcome::not_found, {}, {}};
}

verdict ask_table(const match_list& list, const table& table, std::string_view key) {
    lookup_result result = table.lookup(key);
    if (result.failed())
        result.warnings.push_back(list.title() + ": " + table.type_and_name() + ": table lookup problem");
    return {result.status, std::move(result.where), std::move(result.warnings)};
}

verdict match_name(const match_list& list, const match_list::pattern& pattern, std::string_view name) {
    const bool bare = list.style() == parent_style::bare_parent;
    if (pattern.table) {
        std::string_view key = name;
        for (std::size_t i = 0; i < max_parents && !key.empty(); ++i) {
            if (i > 0 && pattern.table->keys() == key_style::pattern) break;
            verdict one = ask_table(list, *pattern.table, key);
            const std::size_t dot = key.find('.', 1);
            if (one.status != outcome::not_found || dot == key.npos) return one;
            key.remove_prefix(bare ? dot + 1 : dot);
        }
        return {};
    }
    if (name == pattern.text) return plain(true);
    if (name.size() <= pattern.text.size() || !name.ends_with(pattern.text)) return {};
    return plain(bare ? name[name.size() - pattern.text.size() - 1] == '.' : pattern.text.starts_with('.'));
}

verdict match_address(const match_list& list, const match_list::pattern& pattern, std::string_view address) {
    if (pattern.table) return ask_table(list, *pattern.table, address);
    const std::string_view text = pattern.text;
    const bool bracketed = text.size() >= 2 && text.front() == '[' && text.back() == ']';
    if ((bracketed ? text.substr(1, text.size() - 2) : text) == address) return plain(true);
    const bool same_family = (address.find(':') == address.npos) == (text.find(':') == text.npos);
    if (!pattern.network || !same_family) return {};
    if (const auto* const error = std::get_if<std::string>(&*pattern.network)) {
        return {outcome::error, {}, {list.title() + ": " + *error}};
    }
    const std::optional<ip_address> ip = parse_ip(address);
    return plain(ip && std::get<cidr_pattern>(*pattern.network).matches(*ip));
}

verdict match_text(const match_list& list, const match_list::pattern& pattern, std::string_view text) {
    if (pattern.table) return ask_table(list, *pattern.table, text);
    return plain(text == pattern.text);
}

// Asks the patterns in turn with `ask(pattern)`.
template <class Ask>
list_match first_match(const match_list& list, Ask ask) {
    list_match result;
    for (const match_list::pattern& pattern : list.patterns()) {
        verdict one = ask(pattern);
        result.warnings.insert(result.warnings.end(), one.warnings.begin(), one.warnings.end());
        if (one.status == outcome::not_found) continue;
        result.pattern = (pattern.negated ? "!" : "") + pattern.text;
        result.where = one.where.file.empty() ? pattern.where : std::move(one.where);
        const bool outside = one.status == outcome::found && pattern.negated;
        result.status = outside ? outcome::not_found : one.status;
        break;
    }
    return result;
}

}  // namespace

match_list::match_list(std::string_view title, std::string_view patterns, registry& registry,
                       const environment& environment, std::vector<diagnostic>& diagnostics, parent_style style)
    : title_(title), style_(style) {
    list_reader reader(title, registry, environment, diagnostics);
    reader.read(patterns, false, {title_, 0}, 0);
    patterns_ = std::move(reader.patterns);
}

list_match domain_list::match(std::string_view name) const {
    const std::string folded = text::lowered(name);
    return first_match(*this, [&](const pattern& p) { return match_name(*this, p, folded); });
}

list_match address_list::match(std::string_view address) const {
    const std::string folded = text::lowered(address);
    return first_match(*this, [&](const pattern& p) { return match_address(*this, p, folded); });
}

list_match name_address_list::match(std::string_view name, std::string_view address) const {
    const std::string folded_name = text::lowered(name);
    const std::string folded_address = text::lowered(address);
    return first_match(*this, [&](const pattern& p) {
        verdict by_name = match_name(*this, p, folded_name);
        if (by_name.status != outcome::not_found) return by_name;
        verdict by_address = match_address(*this, p, folded_address);
        by_address.warnings.insert(by_address.warnings.begin(), by_name.warnings.begin(), by_name.warnings.end());
        return by_address;
    });
}

list_match string_list::match(std::string_view text) const {
    const std::string folded = text::lowered(text);
    return first_match(*this, [&](const pattern& p) { return match_text(*this, p, folded); });
}

parent_style parent_style_of(std::string_view parameter, std::string_view parent_domain_matches_subdomains) {
    for (const std::string_view field : text::split(parent_domain_matches_subdomains, text::comma_or_space)) {
        const std::size_t begin = std::min(field.find_first_not_of('!'), field.size());
        if (!text::equal_ignoring_case(field.substr(begin), parameter)) continue;
        return begin % 2 == 0 ? parent_style::bare_parent : parent_style::dot_parent;
    }
    return parent_style::dot_parent;
}

}  // namespace mta::table
