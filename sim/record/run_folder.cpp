#include "sim/record/run_folder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>
#include <utility>

#include "mta/address/quote.hpp"
#include "sim/record/json.hpp"

namespace sim::record {
namespace {

namespace fs = std::filesystem;

constexpr const char* marker = ".relaylab";

[[noreturn]] void refuse(const fs::path& path, std::string_view what, const std::error_code& why) {
    throw record_error(path.string() + ": cannot " + std::string(what) + ": " + why.message());
}

void write_file(const fs::path& path, std::string_view text) {
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out.write(text.data(), static_cast<std::streamsize>(text.size()));
    out.close();
    if (!out) {
        const std::error_code why(errno, std::generic_category());
        refuse(path, "write the file", why);
    }
}

void make_directory(const fs::path& path) {
    std::error_code error;
    fs::create_directories(path, error);
    if (error) refuse(path, "make the folder", error);
}

// A name from a topology or from a mail address, as the one part of a path that it is to be.
fs::path part_of_path(std::string_view name) {
    std::string part;
    for (const char c : name) {
        const bool dangerous = c == '/' || c == '\0';
        part += dangerous ? '_' : c;
    }
    if (part.empty() || part == "." || part == "..") part = "_" + part;
    return part;
}

void check_replaceable(const fs::path& directory) {
    std::error_code error;
    const auto status = fs::symlink_status(directory, error);
    if (!fs::exists(status)) return;
    if (!fs::is_directory(status)) {
        throw record_error(directory.string() +
                           ": is no folder, so the run folder cannot be there; choose another name");
    }
    const bool empty = fs::is_empty(directory, error);
    if (error) refuse(directory, "look into the folder", error);
    if (empty || fs::is_regular_file(directory / marker, error)) return;
    throw record_error(directory.string() +
                       ": is not empty and no run folder of relaylab, so it is not replaced; name a new " +
                       "folder, or remove this one first");
}

// Removes a folder that an interrupted run left.
void remove_ours(const fs::path& folder) {
    std::error_code error;
    if (!fs::exists(fs::symlink_status(folder, error))) return;
    if (!fs::is_regular_file(folder / marker, error)) {
        throw record_error(folder.string() + ": is in the way of the new run folder; remove it");
    }
    fs::remove_all(folder, error);
    if (error) refuse(folder, "remove what an earlier run left", error);
}

void write_host(const fs::path& root, const host_results& host) {
    const fs::path folder = root / part_of_path(host.name);
    make_directory(folder);
    if (host.mail_system) {
        write_file(folder / "maillog", host.maillog);
        write_file(folder / "queue.json", host.queue_json);
    }
    if (host.mailboxes.empty()) return;
    make_directory(folder / "mbox");
    for (const auto& box : host.mailboxes) write_file(folder / "mbox" / part_of_path(box.user), box.text);
}

// printable(3) and then JSON, as showq(8) and postqueue(1) do it; addresses are in their external form.
std::string printable(std::string_view text) {
    std::string out = well_formed(text);
    for (char& c : out) {
        if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) c = '?';
    }
    return out;
}

void append_queue_entry(std::string& out, const mta::queue::queue_file& file) {
    const auto arrived = std::chrono::floor<std::chrono::seconds>(file.arrived).time_since_epoch().count();
    fmt::format_to(
        std::back_inserter(out),
        R"({{"queue_name": "{}", "queue_id": "{}", "arrival_time": {}, "message_size": {}, "forced_expire": {}, )",
        mta::queue::to_string(file.where), file.id, arrived, file.size, file.forced_expired);
    out += R"("sender": )";
    append_json_string(out,
                       file.sender.empty() ? "MAILER-DAEMON" : printable(mta::address::quote_822_local(file.sender)));
    out += R"(, "recipients": [)";
    const char* before = "";
    for (const auto& recipient : file.recipients) {
        if (recipient.done) continue;
        (out += std::exchange(before, ", ")) += R"({"address": )";
        append_json_string(out, printable(mta::address::quote_822_local(recipient.address)));
        if (recipient.delay) {
            out += R"(, "delay_reason": )";
            append_json_string(out, printable(recipient.delay->text));
        }
        out += '}';
    }
    out += "]}\n";
}

}  // namespace

run_folder::run_folder(fs::path directory) : directory_(std::move(directory)) {
    if (directory_.empty()) throw record_error("the run folder has no name");
    std::error_code error;
    directory_ = fs::absolute(directory_, error).lexically_normal();
    if (error) refuse(directory_, "find the folder", error);
    if (!directory_.has_filename()) directory_ = directory_.parent_path();  // "out/" is "out"
    check_replaceable(directory_);
    staging_ = directory_;
    staging_ += ".partial";
    remove_ours(staging_);
    make_directory(staging_);
    write_file(staging_ / marker, "A run folder of relaylab: the next run may replace it.\n");
}

run_folder::~run_folder() {
    if (finished_ || staging_.empty()) return;
    std::error_code ignored;
    fs::remove_all(staging_, ignored);
}

void run_folder::finish(const run_results& results) {
    for (const auto& host : results.hosts) write_host(staging_, host);
    if (!results.dialogues.empty()) make_directory(staging_ / "dialogues");
    for (std::size_t i = 0; i < results.dialogues.size(); ++i) {
        write_file(staging_ / "dialogues" / fmt::format("{:02}.txt", i + 1), results.dialogues[i]);
    }
    check_replaceable(directory_);  // a run takes a while
    std::error_code error;
    fs::path old = directory_;
    old += ".replaced";
    remove_ours(old);
    const bool replaces = fs::exists(directory_, error);
    if (replaces) {
        fs::rename(directory_, old, error);
        if (error) refuse(directory_, "replace the earlier run folder", error);
    }
    fs::rename(staging_, directory_, error);
    if (error) {
        const std::error_code why = error;
        if (replaces) fs::rename(old, directory_, error);
        refuse(directory_, "put the run folder in its place", why);
    }
    finished_ = true;
    fs::remove_all(old, error);
}

std::string maildir_as_mbox(std::span<const std::string> messages) {
    std::string out;
    for (const auto& each : messages) ((out += "From MAILDIR  Thu Jan  1 00:00:00 1970\n") += each) += '\n';
    return out;
}

std::string queue_json(std::span<const mta::queue::message> files) {
    using mta::queue::name;
    // The order in which showq(8) goes through the queues; `corrupt` is not among them.
    constexpr std::array order = {name::maildrop, name::active, name::incoming, name::deferred, name::hold};
    std::string out;
    for (const name queue : order) {
        std::vector<const mta::queue::queue_file*> here;
        for (const auto& each : files) {
            if (each && each->where == queue) here.push_back(each.get());
        }
        std::sort(here.begin(), here.end(), [](const auto* a, const auto* b) { return a->id < b->id; });
        for (const auto* each : here) append_queue_entry(out, *each);
    }
    return out;
}

}  // namespace sim::record
