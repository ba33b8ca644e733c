#include "mta/pickup/sendmail_options.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "mta/queue/queue_file.hpp"
#include "mta/text/strings.hpp"

namespace mta::pickup {
namespace {

// getopt(3): a colon after those that take a value.
constexpr std::string_view option_letters = "A:B:C:F:GIL:N:O:R:UV:X:b:ce:f:h:imno:p:r:q:tvx";
constexpr std::size_t longest_envelope_id = 100;

// dsn_notify_mask(3): 0 when the list is not understood.
std::uint8_t notify_mask(const std::string& list, std::vector<std::string>& warnings) {
    struct row {
        std::string_view name;
        std::uint8_t bit;
    };
    constexpr row rows[] = {{"never", queue::notify_never},
                            {"success", queue::notify_success},
                            {"failure", queue::notify_failure},
                            {"delay", queue::notify_delay}};
    unsigned mask = 0;
    for (const std::string_view word : text::split(list, text::comma_or_space)) {
        const auto known = std::find_if(std::begin(rows), std::end(rows),
                                        [&](const row& each) { return text::equal_ignoring_case(each.name, word); });
        if (known == std::end(rows)) {
            warnings.push_back(fmt::format("unknown DSN NOTIFY command value \"{}\" in \"{}\"", word, list));
            return 0;
        }
        mask |= known->bit;
    }
    const bool never_and_more = (mask & queue::notify_never) != 0 && mask != queue::notify_never;
    return never_and_more ? 0 : static_cast<std::uint8_t>(mask);
}

class reader {
  public:
    reader(std::string default_verp, std::string_view verp_filter)
        : default_verp_(std::move(default_verp)), verp_filter_(verp_filter) {}

    void read(std::span<const std::string> words) {
        std::size_t i = 0;
        for (; i < words.size() && out.fatal.empty(); ++i) {
            const std::string& word = words[i];
            if (word == "--") {
                ++i;
                break;
            }
            if (word.size() < 2 || word[0] != '-') break;
            const bool old_verp = word == "-V" && i + 1 < words.size() && words[i + 1].size() == 2;
            if (old_verp || (word.starts_with("-V") && word.size() == 4)) {
                const std::string new_name = "-X" + (old_verp ? std::string("V") : word.substr(1));
                out.warnings.push_back(
                    fmt::format("option {} is deprecated with Postfix 2.3; specify {} instead", word, new_name));
                if (old_verp) {
                    out.verp_delimiters = default_verp_;
                } else {
                    verp(word.substr(1));
                }
            } else if (word == "-q") {
                other_job("flush queue mode");
                out.flushes = true;
            } else if (word == "-XV") {
                out.verp_delimiters = default_verp_;
            } else {
                i += read_word(word, i + 1 < words.size() ? &words[i + 1] : nullptr);
            }
        }
        if (i < words.size()) out.arguments.assign(words.begin() + static_cast<std::ptrdiff_t>(i), words.end());
        if (!out.fatal.empty()) return;
        if (out.extracts_recipients && !out.delivers) out.fatal = "-t can be used only in delivery mode";
        if (out.extracts_recipients && out.verifies) out.fatal = "-t option cannot be used with -bv";
        if (out.notify != 0 && out.verifies) out.fatal = "-N option cannot be used with -bv";
    }

    sendmail_options out;

  private:
    // One word of option letters; 1 when the next word was its value.
    std::size_t read_word(const std::string& word, const std::string* next) {
        for (std::size_t at = 1; at < word.size() && out.fatal.empty(); ++at) {
            const char letter = word[at];
            const auto known = letter == ':' ? std::string_view::npos : option_letters.find(letter);
            if (known == std::string_view::npos) {
                out.fatal = "usage: sendmail [options]";
                return 0;
            }
            if (known + 1 >= option_letters.size() || option_letters[known + 1] != ':') {
                flag(letter);
                continue;
            }
            if (at + 1 < word.size()) {
                value(letter, word.substr(at + 1));
                return 0;
            }
            if (!next) {
                out.fatal = "usage: sendmail [options]";
                return 0;
            }
            value(letter, *next);
            return 1;
        }
        return 0;
    }

    void flag(char letter) {
        switch (letter) {
            case 'n':
                out.fatal = "-n option not supported";
                break;
            case 'G':
                out.gateway = true;
                break;
            case 'I':
                other_job("alias initialization mode");
                break;
            case 't':
                out.extracts_recipients = true;
                break;
            case 'v':
                out.records = true;
                break;
            default:
                break;
        }
    }

    void value(char letter, const std::string& text) {
        switch (letter) {
            case 'B':
                if (text == "8BITMIME") {
                    out.encoding = "8bit";
                } else if (text == "7BIT") {
                    out.encoding = "7bit";
                } else {
                    out.fatal = "-B option needs 8BITMIME or 7BIT";
                }
                break;
            case 'F':
                out.full_name = text;
                break;
            case 'N':
                out.notify = notify_mask(text, out.warnings);
                if (out.notify == 0) out.warnings.push_back("bad -N option value -- ignored");
                break;
            case 'R':
                if (text::equal_ignoring_case(text, "hdrs")) {
                    out.returns = queue::return_content::headers;
                } else if (text::equal_ignoring_case(text, "full")) {
                    out.returns = queue::return_content::full;
                } else {
                    out.warnings.push_back("bad -R option value -- ignored");
                }
                break;
            case 'V':
                envelope_id(text);
                break;
            case 'X':
                verp(text);
                break;
            case 'b':
                mode(text);
                break;
            case 'f':
            case 'r':
                out.sender = text;
                break;
            case 'q':
                if (text.empty() || !(text::is_digit(text[0]) || text[0] == 'R' || text[0] == 'I')) {
                    out.fatal = fmt::format("-q{} is not implemented", text.substr(0, 1));
                }
                if (!text.empty() && text[0] == 'R') other_job("flush site");
                if (!text.empty() && text[0] == 'I') other_job("flush queue_id");
                break;
            default:
                break;
        }
    }

    void other_job(std::string_view name) {
        out.other_job = name;
        out.delivers = false;
    }

    void envelope_id(const std::string& text) {
        if (text.size() > longest_envelope_id) {
            out.warnings.push_back("too long -V option value -- ignored");
        } else if (!std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c < 0x7f; })) {
            out.warnings.push_back("bad syntax in -V option value -- ignored");
        } else {
            out.envelope_id = text;
        }
    }

    void verp(const std::string& text) {
        if (text.empty() || text[0] != 'V') {
            out.fatal = fmt::format("unsupported: -X{}", text.substr(0, 1));
        } else if (text.size() != 3 || text.find_first_not_of(verp_filter_, 1) != std::string::npos) {
            out.fatal = fmt::format("-V requires two characters from {}", verp_filter_);
        } else {
            out.verp_delimiters = text.substr(1);
        }
    }

    void mode(const std::string& text) {
        struct row {
            char letter;
            std::string_view job;
        };
        constexpr row others[] = {{'d', "daemon mode"},
                                  {'l', "daemon mode"},
                                  {'i', "alias initialization mode"},
                                  {'p', "display queue mode"},
                                  {'s', "stand-alone mode"}};
        const char letter = text.empty() ? ' ' : text[0];
        const auto other =
            std::find_if(std::begin(others), std::end(others), [&](const row& each) { return each.letter == letter; });
        if (other != std::end(others)) {
            other_job(other->job);
        } else if (letter == 'h' || letter == 'H') {
            out.delivers = false;
        } else if (letter == 'v') {
            out.verifies = true;
        } else if (letter == 'm') {
            out.delivers = true;
        } else {
            out.fatal = fmt::format("unsupported: -b{}", letter);
        }
    }

    std::string default_verp_;
    std::string_view verp_filter_;
};

}  // namespace

sendmail_options read_options(std::span<const std::string> command_line, const std::string& default_verp_delimiters,
                              std::string_view verp_filter) {
    reader words(default_verp_delimiters, verp_filter);
    words.read(command_line);
    return std::move(words.out);
}

}  // namespace mta::pickup
