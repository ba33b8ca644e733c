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
    for (const secure_zone& each : c.model.secure_zones) {
        if (c.zones.contains(each.name)) continue;
        c.error(each.at, "there is no zone " + quoted_word(each.name) + " in this file; declare it under `zones`");
    }
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
    if (text->empty()) {
        c.wrong_type(n, "an SMTP reply, close or hang",
                     "begin each of its lines with a code, as in \"450 4.2.0 busy\"");
        return std::nullopt;
    }
    bool good = true;
    for (const auto line : mta::text::split(*text, "\r\n")) good = good && is_reply_line(line);
    if (!good) c.warning(n.at, quoted_word(*text) + " is no SMTP reply: what clients make of it is what will be seen");
    return text;
}

std::optional<scenario::session_range> session_range_type::read(context& c, const node& n) {
    const auto number = [](std::string_view digits) {
        const auto parsed = mta::text::to_number(digits);
        return parsed && *parsed > 0 && *parsed <= UINT32_MAX ? static_cast<std::uint32_t>(*parsed) : 0;
    };
    if (n.kind == node_kind::scalar) {
        const std::string_view text = n.text;
        const std::size_t dash = text.find('-');
        scenario::session_range range{number(text.substr(0, dash)), UINT32_MAX};
        if (dash == text.npos) range.last = range.first;
        if (dash != text.npos && dash + 1 < text.size()) range.last = number(text.substr(dash + 1));
        if (range.first > 0 && range.last >= range.first) return range;
    }
    c.wrong_type(n, "the number of a session, or a range", "count from 1, as in 3, 2-4 or 5-");
    return std::nullopt;
}

std::optional<scenario::scripted_reply> scripted_reply_type::read(context& c, const node& n) {
    if (n.kind != node_kind::map) {
        auto text = reply_type::read(c, n);
        if (!text) return std::nullopt;
        return scenario::scripted_reply(std::move(*text));
    }
    const std::string_view verb = c.key;
    auto made = object_type<scenario::scripted_reply>::read(c, n);
    if (made->close_after && verb != "DATA")
        c.error(n.at,
                "\"close_after\" counts bytes of a message, so it stands under DATA, not under " + quoted_word(verb));
    if (made->recipient && verb != "RCPT" && verb != "DATA" && verb != "END")
        c.error(n.at, "no recipient is known at " + quoted_word(verb) + "; use \"recipient\" under RCPT, DATA or END");
    if (made->sender && verb != "MAIL" && verb != "RCPT" && verb != "DATA" && verb != "END")
        c.error(n.at, "no sender is known at " + quoted_word(verb) + "; use \"sender\" under MAIL, RCPT, DATA or END");
    return made;
}
std::string scripted_reply_type::json() {
    return R"({"oneOf": [)" + reply_type::json() + ", " + object_type<scenario::scripted_reply>::json() + "]}";
}
std::string scripted_reply_type::words() {
    return reply_type::words() + ", or " + object_type<scenario::scripted_reply>::words();
}

}  // namespace sim::topology
