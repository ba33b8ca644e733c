#include "mta/address/token.hpp"

#include <algorithm>
#include <utility>

#include "mta/address/quote.hpp"
#include "mta/text/char_set.hpp"

namespace mta::address {
namespace {

constexpr text::char_set operators("|%!\"(),.:;<>@[]\\");

bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}
bool is_operator(char c) {
    return operators.contains(c);
}

// Takes characters for as long as `wanted` holds; a backslash takes the next one whatever it is. White space becomes a
// plain space, so that a folded quoted string comes out in one line.
template <class predicate>
void collect(std::string_view text, std::size_t& at, std::string& into, predicate wanted) {
    for (; at < text.size(); ++at) {
        if (text[at] == '\\') {
            if (++at == text.size()) return;
        } else if (!wanted(text[at])) {
            return;
        }
        into += is_blank(text[at]) ? ' ' : text[at];
    }
}

// Parentheses nest and backslashes stay: a comment is printed back as it was.
void collect_comment(std::string_view text, std::size_t& at, std::string& into) {
    into = "(";
    for (std::size_t depth = 1; at < text.size() && depth > 0;) {
        const char c = text[at++];
        into += c;
        if (c == '(') ++depth;
        if (c == ')') --depth;
        if (c == '\\' && at < text.size()) into += text[at++];
    }
}

bool needs_quotes(std::string_view atom) {
    return std::any_of(atom.begin(), atom.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte <= ' ' || byte == 127 || is_operator(c);
    });
}

token scan_one(std::string_view text, std::size_t& at) {
    const auto of_kind = [](token_kind kind) {
        token made;
        made.kind = kind;
        return made;
    };
    const char c = text[at++];
    if (c == '(') {
        token comment = of_kind(token_kind::comment);
        collect_comment(text, at, comment.text);
        return comment;
    }
    if (c == '[' || c == '"') {
        token enclosed = of_kind(c == '[' ? token_kind::domain_literal : token_kind::quoted_string);
        const char closing = c == '[' ? ']' : '"';
        collect(text, at, enclosed.text, [closing](char next) { return next != closing; });
        if (at < text.size()) ++at;
        return enclosed;
    }
    if (c != '\\' && is_operator(c)) return make_op(c);
    token atom = of_kind(token_kind::atom);
    --at;
    collect(text, at, atom.text, [](char next) { return !is_blank(next) && !is_operator(next); });
    if (needs_quotes(atom.text)) atom.kind = token_kind::quoted_string;
    return atom;
}

// Groups a flat token list from right to left. `done` is what is finished, last token first, and its end is the token
// that bounds the address now being collected in `pending`, also last token first.
class grouper {
  public:
    explicit grouper(token_list flat) : left_(std::move(flat)) {}

    token_list run() {
        while (!left_.empty()) step();
        group(missing_comma::leave);
        std::reverse(done_.begin(), done_.end());
        return std::move(done_);
    }

  private:
    enum class missing_comma { leave, add };

    void step() {
        token current = std::move(left_.back());
        left_.pop_back();
        if (current.kind == token_kind::comment) {
            done_.push_back(std::move(current));
        } else if (current.is(';')) {
            finish(std::move(current), missing_comma::add);
            in_group_ = true;
            word_follows_ = true;
        } else if (current.is(':') && in_group_) {
            start_group();
        } else if (current.is('>')) {
            finish(std::move(current), missing_comma::add);
            take_route();
        } else if (current.is(',')) {
            finish(std::move(current), missing_comma::leave);
            word_follows_ = true;
        } else if (current.kind == token_kind::op) {
            keep(std::move(current));
            word_follows_ = true;
        } else {
            if (!word_follows_) group(missing_comma::add);
            word_follows_ = false;
            keep(std::move(current));
        }
    }

    void group(missing_comma comma) {
        if (pending_.empty()) return;
        token made;
        made.kind = token_kind::address;
        made.children.assign(std::make_move_iterator(pending_.rbegin()), std::make_move_iterator(pending_.rend()));
        for (token& child : made.children) child.joined = true;
        pending_.clear();
        done_.push_back(std::move(made));
        if (comma == missing_comma::add) done_.push_back(make_op(','));
    }

    void finish(token boundary, missing_comma comma) {
        group(comma);
        done_.push_back(std::move(boundary));
        at_boundary_ = false;
    }

    void keep(token part) {
        (at_boundary_ ? done_ : pending_).push_back(std::move(part));
        at_boundary_ = false;
    }

    void start_group() {
        group(missing_comma::leave);
        token start;
        start.kind = token_kind::group_start;
        done_.push_back(std::move(start));
        skip_to(",");
    }

    // What is between the brackets is one address; what stands before them is a phrase.
    void take_route() {
        while (!left_.empty() && !left_.back().is('<')) {
            const bool comment = left_.back().kind == token_kind::comment;
            (comment ? done_ : pending_).push_back(std::move(left_.back()));
            left_.pop_back();
        }
        group(missing_comma::leave);
        skip_to(">;,:");
        word_follows_ = true;
    }

    // The token found becomes the boundary even where it means nothing, as a ':' outside a group.
    void skip_to(std::string_view stops) {
        while (!left_.empty() &&
               !(left_.back().kind == token_kind::op && stops.find(left_.back().op) != std::string_view::npos)) {
            done_.push_back(std::move(left_.back()));
            left_.pop_back();
        }
        at_boundary_ = true;
    }

    token_list left_;
    token_list done_;
    token_list pending_;
    bool in_group_ = false;
    bool word_follows_ = true;
    bool at_boundary_ = false;
};

bool space_between(const token& here, const token& next) {
    if (here.joined) return false;
    if (here.is(',') || here.kind == token_kind::group_start || next.is('<')) return true;
    const auto stands_alone = [](const token& t) {
        return t.kind != token_kind::op && t.kind != token_kind::group_start;
    };
    return stands_alone(here) && stands_alone(next);
}

void append_plain(const token& part, std::string& out) {
    switch (part.kind) {
        case token_kind::op:
            out += part.op;
            break;
        case token_kind::group_start:
            out += ':';
            break;
        case token_kind::domain_literal:
            out += '[';
            out += part.text;
            out += ']';
            break;
        case token_kind::address:
            out += internalize(part.children);
            break;
        default:
            out += part.text;
    }
}

void append_quoted(const token& part, std::string& out) {
    if (part.kind == token_kind::address) {
        out += quote_822_local(internalize(part.children));
        return;
    }
    const std::string_view escaped = part.kind == token_kind::quoted_string    ? "\"\\\r\n"
                                     : part.kind == token_kind::domain_literal ? "\\\r\n"
                                                                               : "";
    if (escaped.empty()) return append_plain(part, out);
    out += part.kind == token_kind::quoted_string ? '"' : '[';
    for (const char c : part.text) {
        if (escaped.find(c) != std::string_view::npos) out += '\\';
        out += c;
    }
    out += part.kind == token_kind::quoted_string ? '"' : ']';
}

// What stands between two commas of a header: its text, its last address (or "<>"), and how much of it is decoration.
struct header_entry {
    std::string text;
    const token* address = nullptr;
    std::size_t decoration = 0;
};

header_entry print_entry(const token_list& tokens, std::size_t begin, std::size_t end) {
    header_entry entry;
    for (std::size_t i = begin; i < end; ++i) {
        const token& part = tokens[i];
        const auto before = entry.text.size();
        const bool null_address = part.is('<') && i + 1 < tokens.size() && tokens[i + 1].is('>');
        if (part.kind == token_kind::address || null_address) entry.address = &part;
        append_quoted(part, entry.text);
        if (i + 1 < tokens.size() && space_between(part, tokens[i + 1])) entry.text += ' ';
        if (entry.address != &part) entry.decoration += entry.text.size() - before;
    }
    return entry;
}

}  // namespace

bool is_plain(std::string_view address) {
    constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
    constexpr text::char_set in_domain(letters), in_local(
                                                     "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                                     "0123456789-_+=/'*?^`{}~#$&");
    const auto at = address.find('@');
    if (at == std::string_view::npos) return false;
    // Labels of one character or more with single dots between; how many.
    const auto labels = [](std::string_view text, const text::char_set& allowed) {
        std::size_t count = 1;
        bool after_dot = true;
        for (const char c : text) {
            if (c == '.' ? after_dot : !allowed.contains(c)) return std::size_t{0};
            after_dot = c == '.';
            count += after_dot ? 1 : 0;
        }
        return after_dot ? std::size_t{0} : count;
    };
    return labels(address.substr(0, at), in_local) > 0 && labels(address.substr(at + 1), in_domain) > 1;
}

token make_op(char op) {
    token made;
    made.op = op;
    return made;
}

token make_quoted_string(std::string_view text) {
    token made;
    made.kind = token_kind::quoted_string;
    made.text = text;
    return made;
}

token_list scan(std::string_view text, std::size_t limit) {
    text = text.substr(0, text.find('\0'));
    token_list tokens;
    for (std::size_t at = 0; at < text.size();) {
        if (is_blank(text[at])) {
            ++at;
            continue;
        }
        tokens.push_back(scan_one(text, at));
        if (limit > 0 && tokens.size() >= limit) break;
    }
    return tokens;
}

token_list parse_addresses(std::string_view text, std::size_t limit) {
    return grouper(scan(text, limit)).run();
}

std::string internalize(const token_list& tokens, token_print print) {
    std::string out;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        append_plain(tokens[i], out);
        if (tokens[i].is(',') && print == token_print::one_a_line) {
            out += '\n';
        } else if (i + 1 < tokens.size() && space_between(tokens[i], tokens[i + 1])) {
            out += ' ';
        }
    }
    return out;
}

std::string externalize(const token_list& tokens, token_print print) {
    std::string out;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        append_quoted(tokens[i], out);
        if (tokens[i].is(',')) {
            out += print == token_print::one_a_line ? '\n' : ' ';
        } else if (i + 1 < tokens.size() && space_between(tokens[i], tokens[i + 1])) {
            out += ' ';
        }
    }
    return out;
}

std::string externalize_header(const token_list& tokens, std::vector<std::string>& warnings) {
    constexpr std::size_t longest_decoration = 250;
    std::string out;
    for (std::size_t begin = 0; begin < tokens.size();) {
        const auto end = std::min(find_op(tokens, ',', begin), tokens.size());
        const header_entry entry = print_entry(tokens, begin, end);
        if (entry.address && entry.decoration > longest_decoration) {
            warnings.push_back("stripping too many comments from address: " + entry.text.substr(0, 100) + "...");
            out += '<';
            if (entry.address->kind == token_kind::address) append_quoted(*entry.address, out);
            out += '>';
        } else {
            out += entry.text;
        }
        if (end == tokens.size()) break;
        out += ",\n";
        begin = end + 1;
    }
    return out;
}

std::size_t find_op(const token_list& tokens, char op, std::size_t from) {
    for (std::size_t i = from; i < tokens.size(); ++i) {
        if (tokens[i].is(op)) return i;
    }
    return no_token;
}

std::size_t rfind_op(const token_list& tokens, char op) {
    for (std::size_t i = tokens.size(); i-- > 0;) {
        if (tokens[i].is(op)) return i;
    }
    return no_token;
}

std::vector<const token*> addresses_in(const token_list& tokens) {
    std::vector<const token*> found;
    for (const token& part : tokens) {
        if (part.kind == token_kind::address) found.push_back(&part);
    }
    return found;
}

}  // namespace mta::address
