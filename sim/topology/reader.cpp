#include "sim/topology/reader.hpp"

#include <algorithm>
#include <filesystem>
#include <tuple>

#include "mta/text/strings.hpp"

namespace sim::topology {

std::string beside(const std::string& file, const std::string& path) {
    return (std::filesystem::path(file).parent_path() / path).lexically_normal().string();
}

std::string quoted_word(std::string_view word) {
    constexpr std::size_t longest = 60;
    std::string text = "\"";
    std::size_t taken = 0;
    for (const char c : word) {
        // Cut between characters, never within one.
        if (taken++ >= longest && (c & 0xC0) != 0x80) {
            text += "...";
            break;
        }
        if (c == '\n')
            text += "\\n";
        else if (c == '\r')
            text += "\\r";
        else if (c == '\t')
            text += "\\t";
        else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F)
            text += '?';
        else
            text += c;
    }
    return text + "\"";
}

std::string found_words(const node& n) {
    switch (n.kind) {
        case node_kind::null:
            return "nothing";
        case node_kind::sequence:
            return "a list of " + std::to_string(n.elements.size());
        case node_kind::map:
            return "a map";
        case node_kind::scalar:
            break;
    }
    if (!n.quoted && kind_of(n.text) == scalar_kind::boolean) return "the truth value " + n.text;
    const bool is_number = kind_of(n.text) == scalar_kind::integer || kind_of(n.text) == scalar_kind::fraction;
    if (!n.quoted && is_number) return "the number " + n.text.substr(0, 40);
    return quoted_word(n.text);
}

void context::report(const position& at, severity level, std::string text) {
    constexpr std::size_t kept = 1000;  // more than anyone reads; the rest is counted
    failed_ = failed_ || level == severity::error;
    if (problems_.size() >= kept)
        ++left_out_;
    else
        problems_.push_back({at, level, std::move(text)});
}

void context::wrong_type(const node& found, std::string_view what, std::string_view how) {
    error(found.at,
          quoted_word(key) + " must be " + std::string(what) + ", not " + found_words(found) + "; " + std::string(how));
}

namespace {

std::string joined(std::span<const std::string_view> words) {
    std::string text;
    for (const auto word : words) text += (text.empty() ? "" : ", ") + std::string(word);
    return text;
}

}  // namespace

std::string_view context::unknown_key(const node& wrong, std::string_view object,
                                      std::span<const std::string_view> known) {
    const std::vector<std::string_view> candidates(known.begin(), known.end());
    const auto near = gives_advice() ? mta::text::nearest(std::string_view(wrong.text).substr(0, 100), candidates)
                                     : std::string_view{};
    error(wrong.at,
          "this " + std::string(object) + " has no key " + quoted_word(wrong.text) +
              (near.empty() ? "; its keys are " + joined(known) : "; did you mean " + quoted_word(near) + "?"));
    return near;
}

void context::missing_key(const position& at, std::string_view object, std::string_view missing, std::string_view doc) {
    std::string what(doc);
    if (!what.empty()) what[0] = mta::text::lower(what[0]);
    if (what.ends_with('.')) what.pop_back();
    error(at, "this " + std::string(object) + " lacks " + quoted_word(missing) + "; add it: " + what);
}

void context::not_a_map(const node& found, std::string_view object, std::span<const std::string_view> known) {
    const bool lacks_colon =
        found.kind == node_kind::scalar && std::find(known.begin(), known.end(), found.text) != known.end();
    error(found.at, "here stands " + found_words(found) + " where the keys of one " + std::string(object) +
                        " belong; " +
                        (lacks_colon ? "write " + quoted_word(found.text + ":") + ", with a colon"
                                     : std::string("write \"key: value\" lines, or {key: value}")));
}

void context::not_one_key(const node& found, std::string_view object, std::span<const std::string_view> known) {
    error(found.at, "this " + std::string(object) + (found.entries.empty() ? " is empty" : " has several keys") +
                        "; write one of " + joined(known) +
                        (found.entries.empty() ? "" : ", and a \"- \" before each"));
}

std::pair<std::vector<problem>, std::size_t> context::take_problems() {
    struct ranked {
        std::ptrdiff_t file;
        std::size_t noted;  // problems of one place stay in the order they were found
        problem what;
    };
    std::vector<ranked> all;
    for (problem& p : problems_)
        all.push_back({std::find(files.begin(), files.end(), p.at.file) - files.begin(), all.size(), std::move(p)});
    problems_.clear();
    const auto place = [](const ranked& r) { return std::tuple(r.file, r.what.at.line, r.what.at.column, r.noted); };
    const auto by_place = [&](const ranked& a, const ranked& b) { return place(a) < place(b); };
    const auto errors_first = [&](const ranked& a, const ranked& b) {
        const severity one = a.what.level, other = b.what.level;
        return one != other ? one < other : by_place(a, b);
    };
    if (all.size() > most_problems) {
        std::sort(all.begin(), all.end(), errors_first);
        left_out_ += all.size() - most_problems;
        all.resize(most_problems);
    }
    std::sort(all.begin(), all.end(), by_place);
    std::vector<problem> shown;
    for (ranked& r : all) shown.push_back(std::move(r.what));
    return {std::move(shown), left_out_};
}

}  // namespace sim::topology
