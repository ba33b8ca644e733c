// Tables of key and value lines: what postmap(1) and postalias(1) make of a text, and what they say about it.
#include "tests/mta/table/fixture.hpp"

namespace mta::table {
namespace {

class text_tables : public table_test {};

TEST_F(text_tables, entries_continue_and_comments_vanish) {
    files["/t"] = "# head\nAlpha one\n  continued\n\nBETA\ttwo   words   \neps a\n # within\n   b\n";
    EXPECT_EQ(ask("hash:/t", "alpha"), "one  continued");
    EXPECT_EQ(ask("hash:/t", "ALPHA"), "one  continued");
    EXPECT_EQ(ask("btree:/t", "beta"), "two   words");
    EXPECT_EQ(ask("texthash:/t", "eps"), "a   b");
    EXPECT_EQ(ask("cdb:/t", "gamma"), "-");
    EXPECT_EQ(said, strings{});
}

TEST_F(text_tables, a_hit_says_where_its_entry_stands) {
    files["/etc/t"] = "# one\na x\nb y\n z\nc w\n";
    const table_ptr table = open_table("lmdb:/etc/t");
    EXPECT_EQ(table->lookup("b").where, (position{"/etc/t", 3}));
    EXPECT_EQ(table->lookup("c").where.text(), "/etc/t:5");
    EXPECT_EQ(table->lookup("d").where, position{});
}

TEST_F(text_tables, the_first_of_two_entries_stays) {
    files["/t"] = "a 1\nb 2\nA 3\nnovalue\n: x\nb 4\n";
    EXPECT_EQ(ask("hash:/t", "a"), "1");
    EXPECT_EQ(said, (strings{R"(/t.db: duplicate entry: "a")", "/t, line 4: expected format: key whitespace value",
                             R"(/t, line 5: record is in "key: value" format; is this an alias file?)",
                             R"(/t.db: duplicate entry: "b")"}));
    ask("lmdb:/t", "a");
    EXPECT_EQ(said[0], R"(lmdb:/t: duplicate entry: "a")");
    ask("cdb:/t", "a");
    EXPECT_EQ(said[0], R"(/t: duplicate entry: "a")");
    ask("texthash:/t", "a");
    EXPECT_EQ(said[0], R"(/t, line 3: duplicate entry: "a")");
    EXPECT_EQ(said[1], "/t, line 4: expected format: key whitespace value -- ignoring this line");
}

TEST_F(text_tables, a_missing_file_makes_every_lookup_fail) {
    const table_ptr table = open_table("hash:/nofile");
    EXPECT_EQ(said, strings{"open database /nofile.db: No such file or directory"});
    const lookup_result result = table->lookup("x");
    EXPECT_TRUE(result.failed());
    EXPECT_EQ(result.warnings,
              strings{"hash:/nofile is unavailable. open database /nofile.db: No such file or directory"});
    open_table("lmdb:/nofile");
    EXPECT_EQ(said, strings{"open database /nofile.lmdb: No such file or directory"});
    open_table("texthash:/nofile");
    EXPECT_EQ(said, strings{"open database /nofile: No such file or directory"});
}

TEST_F(text_tables, keys_may_be_quoted_and_must_close_their_quotes) {
    files["/t"] = "\"a b\" v\n\"open v\nx\t\"y z\n";
    EXPECT_EQ(ask("hash:/t", "\"a b\""), "v");
    EXPECT_EQ(ask("hash:/t", "x"), "\"y z");
    EXPECT_EQ(said, strings{R"(/t, line 2: unbalanced '"' in '"open v' -- ignoring this line)"});
}

TEST_F(text_tables, text_that_continues_nothing_is_left_out) {
    files["/t"] = "  aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n  b\nk v\n";
    EXPECT_EQ(ask("hash:/t", "k"), "v");
    EXPECT_EQ(said, strings{R"(/t: logical line must not start with whitespace: "  aaaaaaaaaaaaaaaaaaaaaaaaaaaa...")"});
}

TEST_F(text_tables, what_is_not_utf8_is_neither_stored_nor_found) {
    files["/t"] = "k\xff v\nk2 v\n";
    const table_ptr table = open_table("hash:/t");
    EXPECT_EQ(said, strings{R"(/t, line 1: non-UTF-8 input "k? v" -- ignoring this line)"});
    EXPECT_EQ(table->lookup("k\xff").warnings,
              strings{R"(hash:/t.db: non-UTF-8 key "k?": malformed UTF-8 or invalid codepoint)"});
    open_options bytes;
    bytes.utf8 = false;
    EXPECT_EQ(ask("hash:/t", "k\xff", bytes), "v");
}

TEST_F(text_tables, values_that_name_files_become_their_contents) {
    files = {{"/t", "k1 /nofile\nk2 /a, /b\n"}, {"/a", "A"}, {"/b", "B"}};
    open_options options;
    options.values_are_files = true;
    EXPECT_EQ(ask("hash:/t", "k2", options), "A\nB");
    EXPECT_EQ(said, strings{"/t, line 1: open /nofile: No such file or directory: skipping this entry"});
}

TEST_F(text_tables, aliases_are_names_colons_and_values) {
    files["/a"] =
        "Root: joe, \"|/bin/cmd arg\", /file\n  more@x\npostmaster : root\nbad line\n\"quoted name\": q1\n"
        "list: :include:/etc/x, <a@b> , (comment) c\na@b: at\ndup:\n";
    open_options options;
    options.syntax = source_syntax::aliases;
    EXPECT_EQ(ask("hash:/a", "root", options), R"(joe, "|/bin/cmd arg", /file more@x)");
    EXPECT_EQ(said, (strings{"/a, line 4: need name:value pair", "/a, line 7: name must be local",
                             "/a, line 8: need name:value pair"}));
    EXPECT_EQ(ask("hash:/a", "postmaster", options), "root");
    EXPECT_EQ(ask("hash:/a", "quoted name", options), "q1");
    EXPECT_EQ(ask("hash:/a", "list", options), ":include:/etc/x, <a@b>, (comment) c");
}

TEST_F(text_tables, a_server_is_unsupported_unless_a_text_stands_in_for_it) {
    EXPECT_EQ(ask("proxy:ldap:/etc/x.cf", "k"), "!ldap:/etc/x.cf is unavailable. unsupported dictionary type: ldap");
    EXPECT_EQ(said, strings{"unsupported dictionary type: ldap"});
    files["ldap:/etc/x.cf"] = "k v\n";
    EXPECT_EQ(ask("proxy:ldap:/etc/x.cf", "K"), "v");
}

TEST_F(text_tables, a_spec_without_a_type_or_name_is_fatal) {
    for (const auto* const spec : {"", "hash", ":x", "static:", "proxy:hash"}) {
        EXPECT_EQ(open(spec, host).diagnostics.at(0).level, severity::fatal) << spec;
    }
    open_table("static:");
    EXPECT_EQ(said, strings{R"(open dictionary: expecting "type:name" form instead of "static:")"});
    open_table("foo:x");
    EXPECT_EQ(said, strings{"unsupported dictionary type: foo"});
}

TEST_F(text_tables, equal_texts_are_kept_once_and_changed_ones_are_read_again) {
    files["/t"] = "k v\n";
    const opened first = known.open("hash:/t", host);
    const opened second = known.open("hash:/t", host);
    EXPECT_EQ(first.value, second.value);
    files["/t"] = "k w\n";
    const opened third = known.open("hash:/t", host);
    EXPECT_NE(first.value, third.value);
    EXPECT_EQ(third.value->lookup("k").value, "w");
    EXPECT_EQ(known.live_tables(), 2u);
    EXPECT_NE(known.open("randmap:{a}", host).value, known.open("randmap:{a}", host).value);
}

}  // namespace
}  // namespace mta::table
