#include "mta/address/rewrite.hpp"

#include <algorithm>

#include "mta/address/quote.hpp"

namespace mta::address {
namespace {

using offset = token_list::difference_type;

// A token that joins others is printed as they are: spaced when they came from text, not spaced inside an address.
void append(token_list& tokens, token_list more) {
    const bool joined = tokens.empty() || tokens.back().joined;
    for (token& part : more) {
        part.joined = joined;
        tokens.push_back(std::move(part));
    }
}

void append_op(token_list& tokens, char op) {
    append(tokens, {make_op(op)});
}

void strip_source_route(token_list& tokens) {
    if (!tokens.front().is('@')) return;
    const auto colon = find_op(tokens, ':');
    if (colon == no_token || colon + 1 == tokens.size()) return;
    tokens.erase(tokens.begin(), tokens.begin() + static_cast<offset>(colon + 1));
}

// site!user to user@site
void swap_bangpath(token_list& tokens, std::size_t bang) {
    const auto at_bang = tokens.begin() + static_cast<offset>(bang);
    const bool joined = bang == 0 || tokens.front().joined;
    *at_bang = make_op('@');
    for (auto part = at_bang; part != tokens.end(); ++part) part->joined = joined;
    std::rotate(tokens.begin(), at_bang, tokens.end());
    std::rotate(tokens.begin(), tokens.begin() + 1, tokens.end() - static_cast<offset>(bang));
}

void give_domain(token_list& tokens, const rewrite_context& context, const rewrite_rules& rules) {
    if (rfind_op(tokens, '@') != no_token) return;
    if (const auto bang = find_op(tokens, '!'); rules.swap_bangpath && bang != no_token) {
        swap_bangpath(tokens, bang);
    } else if (const auto percent = rfind_op(tokens, '%'); rules.allow_percent_hack && percent != no_token) {
        tokens[percent].op = '@';
    } else if (rules.append_at_myorigin && !context.origin.empty()) {
        append_op(tokens, '@');
        append(tokens, scan(context.origin));
    }
}

// Broken forms are left alone, so that a diagnostic shows them as they were.
void complete_domain(token_list& tokens, const rewrite_context& context, const rewrite_rules& rules) {
    if (!rules.append_dot_mydomain || context.domain.empty()) return;
    const auto at = rfind_op(tokens, '@');
    if (at == no_token || at + 1 == tokens.size() || find_op(tokens, '.', at) != no_token) return;
    for (auto i = at; i < tokens.size(); ++i) {
        if (tokens[i].kind == token_kind::domain_literal) return;
    }
    append_op(tokens, '.');
    append(tokens, scan(context.domain));
}

void strip_final_dot(token_list& tokens) {
    if (tokens.size() < 2 || !tokens.back().is('.')) return;
    const token& before = tokens[tokens.size() - 2];
    if (!before.is('.') && !before.is('@')) tokens.pop_back();
}

}  // namespace

void rewrite_tokens(token_list& tokens, const rewrite_context& context, const rewrite_rules& rules) {
    if (tokens.empty()) return;
    if (tokens.size() == 1) {
        const token& only = tokens.front();
        if (only.kind == token_kind::quoted_string && only.text.empty()) return;
        if (only.is('@')) {
            tokens = {make_quoted_string("")};
            tokens.front().joined = true;
            return;
        }
    }
    strip_source_route(tokens);
    give_domain(tokens, context, rules);
    complete_domain(tokens, context, rules);
    strip_final_dot(tokens);
}

std::string rewrite_address(std::string_view external, const rewrite_context& context, const rewrite_rules& rules) {
    if (external.empty() || is_plain(external)) return std::string(external);
    token_list tokens = scan(external);
    rewrite_tokens(tokens, context, rules);
    token whole;
    whole.kind = token_kind::address;
    whole.children = std::move(tokens);
    return externalize({whole});
}

std::string rewrite_internal(std::string_view internal, const rewrite_context& context, const rewrite_rules& rules) {
    if (is_plain(internal)) return std::string(internal);
    return unquote_822_local(rewrite_address(quote_822_local(internal), context, rules));
}

}  // namespace mta::address
