#include "sim/topology/yaml_tree.hpp"

#include <gtest/gtest.h>

namespace sim::topology {
namespace {

std::string keys(const node& map) {
    std::string text;
    for (const entry& e : map.entries) text += e.key->text + "=" + e.value->text + " ";
    return text;
}

const node* find(const yaml_tree& tree, std::string_view key) {
    if (tree.root == nullptr) return nullptr;
    for (const entry& e : tree.root->entries)
        if (e.key->text == key) return e.value;
    return nullptr;
}

TEST(yaml_tree, columns_count_characters_not_bytes) {
    const auto tree = parse_yaml("é: à\n", "f");
    ASSERT_NE(tree.root, nullptr);
    EXPECT_EQ(to_string(tree.root->entries.at(0).value->at), "f:1:4");
}

TEST(yaml_tree, merged_keys_yield_to_own_ones_and_keep_their_order) {
    const auto tree = parse_yaml("p: &p {a: 1, b: 2}\nq: &q {b: 3, c: 4}\nm:\n  b: own\n  <<: [*p, *q]\n", "f");
    ASSERT_TRUE(tree.problems.empty());
    EXPECT_EQ(keys(*find(tree, "m")), "b=own c=4 a=1 ");
}

TEST(yaml_tree, a_quoted_merge_key_is_a_key) {
    const auto tree = parse_yaml("m: {\"<<\": x}\n", "f");
    ASSERT_TRUE(tree.problems.empty());
    EXPECT_EQ(keys(*find(tree, "m")), "<<=x ");
}

TEST(yaml_tree, a_literal_block_knows_where_its_text_begins) {
    const auto tree = parse_yaml("z: |\n\n   x\n    y\n", "f");
    const node* z = find(tree, "z");
    ASSERT_NE(z, nullptr);
    EXPECT_TRUE(z->literal);
    EXPECT_EQ(to_string(z->text_at), "f:2:4");
    const auto anchored = parse_yaml("z: &a |2-\n     x\n", "f");
    ASSERT_NE(find(anchored, "z"), nullptr);
    EXPECT_EQ(find(anchored, "z")->text, "   x");
    EXPECT_EQ(to_string(find(anchored, "z")->text_at), "f:2:3");
}

TEST(yaml_tree, other_texts_are_not_literal) {
    for (const auto text : {"z: >\n  x\n", "z: \"|\"\n", "z: a|b\n", "z: '|'\n"}) {
        const auto tree = parse_yaml(text, "f");
        ASSERT_NE(find(tree, "z"), nullptr) << text;
        EXPECT_FALSE(find(tree, "z")->literal) << text;
    }
}

TEST(yaml_tree, line_ends_may_be_carriage_return_and_newline) {
    const auto tree = parse_yaml("z: |\r\n  x\r\n  y\r\nq: 1\r\n", "f");
    ASSERT_TRUE(tree.problems.empty());
    EXPECT_EQ(find(tree, "z")->text, "x\ny\n");
    EXPECT_EQ(to_string(find(tree, "z")->text_at), "f:2:3");
}

TEST(yaml_tree, a_byte_order_mark_is_no_text) {
    const auto tree = parse_yaml("\xEF\xBB\xBFname: x\n", "f");
    EXPECT_NE(find(tree, "name"), nullptr);
}

TEST(yaml_tree, utf8_is_checked_as_rfc_3629_has_it) {
    for (const auto bad :
         {"\x80", "\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xF8\x88\x80\x80\x80", "\xE2\x82"}) {
        const auto tree = parse_yaml(std::string("a: ") + bad, "f");
        ASSERT_EQ(tree.problems.size(), 1u);
        EXPECT_EQ(to_string(tree.problems[0]), "f:1:4: not UTF-8; save the file as UTF-8 text");
    }
    EXPECT_TRUE(parse_yaml("a: \xF0\x9F\x93\xA7\n", "f").problems.empty());
}

TEST(yaml_tree, the_size_is_bounded) {
    const auto tree = parse_yaml("# " + std::string(largest_file, 'x'), "f");
    ASSERT_EQ(tree.problems.size(), 1u);
    EXPECT_EQ(to_string(tree.problems[0]),
              "f:1:1: this file is larger than 1048576 bytes; split it, or move tables out of it");
}

TEST(kind_of, sees_what_yaml_1_1_sees) {
    for (const auto word : {"true", "True", "TRUE", "yes", "No", "on", "OFF"})
        EXPECT_EQ(kind_of(word), scalar_kind::boolean) << word;
    for (const auto word : {"0", "25", "-3", "1024"}) EXPECT_EQ(kind_of(word), scalar_kind::integer) << word;
    for (const auto word : {"0.5", "-0.05", "12.0", "3.14"}) EXPECT_EQ(kind_of(word), scalar_kind::fraction) << word;
    for (const auto word : {"010", "0x1F", "0b11", "1_000", "1:30", "12:30:45", "1.50", "00.5", "0.00001", "+0.5", "+5",
                            ".5", "-.inf", "1.5e+3", "-0"})
        EXPECT_EQ(kind_of(word), scalar_kind::other_number) << word;
    for (const auto word :
         {"", "y", "tRue", "yEs", "1.2.3.4", "1s", "2001:db8::1", "1:75", "$x", "-", "+", ".", "0xyz", "12-13", "a.b"})
        EXPECT_EQ(kind_of(word), scalar_kind::text) << word;
}

}  // namespace
}  // namespace sim::topology
