// Which keys are asked, in which order, and how a list of tables decides.
#include "mta/table/lookup_order.hpp"

#include "tests/mta/table/fixture.hpp"

namespace mta::table {
namespace {

class lookup_order : public table_test {
  protected:
    static strings without(strings keys, std::string_view key) {
        std::erase(keys, key);
        return keys;
    }
    // A table that knows nothing and keeps what it was asked for.
    class witness final : public table {
      public:
        explicit witness(strings& keys) : table("witness", "", key_style::fixed, false, false), keys_(keys) {}

      private:
        lookup_result find(std::string_view key) const override {
            keys_.emplace_back(key);
            return lookup_result::miss();
        }
        strings& keys_;
    };
    // The keys that `search(maps)` asks for when none is known.
    template <class Search>
    static strings asked(Search search) {
        strings keys;
        search(maps("test_maps", {std::make_shared<witness>(keys)}));
        return keys;
    }
    const address_rules plus{"+", [](std::string_view domain) { return domain == "here.example"; }};
};

TEST_F(lookup_order, the_first_table_that_knows_decides) {
    const maps maps = open_maps("inline:{a=1}, inline:{ {a=2}, {b=3} } pcre:{{/b/ 4}}");
    EXPECT_EQ(maps.find("a").result.value, "1");
    EXPECT_EQ(maps.find("b").table, "inline:{ {a=2}, {b=3} }");
    EXPECT_EQ(maps.find("xbx").result.value, "4");
    EXPECT_FALSE(maps.find("xbx", reach::fixed_only).found());
    EXPECT_FALSE(maps.find("").found());
}

TEST_F(lookup_order, a_failing_table_ends_the_search) {
    const match failed = open_maps("inline:{a=1}, fail:x, static:y").find("b");
    EXPECT_TRUE(failed.failed());
    EXPECT_EQ(failed.table, "fail:x");
    EXPECT_EQ(failed.result.warnings, strings{R"(fail:x lookup error for "b")"});
    const match empty = open_maps("inline:{a=}").find("a");
    EXPECT_TRUE(empty.failed());
    EXPECT_EQ(empty.result.warnings, (strings{"test_maps lookup of a returns an empty string result",
                                              "test_maps should return NO RESULT in case of NOT FOUND"}));
    files["/t"] = "";
    EXPECT_EQ(open_maps("hash:/nofile").find("k").result.warnings,
              (strings{"hash:/nofile is unavailable. open database /nofile.db: No such file or directory",
                       R"(hash:/nofile lookup error for "k")"}));
}

TEST_F(lookup_order, canonical_and_virtual_keys) {
    EXPECT_EQ(asked([&](const maps& none) { return find_address(none, "user+ext@far.example", plus); }),
              (strings{"user+ext@far.example", "user@far.example", "@far.example"}));
    EXPECT_EQ(asked([&](const maps& none) { return find_address(none, "user+ext@here.example", plus); }),
              (strings{"user+ext@here.example", "user@here.example", "user+ext", "user", "@here.example"}));
    EXPECT_EQ(asked([&](const maps& none) { return find_address(none, "user", plus); }), (strings{"user"}));
    EXPECT_EQ(asked([&](const maps& none) { return find_address(none, "a b@far.example", plus); }),
              (strings{"\"a b\"@far.example", "a b@far.example", "@far.example"}));
}

TEST_F(lookup_order, extensions_come_back_only_when_the_key_left_them_out) {
    const maps maps = open_maps(
        "inline:{ {user@far.example=other@x.example}, {joe+list@far.example=l}, {@at.example=@y.example}, "
        "{ann@far.example=@z.example} }");
    const match bare = find_address(maps, "user+ext@far.example", plus);
    EXPECT_EQ(bare.key, "user@far.example");
    EXPECT_EQ(bare.extension, "+ext");
    EXPECT_EQ(mapped_text(bare, "user+ext@far.example", true),
              (std::pair<std::string, std::string>{"other@x.example", "+ext"}));
    EXPECT_EQ(mapped_text(bare, "user+ext@far.example", false).second, "");
    EXPECT_EQ(find_address(maps, "joe+list@far.example", plus).extension, "");
    const match at = find_address(maps, "q+e@at.example", plus);
    EXPECT_EQ(at.extension, "");
    EXPECT_EQ(mapped_text(at, "q+e@at.example", true).first, "q+e@y.example");
    const match other = find_address(maps, "ann+e@far.example", plus);
    EXPECT_EQ(mapped_text(other, "ann+e@far.example", true),
              (std::pair<std::string, std::string>{"ann@z.example", "+e"}));
    EXPECT_EQ(mapped_text(other, "ann+e@far.example", false).first, "ann+e@z.example");
    EXPECT_EQ(with_extension("ann@z.example", "+e"), "ann+e@z.example");
}

TEST_F(lookup_order, some_names_have_no_extension) {
    EXPECT_EQ(extension_of("user+a-b@x", "+-"), "+a-b");
    EXPECT_EQ(extension_of("+user@x", "+"), "");
    EXPECT_EQ(extension_of("Mailer-Daemon@x", "-"), "");
    EXPECT_EQ(extension_of("owner-list@x", "-"), "");
    EXPECT_EQ(extension_of("list-request@x", "-"), "");
    EXPECT_EQ(extension_of("list-request@x", {"-", false}), "-request");
    EXPECT_EQ(extension_of("owner-list+x@x", "+"), "+x");
    EXPECT_EQ(extension_of("user@x+y", "+"), "");
    EXPECT_EQ(extension_of("user+x@y", ""), "");
}

TEST_F(lookup_order, pattern_tables_see_the_whole_address_only) {
    const maps maps = open_maps("regexp:{{/^user@far/ hit}}");
    EXPECT_FALSE(find_address(maps, "user+ext@far.example", plus).found());
    EXPECT_TRUE(find_address(maps, "user@far.example", plus).found());
    EXPECT_FALSE(find_access_domain(open_maps("regexp:{{/^example$/ x}}"), "a.example").found());
}

TEST_F(lookup_order, transport_keys) {
    EXPECT_EQ(asked([&](const maps& none) { return find_transport(none, "u+e@a.b.example", "+"); }),
              (strings{"u+e@a.b.example", "u@a.b.example", "a.b.example", ".b.example", ".example", "*"}));
    EXPECT_EQ(
        asked([&](const maps& none) { return find_transport(none, "u@a.b.example", "+", parent_style::bare_parent); }),
        (strings{"u@a.b.example", "a.b.example", "b.example", "example", "*"}));
    EXPECT_EQ(find_transport(open_maps("inline:{*=smtp:}"), "u@x.example", "").result.value, "smtp:");
    EXPECT_EQ(find_transport(open_maps("fail:x, inline:{x.example=smtp:}"), "u@x.example", "").key, "u@x.example");
}

TEST_F(lookup_order, access_keys_of_addresses) {
    EXPECT_EQ(asked([&](const maps& none) { return find_access_address(none, "u+e@a.b.example", "+"); }),
              (strings{"u+e@a.b.example", "u@a.b.example", "a.b.example", "b.example", "example", "u+e@", "u@"}));
    EXPECT_EQ(
        asked([&](const maps& none) { return find_access_address(none, "u@a.example", "", parent_style::dot_parent); }),
        (strings{"u@a.example", "a.example", ".example", "u@"}));
    EXPECT_EQ(asked([&](const maps& none) { return find_access_address(none, "", "+"); }), strings{"<>"});
    EXPECT_EQ(
        asked([&](const maps& none) { return find_access_address(none, "", "+", parent_style::bare_parent, ""); }),
        strings{});
    EXPECT_FALSE(find_access_address(open_maps("inline:{.b.example=x}"), "u@a.b.example", "").found());
}

TEST_F(lookup_order, access_keys_of_clients) {
    EXPECT_EQ(asked([&](const maps& none) { return find_access_client(none, "mx.a.example", "192.0.2.1"); }),
              (strings{"mx.a.example", "a.example", "example", "192.0.2.1", "192.0.2", "192.0", "192"}));
    EXPECT_EQ(asked([&](const maps& none) { return find_access_network(none, "2001:db8::1"); }),
              (strings{"2001:db8::1", "2001:db8:", "2001:db8", "2001"}));
    EXPECT_EQ(asked([&](const maps& none) { return find_access_domain(none, "192.0.2.1"); }), strings{"192.0.2.1"});
    const match hit = find_access_client(open_maps("inline:{192.0.2=REJECT}"), "unknown", "192.0.2.1");
    EXPECT_EQ(hit.key, "192.0.2");
}

}  // namespace
}  // namespace mta::table
