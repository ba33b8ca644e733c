// One line for each answer to a table of questions.
#include <fmt/format.h>

#include "cli/explain.hpp"
#include "mta/text/strings.hpp"

namespace cli {
namespace {

void add_field(std::string& line, std::string_view text) {
    if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
        line += text;
    } else {
        line += '"' + mta::text::replaced(text, "\"", "\"\"") + '"';
    }
}

}  // namespace

std::string matrix_line(const sim::lab::matrix_row& row, const sim::lab::examiner::verdict& got) {
    std::string line;
    line.reserve(200);
    for (const std::string* each : {&row.client, &row.helo, &row.sender, &row.recipient}) {
        add_field(line, *each);
        line += ',';
    }
    line += !got.refused ? "accept" : got.reply.starts_with('4') ? "defer" : "reject";
    line += ',';
    line += got.stage;
    line += ',';
    add_field(line, printable(got.reply.substr(0, got.reply.find("\r\n"))));
    line += '\n';
    return line;
}

}  // namespace cli
