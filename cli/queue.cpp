// cli/queue.cpp - relaylab queue: what waits in the mail queues at the end of a run, as postqueue(1) lists it.
//
// It reads the queue.json of a run folder, one JSON object a line, which anybody may have changed: what cannot be read
// is an error with its line. Times are UTC, as in the maillogs.
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "cli/commands.hpp"
#include "cli/terminal.hpp"

namespace cli {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

struct queue_options {
    std::string folder;
    std::vector<std::string> hosts;
    bool json = false;
};

struct queued_recipient {
    std::string address, reason;
};
struct queued_message {
    std::string queue, id, sender;
    std::int64_t arrived = 0;  // Unix time, in seconds
    std::uint64_t size = 0;
    bool forced_expire = false;
    std::vector<queued_recipient> recipients;
};

class unreadable : public std::runtime_error {
    using runtime_error::runtime_error;
};

std::string text_of(const json::object& from, std::string_view key) {
    const json::value* found = from.if_contains(key);
    return found && found->is_string() ? printable(std::string_view(found->get_string())) : "";
}

queued_message message_of(const json::object& from) {
    queued_message made;
    made.queue = text_of(from, "queue_name");
    made.id = text_of(from, "queue_id");
    made.sender = text_of(from, "sender");
    made.arrived = from.at("arrival_time").to_number<std::int64_t>();
    made.size = from.at("message_size").to_number<std::uint64_t>();
    if (const json::value* forced = from.if_contains("forced_expire")) made.forced_expire = forced->as_bool();
    for (const json::value& each : from.at("recipients").as_array()) {
        const json::object& recipient = each.as_object();
        made.recipients.push_back({text_of(recipient, "address"), text_of(recipient, "delay_reason")});
    }
    // What fmt::gmtime cannot say, and no queue has.
    constexpr std::int64_t end_of_time = 253'402'300'799;  // of the year 9999
    if (made.arrived < 0 || made.arrived > end_of_time) throw std::out_of_range("arrival_time is no time");
    return made;
}

std::vector<queued_message> read_queue(const std::string& path, const std::string& text) {
    std::vector<queued_message> all;
    std::istringstream lines(text);
    std::string line;
    for (std::size_t number = 1; std::getline(lines, line); ++number) {
        if (line.empty()) continue;
        try {
            all.push_back(message_of(json::parse(line).as_object()));
        } catch (const std::exception&) {
            throw unreadable(fmt::format("{}:{}: is no line of `postqueue -j`; play the scenario again", path, number));
        }
    }
    return all;
}

// "*" active, "!" on hold, "#" forced to expire: postqueue(1).
std::string marked_id(const queued_message& message) {
    std::string id = message.id;
    if (message.queue == "active") id += '*';
    if (message.queue == "hold") id += '!';
    if (message.forced_expire) id += '#';
    return id;
}

// postqueue -p, to the letter. Its columns are wider where long queue ids are enabled.
std::string listing(const std::vector<queued_message>& queue) {
    if (queue.empty()) return "Mail queue is empty\n";
    const auto is_long = [](const auto& each) { return each.id.size() > 15; };
    const bool wide = std::any_of(queue.begin(), queue.end(), is_long);
    std::string out = wide ? "----Queue ID----- --Size-- ---Arrival Time---- --Sender/Recipient------\n"
                           : "-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-------\n";
    const std::size_t id_width = wide ? 17 : 11, address_column = wide ? 47 : 41, reason_width = 76;
    std::uint64_t bytes = 0;
    for (const queued_message& each : queue) {
        const std::string arrived = fmt::format("{:%a %b %e %H:%M:%S}", fmt::gmtime(each.arrived));
        out += fmt::format("{:<{}} {:>8} {}{} {}\n", marked_id(each), id_width, each.size, arrived, wide ? "" : " ",
                           each.sender);
        std::string_view said;
        for (const queued_recipient& to : each.recipients) {
            if (!to.reason.empty() && to.reason != said) {
                const std::size_t padding = reason_width - std::min(reason_width, to.reason.size());
                out += fmt::format("{:{}}({})\n", "", padding, to.reason);
                said = to.reason;
            }
            out += fmt::format("{:{}}{}\n", "", address_column, to.address);
        }
        out += '\n';
        bytes += each.size;
    }
    return out +
           fmt::format("-- {} Kbytes in {} Request{}.\n", bytes / 1024, queue.size(), queue.size() == 1 ? "" : "s");
}

std::vector<std::string> hosts_in(const fs::path& folder) {
    std::vector<std::string> all;
    std::error_code error;
    for (const auto& each : fs::directory_iterator(folder, error)) {
        if (fs::is_regular_file(each.path() / "queue.json", error)) all.push_back(each.path().filename().string());
    }
    std::sort(all.begin(), all.end());
    return all;
}

int show(const queue_options& options) {
    const auto there = hosts_in(options.folder);
    if (there.empty()) {
        complain(
            fmt::format("{}: is no run folder; relaylab run FILE --out {} writes one", options.folder, options.folder));
        return exit_wrong_input;
    }
    for (const std::string& each : options.hosts) {
        if (std::find(there.begin(), there.end(), each) != there.end()) continue;
        complain(fmt::format("{}: has no queue of {}; it has those of {}", options.folder, printable(each),
                             fmt::join(there, ", ")));
        return exit_wrong_input;
    }
    const auto& shown = options.hosts.empty() ? there : options.hosts;
    for (const std::string& host : shown) {
        const std::string path = (fs::path(options.folder) / host / "queue.json").string();
        std::ifstream file(path, std::ios::binary);
        const std::string text(std::istreambuf_iterator<char>(file), {});
        if (options.json) {
            write_output(text);
            continue;
        }
        if (shown.size() > 1) write_output(fmt::format("{}{}:\n", &host == &shown.front() ? "" : "\n", host));
        try {
            write_output(listing(read_queue(path, text)));
        } catch (const unreadable& problem) {
            complain(problem.what());
            return exit_wrong_input;
        }
    }
    return exit_held;
}

}  // namespace

void add_queue(CLI::App& app, std::function<int()>& chosen) {
    auto options = std::make_shared<queue_options>();
    CLI::App* command = app.add_subcommand("queue", "List the mail queues at the end of a run, as postqueue(1)");
    command->add_option("FOLDER", options->folder, "Run folder (--out)")->required();
    command->add_option("HOST", options->hosts, "Only these hosts; default: all");
    command->add_flag("-j,--json", options->json, "As postqueue -j: a JSON object a message, a line each");
    command->footer(
        "Examples:\n"
        "  relaylab run lunch.yaml --until 2h --out run     stop two hours after the start\n"
        "  relaylab queue run                               what waits then, on each host\n"
        "  relaylab queue run mail.lunch.example -j");
    command->callback([options, &chosen] { chosen = [options] { return show(*options); }; });
}

}  // namespace cli
