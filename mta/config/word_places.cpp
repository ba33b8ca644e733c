#include "mta/config/word_places.hpp"

#include "mta/text/strings.hpp"

namespace mta::config {
namespace {

constexpr int deepest = 10;
constexpr std::size_t most_words = 10'000;

std::size_t indent_of(std::string_view line) {
    return std::min(line.find_first_not_of(" \t"), line.size());
}

// "$name", "${name}" or "$(name)", and nothing beside it.
std::string_view named_by(std::string_view word) {
    if (word.size() < 2 || word.front() != '$') return {};
    word.remove_prefix(1);
    if ((word.front() == '{' && word.back() == '}') || (word.front() == '(' && word.back() == ')'))
        word = word.substr(1, word.size() - 2);
    for (const char c : word) {
        if (!text::is_alnum(c) && c != '_') return {};
    }
    return word;
}

class placer {
  public:
    placer(const parameters& values, const source_reader& read) : values_(values), read_(read) {}

    void add(std::string_view name, int depth) {
        const position at = values_.where(name);
        const std::string raw = values_.unexpanded(name);
        const auto file = at.file && at.line > 0 ? read_(at.file_name()) : std::nullopt;
        if (!file || !walk(name, *file, at, raw, depth)) add_text(raw, at, depth);
    }
    std::vector<placed_word> take() { return std::move(words_); }

  private:
    // True when the words of the value all stand in the text, in their order.
    bool walk(std::string_view name, std::string_view text, const position& first, std::string_view raw, int depth) {
        const auto wanted = text::split_quoting_braces(raw, text::comma_or_space);
        std::size_t next = 0, least_indent = 0, begin = 0;
        std::vector<position> places;
        for (std::uint32_t number = 1; begin < text.size() && next < wanted.size(); ++number) {
            const std::size_t end = std::min(text.find('\n', begin), text.size());
            std::string_view line = text.substr(begin, end - begin);
            begin = end + 1;
            if (number < first.line) continue;
            const std::string_view bare = text::trimmed(line);
            if (number == first.line) {
                // Of a block in YAML the value's own first line may be the one that positions name.
                const auto ends = line.find_first_of("=:");
                const bool has_name =
                    ends != std::string_view::npos && text::trimmed(line.substr(0, ends)).ends_with(name);
                least_indent = indent_of(line) + (has_name ? 1 : 0);
                if (has_name) line.remove_prefix(ends + 1);
            } else if (bare.empty() || bare.front() == '#') {
                continue;
            } else if (indent_of(line) < least_indent) {
                break;
            }
            for (std::size_t at = 0; next < wanted.size();) {
                at = line.find(wanted[next], at);
                if (at == std::string_view::npos) break;
                at += wanted[next++].size();
                places.push_back({first.file, number, 0});
            }
        }
        if (next < wanted.size()) return false;
        for (std::size_t i = 0; i < wanted.size(); ++i) add_word(wanted[i], places[i], depth);
        return true;
    }

    void add_text(std::string_view raw, const position& at, int depth) {
        for (const auto each : text::split_quoting_braces(raw, text::comma_or_space)) add_word(each, at, depth);
    }

    void add_word(std::string_view word, const position& at, int depth) {
        if (words_.size() >= most_words) return;
        const std::string_view name = named_by(word);
        if (!name.empty() && depth < deepest && values_.is_set(name)) return add(name, depth + 1);
        std::string value;
        try {
            value = values_.expand(word);
        } catch (const fatal&) {
            value = word;  // config::check tells of it
        }
        for (const auto each : text::split_quoting_braces(value, text::comma_or_space))
            words_.push_back({std::string(each), at});
    }

    const parameters& values_;
    const source_reader& read_;
    std::vector<placed_word> words_;
};

}  // namespace

std::vector<placed_word> placed_words(const parameters& values, std::string_view name, const source_reader& read) {
    placer all(values, read);
    if (values.defines(name)) all.add(name, 0);
    return all.take();
}

std::optional<position> place_of_phrase(const std::vector<placed_word>& words, std::string_view phrase,
                                        std::size_t which) {
    const auto wanted = text::split_quoting_braces(phrase, text::comma_or_space);
    if (wanted.empty()) return std::nullopt;
    for (std::size_t i = 0; i + wanted.size() <= words.size(); ++i) {
        bool same = true;
        for (std::size_t k = 0; same && k < wanted.size(); ++k) same = words[i + k].text == wanted[k];
        if (same && which-- == 0) return words[i].where;
    }
    return std::nullopt;
}

}  // namespace mta::config
