#include "mta/table/alias_text.hpp"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "mta/text/strings.hpp"

namespace mta::table {
namespace {

// RFC 822 specials, and the routing characters that Postfix adds to them.
constexpr std::string_view operators = "()<>@,;:\\\".[]|%!";

enum class token_kind { atom, quoted_string, domain_literal, comment, op };

struct token {
    token_kind kind;
    std::string text;  // unquoted; a comment with its parentheses as they stand

    bool is(char c) const { return kind == token_kind::op && text.front() == c; }
};

class scanner {
  public:
    explicit scanner(std::string_view source) : source_(source) {}

    std::vector<token> run() {
        std::vector<token> tokens;
        while (at_ < source_.size()) {
            const char c = source_[at_];
            if (text::is_space(c)) {
                ++at_;
            } else if (c == '"') {
                ++at_;
                tokens.push_back({token_kind::quoted_string, until('"')});
            } else if (c == '[') {
                ++at_;
                tokens.push_back({token_kind::domain_literal, until(']')});
            } else if (c == '(') {
                tokens.push_back({token_kind::comment, comment()});
            } else if (c != '\\' && operators.find(c) != operators.npos) {
                ++at_;
                tokens.push_back({token_kind::op, std::string(1, c)});
            } else {
                tokens.push_back(atom());
            }
        }
        return tokens;
    }

  private:
    static char plain(char c) { return text::is_space(c) ? ' ' : c; }

    std::string until(char end) {
        std::string text;
        for (; at_ < source_.size(); ++at_) {
            if (source_[at_] == end) {
                ++at_;
                break;
            }
            if (source_[at_] == '\\' && ++at_ == source_.size()) break;
            text += plain(source_[at_]);
        }
        return text;
    }

    std::string comment() {
        std::string text;
        std::size_t depth = 0;
        for (; at_ < source_.size(); ++at_) {
            const char c = source_[at_];
            text += plain(c);
            if (c == '\\') {
                if (++at_ == source_.size()) break;
                text += plain(source_[at_]);
            } else if (c == '(') {
                ++depth;
            } else if (c == ')' && --depth == 0) {
                ++at_;
                break;
            }
        }
        return text;
    }

    token atom() {
        std::string text;
        bool needs_quotes = false;
        for (; at_ < source_.size(); ++at_) {
            char c = source_[at_];
            const bool escaped = c == '\\';
            if (escaped) {
                if (++at_ == source_.size()) break;
                c = plain(source_[at_]);
            } else if (text::is_space(c) || operators.find(c) != operators.npos) {
                break;
            }
            const bool control = static_cast<unsigned char>(c) < ' ' || c == '\x7f';
            needs_quotes = needs_quotes || control || c == ' ' || operators.find(c) != operators.npos;
            text += c;
        }
        return {needs_quotes ? token_kind::quoted_string : token_kind::atom, std::move(text)};
    }

    std::string_view source_;
    std::size_t at_ = 0;
};

std::string escaped(std::string_view text, std::string_view specials) {
    std::string out;
    for (const char c : text) {
        if (specials.find(c) != specials.npos) out += '\\';
        out += c;
    }
    return out;
}

enum class quoting { kept, removed };

void write_token(std::string& out, const token& token, quoting quoting) {
    switch (token.kind) {
        case token_kind::quoted_string:
            out += quoting == quoting::kept ? '"' + escaped(token.text, "\"\\\r\n") + '"' : token.text;
            break;
        case token_kind::domain_literal:
            out += '[' + (quoting == quoting::kept ? escaped(token.text, "\\\r\n") : token.text) + ']';
            break;
        default:
            out += token.text;
    }
}

// `first` up to `last`, spaced as Postfix writes addresses back.
std::string written(const std::vector<token>& tokens, std::size_t first, std::size_t last, quoting quoting) {
    std::string out;
    for (std::size_t i = first; i < last; ++i) {
        const token& token = tokens[i];
        write_token(out, token, quoting);
        if (token.is('<') && i + 1 < last && tokens[i + 1].is('>')) {
            out += '>';
            ++i;
            continue;
        }
        const bool between_words = i + 1 < last && token.kind != token_kind::op && tokens[i + 1].kind != token_kind::op;
        const bool before_bracket = i + 1 < last && tokens[i + 1].is('<');
        if (token.is(',') || between_words || before_bracket) out += ' ';
    }
    return out;
}

}  // namespace

alias_entry parse_alias(std::string_view line) {
    const std::vector<token> tokens = scanner(line).run();
    const auto colon = std::find_if(tokens.begin(), tokens.end(), [](const token& t) { return t.is(':'); });
    if (colon == tokens.begin() || colon == tokens.end() || colon + 1 == tokens.end() ||
        std::any_of(tokens.begin(), colon, [](const token& t) { return t.is(','); })) {
        return {{}, {}, "need name:value pair"};
    }
    if (std::any_of(tokens.begin(), colon, [](const token& t) { return t.is('@') || t.is('%'); })) {
        return {{}, {}, "name must be local"};
    }
    const auto name_end = static_cast<std::size_t>(colon - tokens.begin());
    return {written(tokens, 0, name_end, quoting::removed),
            written(tokens, name_end + 1, tokens.size(), quoting::kept),
            {}};
}

}  // namespace mta::table
