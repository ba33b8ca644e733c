#include "cli/problem_json.hpp"

#include <boost/json.hpp>

#include "sim/record/json.hpp"

namespace cli {

namespace json = boost::json;

json::value text_value(std::string_view text) {
    return json::value(sim::record::well_formed(text));
}

json::array problem_values(const std::vector<sim::topology::problem>& problems) {
    json::array all;
    for (const auto& each : problems) {
        json::object out;
        out["file"] = text_value(each.at.file);
        out["line"] = each.at.line;
        out["column"] = each.at.column;
        out["level"] =
            std::array<std::string_view, 3>{"error", "warning", "note"}[static_cast<std::size_t>(each.level)];
        out["text"] = text_value(each.text);
        all.push_back(std::move(out));
    }
    return all;
}

}  // namespace cli
