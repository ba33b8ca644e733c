// tests/mta/table/fixture.hpp - files in memory for tables to read, and short ways to open and ask.
#pragma once
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mta/table/maps.hpp"
#include "mta/table/open.hpp"
#include "mta/table/registry.hpp"

namespace mta::table {

class table_test : public testing::Test {
  protected:
    table_test() {
        host.read = [this](std::string_view path) -> std::optional<std::string> {
            const auto found = files.find(path);
            return found == files.end() ? std::nullopt : std::optional(found->second);
        };
    }

    table_ptr open_table(std::string_view spec, const open_options& options = {}) {
        opened result = open(spec, host, options);
        said.clear();
        for (const auto& d : result.diagnostics) said.push_back(d.text);
        return std::move(result.value);
    }
    // "value", "-" for not found, "!reason" for an error.
    static std::string shown(const lookup_result& result) {
        if (result.found()) return result.value;
        return result.failed() ? '!' + result.value : "-";
    }
    std::string ask(std::string_view spec, std::string_view key, const open_options& options = {}) {
        return shown(open_table(spec, options)->lookup(key));
    }
    maps open_maps(std::string_view list) {
        std::vector<diagnostic> diagnostics;
        return maps::open("test_maps", list, known, host, {}, diagnostics);
    }

    std::map<std::string, std::string, std::less<>> files;
    environment host;
    registry known;
    std::vector<std::string> said;  // by the last open_table
};

using strings = std::vector<std::string>;

}  // namespace mta::table
