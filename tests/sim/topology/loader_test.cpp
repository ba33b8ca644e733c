#include "sim/topology/loader.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "mta/text/strings.hpp"

namespace sim::topology {
namespace {

using namespace std::chrono_literals;

std::string report(const load_result& result) {
    std::string text;
    for (const problem& p : result.problems) text += to_string(p) + "\n";
    if (result.left_out > 0) text += "and " + std::to_string(result.left_out) + " more\n";
    return text;
}

std::string text_of(const std::string& path) {
    const auto content = read_file(path, largest_file);
    EXPECT_EQ(content.error, "") << path;
    return content.bytes;
}

std::vector<std::string> files_of(const std::string& folder, const std::string& extension) {
    std::vector<std::string> names;
    for (const auto& file : std::filesystem::directory_iterator(folder))
        if (file.path().extension() == extension) names.push_back(file.path().stem().string());
    std::sort(names.begin(), names.end());
    return names;
}

// Files that exist only in a test.
load_hooks reading(std::map<std::string, std::string> files) {
    load_hooks hooks;
    hooks.read = [files = std::move(files)](const std::string& path, std::size_t) -> file_content {
        const auto found = files.find(path);
        if (found == files.end()) return {"", "No such file or directory"};
        return {found->second, ""};
    };
    return hooks;
}

const std::string one_host = "hosts:\n  mx.example.org: {address: 192.168.137.2}\n";
const std::string bad_folder = "tests/topologies/bad/";

class bad_topology : public testing::TestWithParam<std::string> {};

TEST_P(bad_topology, is_refused_with_the_right_words) {
    load_hooks hooks;  // names are relative to the folder, wherever the tests run
    hooks.read = [](const std::string& path, std::size_t limit) { return read_file(bad_folder + path, limit); };
    hooks.folder = [](const std::string& path) { return folder_fault(bad_folder + path); };
    const auto result = load(GetParam() + ".yaml", hooks);
    EXPECT_FALSE(result.ok());
    EXPECT_EQ(report(result), text_of(bad_folder + GetParam() + ".expected"));
}

INSTANTIATE_TEST_SUITE_P(all, bad_topology, testing::ValuesIn(files_of(bad_folder, ".yaml")),
                         [](const auto& info) { return info.param; });

TEST(bad_topologies, are_many_and_each_has_its_words) {
    EXPECT_GE(files_of(bad_folder, ".yaml").size(), 80u);
    EXPECT_EQ(files_of(bad_folder, ".yaml"), files_of(bad_folder, ".expected"));
}

TEST(topologies, that_are_shipped_load_without_a_word) {
    const auto names = files_of("topologies", ".yaml");
    EXPECT_GE(names.size(), 2u);
    for (const auto& name : names) {
        const auto result = load("topologies/" + name + ".yaml");
        EXPECT_TRUE(result.ok());
        EXPECT_EQ(report(result), "");
        EXPECT_FALSE(!result.value || result.value->expect.empty()) << name;
    }
}

TEST(parity_cases, load_without_a_word) {
    const std::filesystem::path cases = "tests/parity/cases";
    if (!std::filesystem::is_directory(cases)) GTEST_SKIP() << "no cases in this tree";
    for (const auto& entry : std::filesystem::directory_iterator(cases)) {
        const auto result = load((entry.path() / "scenario.yaml").string());
        EXPECT_TRUE(result.ok()) << entry.path();
        EXPECT_EQ(report(result), "");
    }
}

TEST(loader, reads_a_whole_chain) {
    const auto result = load("topologies/open-relay-chain.yaml");
    ASSERT_TRUE(result.ok()) << report(result);
    const topology& t = *result.value;
    EXPECT_EQ(t.name, "open-relay-chain");
    EXPECT_EQ(t.seed, 1u);
    EXPECT_EQ(t.network.quality.latency, 2ms);
    ASSERT_EQ(t.hosts.size(), 3u);
    const host& first = t.hosts[0];
    EXPECT_EQ(first.name, "smtp.6circles.cc");
    EXPECT_EQ(to_string(first.address), "192.168.137.2");
    EXPECT_EQ(first.ptr, "smtp.6circles.cc");
    ASSERT_TRUE(first.tls);
    EXPECT_FALSE(first.tls->self_signed);
    ASSERT_EQ(first.postfix.size(), 3u);
    EXPECT_EQ(first.postfix[0].name, "relayhost");
    EXPECT_EQ(first.postfix[0].value, "[mail.ohio.cc]");
    EXPECT_EQ(first.filters.at(0).rules.at(0).action, filter_action::reject);
    EXPECT_TRUE(first.master_cf.text.starts_with("submission inet"));
    ASSERT_EQ(t.steps.size(), 2u);
    const auto& dialogue = std::get<scenario::smtp>(t.steps[0].what);
    EXPECT_EQ(dialogue.port, 587);
    EXPECT_EQ(dialogue.lines.size(), 14u);
    EXPECT_EQ(std::get<scenario::line>(dialogue.lines[10]).text, "");
    EXPECT_EQ(std::get<scenario::settle>(t.steps[1].what).quiet, 2s);
    const auto& claim = std::get<scenario::delivered>(t.expect.at(0).what);
    EXPECT_EQ(claim.hops, (std::vector<std::string>{"smtp.6circles.cc", "mail.ohio.cc", "mail.york.cc"}));
}

TEST(loader, turns_parameter_values_into_main_cf_text) {
    const auto result = load_text(
        "hosts:\n  mx.example.org:\n    address: 192.168.137.2\n    postfix:\n"
        "      a: true\n      b: off\n      c: [one, 2, \"yes\"]\n      d:\n      e: 25\n      f: \"no\"\n      g: "
        "[]\n      i: 0.5\n      h: ['', x]\n",
        "t.yaml");
    ASSERT_TRUE(result.ok()) << report(result);
    std::string text;
    for (const auto& p : result.value->hosts[0].postfix) text += p.name + "=" + p.value + "|";
    EXPECT_EQ(text, "a=yes|b=no|c=one, 2, yes|d=|e=25|f=no|g=|i=0.5|h=, x|");
}

TEST(loader, reads_every_step) {
    const auto result =
        load_text(one_host +
                      "clients: {pc.example.net: {address: 192.168.137.3}}\n"
                      "servers: {sink.example.net: {address: 192.168.137.4, replies: {RCPT: [\"450 a\", close]}}}\n"
                      "steps:\n"
                      "  - submit: {host: mx.example.org, to: [a@b.example], from: \"\", count: 3, subject: 7, body: "
                      "1.5, headers: {X-N: 2}}\n"
                      "  - smtp: {client: mx.example.org, server: mx.example.org, background: true, lines: [NOOP, "
                      "raw: 'X\\r\\n', group: [RSET, NOOP], {wait: 2s}]}\n"
                      "  - settle: {quiet: 3s}\n  - wait: 1.5\n  - stop: mx.example.org\n  - start: mx.example.org\n"
                      "  - reload: mx.example.org\n  - flush: mx.example.org\n  - unplug: pc.example.net\n"
                      "  - plug: sink.example.net\n  - script: {server: sink.example.net, down: true}\n"
                      "  - superuser: {host: mx.example.org, args: [-h, ALL]}\n"
                      "  - zone: {name: Example.ORG., text: \"@ IN A 192.168.137.2\"}\n"
                      "  - expect: {queue: {host: mx.example.org, hold: 1}}\n"
                      "  - expect:\n    - log: {matches: x, count: 0}\n    - refused: {reply: '5*'}\n",
                  "t.yaml");
    ASSERT_TRUE(result.ok()) << report(result);
    const auto& steps = result.value->steps;
    ASSERT_EQ(steps.size(), 15u);
    EXPECT_EQ(std::get<scenario::submit>(steps[0].what).from, "");
    EXPECT_EQ(std::get<scenario::submit>(steps[0].what).count, 3u);
    EXPECT_EQ(std::get<scenario::submit>(steps[0].what).subject, "7");
    EXPECT_EQ(std::get<scenario::submit>(steps[0].what).body, "1.5");
    const auto& dialogue = std::get<scenario::smtp>(steps[1].what);
    EXPECT_TRUE(dialogue.background);
    ASSERT_EQ(dialogue.lines.size(), 4u);
    EXPECT_EQ(std::get<scenario::raw>(dialogue.lines[1]).bytes, "X\r\n");
    EXPECT_EQ(std::get<scenario::raw>(dialogue.lines[1]).text, "X\\r\\n");
    EXPECT_EQ(std::get<scenario::group>(dialogue.lines[2]).lines.size(), 2u);
    EXPECT_EQ(std::get<scenario::pause>(dialogue.lines[3]).time, 2s);
    EXPECT_EQ(std::get<scenario::settle>(steps[2].what).quiet, 3s);
    EXPECT_EQ(std::get<scenario::settle>(steps[2].what).limit, 120s);
    EXPECT_EQ(std::get<scenario::wait>(steps[3].what).time, 1500ms);
    EXPECT_EQ(std::get<scenario::host_step>(steps[4].what).action, scenario::host_action::stop);
    EXPECT_EQ(std::get<scenario::host_step>(steps[7].what).action, scenario::host_action::flush);
    EXPECT_EQ(std::get<scenario::cable_step>(steps[8].what).machine, "pc.example.net");
    EXPECT_TRUE(std::get<scenario::script>(steps[10].what).down);
    EXPECT_EQ(std::get<scenario::superuser>(steps[11].what).args.at(1), "ALL");
    EXPECT_EQ(std::get<scenario::zone_change>(steps[12].what).name, "example.org");
    EXPECT_EQ(std::get<scenario::expect>(steps[14].what).all.size(), 2u);
    EXPECT_EQ(to_string(steps[14].at), "t.yaml:20:5");
    EXPECT_EQ(result.value->servers[0].replies.at(0).second, (std::vector<scenario::scripted_reply>{"450 a", "close"}));
}

TEST(loader, reads_the_conditions_of_a_reply) {
    const auto load = [](const std::string& replies) {
        return load_text(
            one_host + "servers: {sink.example.net: {address: 192.168.137.4, replies: {" + replies + "}}}\n", "t.yaml");
    };
    const auto good = load(
        "RCPT: [{reply: 450 4.2.0 later, times: 2, sender: '*@a.example', session: 2-4, delay: 5s}, 250 ok], "
        "DATA: {reply: 354 go, close_after: 100, session: 3-}");
    ASSERT_TRUE(good.ok()) << report(good);
    const auto& replies = good.value->servers[0].replies;
    const scenario::scripted_reply& first = replies[0].second[0];
    EXPECT_EQ(first.text, "450 4.2.0 later");
    EXPECT_EQ(first.times, 2u);
    EXPECT_EQ(first.sender, "*@a.example");
    EXPECT_EQ(first.session, (scenario::session_range{2, 4}));
    EXPECT_EQ(first.delay, 5s);
    EXPECT_EQ(replies[1].second[0].close_after, 100u);
    EXPECT_EQ(replies[1].second[0].session, (scenario::session_range{3, UINT32_MAX}));

    const std::pair<const char*, const char*> wrong[] = {
        {"RCPT: {times: 2}", "reply"},
        {"RCPT: {reply: 250 ok, session: 3-2}", "count from 1, as in 3, 2-4 or 5-"},
        {"RCPT: {reply: 250 ok, session: 0}", "count from 1"},
        {"RCPT: {reply: 250 ok, close_after: 3}", "it stands under DATA, not under \"RCPT\""},
        {"MAIL: {reply: 250 ok, recipient: a@b}", "use \"recipient\" under RCPT, DATA or END"},
        {"CONNECT: {reply: 220 hi, sender: a@b}", "use \"sender\" under MAIL, RCPT, DATA or END"},
    };
    for (const auto& [text, expected] : wrong) {
        const auto result = load(text);
        EXPECT_FALSE(result.ok()) << text;
        EXPECT_NE(report(result).find(expected), std::string::npos) << report(result);
    }
}

TEST(loader, resolves_links_and_firewall_rules) {
    const auto result =
        load_text(one_host +
                      "links: [{between: [mx.example.org, any], latency: 80ms, loss: 5%}]\n"
                      "firewall: [{from: mx.example.org, to: 10.1.0.0/16, port: 25, action: drop}, {action: reject}]\n",
                  "t.yaml");
    ASSERT_TRUE(result.ok()) << report(result);
    EXPECT_EQ(result.value->links[0].one, "mx.example.org");
    EXPECT_FALSE(result.value->links[0].other);
    EXPECT_EQ(result.value->links[0].quality.latency, 80ms);
    const auto& rules = result.value->firewall;
    EXPECT_EQ(to_string(rules[0].from.value()), "192.168.137.2/32");
    EXPECT_EQ(to_string(rules[0].to.value()), "10.1.0.0/16");
    EXPECT_EQ(rules[0].port, 25);
    EXPECT_EQ(rules[1].action, firewall_action::reject);
    EXPECT_FALSE(rules[1].from);
}

TEST(loader, tells_a_machine_without_ptr_from_one_with_its_own) {
    const auto result = load_text(
        "hosts:\n  a.example: {address: 192.168.137.2, ptr: null, a: false}\n"
        "  b.example: {address: 192.168.137.3, ptr: other.example, tls: {self_signed: true}}\n"
        "  c.example: {address: 192.168.137.4}\n",
        "t.yaml");
    ASSERT_TRUE(result.ok()) << report(result);
    EXPECT_EQ(result.value->hosts[0].ptr, std::nullopt);
    EXPECT_FALSE(result.value->hosts[0].a);
    EXPECT_EQ(result.value->hosts[1].ptr, "other.example");
    EXPECT_TRUE(result.value->hosts[1].tls->self_signed);
    EXPECT_EQ(result.value->hosts[2].ptr, "c.example");
    EXPECT_EQ(result.value->find_machine("b.example"), &result.value->hosts[1]);
    EXPECT_EQ(result.value->find_machine("d.example"), nullptr);
}

TEST(loader, starts_from_another_file) {
    const auto hooks =
        reading({{"labs/base.yaml", "name: base\nseed: 3\nnetwork: {latency: 2ms, loss: 1%}\n" + one_host +
                                        "firewall: [{action: drop}]\nsteps: [{wait: 1s}]\n"
                                        "expect: [{queue: {host: mx.example.org, total: 0}}]\n"}});
    const auto added = load_text(
        "topology: ../labs/base.yaml\nnetwork: {latency: 9ms}\n"
        "clients: {pc.example.net: {address: 192.168.137.3}}\nfirewall: [{action: accept}]\n",
        "labs/more.yaml", hooks);
    ASSERT_TRUE(added.ok()) << report(added);
    EXPECT_EQ(added.value->name, "base");
    EXPECT_EQ(added.value->network.quality.latency, 9ms);
    EXPECT_DOUBLE_EQ(added.value->network.quality.loss.value(), 0.01);
    EXPECT_EQ(added.value->clients.size(), 1u);
    EXPECT_EQ(added.value->firewall.at(0).action, firewall_action::accept) << "the scenario's rules come first";
    EXPECT_EQ(added.value->steps.size(), 1u);
    EXPECT_EQ(added.value->expect.size(), 1u);

    const auto replaced = load_text("name: mine\ntopology: base.yaml\nsteps: [{stop: mx.example.org}, {wait: 2s}]\n",
                                    "labs/x.yaml", hooks);
    ASSERT_TRUE(replaced.ok()) << report(replaced);
    EXPECT_EQ(replaced.value->name, "mine");
    EXPECT_EQ(replaced.value->steps.size(), 2u);
    EXPECT_TRUE(replaced.value->expect.empty());
}

TEST(loader, reports_the_mistakes_of_both_files_each_under_its_name) {
    const auto hooks = reading({{"base.yaml", "hosts:\n  mx.example.org: {address: 192.168.137.2, tsl: true}\n"}});
    EXPECT_EQ(report(load_text("topology: base.yaml\nsteps: [{wait: x}]\n", "s.yaml", hooks)),
              "s.yaml:2:16: \"wait\" must be a duration, not \"x\"; write a number and one of ms, s, m, h, d, as in "
              "20ms or 5d, without a space\n"
              "base.yaml:2:44: this host has no key \"tsl\"; did you mean \"tls\"?\n");
}

TEST(loader, refuses_circles_and_towers_of_files) {
    const auto circle = reading({{"b.yaml", "topology: a.yaml\n"}, {"a.yaml", "topology: b.yaml\n"}});
    EXPECT_EQ(report(load("a.yaml", circle)),
              "b.yaml:1:11: \"a.yaml\" leads back to this file; a topology cannot start from itself\n");
    std::map<std::string, std::string> tower;
    for (int i = 0; i < 20; ++i) tower["f" + std::to_string(i)] = "topology: f" + std::to_string(i + 1) + "\n";
    EXPECT_EQ(report(load("f0", reading(tower))),
              "f7:1:11: topologies start from each other over more than 8 files; join some of them\n");
}

TEST(loader, shows_zone_problems_at_their_line_of_the_file) {
    load_hooks hooks;
    hooks.check_zone = [](const sim::topology::topology&, std::string_view name,
                          std::string_view text) -> std::vector<text_problem> {
        EXPECT_EQ(name, "york.cc");
        EXPECT_EQ(text, "@ IN MX 10 mail\nwww IN AA 1.2.3.4\n");
        return {{2, 8, severity::error, "no such type"}, {0, 0, severity::warning, "no NS"}};
    };
    const auto result =
        load_text(one_host + "zones:\n  York.cc.: |\n    @ IN MX 10 mail\n    www IN AA 1.2.3.4\n", "t.yaml", hooks);
    EXPECT_FALSE(result.ok());
    EXPECT_EQ(report(result),
              "t.yaml:5:5: warning: zone \"york.cc\": no NS\nt.yaml:6:12: zone \"york.cc\": no such type\n");
}

TEST(loader, warns_about_parameters_and_still_loads) {
    load_hooks hooks;
    hooks.check_parameter = [](std::string_view name) -> std::optional<std::string> {
        if (name == "mydestination") return std::nullopt;
        return "unused parameter";
    };
    const auto result = load_text(
        "hosts:\n  mx.example.org:\n    address: 192.168.137.2\n    postfix: {mydestination: x, mydestinaton: y}\n",
        "t.yaml", hooks);
    EXPECT_TRUE(result.ok());
    EXPECT_EQ(report(result), "t.yaml:4:33: warning: unused parameter\n");
}

TEST(loader, asks_whether_a_pattern_compiles) {
    load_hooks hooks;
    hooks.check_pattern = [](std::string_view) { return "missing )"; };
    EXPECT_EQ(report(load_text(one_host + "expect: [{log: {matches: '(x'}}]\n", "t.yaml", hooks)),
              "t.yaml:3:26: \"matches\" must be a regular expression, not \"(x\"; missing )\n");
}

TEST(loader, warnings_give_way_to_errors_when_there_are_too_many) {
    load_hooks hooks;
    hooks.check_parameter = [](std::string_view) { return "doubtful"; };
    std::string text = "hosts:\n  mx.example.org:\n    address: 192.168.137.2\n    postfix:\n";
    for (int i = 0; i < 30; ++i) text += "      p" + std::to_string(i) + ": x\n";
    const auto result = load_text(text + "wrong: 1\n", "t.yaml", hooks);
    EXPECT_FALSE(result.ok());
    EXPECT_EQ(result.problems.size(), most_problems);
    EXPECT_EQ(result.left_out, 11u);
    EXPECT_EQ(result.problems.back().at.line, 35);
    EXPECT_EQ(result.problems.back().level, severity::error);
}

TEST(loader, says_why_a_file_cannot_be_read) {
    EXPECT_EQ(report(load("tests/no-such.yaml")),
              "tests/no-such.yaml: cannot be read: No such file or directory; name a topology file\n");
    EXPECT_EQ(report(load("tests")), "tests: cannot be read: it is a folder; name a topology file\n");
    EXPECT_EQ(report(load("/dev/zero")), "/dev/zero: cannot be read: it is not a regular file; name a topology file\n");
}

TEST(new_topology, loads_whatever_it_is_called) {
    for (const auto name : {"lab", "my lab: \"x\"\n", "", "$myhostname", "1e3"}) {
        const auto result = load_text(new_topology(name), "new.yaml");
        ASSERT_TRUE(result.ok()) << report(result);
        EXPECT_EQ(report(result), "");
        EXPECT_GE(result.value->expect.size(), 3u);
    }
    EXPECT_EQ(load_text(new_topology("my lab"), "new.yaml").value->name, "my-lab");
}

}  // namespace
}  // namespace sim::topology
