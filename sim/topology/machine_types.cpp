// sim/topology/machine_types.cpp - zones and the replies of scripted servers.
#include "sim/topology/machine_types.hpp"

#include "sim/topology/server_script.hpp"

namespace sim::topology {

std::string zone_name(std::string_view written) {
    if (written.ends_with('.')) written.remove_suffix(1);
    return mta::text::lowered(written);
}

void check_zone_text(context& c, std::string_view zone, const block_text& text) {
    if (c.hooks.check_zone) c.zone_texts.push_back({text.at, std::string(zone), text});
}

void check_zone_texts(context& c) {
    for (const zone& each : c.zone_texts) {
        for (const text_problem& p : c.hooks.check_zone(c.model, each.name, each.text.text))
            c.report(each.text.place(p.line, p.column), p.level, "zone " + quoted_word(each.name) + ": " + p.text);
    }
}

std::optional<std::string> reply_type::read(context& c, const node& n) {
    const auto is_reply_line = [](std::string_view line) {
        return line.size() >= 3 && line[0] >= '2' && line[0] <= '5' && mta::text::is_digit(line[1]) &&
               mta::text::is_digit(line[2]) && (line.size() == 3 || line[3] == ' ' || line[3] == '-');
    };
    auto text = text_type::read(c, n);
    if (!text || *text == "close" || *text == "hang") return text;
    bool good = !text->empty();
    for (const auto line : mta::text::split(*text, "\r\n")) good = good && is_reply_line(line);
    if (good) return text;
    c.wrong_type(n, "an SMTP reply, close or hang", "begin each of its lines with a code, as in \"450 4.2.0 busy\"");
    return std::nullopt;
}

}  // namespace sim::topology
