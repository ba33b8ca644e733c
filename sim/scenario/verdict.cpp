#include "sim/scenario/verdict.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <set>
#include <utility>
#include <variant>

#include "mta/text/strings.hpp"
#include "sim/scenario/pattern.hpp"

namespace sim::scenario {
namespace {

namespace text = mta::text;
using count = std::optional<std::uint32_t>;
using words = std::vector<std::string>;

bool same(std::string_view a, std::string_view b) {
    return text::equal_ignoring_case(a, b);
}

std::string joined(const words& parts, std::string_view between) {
    std::string result;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (i > 0) result += between;
        result += parts[i];
    }
    return result;
}

std::string number_of(std::size_t n, std::string_view one, std::string_view many) {
    return (n == 0 ? "no" : std::to_string(n)) + " " + std::string(n == 1 ? one : many);
}

bool enough(const count& wanted, std::size_t have) {
    return wanted ? have == *wanted : have > 0;
}

std::string times(const count& wanted) {
    if (!wanted) return "";
    return *wanted == 0 ? ", not at all" : *wanted == 1 ? ", once" : ", " + std::to_string(*wanted) + " times";
}

std::string not_as_many(const count& wanted, bool held) {
    return held || !wanted ? "" : ", not " + std::to_string(*wanted);
}

std::string path(std::string_view address) {
    return "<" + std::string(address) + ">";
}

// Facts of one kind against a claim: those that fit, and the one that fits but for the fewest details.
struct tally {
    std::size_t hits = 0;
    std::string hit;   // the last that fitted
    std::string near;  // as a sentence: "delivered to a@b, but by hops x, y"
    std::size_t misfits = 0;

    void add(const std::string& what, const words& misfit) {
        if (misfit.empty()) {
            ++hits;
            hit = what;
        } else if (near.empty() || misfit.size() < misfits) {
            near = what + ", but " + joined(misfit, " and ");
            misfits = misfit.size();
        }
    }
};

verdict decided(const tally& all, const count& wanted, std::string_view one, std::string_view many) {
    verdict result;
    result.held = enough(wanted, all.hits);
    result.found = number_of(all.hits, one, many) + not_as_many(wanted, result.held);
    if (!result.held) result.nearest = all.hits > 0 ? all.hit : all.near;
    return result;
}

// What became of a recipient otherwise, when nothing of the kind that was claimed did.
std::string other_end(std::string_view to, const evidence& facts, bool with_deliveries) {
    const auto of = [&](std::string_view one, std::string_view other) { return same(one, to) || same(other, to); };
    if (with_deliveries) {
        for (const auto& each : facts.deliveries()) {
            if (of(each.to, each.final_recipient)) return "delivered to " + each.to + " at " + each.host;
        }
    } else {
        for (const auto& each : facts.bounces()) {
            if (of(each.original, each.to)) return "bounced by " + each.host + ": " + each.dsn + " " + each.reason;
        }
    }
    for (const auto& each : facts.refusals()) {
        if (same(each.to, to)) return "refused by " + each.server + ": " + each.reply;
    }
    // The last thing that any log has to say of it.
    std::string last;
    for (const auto& host : facts.hosts()) {
        facts.maillog(host, [&](std::string_view line) {
            if (line.find("to=<" + std::string(to) + ">") != line.npos) last = host + ": " + std::string(line);
            return true;
        });
    }
    return last;
}

std::string other_name(std::string_view to, const std::set<std::string>& names) {
    const std::vector<std::string_view> candidates(names.begin(), names.end());
    const std::string_view near = text::nearest(to, candidates);
    return near.empty() ? "" : "there is " + std::string(near);
}

verdict judge_one(const delivered& claim, const evidence& facts) {
    const auto all = facts.deliveries();
    std::set<std::string> names;
    tally seen;
    for (const auto& each : all) {
        names.insert(each.to);
        if (!same(each.to, claim.to)) continue;
        words misfit;
        if (claim.from && !same(*claim.from, each.from)) misfit.push_back("from " + path(each.from));
        if (claim.host && !same(*claim.host, each.host)) misfit.push_back("at " + each.host);
        if (!claim.hops.empty() && !std::ranges::equal(claim.hops, each.hops, same)) {
            misfit.push_back("by hops " + joined(each.hops, ", "));
        }
        seen.add("delivered to " + each.to, misfit);
    }
    verdict result = decided(seen, claim.count, "delivery", "deliveries");
    if (!result.held && result.nearest.empty()) result.nearest = other_end(claim.to, facts, false);
    if (!result.held && result.nearest.empty()) result.nearest = other_name(claim.to, names);
    result.expected = "delivered to " + claim.to;
    if (claim.from) result.expected += " from " + path(*claim.from);
    if (claim.host) result.expected += " at " + *claim.host;
    if (!claim.hops.empty()) result.expected += " by hops " + joined(claim.hops, ", ");
    result.expected += times(claim.count);
    return result;
}

verdict judge_one(const bounced& claim, const evidence& facts) {
    const auto all = facts.bounces();
    std::set<std::string> names;
    tally seen;
    for (const auto& each : all) {
        names.insert(each.to);
        if (!same(each.to, claim.to) && !same(each.original, claim.to)) continue;
        words misfit;
        if (claim.host && !same(*claim.host, each.host)) misfit.push_back("by " + each.host);
        if (claim.dsn_glob && !glob_matches(*claim.dsn_glob, each.dsn)) misfit.push_back("with " + each.dsn);
        if (claim.reason_glob && !glob_matches(*claim.reason_glob, each.reason))
            misfit.push_back("for \"" + each.reason + "\"");
        seen.add("bounced: " + claim.to, misfit);
    }
    verdict result = decided(seen, claim.count, "bounce", "bounces");
    if (!result.held && result.nearest.empty()) result.nearest = other_end(claim.to, facts, true);
    if (!result.held && result.nearest.empty()) result.nearest = other_name(claim.to, names);
    result.expected = claim.to + " bounced";
    if (claim.host) result.expected += " by " + *claim.host;
    if (claim.dsn_glob) result.expected += " with " + *claim.dsn_glob;
    if (claim.reason_glob) result.expected += " for \"" + *claim.reason_glob + "\"";
    result.expected += times(claim.count);
    return result;
}

verdict judge_one(const refused& claim, const evidence& facts) {
    tally seen;
    for (const auto& each : facts.refusals()) {
        words misfit;
        if (claim.client && !same(*claim.client, each.client)) misfit.push_back("of " + each.client);
        if (claim.server && !same(*claim.server, each.server)) misfit.push_back("by " + each.server);
        if (claim.from && !same(*claim.from, each.from)) misfit.push_back("from " + path(each.from));
        if (claim.to && !same(*claim.to, each.to)) misfit.push_back("to " + path(each.to));
        if (claim.reply_glob && !glob_matches(*claim.reply_glob, each.reply))
            misfit.push_back("with \"" + each.reply + "\"");
        seen.add("refused: " + (each.command.empty() ? "the connection" : each.command) + " of " + each.client +
                     " by " + each.server,
                 misfit);
    }
    verdict result = decided(seen, claim.count, "refusal", "refusals");
    result.expected = "refused";
    if (claim.client) result.expected += ": " + *claim.client;
    if (claim.server) result.expected += " by " + *claim.server;
    if (claim.from) result.expected += " from " + path(*claim.from);
    if (claim.to) result.expected += " to " + path(*claim.to);
    if (claim.reply_glob) result.expected += " with \"" + *claim.reply_glob + "\"";
    result.expected += times(claim.count);
    return result;
}

// The words of a regular expression that stand for themselves: what a line that nearly matches has in common with it.
words literal_pieces(std::string_view expression) {
    constexpr std::string_view special = "^$.[]|()?*+{}\\", separators = " ,;:";
    constexpr std::size_t shortest = 3;
    words result;
    std::string piece;
    const auto end = [&] {
        if (piece.size() >= shortest) result.push_back(piece);
        piece.clear();
    };
    for (std::size_t i = 0; i < expression.size(); ++i) {
        const char c = expression[i];
        const bool escaped = c == '\\' && i + 1 < expression.size() && !text::is_alnum(expression[i + 1]);
        if (escaped) {
            piece += expression[++i];
        } else if (special.find(c) == special.npos && separators.find(c) == separators.npos) {
            piece += c;
        } else {
            // What a quantifier follows need not be there.
            if ((c == '?' || c == '*' || c == '{') && !piece.empty()) piece.pop_back();
            if (c == '\\') ++i;
            end();
        }
    }
    end();
    return result;
}

std::string nearest_line(std::string_view expression, const words& hosts, const evidence& facts) {
    const words pieces = literal_pieces(expression);
    std::size_t best = 0;
    std::string result;
    for (const auto& host : hosts) {
        facts.maillog(host, [&](std::string_view line) {
            std::size_t score = 0;
            for (const auto& piece : pieces) score += line.find(piece) != line.npos ? piece.size() : 0;
            if (score > best) {
                best = score;
                result = host + ": " + readable(line);
            }
            return true;
        });
    }
    return result;
}

verdict judge_one(const log_line& claim, const evidence& facts) {
    const words hosts = claim.host ? words{*claim.host} : facts.hosts();
    const pattern wanted(claim.matches, dialect::pcre);
    std::uint64_t budget = 4'000'000'000;  // steps, for all lines together; less than a minute
    std::size_t hits = 0;
    std::string last, trouble;
    if (const auto problem = check_pattern(claim.matches, dialect::pcre)) trouble = problem->text;
    for (const auto& host : hosts) {
        facts.maillog(host, [&](std::string_view line) {
            const search_result result = wanted.search(line, budget);
            if (result == search_result::too_costly) trouble = "it is too costly to search for";
            if (result == search_result::found) {
                ++hits;
                last = host + ": " + readable(line);
            }
            return trouble.empty();
        });
    }
    verdict result;
    result.held = trouble.empty() && enough(claim.count, hits);
    result.expected = "a line of " + (claim.host ? *claim.host + "'s log" : std::string("a log")) + " that matches \"" +
                      claim.matches + "\"" + times(claim.count);
    result.found = trouble.empty() ? number_of(hits, "line", "lines") + not_as_many(claim.count, result.held)
                                   : "the pattern does not work: " + trouble;
    if (!result.held && trouble.empty()) result.nearest = hits > 0 ? last : nearest_line(claim.matches, hosts, facts);
    return result;
}

verdict judge_one(const queue_length& claim, const evidence& facts) {
    const queue_counts have = facts.queue(claim.host);
    struct row {
        std::string_view name;
        count wanted;
        std::uint32_t found;
    };
    const std::array rows = {row{"incoming", claim.incoming, have.incoming}, row{"active", claim.active, have.active},
                             row{"deferred", claim.deferred, have.deferred}, row{"hold", claim.hold, have.hold},
                             row{"in all", claim.total, have.total()}};
    words wanted, found, misfit;
    for (const row& each : rows) {
        const std::string name(each.name);
        found.push_back(name + " " + std::to_string(each.found));
        if (!each.wanted) continue;
        wanted.push_back(name + " " + std::to_string(*each.wanted));
        if (*each.wanted != each.found)
            misfit.push_back(name + " " + std::to_string(each.found) + ", not " + std::to_string(*each.wanted));
    }
    verdict result;
    result.held = misfit.empty();
    result.expected = "the queue of " + claim.host + ": " + joined(wanted, ", ");
    result.found = joined(found, ", ");
    result.nearest = joined(misfit, "; ");
    return result;
}

struct header {
    std::string name, value;
};

// Unfolded (RFC 5322, 2.2.3); what is no header ends them.
std::vector<header> headers_of(std::string_view message) {
    std::vector<header> result;
    while (!message.empty()) {
        const std::size_t end = message.find('\n');
        std::string_view line = message.substr(0, end);
        message.remove_prefix(end == message.npos ? message.size() : end + 1);
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (line.empty()) break;
        if ((line.front() == ' ' || line.front() == '\t') && !result.empty()) {
            (result.back().value += ' ') += text::trimmed(line);
            continue;
        }
        const std::size_t colon = line.find(':');
        if (colon == line.npos) break;
        result.push_back(
            {std::string(text::trimmed(line.substr(0, colon))), std::string(text::trimmed(line.substr(colon + 1)))});
    }
    return result;
}

words misfits_of(const mailbox& claim, const std::string& message) {
    words result;
    const auto headers = headers_of(message);
    for (const auto& [name, glob] : claim.header_globs) {
        std::string_view value;
        bool there = false, fits = false;
        for (const header& each : headers) {
            if (!same(each.name, name)) continue;
            if (!there) value = each.value;
            there = true;
            fits = fits || glob_matches(glob, each.value);
        }
        if (!there) result.push_back("without " + name);
        if (there && !fits) result.push_back("with " + name + ": " + readable(value));
    }
    if (claim.contains && message.find(*claim.contains) == message.npos) result.emplace_back("without the text");
    return result;
}

verdict judge_one(const mailbox& claim, const evidence& facts) {
    const auto messages = facts.mailbox(claim.host, claim.user);
    const bool asks_for_one = !claim.header_globs.empty() || claim.contains;
    tally seen;
    for (std::size_t i = 0; i < messages.size(); ++i) {
        seen.add("message " + std::to_string(i + 1) + " of " + std::to_string(messages.size()),
                 misfits_of(claim, messages[i]));
    }
    // "None" with conditions is none such.
    const bool none_such = asks_for_one && claim.count == std::uint32_t{0};
    const bool as_many = none_such ? seen.hits == 0 : enough(claim.count, messages.size());
    verdict result;
    result.held = as_many && (none_such || !asks_for_one || seen.hits > 0);
    result.expected = "the mailbox of " + claim.user + " at " + claim.host;
    if (claim.count) result.expected += " holds " + number_of(*claim.count, "message", "messages");
    words conditions;
    for (const auto& [name, glob] : claim.header_globs) conditions.push_back(name + ": " + glob);
    if (claim.contains) conditions.push_back("the text \"" + *claim.contains + "\"");
    if (asks_for_one) result.expected += ", one with " + joined(conditions, " and ");
    result.found = number_of(messages.size(), "message", "messages") + (as_many ? "" : not_as_many(claim.count, false));
    if (asks_for_one && !messages.empty()) result.found += ", " + number_of(seen.hits, "such", "such");
    if (!result.held && asks_for_one) result.nearest = none_such ? seen.hit : seen.hits == 0 ? seen.near : "";
    return result;
}

std::string one_line(std::string_view what) {
    std::string result(what);
    std::ranges::replace(result, '\n', ' ');
    return result;
}

}  // namespace

verdict judge(const expectation& claim, const evidence& facts) {
    verdict result = std::visit([&](const auto& what) { return judge_one(what, facts); }, claim.what);
    result.at = claim.at;
    result.nearest = one_line(result.nearest);
    return result;
}

std::vector<verdict> judge_all(std::span<const expectation> claims, const evidence& facts) {
    std::vector<verdict> result;
    result.reserve(claims.size());
    for (const auto& each : claims) result.push_back(judge(each, facts));
    return result;
}

std::string to_string(const verdict& v) {
    std::string result =
        topology::to_string(v.at) + ": " + (v.held ? "held: " : "failed: ") + v.expected + "; found " + v.found;
    if (!v.nearest.empty()) result += "; nearest: " + v.nearest;
    return result;
}

}  // namespace sim::scenario
