#include "sim/scenario/python_pattern.hpp"

#include <cstdint>

#include "mta/text/strings.hpp"

namespace sim::scenario {
namespace {

namespace text = mta::text;

bool is_hexadecimal(char c) {
    return text::is_digit(c) || (text::lower(c) >= 'a' && text::lower(c) <= 'f');
}
bool is_word(char c) {
    return text::is_alnum(c) || c == '_';
}

class translator {
  public:
    explicit translator(std::string_view expression) : in_(expression) {}

    translated_pattern run() {
        while (at_ < in_.size() && !out_.problem) {
            const std::size_t repetition = repetition_length();
            if (repetition > 0) {
                repeat(repetition);
                continue;
            }
            repeated_ = repeats::no;
            switch (in_[at_]) {
                case '\\':
                    escape(false);
                    break;
                case '[':
                    character_class();
                    break;
                case '(':
                    open();
                    break;
                default:
                    copy(1);
            }
        }
        return std::move(out_);
    }

  private:
    bool has(std::string_view word) const { return in_.substr(at_).starts_with(word); }

    void put(std::string_view what) {
        out_.text += what;
        out_.origins.resize(out_.text.size(), at_);
    }
    void copy(std::size_t count) {
        for (; count > 0 && at_ < in_.size(); --count) {
            put(in_.substr(at_, 1));
            ++at_;
        }
    }
    void refuse(std::string what) {
        if (!out_.problem) out_.problem = pattern_problem{at_, std::move(what)};
    }
    void refuse_escape() {
        refuse(at_ + 1 < in_.size() ? "bad escape " + std::string(in_.substr(at_, 2))
                                    : "bad escape at the end of the pattern");
    }

    // \xhh, \uhhhh and \Uhhhhhhhh
    void code_point(std::size_t digits) {
        const std::string_view value = in_.substr(at_ + 2, digits);
        if (value.size() < digits) return refuse_escape();
        for (const char c : value) {
            if (!is_hexadecimal(c)) return refuse_escape();
        }
        put("\\x{" + std::string(value) + "}");
        at_ += 2 + digits;
    }

    void escape(bool in_class) {
        if (at_ + 1 >= in_.size()) return refuse_escape();
        const char c = in_[at_ + 1];
        if (!text::is_alpha(c)) return copy(2);
        switch (c) {
            case 'x':
                return code_point(2);
            case 'u':
                return code_point(4);
            case 'U':
                return code_point(8);
            // PCRE2's \v is any vertical space.
            case 'v':
                put("\\x{0b}");
                at_ += 2;
                return;
            // PCRE2's \Z also stands before a last newline.
            case 'Z':
                if (in_class) return refuse_escape();
                put("\\z");
                at_ += 2;
                return;
            default:
                break;
        }
        constexpr std::string_view anywhere = "abdDfnrsStwW", outside = "AB";
        if (anywhere.find(c) == anywhere.npos && (in_class || outside.find(c) == outside.npos)) return refuse_escape();
        copy(2);
    }

    void character_class() {
        const std::size_t start = at_;
        copy(has("[^") ? 2 : 1);
        if (has("]")) put_literal();
        while (at_ < in_.size() && in_[at_] != ']' && !out_.problem) {
            if (in_[at_] == '\\') {
                escape(true);
            } else if (in_[at_] == '[') {
                put_literal();  // no [:alpha:] in Python
            } else {
                copy(1);
            }
        }
        if (out_.problem) return;
        if (at_ >= in_.size()) {
            at_ = start;
            return refuse("unterminated character set");
        }
        copy(1);
    }
    void put_literal() {
        put("\\");
        copy(1);
    }

    // "*", "{2,3}" and the like, without what may follow to make them lazy or possessive; 0: no repetition stands here.
    std::size_t repetition_length() const {
        if (std::string_view("*+?").find(in_[at_]) != std::string_view::npos) return 1;
        if (in_[at_] != '{' || has("{}")) return 0;
        std::size_t end = at_ + 1;
        const auto digits = [&] {
            while (end < in_.size() && text::is_digit(in_[end])) ++end;
        };
        digits();
        if (end < in_.size() && in_[end] == ',') {
            ++end;
            digits();
        }
        return end < in_.size() && in_[end] == '}' ? end + 1 - at_ : 0;
    }

    // PCRE2 would take a repetition of a repetition.
    void repeat(std::size_t length) {
        const char c = in_[at_];
        if (repeated_ == repeats::once && (c == '?' || c == '+')) {
            repeated_ = repeats::fully;
            return copy(1);
        }
        if (repeated_ != repeats::no) return refuse("multiple repeat");
        repeated_ = repeats::once;
        // "{,3}" stands for itself in PCRE2.
        if (!has("{,")) return copy(length);
        put("{0,");
        at_ += 2;
        copy(length - 2);
    }

    void open() {
        if (has("(*")) return refuse("nothing to repeat");
        if (!has("(?")) return copy(1);
        for (const std::string_view known : {"(?:", "(?=", "(?!", "(?<=", "(?<!", "(?>", "(?P<", "(?P="}) {
            if (has(known)) return copy(known.size());
        }
        if (has("(?#")) return comment();
        if (has("(?(")) return conditional();
        flags();
    }

    void comment() {
        const std::size_t end = in_.find(')', at_);
        if (end == in_.npos) return refuse("missing ), unterminated comment");
        at_ = end + 1;
    }

    void conditional() {
        std::size_t end = at_ + 3;
        while (end < in_.size() && is_word(in_[end])) ++end;
        const std::string_view name = in_.substr(at_ + 3, end - at_ - 3);
        if (name.empty() || end >= in_.size() || in_[end] != ')') return refuse("bad group name in a conditional");
        const bool number = text::is_digit(name.front());
        put(number ? "(?(" : "(?(<");
        put(name);
        put(number ? ")" : ">)");
        at_ = end + 1;
    }

    // "(?i)" at the start, "(?i-s:...)" anywhere.
    void flags() {
        std::string kept;
        std::size_t end = at_ + 2;
        bool ascii = false;
        for (; end < in_.size() && (text::is_alpha(in_[end]) || in_[end] == '-'); ++end) {
            const char c = in_[end];
            if (std::string_view("imsxau-").find(c) == std::string_view::npos)
                return refuse("unknown extension ?" + std::string(1, c));
            ascii = ascii || c == 'a';
            if (c != 'a' && c != 'u') kept += c;
        }
        if (end == at_ + 2 || end >= in_.size() || (in_[end] != ')' && in_[end] != ':')) {
            return refuse("unknown extension ?" + std::string(in_.substr(at_ + 2, 1)));
        }
        const bool global = in_[end] == ')';
        const bool takes_away = kept.find('-') != kept.npos;
        if (global && takes_away) return refuse("missing :");
        if (kept.ends_with('-')) return refuse("missing flag");
        if (global && at_ != 0) return refuse("global flags not at the start of the expression");
        if (ascii && !global) return refuse("the flag a is only supported at the start of the expression, as (?a)");
        out_.ascii = out_.ascii || ascii;
        if (!global || !kept.empty()) put("(?" + kept + in_[end]);
        at_ = end + 1;
    }

    enum class repeats : std::uint8_t { no, once, fully };  // what was last read, and with its suffix

    std::string_view in_;
    std::size_t at_ = 0;
    repeats repeated_ = repeats::no;
    translated_pattern out_;
};

}  // namespace

translated_pattern translate_python(std::string_view expression) {
    return translator(expression).run();
}

}  // namespace sim::scenario
