// The same table texts and keys given to the real postmap(1) and postalias(1) and to our tables: values and warnings
// must be the same. Texts are put together from fragments by a fixed seed. Skipped where Postfix is not installed.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "mta/text/strings.hpp"
#include "tests/mta/table/fixture.hpp"
#include "tests/support/scratch_folder.hpp"

namespace mta::table {
namespace {

namespace fs = std::filesystem;

std::string slurp(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

void spill(const fs::path& path, std::string_view text) {
    std::ofstream(path, std::ios::binary) << text;
}

strings lines_of(std::string_view text) {
    strings lines;
    for (const std::string_view line : text::split(text, "\n")) lines.emplace_back(line);
    return lines;
}

// Each line once, in the order of its first appearance: Postfix reads a young texthash: file several times.
strings once(const strings& lines) {
    strings kept;
    for (const auto& line : lines) {
        if (std::find(kept.begin(), kept.end(), line) == kept.end()) kept.push_back(line);
    }
    return kept;
}

// What both sides say: "key\tvalue" lines, warnings, and the reason when the table does not open.
struct answers {
    strings values;
    strings warnings;

    friend bool operator==(const answers&, const answers&) = default;
    friend std::ostream& operator<<(std::ostream& out, const answers& a) {
        for (const auto& v : a.values) out << "  = " << v << '\n';
        for (const auto& w : a.warnings) out << "  ! " << w << '\n';
        return out;
    }
};

class postmap_differential : public table_test {
  protected:
    void SetUp() override {
        if (std::system("command -v postmap >/dev/null 2>&1 && command -v postalias >/dev/null 2>&1") != 0) {
            GTEST_SKIP() << "postmap is not installed";
        }
        spill(folder / "main.cf", "compatibility_level = 3.6\n");
        spill(folder / "master.cf", "");
    }

    // The warnings of a program's standard error, without those about keys that postmap alone makes.
    static strings warnings_in(const std::string& text) {
        strings warnings;
        for (const std::string& line : lines_of(text)) {
            const std::size_t colon = line.find(": ");
            std::string said = line.substr(colon == line.npos ? 0 : colon + 2);
            for (const std::string_view level : {"warning: ", "fatal: ", "error: "}) {
                if (said.starts_with(level)) said.erase(0, level.size());
            }
            if (said.find("should return NO RESULT") != said.npos) continue;
            if (said.find("empty string result is not allowed") != said.npos) continue;
            if (said.find("empty lookup key value") != said.npos) continue;
            if (said.find(": query error") != said.npos) continue;
            warnings.push_back(said);
        }
        return once(warnings);
    }

    std::string run(const std::string& command) {
        const std::string whole = "cd " + folder.string() + " && MAIL_CONFIG=" + folder.string() + " timeout 20 " +
                                  command + " <keys >out 2>>err";
        // A key that is not found makes postmap's status 1: only the output counts.
        if (std::system(whole.c_str()) < 0) ADD_FAILURE() << "no shell";
        return slurp(folder / "out");
    }

    answers real(const std::string& spec, const strings& keys, bool indexed, source_syntax syntax) {
        std::string input;
        for (const auto& key : keys) input += key + '\n';
        spill(folder / "keys", input);
        fs::remove(folder / "err");
        const std::string quoted = '\'' + text::replaced(spec, "'", "'\\''") + '\'';
        if (indexed) run((syntax == source_syntax::aliases ? "postalias " : "postmap ") + quoted);
        const strings values = lines_of(run("postmap -q - " + quoted));
        return {values, warnings_in(slurp(folder / "err"))};
    }

    answers ours(const std::string& spec, const strings& keys, source_syntax syntax) {
        open_options options;
        options.syntax = syntax;
        const table_ptr table = open_table(spec, options);
        answers result;
        result.warnings = said;
        for (const auto& key : keys) {
            const lookup_result one = table->lookup(key);
            if (one.failed()) break;  // postmap ends here, too
            if (one.found()) result.values.push_back(key + '\t' + one.value);
            result.warnings.insert(result.warnings.end(), one.warnings.begin(), one.warnings.end());
        }
        std::erase_if(result.warnings,
                      [](const std::string& w) { return w.find("should return NO RESULT") != w.npos; });
        result.warnings = once(result.warnings);
        return result;
    }

    void compare(const std::string& spec, const strings& keys, const std::string& text, bool indexed = false,
                 source_syntax syntax = source_syntax::map) {
        EXPECT_EQ(ours(spec, keys, syntax), real(spec, keys, indexed, syntax)) << spec << '\n' << text;
    }

    void compare_file(const std::string& type, const std::string& text, const strings& keys, bool indexed = false,
                      source_syntax syntax = source_syntax::map) {
        const std::string path = (folder / "table").string();
        files[path] = text;
        for (const auto* const suffix : {"", ".db", ".lmdb", ".cdb"}) fs::remove(path + suffix);
        spill(path, text);
        // Postfix reads a file younger than a second again and again.
        fs::last_write_time(path, fs::file_time_type::clock::now() - std::chrono::hours(1));
        compare(type + ':' + path, keys, text, indexed, syntax);
    }

    std::string pick(const strings& from) { return from[numbers() % from.size()]; }
    std::string lines_from(const strings& fragments, std::size_t count, std::size_t longest) {
        std::string text;
        for (std::size_t i = 0; i < count; ++i) {
            for (std::size_t parts = 1 + numbers() % longest; parts > 0; --parts) text += pick(fragments);
            text += '\n';
        }
        return text;
    }

    const tests::scratch_folder folder;
    std::mt19937 numbers{20221};
};

const strings entry_fragments = {"a",  "B",  "key",   "\"q u\"", " ",  " ",        "\t",   "value", "# c", "#", ":",
                                 "\"", "\\", "x@y.z", ", ",      "\r", "\xc3\xa9", "\x01", "\xff",  "{",   "  "};
const strings entry_keys = {"a",    "b",    "key", "ab",    "keya", "\"q u\"", "x@y.z",
                            "bkey", "key:", "a:",  "value", "\\a",  "\xc3\xa9"};

TEST_F(postmap_differential, texthash) {
    for (int i = 0; i < 16; ++i) compare_file("texthash", lines_from(entry_fragments, 12, 6), entry_keys);
}

TEST_F(postmap_differential, indexed) {
    for (int i = 0; i < 24; ++i) {
        const std::string type = strings{"hash", "btree", "lmdb", "cdb"}[static_cast<std::size_t>(i) % 4];
        compare_file(type, lines_from(entry_fragments, 12, 6), entry_keys, true);
    }
}

TEST_F(postmap_differential, aliases) {
    const strings names = {"a", "Bc", "\"q d\"", "a ", "x.y", "aa", "a Bc", ""};
    const strings fragments = {"a",     "Bc", ":",   ":",           ": ",  ",", " ", "\"q d\"", "\"|c 'x' \\\"y\\\"\"",
                               "(c)",   "<",  ">",   "@",           "x.y", "%", "!", "/f",      "|",
                               "[1.2]", "\\", "\\ ", ":include:/f", "  ",  "#", ";", "\"",      "(",
                               "[",     "$h", "\t"};
    const strings keys = {"a", "bc", "abc", "q d", "aa", "a bc", "(c)", "x.y", "/f", "bc a", "<a>", "a!", "a|"};
    for (int i = 0; i < 16; ++i) {
        std::string text;
        for (int line = 0; line < 12; ++line) {
            text += pick(names);
            text += pick({":", ": ", " :", ""});
            text += lines_from(fragments, 1, 6);
        }
        compare_file("hash", text, keys, true, source_syntax::aliases);
    }
}

TEST_F(postmap_differential, cidr) {
    const strings addresses = {"1.2.3.4",    "1.2.3.0/24",   "1.2.3.1/24", "0.0.0.0/0", "::/0",     "2001:db8::/32",
                               "[1.2.3.4]",  "[1.2.3.0/24]", "[::1]/128",  "1.2.3",     "x",        "1.2.3.4/33",
                               "1.2.3.4/",   "/8",           "[",          "[]",        "1.2.3.4]", "2001:db8::1",
                               "1.0.0.0/08", "[1.2.3.0]/24", "[1.2.3.0]x", "01.2.3.4"};
    const strings heads = {"", "", "", "!", "! ", "!!", "if ", "if !", "IF ", "endif ", "endif", " ", "#"};
    const strings keys = {"1.2.3.4", "1.2.3.9", "9.9.9.9", "2001:db8::1", "2001:DB8:0::2",
                          "::1",     "x",       "1.2.3",   "[1.2.3.4]"};
    for (int i = 0; i < 32; ++i) {
        std::string text;
        for (int line = 0; line < 14; ++line) {
            text += pick(heads);
            text += pick(addresses);
            text += pick({" v1\n", " v2 x \n", "\n", "\tv3\n", "\nendif\n"});
        }
        compare_file("cidr", text, keys);
    }
}

TEST_F(postmap_differential, regexp_and_pcre) {
    const strings patterns = {"a",           "^a$", "(a)(b)?", "(x|a)b", "[a-c]+",    ".",   "a\\/b",  "(",
                              "a{2}",        "[",   "*",       "",       "^(.)(.*)$", "\\.", "(a)\\1", "B",
                              "[[:digit:]]", "a b", "^",       "$",      "a|b",       "()",  "[^a]",   "((a)|b)+"};
    const strings heads = {"", "", "", "", "!", "if ", "if !", "IF", "endif", "x", " ", "#", "! "};
    const strings delimiters = {"/", "/", "/", "|", "~", ""};
    const strings flags = {"", "", "", "i", "m", "x", "im", "z", "ii"};
    const strings results = {" r",  " $1", " [$1|$2]", " ${1}$(2)", " $$",   " $",    " ${1",
                             " $x", " $0", " $9",      "",          " t x ", " a$1b", " $1$$"};
    const strings keys = {"a", "b",   "ab",  "aB", "aa",   "abc", "a/b",     "a b",
                          "1", "x.y", "xab", "A",  "aabb", "zzz", "\xc3\xa9"};
    for (int i = 0; i < 40; ++i) {
        std::string text;
        for (int line = 0; line < 10; ++line) {
            const std::string delimiter = pick(delimiters);
            const std::string head = pick(heads);
            text += head;
            if (head != "endif") {
                text += delimiter;
                text += pick(patterns);
                text += pick({delimiter, delimiter, delimiter, delimiter, ""});
            }
            text += pick(flags);
            text += pick(results);
            text += pick({"\n", "\n", "\n", "\nendif\n", "\n  more\n"});
        }
        compare_file(i % 2 == 0 ? "regexp" : "pcre", text, keys);
    }
}

// Each wrong one costs a second, which is how long Postfix sleeps before it ends.
TEST_F(postmap_differential, specifications) {
    const strings specs = {"inline:{ {a=b c}, x=y }",
                           "inline:{ { a = {b} } }",
                           "inline:{a=b=c}",
                           "inline:{a={b c}}",
                           "inline:{ \"a\"=b }",
                           "static:{ a b }",
                           "static: x",
                           "inline:{\"a b\"=c}",
                           "inline:{{a=b}x}",
                           "cidr:{{1.2.3.4 x}x}",
                           "cidr:{ {1.2.3.4 x} }",
                           "regexp:{ {/(a)/ $1-} , {/b/ c} }",
                           "unionmap:{static:x, inline:{a=2}}",
                           "pipemap:{inline:{a=b},inline:{b=c}}",
                           "pcre:{{/a/ b}{/c/ d}}"};
    for (const auto& spec : specs) compare(spec, {"a", "b", "c", "1.2.3.4", "\"a b\""}, "");
}

}  // namespace
}  // namespace mta::table
