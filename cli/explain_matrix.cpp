// A table of questions in CSV, and a line for each answer.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "cli/explain.hpp"
#include "mta/config/problem.hpp"
#include "mta/text/strings.hpp"

namespace cli {
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

// One record of RFC 4180; `at` goes on to the next. Line ends within quotes are taken as they are.
std::vector<std::string> record(std::string_view text, std::size_t& at, std::size_t& line) {
    std::vector<std::string> fields(1);
    bool quoted = false;
    for (; at < text.size(); ++at) {
        const char c = text[at];
        if (c == '\n') ++line;
        if (quoted) {
            const bool doubled = c == '"' && at + 1 < text.size() && text[at + 1] == '"';
            if (c == '"' && !doubled) {
                quoted = false;
            } else {
                fields.back() += c;
                if (doubled) ++at;
            }
        } else if (c == '"' && fields.back().empty()) {
            quoted = true;
        } else if (c == ',') {
            fields.emplace_back();
        } else if (c == '\n') {
            ++at;
            break;
        } else if (c != '\r') {
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

std::string csv_field(const std::string& text) {
    if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
    return '"' + mta::text::replaced(text, "\"", "\"\"") + '"';
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
        const auto where = [&] { return mta::config::place(file, static_cast<std::uint32_t>(here)); };
        if (fields.size() == 1 && (fields[0].empty() || fields[0][0] == '#')) continue;
        if (std::exchange(first, false) && column_named(fields[0])) {
            order.clear();
            for (const std::string& each : fields) {
                const column* named = column_named(each);
                if (!named)
                    throw mta::config::fatal(
                        where(),
                        fmt::format("no column is called {}; there are client, helo, sender, recipient, login, expect",
                                    printable(each)));
                order.push_back(named);
            }
            continue;
        }
        if (fields.size() < std::min(required_columns, order.size()) || fields.size() > order.size()) {
            throw mta::config::fatal(where(),
                                     fmt::format("{} fields; a line has client,helo,sender,recipient", fields.size()));
        }
        if (rows.size() >= most_rows) throw mta::config::fatal(where(), "more than ten million lines");
        matrix_row& row = rows.emplace_back();
        row.line = here;
        for (std::size_t i = 0; i < fields.size(); ++i) row.*(order[i]->field) = fields[i];
    }
    return rows;
}

bool meets(const sim::lab::examiner::verdict& got, std::string_view expected) {
    if (expected == "accept") return !got.refused;
    if (expected == "reject") return got.refused && got.reply.starts_with('5');
    if (expected == "defer") return got.refused && got.reply.starts_with('4');
    if (expected.ends_with('*'))
        return std::string_view(got.reply).starts_with(expected.substr(0, expected.size() - 1));
    return got.reply == expected;
}

std::string matrix_line(const matrix_row& row, const sim::lab::examiner::verdict& got) {
    const std::string_view word = !got.refused ? "accept" : got.reply.starts_with('4') ? "defer" : "reject";
    std::string line;
    line.reserve(200);
    for (const std::string* each : {&row.client, &row.helo, &row.sender, &row.recipient}) {
        line += csv_field(*each);
        line += ',';
    }
    line += word;
    line += ',';
    line += got.stage;
    line += ',';
    line += csv_field(printable(got.reply.substr(0, got.reply.find("\r\n"))));
    line += '\n';
    return line;
}

}  // namespace cli
