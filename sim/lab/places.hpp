// sim/lab/places.hpp - where a configuration says something, as short as it is clear: "main.cf:17", "access:3".
//
// Files of the configuration go by their name in its folder; what is written nowhere is "default".
#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "mta/config/word_places.hpp"
#include "mta/table/table.hpp"

namespace sim::lab {

class places {
  public:
    // `folder`: of main.cf, or "". The parameters must outlive it.
    places(const mta::config::parameters& values, std::string folder) : values_(values), folder_(std::move(folder)) {}

    std::string of_parameter(std::string_view name) const;
    std::string of_entry(const mta::table::position& where) const;
    // Of words in a parameter's value, for the `which`-th time; of the parameter where they do not stand there.
    std::string of_phrase(std::string_view name, std::string_view phrase, std::size_t which);

  private:
    std::string shown(std::string_view file, std::size_t line) const;

    const mta::config::parameters& values_;
    std::string folder_;
    std::map<std::string, std::vector<mta::config::placed_word>, std::less<>> words_;
};

}  // namespace sim::lab
