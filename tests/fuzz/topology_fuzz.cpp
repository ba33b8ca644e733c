// tests/fuzz/topology_fuzz.cpp - any text as a topology file.
//
// Invariant: the loader ends, without a crash, with a topology or with an error; never both, never neither. Problems
// are bounded in number, stand in the file, are in order and say something, and the same text gives the same ones.
// No file but the text is ever opened.
#include <cstdlib>

#include "sim/topology/loader.hpp"

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace sim::topology;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    load_hooks hooks;
    hooks.read = [&](const std::string&, std::size_t) {
        return file_content{std::string(text.substr(text.size() / 2)), ""};
    };
    hooks.folder = [](const std::string&) { return std::string(); };
    hooks.check_zone = [](const sim::topology::topology&, std::string_view, std::string_view zone) {
        return std::vector<text_problem>{{static_cast<int>(zone.size() % 7), 2, severity::warning, "seen"}};
    };
    const load_result result = load_text(text, "fuzz.yaml", hooks);
    bool errors = false;
    for (const problem& p : result.problems) {
        errors = errors || p.level == severity::error;
        require(p.at.line >= 1 && p.at.column >= 1 && !p.text.empty() && p.text.find('\n') == std::string::npos);
    }
    require(result.problems.size() <= most_problems);
    require(result.ok() != errors);
    const load_result again = load_text(text, "fuzz.yaml", hooks);
    require(again.problems.size() == result.problems.size());
    for (std::size_t i = 0; i < result.problems.size(); ++i)
        require(to_string(again.problems[i]) == to_string(result.problems[i]));
    return 0;
}
