#include "sim/lab/plain_command.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace sim::lab {
namespace {

mta::command command_of(std::vector<std::string> arguments) {
    mta::command program;
    program.arguments = std::move(arguments);
    program.input = std::make_shared<const std::string>("the message\n");
    return program;
}

TEST(PlainCommand, SpeaksAndEnds) {
    struct row {
        std::vector<std::string> arguments;
        int status;
        std::string output;
    };
    const std::vector<row> rows = {{{"/bin/true"}, 0, ""},
                                   {{"/usr/bin/false"}, 1, ""},
                                   {{"echo", "5.7.1", "no"}, 0, "5.7.1 no\n"},
                                   {{"/bin/cat"}, 0, "the message\n"},
                                   {{"/bin/sh", "-c", "exit 75"}, 75, ""},
                                   {{"/bin/sh", "-c", "echo 'a  b' \"c\"; exit 69; echo never"}, 69, "a  b c\n"},
                                   {{"/bin/sh", "-c", "cat > /dev/null; false"}, 1, ""}};
    for (const row& each : rows) {
        const auto result = run_plain_command(command_of(each.arguments));
        ASSERT_TRUE(result) << each.arguments.back();
        EXPECT_EQ(result->exit_status, each.status) << each.arguments.back();
        EXPECT_EQ(result->output, each.output) << each.arguments.back();
    }
}

TEST(PlainCommand, LeavesAllElseAlone) {
    const std::vector<std::vector<std::string>> others = {{},
                                                          {"/bin/rm", "-r", "/"},
                                                          {"exit", "1"},
                                                          {"/bin/cat", "/etc/passwd"},
                                                          {"/bin/sh", "-c", "cat /etc/passwd"},
                                                          {"/bin/sh", "-c", "echo $HOME"},
                                                          {"/bin/sh", "-c", "echo a | cat"},
                                                          {"/bin/sh", "-c", "true; vacation"},
                                                          {"/bin/sh", "-c", "echo 'unclosed"},
                                                          {"/bin/sh", "-c", "exit now"}};
    for (const auto& each : others)
        EXPECT_FALSE(run_plain_command(command_of(each))) << (each.empty() ? "" : each.back());
}

}  // namespace
}  // namespace sim::lab
