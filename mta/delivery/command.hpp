// mta/delivery/command.hpp - programs that take a message: what their end means for it, and how pipe(8) composes their
// command line (pipe_command.c, sys_exits.c, pipe.c).
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mta/delivery/request.hpp"
#include "mta/host.hpp"

namespace mta::delivery {

// What a program's end means (sysexits(3)); `delivered`: the text of success.
queue::delivery_status command_status(const command_result& result, const std::string& command,
                                      const std::string& delivered);

// A program for the shell when it needs one, as words otherwise (exec_command(3)).
std::vector<std::string> command_words(std::string_view command_line);

// How pipe(8) writes recipients into arguments.
struct argument_rules {
    bool quote = false;                         // flags=q
    bool fold_host = false, fold_user = false;  // flags=h, u
    std::string recipient_delimiter;
};
// argv= with its macros: an argument that names a recipient comes once for each. Nothing, and `unknown`, when an
// argument names what there is not.
std::optional<std::vector<std::string>> expand_arguments(const std::vector<std::string>& words, const request& work,
                                                         std::string_view sender, const argument_rules& rules,
                                                         std::string& unknown);

}  // namespace mta::delivery
