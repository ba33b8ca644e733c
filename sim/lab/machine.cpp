#include "sim/lab/machine.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "mta/text/strings.hpp"
#include "sim/lab/mail_configuration.hpp"
#include "sim/lab/plain_command.hpp"
#include "sim/lab/policies.hpp"
#include "sim/lab/real_command.hpp"

namespace sim::lab {
namespace {

using mta::text::replaced;

struct system_account {
    std::string_view name;
    unsigned id;
};
// What Debian's passwd has on a mail server; sorted by id.
constexpr std::array<system_account, 21> system_accounts = {{
    {"root", 0},      {"daemon", 1},  {"bin", 2},        {"sys", 3},  {"sync", 4},   {"games", 5},
    {"man", 6},       {"lp", 7},      {"mail", 8},       {"news", 9}, {"uucp", 10},  {"proxy", 13},
    {"www-data", 33}, {"backup", 34}, {"list", 38},      {"irc", 39}, {"_apt", 100}, {"messagebus", 101},
    {"postfix", 102}, {"bind", 103},  {"nobody", 65534},
}};
constexpr unsigned first_user_id = 1000;
constexpr unsigned nobody = 65534;

// How long a filter takes: about what an interpreter needs to start.
constexpr mta::duration filter_time = std::chrono::milliseconds(50);

mta::account make_account(std::string_view name, unsigned id) {
    mta::account account;
    account.name = name;
    account.uid = account.gid = id;
    // As Debian's base system names them; who is added later has no name.
    if (id < 100 || id == nobody)
        account.full_name = name == "list" ? "Mailing List Manager" : name == "irc" ? "ircd" : name;
    account.home = id == 0                               ? "/root"
                   : id >= first_user_id && id != nobody ? "/home/" + std::string(name)
                                                         : "/nonexistent";
    return account;
}

}  // namespace

std::string with_lab_paths(std::string_view text) {
    return replaced(replaced(text, "$lab_files", files_directory), "$lab_tls", tls_directory);
}

// In place, as a name is no longer than its path: of a log of gigabytes there is no copy.
std::string without_lab_paths(std::string text) {
    constexpr std::pair<std::string_view, std::string_view> written_as[] = {
        {files_directory, "$lab_files"}, {tls_directory, "$lab_tls"}, {host_directory, "$lab_host"}};
    static_assert(std::ranges::all_of(
        written_as, [](const auto& each) { return each.first >= each.second; },
        [](const auto& each) { return std::pair(each.first.size(), each.second.size()); }));
    for (const auto& [path, name] : written_as) {
        std::size_t read = text.find(path), write = read;
        while (read != std::string::npos) {
            write += name.copy(text.data() + write, name.size());
            read += path.size();
            const std::size_t next = text.find(path, read);
            const std::size_t between = std::min(next, text.size()) - read;
            std::memmove(text.data() + write, text.data() + read, between);
            write += between;
            read = next;
        }
        if (write != std::string::npos) text.resize(write);
    }
    return text;
}

std::map<std::string, std::string, std::less<>> files_of(const topology::host& host) {
    std::map<std::string, std::string, std::less<>> files;
    for (const topology::file& each : host.files)
        files[std::string(files_directory) + "/" + each.name] = with_lab_paths(each.content.text);
    for (const topology::file& each : host.stand_ins) files[with_lab_paths(each.name)] = each.content.text;
    std::string environment;
    for (const topology::variable& each : host.environment) ((environment += each.name) += '=') += each.value + '\0';
    files[std::string(mta::table::environment_file)] = std::move(environment);
    return files;
}

machine::machine(const topology::machine& what, const topology::host* host, std::uint64_t seed, int prefix,
                 network::authority& authority, log_sink& sink)
    : name_(what.name),
      address_(mta::address::ip_address::v4(what.address.bits)),
      prefix_(prefix),
      seed_(seed),
      certificate_(what.tls),
      authority_(authority),
      sink_(sink),
      // A spool that has been in use: inode numbers of six digits, as short queue ids show them.
      spool_(random_stream(seed, what.name, "inode").below(0x900000) + 0x100000) {
    if (!host) return;
    if (host->config) config_folder_.emplace(*host->config);
    unsigned id = first_user_id;
    for (const std::string& each : host->mailboxes) accounts_.emplace(each, make_account(each, id++));
    for (const topology::account& each : host->users_sasl) sasl_passwords_.emplace(each.user, each.password);
    files_ = files_of(*host);
    for (const topology::filter& each : host->filters) filters_.emplace_back(each);
    for (const policy_at& each : policies_of(*host)) {
        if (!each.socket.empty()) sockets_.emplace(each.socket, each.reached_at);
    }
}

machine::~machine() = default;

mta::random_source& machine::random(std::string_view purpose) {
    auto found = random_.find(purpose);
    if (found == random_.end()) {
        found = random_.emplace(std::string(purpose), std::make_unique<random_stream>(seed_, name_, purpose)).first;
    }
    return *found->second;
}

std::vector<std::string> machine::interfaces() const {
    return {address_.to_string() + "/" + std::to_string(prefix_), "127.0.0.1/8"};
}

std::optional<std::string> machine::read_file(std::string_view path) {
    if (const auto found = files_.find(path); found != files_.end()) return found->second;
    const std::string tls = std::string(tls_directory) + "/";
    if (path == tls + "ca.crt") return authority_.certificate_pem();
    if (certificate_ && path == tls + name_ + ".pem") {
        return authority_
            .certificate_of(certificate_->name.value_or(name_),
                            certificate_->self_signed ? network::signed_by::itself : network::signed_by::authority)
            .chain_file();
    }
    if (config_folder_) return config_folder_->read(path);
    return std::nullopt;
}

std::optional<mta::endpoint> machine::unix_socket(std::string_view path) {
    const auto found = sockets_.find(path);
    return found == sockets_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<mta::account> machine::find_account(std::string_view name) {
    if (const auto found = accounts_.find(name); found != accounts_.end()) return found->second;
    for (const system_account& each : system_accounts) {
        if (each.name == name) return make_account(each.name, each.id);
    }
    return std::nullopt;
}

// The realm of all accounts is the host's name.
std::optional<std::string> machine::sasl_password(std::string_view user, std::string_view realm) {
    const auto found = sasl_passwords_.find(user);
    if (found == sasl_passwords_.end() || realm != name_) return std::nullopt;
    return found->second;
}

// The directories of a machine: those that every system has, homes, and what Maildir deliveries made.
bool machine::has_directory(std::string_view path) const {
    constexpr std::array<std::string_view, 6> standard = {"/tmp",        "/var/tmp", "/var/mail", "/var/spool/mail",
                                                          "/home/vmail", "/root"};
    if (path == mailbox_directory || path == files_directory) return true;
    if (std::find(standard.begin(), standard.end(), path) != standard.end()) return true;
    for (const auto& [name, account] : accounts_) {
        if (path == account.home) return true;
    }
    const auto made = mailboxes_.lower_bound(path);
    return made != mailboxes_.end() && made->second.maildir && made->first.starts_with(path);
}

// Whether a program may be there: one of the topology's files, or anything where systems have their programs.
bool machine::has_program(std::string_view path) const {
    constexpr std::array<std::string_view, 5> folders = {"/bin/", "/sbin/", "/usr/", "/opt/", "/var/"};
    return files_.contains(path) ||
           std::any_of(folders.begin(), folders.end(), [&](std::string_view each) { return path.starts_with(each); });
}

mta::append_result machine::append_to_mailbox(std::string_view path, const mta::account&, std::string_view text,
                                              std::size_t size_limit) {
    if (!has_directory(path.substr(0, path.rfind('/')))) return mta::append_result::no_directory;
    std::string& box = mailboxes_[std::string(path)].text;
    if (size_limit != 0 && box.size() + text.size() > size_limit) return mta::append_result::too_large;
    box += text;
    return mta::append_result::ok;
}

mta::append_result machine::store_in_maildir(std::string_view directory, const mta::account&, std::string_view text) {
    mailbox& box = mailboxes_[std::string(directory)];
    box.maildir = true;
    box.messages.emplace_back(text);
    return mta::append_result::ok;
}

mta::task<mta::command_result> machine::run(mta::command program) {
    mta::command_result result;
    const std::string prefix = std::string(files_directory) + "/filter-";
    const std::string name = program.arguments.empty() ? "" : program.arguments.front();
    const auto filter =
        std::find_if(filters_.begin(), filters_.end(), [&](const auto& each) { return prefix + each.name() == name; });
    if (filter == filters_.end() && sink_.allows_real_commands()) co_return run_real_command(program);
    if (filter == filters_.end()) {
        const auto plain = files_.contains(name) ? std::nullopt : run_plain_command(program);
        if (plain) co_return *plain;
        result.how =
            has_program(name) ? mta::command_result::outcome::not_allowed : mta::command_result::outcome::not_found;
        co_return result;
    }
    co_await mta::sleep_for(scheduler(), filter_time);
    scenario::filter_outcome outcome = filter->apply(*program.input);
    result.exit_status = outcome.exit_status;
    if (outcome.action == topology::filter_action::accept) {
        const auto& arguments = program.arguments;
        const std::string sender = arguments.size() > 1 ? arguments[1] : "";
        std::vector<std::string> recipients(arguments.begin() + std::min<std::ptrdiff_t>(2, std::ssize(arguments)),
                                            arguments.end());
        const auto who = find_account(program.user);
        sink_.hand_back(name_, who ? who->uid : nobody, sender, std::move(recipients), std::move(outcome.text));
    } else {
        result.output = std::move(outcome.text);
    }
    co_return result;
}

}  // namespace sim::lab
