#include "sim/lab/config_folder.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/scratch_folder.hpp"

namespace sim::lab {
namespace {

namespace fs = std::filesystem;

// An etc/postfix with a table, beside it aliases and a secret, and links that lead out.
struct folder : testing::Test {
    const tests::scratch_folder root;
    fs::path postfix = root / "etc" / "postfix";

    static void write(const fs::path& file, const std::string& text) { std::ofstream(file) << text; }
    void SetUp() override {
        fs::create_directories(postfix / "tables");
        write(postfix / "access", "a@b OK\n");
        write(postfix / "tables" / "virtual", "v\n");
        write(root / "etc" / "aliases", "root: kim\n");
        write(root / "secret", "secret\n");
        fs::create_symlink(root / "secret", postfix / "link");
        fs::create_symlink("access", postfix / "inner");
    }
};

TEST_F(folder, what_is_named_under_etc_postfix_is_in_the_folder) {
    const config_folder files(postfix.string() + "//");
    EXPECT_EQ(files.read("/etc/postfix/access"), "a@b OK\n");
    EXPECT_EQ(files.read("/etc/postfix/tables/virtual"), "v\n");
    EXPECT_EQ(files.read("/etc/postfix/inner"), "a@b OK\n");
    EXPECT_EQ(files.read("/etc/postfix/missing"), std::nullopt);
    EXPECT_EQ(files.place_of("/etc/postfix/access"), (postfix / "access").string());
}

TEST_F(folder, nothing_else_is_read) {
    const config_folder files(postfix.string());
    for (const std::string path : {"/etc/postfix/../../secret", "/etc/postfix/link", "/etc/passwd",
                                   "/etc/postfix-other/access", "access", "", "/etc/postfix", "/etc/postfix/"}) {
        EXPECT_EQ(files.read(path), std::nullopt) << path;
    }
}

TEST_F(folder, aliases_are_its_own_or_those_beside_it) {
    const config_folder files(postfix.string());
    EXPECT_EQ(files.read("/etc/aliases"), "root: kim\n");
    write(postfix / "aliases", "root: jan\n");
    EXPECT_EQ(files.read("/etc/aliases"), "root: jan\n");
}

TEST_F(folder, beside_a_folder_that_is_not_in_an_etc_nothing_is_read) {
    fs::rename(root / "etc", root / "other");
    const config_folder files((root / "other" / "postfix").string());
    EXPECT_EQ(files.read("/etc/aliases"), std::nullopt);
    EXPECT_EQ(files.read("/etc/postfix/access"), "a@b OK\n");
}

TEST_F(folder, an_instance_names_its_own_folder) {
    fs::rename(postfix, root / "etc" / "postfix-out");
    const config_folder files((root / "etc" / "postfix-out").string());
    EXPECT_EQ(files.read("/etc/postfix-out/access"), "a@b OK\n");
    EXPECT_EQ(files.read("/etc/postfix/access"), "a@b OK\n");
}

}  // namespace
}  // namespace sim::lab
