// cli/explain.cpp - relaylab explain: why one mail would be accepted or refused, and where a recipient's mail goes.
#include "cli/explain.hpp"

#include <fmt/format.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <filesystem>

#include "cli/commands.hpp"
#include "cli/load.hpp"
#include "mta/config/problem.hpp"
#include "mta/text/name_table.hpp"
#include "mta/text/strings.hpp"

namespace cli {
namespace {

using mta::config::fatal;

constexpr std::size_t output_block = std::size_t{1} << 16;    // bytes
constexpr std::size_t largest_matrix = std::size_t{1} << 30;  // bytes

struct explain_options {
    std::string file, host;  // TOPOLOGY HOST
    std::string config, name, address = "127.0.0.1", service = "smtp";
    std::string client, helo, sender, login, etrn, matrix, trail, route;
    std::vector<std::string> recipients, zones;
    bool tls = false, data = false, plain_helo = false, json = false;
};

std::string own_name() {
    std::array<char, 256> name{};
    if (::gethostname(name.data(), name.size() - 1) != 0) return "localhost";
    return name.data();
}

std::string contents_of(const std::string& path, std::size_t limit) {
    std::error_code unknown;
    const auto size = std::filesystem::file_size(path, unknown);
    sim::topology::file_content content =
        sim::topology::read_file(path, unknown ? limit : std::min<std::uintmax_t>(limit, size));
    if (content.error.empty() && content.bytes.size() > limit) content.error = "it is too large";
    if (!content.error.empty()) throw fatal(mta::config::place(path, 0), "cannot be read: " + content.error);
    return std::move(content.bytes);
}

// "NAME=FILE", or a master file that says its name itself: $ORIGIN first, else the file's name.
sim::topology::zone zone_of(const std::string& argument) {
    sim::topology::zone made;
    const auto equals = argument.find('=');
    const std::string path = equals == std::string::npos ? argument : argument.substr(equals + 1);
    made.text.text = contents_of(path, sim::topology::largest_file);
    made.text.at.file = path;
    made.text.at.line = 1;
    made.text.literal = true;
    if (equals != std::string::npos) {
        made.name = argument.substr(0, equals);
    } else {
        for (const auto line : mta::text::split(made.text.text, "\r\n")) {
            const auto words = mta::text::split(line, mta::text::white_space);
            if (words.size() < 2 || !mta::text::equal_ignoring_case(words[0], "$origin")) continue;
            made.name = std::string(words[1]);
            break;
        }
        if (made.name.empty()) {
            std::string file = std::filesystem::path(path).filename().string();
            if (file.starts_with("db.")) file.erase(0, 3);
            for (const std::string_view end : {".zone", ".db", ".txt"}) {
                if (file.ends_with(end)) file.resize(file.size() - end.size());
            }
            made.name = file;
        }
    }
    made.name = mta::text::lowered(made.name);
    while (made.name.ends_with('.')) made.name.pop_back();
    return made;
}

struct subject {
    sim::topology::topology topology;
    std::string host;
};

subject subject_of(const explain_options& options) {
    subject made;
    if (!options.config.empty()) {
        std::string folder = options.config;
        if (std::filesystem::path(folder).filename() == "main.cf")
            folder = std::filesystem::path(folder).parent_path().string();
        if (folder.empty()) folder = ".";
        if (const std::string why = sim::topology::folder_fault(folder); !why.empty())
            throw fatal(mta::config::place(folder, 0), why);
        const auto address = sim::topology::parse_address(options.address);
        if (!address) throw fatal({}, fmt::format("--address {} is no IPv4 address", options.address));
        std::vector<sim::topology::zone> zones;
        for (const std::string& each : options.zones) zones.push_back(zone_of(each));
        made.host = options.name.empty() ? own_name() : options.name;
        made.topology = sim::lab::topology_of_folder(folder, made.host, *address, std::move(zones));
        return made;
    }
    sim::topology::load_result loaded = load_topology(options.file);
    if (!loaded.ok()) {
        print_problems(loaded, all_problems);
        throw fatal(mta::config::place(options.file, 0), "no topology could be read");
    }
    made.topology = std::move(*loaded.value);
    for (const std::string& each : options.zones) made.topology.zones.push_back(zone_of(each));
    if (!options.host.empty()) {
        made.host = options.host;
    } else if (made.topology.hosts.size() == 1) {
        made.host = made.topology.hosts.front().name;
    }
    if (!made.topology.find_host(made.host)) {
        std::string names;
        for (const auto& each : made.topology.hosts) names += (names.empty() ? "" : ", ") + each.name;
        throw fatal(mta::config::place(options.file, 0),
                    made.host.empty() ? fmt::format("name one of its hosts: {}", names)
                                      : fmt::format("no host is called {}; there are {}", made.host, names));
    }
    return made;
}

// An address, or the name of a machine of the topology.
mta::smtpd::peer client_of(sim::lab::examiner& by, const sim::topology::topology& whole, const std::string& text) {
    const sim::topology::machine* known = whole.find_machine(text);
    const auto found = by.client(known ? sim::topology::to_string(known->address) : text);
    if (!found)
        throw fatal({}, fmt::format("the client {} is no address: give 203.0.113.7, or 203.0.113.7[name]", text));
    return *found;
}

// Who does not say what he greets with greets with his name.
std::string greeting_of(const std::string& given, const mta::smtpd::peer& client) {
    if (!given.empty()) return given;
    return client.name == "unknown" ? fmt::format("[{}]", client.address) : client.name;
}

int explain_matrix(const explain_options& options, sim::lab::examiner& by, const sim::topology::topology& whole) {
    const std::vector<sim::lab::matrix_row> rows =
        sim::lab::read_matrix(contents_of(options.matrix, largest_matrix), options.matrix);
    mta::text::name_table<mta::smtpd::peer> clients;
    std::vector<const mta::smtpd::peer*> client_of_row;
    for (const sim::lab::matrix_row& each : rows) {
        auto known = clients.find(each.client);
        if (known == clients.end()) known = clients.emplace(each.client, client_of(by, whole, each.client)).first;
        client_of_row.push_back(&known->second);
    }
    std::string out = "client,helo,sender,recipient,verdict,stage,reply\n";
    std::size_t asked = 0, told = 0, unmet = 0;
    const auto next = [&](mta::smtpd::trial_question& made) {
        if (asked == rows.size()) return false;
        const sim::lab::matrix_row& row = rows[asked];
        made.client = *client_of_row[asked++];
        made.helo = greeting_of(row.helo, made.client);
        made.sender = row.sender;
        made.recipients.assign(1, row.recipient);
        made.login = row.login;
        made.tls = options.tls;
        made.extended = !options.plain_helo;
        return true;
    };
    const auto tell = [&](const sim::lab::examiner::verdict& got) {
        const sim::lab::matrix_row& row = rows[told++];
        out += matrix_line(row, got);
        if (out.size() > output_block) {
            write_output(out);
            out.clear();
        }
        if (sim::lab::meets(got.reply, got.refused, row.expect)) return;
        ++unmet;
        std::fprintf(stderr, "%s:%zu: expected %s, got %s\n", options.matrix.c_str(), row.line,
                     printable(row.expect).c_str(), printable(got.reply).c_str());
    };
    by.judge(next, tell);
    write_output(out);
    return unmet == 0 ? exit_held : exit_not_held;
}

int explain_verdict(const explain_options& options, sim::lab::examiner& by, const sim::topology::topology& whole) {
    mta::smtpd::trial_question what;
    what.client = client_of(by, whole, options.client);
    what.helo = greeting_of(options.helo, what.client);
    what.sender = options.sender;
    what.recipients = options.recipients;
    what.login = options.login;
    what.etrn_domain = options.etrn;
    what.extended = !options.plain_helo;
    what.tls = options.tls;
    what.data = options.data;
    const sim::lab::verdict_report report = by.explain(what);
    if (options.trail == "postfix") {
        for (const std::string& each : sim::lab::examiner::as_postfix_logs(report))
            write_output(printable(each) + "\n");
    } else {
        write_output(options.json ? verdict_json(report, exit_held) : verdict_text(report, style_of_stdout()));
    }
    return exit_held;
}

int explain(const explain_options& options) {
    if (options.config.empty() == options.file.empty())
        throw fatal({}, "name a topology and one of its hosts, or a folder with --config");
    if (!options.trail.empty() && options.trail != "postfix")
        throw fatal({}, fmt::format("--trail {}: the one grammar is postfix", options.trail));
    const subject about = subject_of(options);
    sim::lab::trial host(about.topology, about.host);
    if (!host.mail().running()) {
        for (const std::string& each : host.take_complaints()) complain(each);
        return exit_wrong_input;
    }
    if (!options.route.empty()) {
        const sim::lab::route_report report = sim::lab::explain_route(host, options.sender, options.route);
        write_output(options.json ? route_json(report, exit_held) : route_text(report, style_of_stdout()));
        return exit_held;
    }
    sim::lab::examiner by(host, options.service);
    if (!options.matrix.empty()) return explain_matrix(options, by, about.topology);
    if (options.client.empty())
        throw fatal({}, "say who connects with --client, where mail goes with --route, or give a --matrix");
    return explain_verdict(options, by, about.topology);
}

}  // namespace

void add_explain(CLI::App& app, std::function<int()>& chosen) {
    auto options = std::make_shared<explain_options>();
    CLI::App* command = app.add_subcommand("explain", "Say why a mail would be accepted or refused, and by which line");
    command->add_option("TOPOLOGY", options->file, "Topology or scenario file (YAML)")->type_name("");
    command->add_option("HOST", options->host, "The host of it that is asked, where there are several")->type_name("");
    command->add_option("--config", options->config, "Folder with main.cf and master.cf, instead of a topology")
        ->type_name("DIR");
    command->add_option("--client", options->client, "Who connects: 203.0.113.7, 203.0.113.7[name], or a machine")
        ->type_name("WHO");
    command->add_option("--helo", options->helo, "What it greets with; its name or [address] when absent")
        ->type_name("NAME");
    command->add_option("--sender", options->sender, "Envelope sender; the null sender when absent")
        ->type_name("ADDRESS");
    command->add_option("--recipient", options->recipients, "Envelope recipient; may be repeated")
        ->type_name("ADDRESS");
    command->add_option("--login", options->login, "SASL login name")->type_name("NAME");
    command->add_flag("--tls", options->tls, "After STARTTLS");
    command->add_flag("--no-esmtp", options->plain_helo, "Greet with HELO");
    command->add_flag("--data", options->data, "Go on to DATA and the end of the data");
    command->add_option("--etrn", options->etrn, "Ask with ETRN for this domain instead of sending")
        ->type_name("DOMAIN");
    command->add_option("--service", options->service, "Service of master.cf: its first column, or its port")
        ->type_name("NAME");
    command->add_option("--zone", options->zones, "DNS: a master file, or NAME=FILE; may be repeated")
        ->type_name("FILE");
    command->add_option("--matrix", options->matrix, "CSV of client,helo,sender,recipient[,login][,expect]")
        ->type_name("FILE");
    command->add_option("--route", options->route, "Say where mail for this address would go instead")
        ->type_name("ADDRESS");
    command->add_option("--name", options->name, "With --config: the machine's name (gethostname)")->type_name("NAME");
    command->add_option("--address", options->address, "With --config: the machine's address")->type_name("IP");
    command->add_option("--trail", options->trail, "postfix: print the trail as smtpd -v logs it")
        ->type_name("GRAMMAR");
    command->add_flag("--json", options->json, "Print one JSON document");
    command->footer(
        "Shows the reply to each command, every restriction that was tried, in order, and the\n"
        "line that decided. Nothing is sent, no port is opened.\n\n"
        "With --matrix: one line for each line of the file; a column `expect` says accept,\n"
        "reject, defer, or how the reply begins (\"554 5.7.1 *\").\n\n"
        "Exit status: 0 explained, 1 a line of the matrix was not as expected, 2 wrong input.\n\n"
        "Examples:\n"
        "  relaylab explain --config /etc/postfix --client 203.0.113.7 --sender a@b.example \\\n"
        "      --recipient user@example.com\n"
        "  relaylab explain topologies/open-relay-chain.yaml mail.ohio.cc --client 203.0.113.7 \\\n"
        "      --sender a@b.example --recipient kimchen@york.cc\n"
        "  relaylab explain --config /etc/postfix --route user@example.com --zone example.com.zone\n"
        "  relaylab explain --config /etc/postfix --matrix policy.csv");
    command->callback([options, &chosen] { chosen = [options] { return explain(*options); }; });
}

}  // namespace cli
