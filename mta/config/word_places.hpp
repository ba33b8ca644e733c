// mta/config/word_places.hpp - the words of a parameter's value, each with the line that it stands on.
//
// Values go over many lines and take others in ($name); whoever explains a decision wants the line of the one word that
// made it. Works on the text that the value was read from, whatever the file is: lines that are indented deeper than
// the value's first belong to it. Bounded in depth and length; a word that cannot be placed has the value's own place.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mta/config/parameters.hpp"
#include "mta/config/problem.hpp"

namespace mta::config {

struct placed_word {
    std::string text;  // expanded
    position where;
};

// The bytes of a file as positions name it.
using source_reader = std::function<std::optional<std::string>(std::string_view file)>;

std::vector<placed_word> placed_words(const parameters& values, std::string_view name, const source_reader& read);

// Where `phrase` ("check_client_access hash:/etc/postfix/access"), whose words follow each other, stands for the
// `which`-th time, from 0; nothing where it does not.
std::optional<position> place_of_phrase(const std::vector<placed_word>& words, std::string_view phrase,
                                        std::size_t which);

}  // namespace mta::config
