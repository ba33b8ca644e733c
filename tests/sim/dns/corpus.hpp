// tests/sim/dns/corpus.hpp - zones, questions and the answers that BIND 9.18 gives (recursion off), for both to be held
// to.
//
// An answer is one line: the code, then each record of the answer section as "owner TTL type data", records of a set
// sorted, and "negative N" when a SOA in the authority section says for how long that holds.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace sim::dns::corpus {

struct zone_text {
    std::string_view name;
    std::string text;  // the lab's head is put before it if it has no SOA
};

struct asked {
    std::string_view name;
    std::string_view type;
    std::string_view answer;
};

struct judged {
    std::string_view name;  // of a zone NAME.test
    std::string text;
    bool loads;
};

// Sorts neighbours of one owner and type, whose order is a server's own affair.
void sort_sets(std::vector<std::string>& rows);
std::string code_name(int code);

const std::vector<zone_text>& zones();
const std::vector<asked>& questions();
const std::vector<judged>& judgements();

}  // namespace sim::dns::corpus
