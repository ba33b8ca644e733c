// inline:, static:, fail:, environ:, unionmap:, pipemap:, randmap: and sqlite: tables.
#include <sqlite3.h>

#include "mta/random.hpp"
#include "tests/mta/table/fixture.hpp"

namespace mta::table {
namespace {

class small_tables : public table_test {};

TEST_F(small_tables, inline_tables_hold_pairs) {
    EXPECT_EQ(ask("inline:{ key=value, { Key2 = text with spaces } }", "key2"), "text with spaces");
    EXPECT_EQ(ask("inline:{a=b c=d}", "C"), "d");
    EXPECT_EQ(ask("inline:{ {a = b},{ a = c } }", "a"), "c");
    EXPECT_EQ(ask("inline:{a=b}", "b"), "-");
    EXPECT_EQ(open_table("inline:{a=b}")->lookup("a").where, (position{"inline:{a=b}", 0}));
}

TEST_F(small_tables, inline_mistakes_are_told_as_postfix_tells_them) {
    const std::map<std::string, std::string> reasons = {
        {"inline:{}", "bad syntax"},
        {"inline:foo", "bad syntax"},
        {"inline:{a=b", "bad syntax"},
        {"inline:{a=b}x", "bad syntax"},
        {"inline:{ }", "empty table"},
        {"inline:{a}", "missing '=' after attribute name"},
        {"inline:{a = b}", "missing '=' after attribute name"},
        {"inline:{ {a b = c} }", "missing '=' after attribute name"},
        {"inline:{ {a=b}x }", R"(syntax error after '}' in "{a=b}x")"},
    };
    for (const auto& [spec, reason] : reasons) {
        EXPECT_EQ(ask(spec, "a"),
                  '!' + spec + " is unavailable. " + reason + ": \"" + spec + "\"; need \"inline:{name=value...}\"");
    }
}

TEST_F(small_tables, static_tables_answer_every_key) {
    EXPECT_EQ(ask("static:x", "any"), "x");
    EXPECT_EQ(ask("static:{ a b }", "any"), "a b");
    EXPECT_EQ(ask("static: x", "any"), " x");
    open_table("static:{a");
    EXPECT_EQ(said, strings{R"(bad static:name syntax: missing '}' in "{a")"});
    open_table("static:{a} b");
    EXPECT_EQ(said, strings{R"(bad static:name syntax: syntax error after '}' in "{a} b")"});
}

TEST_F(small_tables, fail_fails_and_environ_asks_the_caller) {
    EXPECT_TRUE(open_table("fail:x")->lookup("a").failed());
    files["/proc/self/environ"] = std::string("home=/root\0empty=\0", 18);
    EXPECT_EQ(ask("environ:x", "HOME"), "/root");
    EXPECT_EQ(ask("environ:x", "path"), "-");
}

TEST_F(small_tables, compounds_join_their_members) {
    EXPECT_EQ(ask("unionmap:{inline:{a=1},static:x,inline:{b=2}}", "a"), "1,x");
    EXPECT_EQ(ask("unionmap:{inline:{b=1}, inline:{c=1}}", "a"), "-");
    EXPECT_TRUE(open_table("unionmap:{static:x, fail:z}")->lookup("a").failed());
    EXPECT_EQ(ask("pipemap:{inline:{a=b},inline:{b=c}}", "a"), "c");
    EXPECT_EQ(ask("pipemap:{inline:{a=b},inline:{c=c}}", "a"), "-");
    EXPECT_TRUE(open_table("pipemap:{inline:{a=b},fail:z}")->lookup("a").failed());
    EXPECT_EQ(ask("pipemap:{inline:{a=b},fail:z}", "x"), "-");
    for (const std::string type : {"unionmap", "pipemap"}) {
        for (const std::string name : {"x", "{}", "{x}", "{static:x"}) {
            open_table(type + ':' + name);
            EXPECT_EQ(said, strings{"bad syntax: \"" + type + ':' + name + "\"; need \"" + type + ":{type:name...}\""});
        }
    }
    std::string nested = "static:x";
    for (int i = 0; i < 100; ++i) nested = "unionmap:{" + nested + '}';
    EXPECT_TRUE(open_table(nested)->lookup("a").failed());
}

TEST_F(small_tables, randmap_draws_from_the_callers_numbers) {
    class counting final : public random_source {
      public:
        std::uint64_t next() override { return state_ += 0x5555'5555'5555'5556u; }

      private:
        std::uint64_t state_ = 0;
    } numbers;
    host.random = &numbers;
    const table_ptr table = open_table("randmap:{a, {b c}, d}");
    strings drawn;
    for (int i = 0; i < 3; ++i) drawn.push_back(table->lookup("key").value);
    std::sort(drawn.begin(), drawn.end());
    EXPECT_EQ(drawn, (strings{"a", "d", "{b c}"}));
    open_table("randmap:{}");
    EXPECT_EQ(said, strings{R"(bad syntax: "randmap:{}"; need "randmap:{value...}")"});
}

TEST_F(small_tables, partial_keys_are_for_tables_of_whole_keys) {
    for (const auto* const spec : {"inline:{a=b}", "static:x", "environ:x", "unionmap:{fail:x,static:x}"}) {
        EXPECT_EQ(open_table(spec)->keys(), key_style::fixed) << spec;
    }
    for (const auto* const spec : {"fail:x", "cidr:{}", "pcre:{}", "regexp:{}", "randmap:{a}", "hash:/nofile"}) {
        EXPECT_EQ(open_table(spec)->keys(), key_style::pattern) << spec;
    }
}

class sqlite_tables : public table_test {
  protected:
    sqlite_tables() {
        sqlite3* database = nullptr;
        sqlite3_open(":memory:", &database);
        sqlite3_exec(database,
                     "create table a(k text, v text, n int);"
                     "insert into a values('u@d.example','v1',5),('u@d.example','v2',6),('x','',1),('y',NULL,1),"
                     "('z@e.example','p@q.example',1),('o''k','quote',1)",
                     nullptr, nullptr, nullptr);
        sqlite3_int64 size = 0;
        unsigned char* const bytes = sqlite3_serialize(database, "main", &size, 0);
        files["/t.sqlite"] = std::string(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
        sqlite3_free(bytes);
        sqlite3_close(database);
    }
    std::string query(const std::string& text, std::string_view key) {
        files["/s.cf"] = "dbpath=/t.sqlite\n" + text + '\n';
        return ask("sqlite:/s.cf", key);
    }
};

TEST_F(sqlite_tables, a_query_is_filled_from_the_key) {
    EXPECT_EQ(query("query=select v from a where k='%s'", "u@d.example"), "v1,v2");
    EXPECT_EQ(query("query=select v from a where k='%s'", "o'k"), "quote");
    EXPECT_EQ(query("query=select v from a where k='%s'", "y"), "-");
    EXPECT_EQ(query("query=select v from a where k='%u@%2.%1'", "u@d.example"), "v1,v2");
    EXPECT_EQ(query("query=select v from a where k='%u@%2.%3'", "u@d.example"), "-");
    EXPECT_EQ(query("query=select v from a where k='%U@%D'\nresult_format=%s-%u-%d-%S-%U-%D-%1-%%", "z@e.example"),
              "p@q.example-p-q.example-z@e.example-z-e.example-example-%");
    EXPECT_EQ(query("query=select n from a where k='%s'\nresult_format=[%s] %s", "u@d.example"), "[5] 5,[6] 6");
    EXPECT_EQ(query("table=a\nselect_field=v\nwhere_field=k\nadditional_conditions=and n=5", "u@d.example"), "v1");
    EXPECT_EQ(query("query=select 1; select 2", "u"), "1");
}

TEST_F(sqlite_tables, domains_limit_the_keys) {
    const std::string base = "query=select v from a where k='%s'\ndomain=d.example, inline:{f.example=x}";
    EXPECT_EQ(query(base, "u@d.example"), "v1,v2");
    EXPECT_EQ(query(base, "z@e.example"), "-");
    EXPECT_EQ(query(base, "x"), "-");
}

TEST_F(sqlite_tables, mistakes_are_told_as_postfix_tells_them) {
    EXPECT_EQ(query("query=select v from a where k='%s'\nexpansion_limit=1", "u@d.example"),
              "!dict_sqlite_lookup: /s.cf: Expansion limit exceeded for key 'u@d.example'");
    EXPECT_EQ(query("query=select v from nosuch", "x"),
              "!dict_sqlite_lookup: /s.cf: SQL prepare failed: no such table: nosuch?");
    query("query=select v from a where k='%x'", "x");
    EXPECT_EQ(said, strings{"db_common_parse: /s.cf: Invalid query template: select v from a where k='%x'"});
    query("", "x");
    EXPECT_EQ(said, strings{"/s.cf: bad string length 0 < 1: table = "});
    query("query=select 1\nexpansion_limit=x", "x");
    EXPECT_EQ(said, strings{"/s.cf: bad numerical configuration: expansion_limit = x"});
    query("junk line", "x");
    EXPECT_EQ(said, strings{R"(/s.cf, line 2: missing '=' after attribute name: "junk line")"});
    files["/n.cf"] = "dbpath=/nofile\nquery=select 1\n";
    EXPECT_EQ(ask("sqlite:/n.cf", "x"), "1");
    EXPECT_EQ(ask("sqlite:/nofile.cf", "x"),
              "!sqlite:/nofile.cf is unavailable. open /nofile.cf: No such file or directory");
}

TEST_F(sqlite_tables, a_hostile_query_ends_and_touches_nothing) {
    for (const auto* const text :
         {"query=with recursive c(x) as (values(1) union all select x+1 from c) select count(*) from c",
          "query=delete from a", "query=attach 'x' as y", "query=pragma user_version", "query=select random()",
          "query=select datetime('now')", "query=select load_extension('x')"}) {
        EXPECT_EQ(query(text, "x").front(), '!') << text;
    }
    files["/t.sqlite"] = "this is not a database, but it is long enough to be looked at";
    EXPECT_EQ(query("query=select v from a", "x").front(), '!');
}

}  // namespace
}  // namespace mta::table
