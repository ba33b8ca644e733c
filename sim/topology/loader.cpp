#include "sim/topology/loader.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "sim/topology/tables.hpp"
#include "sim/topology/yaml_tree.hpp"

namespace sim::topology {
namespace {

constexpr std::size_t deepest_include = 8;

// A file and, before it, the one that it starts from. `open` are the files that are being read.
void read_document(context& c, std::string_view text, const std::string& name, std::vector<std::string>& open);

void read_base(context& c, const node& written, std::vector<std::string>& open) {
    if (written.kind != node_kind::scalar || written.text.empty()) return;  // its type is reported with the other keys'
    const std::string path = beside(written.at.file, written.text);
    const auto same = [&](const std::string& name) { return std::filesystem::path(name).lexically_normal() == path; };
    if (std::any_of(open.begin(), open.end(), same)) {
        c.error(written.at,
                quoted_word(written.text) + " leads back to this file; a topology cannot start from itself");
        return;
    }
    if (open.size() >= deepest_include) {
        c.error(written.at, "topologies start from each other over more than " + std::to_string(deepest_include) +
                                " files; join some of them");
        return;
    }
    const file_content content = c.hooks.read(path, largest_file);
    if (!content.error.empty()) {
        c.error(written.at, quoted_word(written.text) + " cannot be read: " + content.error +
                                "; the path is relative to this file");
        return;
    }
    read_document(c, content.bytes, path, open);
}

void read_document(context& c, std::string_view text, const std::string& name, std::vector<std::string>& open) {
    c.files.push_back(name);
    const yaml_tree tree = parse_yaml(text, name);
    for (const problem& p : tree.problems) c.report(p.at, p.level, p.text);
    if (tree.root == nullptr || tree.root->kind != node_kind::map) {
        if (tree.problems.empty())
            c.error(
                {name, 1, 1},
                "this file has no keys; a topology begins with lines such as \"hosts:\" (`relaylab new` writes one)");
        return;
    }
    const auto find = [&](std::string_view key) -> const node* {
        for (const entry& e : tree.root->entries)
            if (e.key->text == key) return e.value;
        return nullptr;
    };
    if (const node* base = find("topology")) {
        open.push_back(name);
        read_base(c, *base, open);
        open.pop_back();
    }
    if (find("steps") != nullptr) {
        c.model.steps.clear();
        c.model.expect.clear();
    }
    c.model.at = tree.root->at;
    read_object(c, *tree.root, c.model);
}

// A policy server speaks no SMTP: what would be SMTP's is refused, not left without effect.
void check_policy_servers(context& c) {
    const auto refuse = [&](const position& at, const std::string& name, const char* key) {
        c.error(at, quoted_word(name) + " is a policy server, which has no use for `" + key +
                        "`; take that away, or make it a server of its own");
    };
    for (const server& each : c.model.servers) {
        if (!each.policy) continue;
        if (!each.replies.empty()) refuse(each.at, each.name, "replies");
        if (!each.extensions.empty()) refuse(each.at, each.name, "extensions");
        if (each.tls) refuse(each.at, each.name, "tls");
    }
    for (const scenario::step& step : c.model.steps) {
        const auto* change = std::get_if<scenario::script>(&step.what);
        if (!change) continue;
        const auto& all = c.model.servers;
        const bool asked = std::any_of(all.begin(), all.end(),
                                       [&](const server& each) { return each.policy && each.name == change->server; });
        if (asked && !change->replies.empty()) refuse(step.at, change->server, "replies");
        if (asked && !change->extensions.empty()) refuse(step.at, change->server, "extensions");
    }
}

}  // namespace

std::string to_string(const problem& p) {
    constexpr std::string_view marks[] = {"", "warning: ", "note: "};
    return to_string(p.at) + ": " + std::string(marks[static_cast<std::size_t>(p.level)]) + p.text;
}

file_content read_file(const std::string& path, std::size_t limit) {
    std::error_code fault;
    const auto status = std::filesystem::status(path, fault);
    if (fault) return {"", fault.message()};
    if (std::filesystem::is_directory(status)) return {"", "it is a folder"};
    // A pipe or a device would be waited for without end.
    if (!std::filesystem::is_regular_file(status)) return {"", "it is not a regular file"};
    std::ifstream file(path, std::ios::binary);
    if (!file) return {"", "it cannot be opened (is reading it allowed?)"};
    file_content content;
    content.bytes.resize(limit + 1);
    file.read(content.bytes.data(), static_cast<std::streamsize>(content.bytes.size()));
    if (file.bad()) return {"", "an error while reading"};
    content.bytes.resize(static_cast<std::size_t>(file.gcount()));
    return content;
}

std::string folder_fault(const std::string& path) {
    std::error_code fault;
    if (!std::filesystem::is_directory(path, fault))
        return "does not exist; name a folder such as /etc/postfix, relative to this file";
    if (!std::filesystem::is_regular_file(std::filesystem::path(path) / "main.cf", fault))
        return "has no main.cf; name a folder such as /etc/postfix";
    return "";
}

load_result load_text(std::string_view text, const std::string& name, const load_hooks& hooks) {
    load_result result;
    topology made;
    context c(hooks, made);
    std::vector<std::string> open;
    read_document(c, text, name, open);
    check_zone_texts(c);
    check_policy_servers(c);
    if (!c.failed() && made.hosts.empty())
        c.error(made.at, "this topology has no host; add one: hosts: {mail.example.org: {address: " +
                             to_string(address{made.network.subnet.base.bits + 1}) + "}}");
    if (made.name.empty()) made.name = std::filesystem::path(name).stem().string();
    const bool failed = c.failed();
    std::tie(result.problems, result.left_out) = c.take_problems();
    if (!failed) result.value = std::move(made);
    return result;
}

load_result load(const std::string& path, const load_hooks& hooks) {
    const file_content content = hooks.read(path, largest_file);
    if (!content.error.empty()) {
        load_result result;
        result.problems.push_back(
            {{path, 0, 0}, severity::error, "cannot be read: " + content.error + "; name a topology file"});
        return result;
    }
    return load_text(content.bytes, path, hooks);
}

}  // namespace sim::topology
