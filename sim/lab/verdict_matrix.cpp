#include "sim/lab/verdict_matrix.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "mta/config/problem.hpp"
#include "mta/text/strings.hpp"

namespace sim::lab {
namespace {

constexpr std::size_t most_rows = 10'000'000;

struct column {
    std::string_view name;
    std::string matrix_row::* field;
};
constexpr std::array<column, 6> columns = {{{"client", &matrix_row::client},
                                            {"helo", &matrix_row::helo},
                                            {"sender", &matrix_row::sender},
                                            {"recipient", &matrix_row::recipient},
                                            {"login", &matrix_row::login},
                                            {"expect", &matrix_row::expect}}};
constexpr std::size_t required_columns = 4;

// One record; `at` and `line` go on to the next. Line ends within quotes are taken as they are.
std::vector<std::string> record(std::string_view text, std::size_t& at, std::size_t& line) {
    std::vector<std::string> fields(1);
    bool quoted = false;
    while (at < text.size()) {
        const char c = text[at++];
        if (c == '\n') ++line;
        if (quoted && c == '"' && at < text.size() && text[at] == '"') {
            fields.back() += text[at++];
        } else if (c == '"' && (quoted || fields.back().empty())) {
            quoted = !quoted;
        } else if (!quoted && c == ',') {
            fields.emplace_back();
        } else if (!quoted && c == '\n') {
            break;
        } else if (quoted || c != '\r') {
            fields.back() += c;
        }
    }
    return fields;
}

const column* column_named(std::string_view name) {
    const auto found = std::find_if(columns.begin(), columns.end(), [&](const column& each) {
        return mta::text::equal_ignoring_case(each.name, mta::text::trimmed(name));
    });
    return found == columns.end() ? nullptr : &*found;
}

}  // namespace

std::vector<matrix_row> read_matrix(std::string_view text, const std::string& file) {
    std::vector<matrix_row> rows;
    std::vector<const column*> order;
    for (const column& each : columns) order.push_back(&each);
    std::size_t line = 1;
    bool first = true;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t here = line;
        const std::vector<std::string> fields = record(text, at, line);
        const auto wrong = [&](std::string what) {
            return mta::config::fatal(mta::config::place(file, static_cast<std::uint32_t>(here)), what);
        };
        if (fields.size() == 1 && (fields[0].empty() || fields[0][0] == '#')) continue;
        if (std::exchange(first, false) && column_named(fields[0])) {
            order.clear();
            for (const std::string& each : fields) {
                const column* named = column_named(each);
                if (!named) throw wrong("unknown column; there are client, helo, sender, recipient, login, expect");
                order.push_back(named);
            }
            continue;
        }
        if (fields.size() < std::min(required_columns, order.size()) || fields.size() > order.size())
            throw wrong(fmt::format("{} fields; a line has client,helo,sender,recipient", fields.size()));
        if (rows.size() >= most_rows) throw wrong("more than ten million lines");
        matrix_row& row = rows.emplace_back();
        row.line = here;
        for (std::size_t i = 0; i < fields.size(); ++i) row.*(order[i]->field) = fields[i];
    }
    return rows;
}

bool meets(std::string_view reply, bool refused, std::string_view expected) {
    if (expected.empty()) return true;
    if (expected == "accept") return !refused;
    if (expected == "reject") return refused && reply.starts_with('5');
    if (expected == "defer") return refused && reply.starts_with('4');
    if (expected.ends_with('*')) return reply.starts_with(expected.substr(0, expected.size() - 1));
    return reply == expected;
}

}  // namespace sim::lab
