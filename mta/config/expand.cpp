#include "mta/config/expand.hpp"

#include <algorithm>
#include <array>
#include <compare>

#include "mta/text/strings.hpp"

namespace mta::config {
namespace {

// As mac_expand(3): the 102nd expression inside one another is one too many.
constexpr int depth_limit = 101;
// Postfix has no other limit; `a=$b$b`, `b=$c$c`, ... would keep it busy for ever.
constexpr std::size_t result_limit = 1U << 20;
constexpr int work_limit = 100000;
constexpr std::size_t lookup_limit = 16U << 20;     // bytes of values looked up, used or not
constexpr std::size_t context_shown = 20;

// What Postfix warns of before its "macro processing error".
struct syntax_error {
    std::string warning;
};

std::string where(std::string_view before, std::string_view after) {
    return "at: \"..." + std::string(before) + ">>>" + std::string(after.substr(0, context_shown)) + "\"";
}

std::string_view without_leading_space(std::string_view text) {
    const auto begin = std::find_if_not(text.begin(), text.end(), text::is_space);
    return text.substr(static_cast<std::size_t>(begin - text.begin()));
}

bool is_name_character(char c) { return text::is_alnum(c) || c == '_'; }

// Length of the balanced text that starts with `open`, with the closing character; 0 when it is not closed.
std::size_t balanced(std::string_view text, char open, char close) {
    int depth = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == open) ++depth;
        if (text[i] == close && --depth == 0) return i + 1;
    }
    return 0;
}

// major[.minor[.patch]] as numbers to compare (compatibility_level).
std::array<std::int64_t, 3> compatibility_level(std::string_view text) {
    constexpr std::int64_t part_limit = 1023;
    std::array<std::int64_t, 3> level{};
    auto rest = without_leading_space(text);
    for (std::size_t part = 0; part < level.size(); ++part) {
        const auto dot = rest.find('.');
        const auto number = text::to_number(rest.substr(0, dot));
        if (!number || (part > 0 && *number > part_limit)) break;
        level[part] = *number;
        if (dot == std::string_view::npos) return level;
        rest.remove_prefix(dot + 1);
    }
    throw syntax_error{"malformed compatibility level syntax: \"" + std::string(text) + "\""};
}

bool all_digits(std::string_view text) { return !text.empty() && std::all_of(text.begin(), text.end(), text::is_digit); }

struct relation {
    std::string_view name;
    bool (*holds)(std::strong_ordering);
};
// The longer operators first.
constexpr relation relations[] = {
    {"==", [](std::strong_ordering o) { return o == 0; }}, {"!=", [](std::strong_ordering o) { return o != 0; }},
    {"<=", [](std::strong_ordering o) { return o <= 0; }}, {">=", [](std::strong_ordering o) { return o >= 0; }},
    {"<", [](std::strong_ordering o) { return o < 0; }},   {">", [](std::strong_ordering o) { return o > 0; }},
};

class expander {
  public:
    expander(const lookup& find, const position& blame, bool recursive)
        : find_(find), blame_(blame), recursive_(recursive) {}

    // Appends the expansion of `text` to `out`.
    void text(std::string_view text, std::string& out) {
        for (std::size_t at = 0; at < text.size();) {
            const auto dollar = std::min(text.find('$', at), text.size());
            append(text.substr(at, dollar - at), out);
            if (dollar == text.size()) return;
            at = dollar + 1;
            const char next = at < text.size() ? text[at] : '\0';
            if (next == '$') {
                append("$", out);
                ++at;
            } else if (next == '{' || next == '(') {
                const auto size = balanced(text.substr(at), next, next == '{' ? '}' : ')');
                if (size == 0) throw syntax_error{"truncated macro reference: \"" + std::string(text) + "\""};
                if (size == 2) throw syntax_error{"empty macro name: \"" + std::string(text) + "\""};
                expression(text.substr(at + 1, size - 2), out);
                at += size;
            } else {
                auto end = at;
                while (end < text.size() && is_name_character(text[end])) ++end;
                if (end == at) throw syntax_error{"empty macro name: \"" + std::string(text) + "\""};
                expression(text.substr(at, end - at), out);
                at = end;
            }
        }
    }

  private:
    void append(std::string_view text, std::string& out) {
        if (out.size() + text.size() > result_limit) throw fatal(blame_, "the expansion of a value is too long");
        out += text;
    }

    // The inside of `${...}`: a name or a comparison, and what to put for it.
    void expression(std::string_view all, std::string& out) {
        if (depth_ >= depth_limit + 1) {
            throw syntax_error{"unreasonable macro call nesting: \"" + std::string(all) + "\""};
        }
        if (++work_ > work_limit) throw fatal(blame_, "the expansion of a value has too many parts");
        ++depth_;
        const auto inside = without_leading_space(all);
        if (!inside.empty() && inside.front() == '{') {
            comparison(inside, out);
        } else {
            named(inside, out);
        }
        --depth_;
    }

    void named(std::string_view inside, std::string& out) {
        auto end = std::size_t{0};
        while (end < inside.size() && is_name_character(inside[end])) ++end;
        const auto name = inside.substr(0, end);
        const auto rest = without_leading_space(inside.substr(end));
        if (name.empty() || (!rest.empty() && rest.front() != '?' && rest.front() != ':')) {
            throw syntax_error{"attribute name syntax error " + where(name, inside.substr(end))};
        }
        const auto value = find_(name);
        looked_up_ += value ? value->size() : 0;
        if (looked_up_ > lookup_limit) throw fatal(blame_, "the expansion of a value is too long");
        const bool is_full = value && !value->empty();
        if (!rest.empty()) {
            choose(is_full, rest, out);
        } else if (is_full && recursive_) {
            text(*value, out);
        } else if (is_full) {
            append(*value, out);
        }
    }

    void comparison(std::string_view inside, std::string& out) {
        const auto left_size = braced_size(inside, {});
        const auto after_left = without_leading_space(inside.substr(left_size));
        const auto operation = std::find_if(std::begin(relations), std::end(relations), [&](const relation& r) {
            const auto token = after_left.substr(0, std::min(after_left.find_first_not_of("<>!=?+-*/~&|%"), after_left.size()));
            return token == r.name;
        });
        if (operation == std::end(relations)) {
            throw syntax_error{R"("==" or "!="" or "<"" or "<="" or ">="" or ">" expected )" +
                               where(inside.substr(1, left_size - 1), after_left)};
        }
        auto after_operation = after_left.substr(operation->name.size());
        auto suffix_end = std::size_t{0};
        while (suffix_end < after_operation.size() && is_name_character(after_operation[suffix_end])) ++suffix_end;
        const auto suffix = after_operation.substr(0, suffix_end);
        if (!suffix.empty() && suffix != "level") {
            throw syntax_error{"bad operator suffix " + where(operation->name, suffix)};
        }
        after_operation.remove_prefix(suffix_end);
        const auto consumed = inside.substr(0, inside.size() - after_operation.size());
        const auto right = without_leading_space(after_operation);
        if (right.empty() || right.front() != '{') {
            throw syntax_error{"\"{expression}\" expected " + where(consumed, after_operation)};
        }
        const auto right_size = braced_size(right, consumed);
        const auto rest = without_leading_space(right.substr(right_size));
        std::string a;
        std::string b;
        text(inside.substr(1, left_size - 2), a);
        text(right.substr(1, right_size - 2), b);
        const bool holds = operation->holds(suffix.empty() ? compare(a, b) : compatibility_level(a) <=> compatibility_level(b));
        if (rest.empty()) {
            if (holds) append("true", out);
        } else if (rest.front() != '?' && rest.front() != ':') {
            throw syntax_error{"\"?\" or \":\" expected " + where("}", rest)};
        } else {
            choose(holds, rest, out);
        }
    }

    std::size_t braced_size(std::string_view text, std::string_view before) {
        const auto size = balanced(text, '{', '}');
        if (size == 0) throw syntax_error{"\"{expression}\" expected " + where(before, text)};
        return size;
    }

    // `?{yes}:{no}`, `?yes`, `:{no}` or `:no`.
    void choose(bool condition, std::string_view rest, std::string& out) {
        const char operation = rest.front();
        rest.remove_prefix(1);
        const auto start = without_leading_space(rest);
        if (start.empty() || start.front() != '{') {
            if (condition == (operation == '?')) text(rest, out);
            return;
        }
        const auto size = braced_size(start, {});
        const auto first = start.substr(1, size - 2);
        const auto shown = start.substr(1, size - 1);
        const auto after = without_leading_space(start.substr(size));
        if (operation == ':' || after.empty()) {
            if (!after.empty()) throw syntax_error{"unexpected input " + where(shown, after)};
            if (condition == (operation == '?')) text(first, out);
            return;
        }
        if (after.front() != ':') throw syntax_error{"\":\" expected " + where(shown, after)};
        const auto second = alternative(after.substr(1));
        text(condition ? first : second, out);
    }

    std::string_view alternative(std::string_view rest) {
        const auto start = without_leading_space(rest);
        if (start.empty() || start.front() != '{') return rest;
        const auto size = braced_size(start, {});
        const auto after = without_leading_space(start.substr(size));
        if (!after.empty()) throw syntax_error{"unexpected input " + where(start.substr(1, size - 1), after)};
        return start.substr(1, size - 2);
    }

    std::strong_ordering compare(const std::string& a, const std::string& b) const {
        if (!all_digits(a) || !all_digits(b)) return a <=> b;
        const auto x = text::to_number(a);
        const auto y = text::to_number(b);
        if (!x || !y) throw fatal(blame_, "mac_exp_eval: bad conversion: " + (x ? b : a));
        return *x <=> *y;
    }

    const lookup& find_;
    const position& blame_;
    bool recursive_;
    int depth_ = 0;
    int work_ = 0;
    std::size_t looked_up_ = 0;
};

std::string run(std::string_view text, const lookup& find, const position& blame, bool recursive) {
    std::string out;
    try {
        expander(find, blame, recursive).text(text, out);
    } catch (const syntax_error& e) {
        throw fatal(blame, "dictionary mail_dict: macro processing error", e.warning);
    }
    return out;
}

}  // namespace

std::string expand(std::string_view text, const lookup& find, const position& blame) {
    if (text.find('$') == std::string_view::npos) return std::string(text);
    return run(text, find, blame, true);
}

std::string expand_once(std::string_view text, const lookup& find, const position& blame) {
    return run(text, find, blame, false);
}

}  // namespace mta::config
