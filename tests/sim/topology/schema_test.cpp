#include <gtest/gtest.h>

#include <fstream>

#include "sim/topology/loader.hpp"

namespace sim::topology {
namespace {

// When a table has changed, the file that follows from it has to.
void expect_current(const std::string& path, const std::string& shipped, const std::string& current) {
    if (shipped == current) return;
    const std::string fresh = testing::TempDir() + path.substr(path.rfind('/') + 1);
    std::ofstream(fresh) << current;
    FAIL() << path << " is not what the loader's tables say. Look at the difference, then: cp " << fresh << " " << path;
}

TEST(json_schema, that_is_shipped_is_current) {
    const std::string path = "share/relaylab-topology.schema.json";
    expect_current(path, read_file(path, largest_file).bytes, json_schema());
}

TEST(markdown_reference, that_is_shipped_is_current) {
    const std::string path = "docs/reference/topology.md";
    const std::string mark = "<!-- From here on generated from the loader's tables. -->\n";
    const std::string page = read_file(path, largest_file).bytes;
    const auto at = page.find(mark);
    ASSERT_NE(at, std::string::npos);
    expect_current(path, page, page.substr(0, at) + mark + "\n" + markdown_reference());
}

TEST(json_schema, names_every_object_it_refers_to) {
    const std::string schema = json_schema();
    const std::string reference = "\"#/$defs/";
    std::size_t found = 0;
    for (auto at = schema.find(reference); at != std::string::npos; at = schema.find(reference, at + 1), ++found) {
        const auto begin = at + reference.size();
        const auto name = schema.substr(begin, schema.find('"', begin) - begin);
        EXPECT_NE(schema.find("\n    \"" + name + "\": {"), std::string::npos) << name;
    }
    EXPECT_GE(found, 25u);
}

}  // namespace
}  // namespace sim::topology
