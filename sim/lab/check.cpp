#include "sim/lab/check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <functional>
#include <set>

#include "mta/config/check.hpp"
#include "mta/table/open.hpp"
#include "mta/text/strings.hpp"
#include "sim/dns/zone.hpp"
#include "sim/lab/check_daemons.hpp"
#include "sim/lab/machine.hpp"
#include "sim/lab/mail_configuration.hpp"
#include "sim/lab/policies.hpp"
#include "sim/lab/trial.hpp"
#include "sim/lab/zone_plan.hpp"
#include "sim/scenario/pattern.hpp"

namespace sim::lab {
namespace {

namespace config = mta::config;
namespace table = mta::table;
using topology::position;
using topology::problem;

using reporter = std::function<void(const config::position& at, topology::severity level, std::string text)>;

// What is wrong within a zone as the lab completes it; a zone with an error runs and answers SERVFAIL, which is a thing
// to study, so that all of it is warnings.
std::vector<topology::text_problem> check_zone(const topology::topology& whole, std::string_view name,
                                               std::string_view text) {
    dns::zone_plan plan = zone_plan_of(whole);
    bool declared = false;
    for (dns::declared_zone& each : plan.zones) {
        if (each.name != name) continue;
        each.text = text;
        declared = true;
    }
    if (!declared) plan.zones.push_back({std::string(name), std::string(text), dns::security::insecure});
    std::vector<topology::text_problem> problems;
    for (const dns::zone_source& each : dns::complete(plan)) {
        if (each.name != name) continue;
        for (const dns::diagnostic& d : dns::zone::load(each).complaints) {
            topology::text_problem found;
            found.line = static_cast<int>(d.line);
            found.column = static_cast<int>(d.column);
            found.level = topology::severity::warning;
            found.text = d.advice.empty() ? d.message : d.message + "; " + d.advice;
            problems.push_back(std::move(found));
        }
        break;
    }
    return problems;
}

// The problems that mta/config finds: the file's name, which stands before each line anyway, is left out of the text,
// and the word that was meant joins the line that it is about.
void report_all(const config::problems& found, const reporter& tell) {
    for (std::size_t i = 0; i < found.size(); ++i) {
        const config::problem& each = found[i];
        std::string text = each.text;
        const std::string prefix = std::string(each.where.file_name()) + ": ";
        if (text.starts_with(prefix)) text.erase(0, prefix.size());
        constexpr std::string_view suggestion = ": did you mean ";
        if (i + 1 < found.size() && text.starts_with("unused parameter: ")) {
            const std::string& next = found[i + 1].text;
            const auto at = next.find(suggestion);
            if (at != std::string::npos && text.starts_with("unused parameter: " + next.substr(0, at) + "=")) {
                text += "; " + next.substr(at + 2);
                ++i;
            }
        }
        tell(each.where,
             each.level == config::severity::fatal ? topology::severity::error : topology::severity::warning,
             std::move(text));
    }
}

// Parameters whose value begins with the name of a transport: "smtp:[relay.example]", "local".
constexpr std::array<std::string_view, 9> transport_parameters = {"local_transport",
                                                                  "virtual_transport",
                                                                  "relay_transport",
                                                                  "default_transport",
                                                                  "mailbox_transport",
                                                                  "fallback_transport",
                                                                  "content_filter",
                                                                  "address_verify_relay_transport",
                                                                  "address_verify_default_transport"};

// Tables that Postfix writes itself, and makes when they are not there.
bool is_cache(std::string_view name) {
    return name.ends_with("_cache_database") || name.ends_with("_cache_map") || name == "address_verify_map";
}

class host_check {
  public:
    host_check(const config::main_cf& main, const config::master_cf& services,
               const config::parameters::pointer& values, table::file_reader read, reporter tell)
        : main_(main), services_(services), values_(values), tell_(std::move(tell)) {
        environment_.read = std::move(read);
    }
    // Files that are not looked for, being outside of the folder: a fact about the folder, not a mistake in it.
    void leave_out(std::function<bool(std::string_view path)> outside) { outside_ = std::move(outside); }

    void run() {
        report_all(config::check(main_, services_, values_), tell_);
        report_all(check_services(services_), tell_);
        for (const std::string& name : values_->set_names()) one_value(*values_, name);
        for (const config::service& each : services_.services) {
            if (each.overrides.empty()) continue;
            try {
                const auto view = config::parameters::for_service(values_, each);
                for (const config::definition& o : each.overrides) one_value(*view, o.name);
            } catch (const config::fatal&) {
                // Listed by config::check.
            }
        }
    }

  private:
    void one_value(const config::parameters& view, const std::string& name) {
        const config::position at = view.where(name);
        if (!at.file) return;  // a default, or what the lab starts with
        std::string value;
        try {
            value = view.text(name);
        } catch (const config::fatal&) {
            return;  // listed by config::check
        }
        if (std::find(transport_parameters.begin(), transport_parameters.end(), name) != transport_parameters.end()) {
            transport(name, value, at);
        } else if (config::find_parameter(name) && config::find_parameter(name)->kind != config::type::raw &&
                   !is_cache(name)) {
            tables(name, value, at);
        }
    }

    void transport(const std::string& name, const std::string& value, const config::position& at) {
        const std::string wanted = value.substr(0, value.find(':'));
        if (wanted.empty() || wanted.find('$') != std::string::npos || services_.transport(wanted)) return;
        std::vector<std::string_view> known;
        for (const config::service& each : services_.services) {
            if (each.type == config::transport_type::unix_domain) known.push_back(each.name);
        }
        const auto near = mta::text::nearest(wanted, known);
        tell_(at, topology::severity::warning,
              fmt::format("{} names the transport {}, which master.cf does not have; mail for it would be deferred{}",
                          name, wanted, near.empty() ? std::string() : fmt::format("; did you mean {}?", near)));
    }

    // Opens whatever looks like a table. `unix:` and `inet:` also name sockets, so that a word counts as a table only
    // with a type that nothing else has.
    void tables(const std::string& name, const std::string& value, const config::position& at) {
        constexpr std::array<std::string_view, 2> sockets = {"tcp", "unix"};
        const auto& types = table::known_types();
        table::open_options how;
        if (name == "alias_maps" || name == "alias_database") how.syntax = table::source_syntax::aliases;
        for (const auto word : mta::text::split_quoting_braces(value, mta::text::comma_or_space)) {
            const std::string_view type = word.substr(0, word.find(':'));
            if (type.size() == word.size() || std::find(sockets.begin(), sockets.end(), type) != sockets.end())
                continue;
            if (type != "proxy" && !std::binary_search(types.begin(), types.end(), type)) continue;
            if (!seen_.insert(std::string(word)).second) continue;
            if (const auto asked = word.substr(type == "proxy" ? word.find(':') + 1 : 0); server_table(name, asked, at))
                continue;
            const std::string_view path = word.substr(word.rfind(':') + 1);
            if (outside_ && path.starts_with('/') && outside_(path)) {
                tell_(at, topology::severity::warning,
                      fmt::format("{}: {} is outside of the folder, and was not read", name, path));
                continue;
            }
            for (const table::diagnostic& d : table::open(word, environment_, how).diagnostics) {
                const bool in_file = d.where.line > 0 && !d.where.file.empty();
                tell_(in_file ? config::place(d.where.file, static_cast<std::uint32_t>(d.where.line)) : at,
                      d.level == table::severity::fatal ? topology::severity::error : topology::severity::warning,
                      in_file ? d.text : fmt::format("{}: {}", name, d.text));
            }
        }
    }

    // A table that asks a server: what stands in for it, if anything does. False: it has none, or is read below.
    bool server_table(const std::string& name, std::string_view word, const config::position& at) {
        if (!table::asks_a_server(word.substr(0, word.find(':')))) return false;
        const bool stands_in = environment_.read && environment_.read(word).has_value();
        tell_(at, stands_in ? topology::severity::note : topology::severity::warning,
              stands_in ? fmt::format("{}: the host's stand_ins answer for {}", name, word)
                        : fmt::format("{}: {} asks a server, which this lab does not run; its entries go under "
                                      "stand_ins: of a host in a topology, and without them every lookup fails",
                                      name, word));
        return !stands_in;
    }

    const config::main_cf& main_;
    const config::master_cf& services_;
    const config::parameters::pointer& values_;
    reporter tell_;
    table::environment environment_;
    std::function<bool(std::string_view)> outside_;
    std::set<std::string> seen_;
};

// Places of a host's configuration as places of the topology file: its tables and its master.cf lines are texts there.
class host_places {
  public:
    host_places(const topology::host& host, std::size_t master_cf_starts_after)
        : host_(host), after_(master_cf_starts_after) {}

    position find(const config::position& at) const {
        const std::string file(at.file_name());
        const int line = static_cast<int>(at.line), column = static_cast<int>(at.column);
        const std::string prefix = std::string(files_directory) + "/";
        if (file.starts_with(prefix)) {
            for (const topology::file& each : host_.files) {
                if (each.name == file.substr(prefix.size())) return each.content.place(line);
            }
        }
        for (const topology::file& each : host_.stand_ins) {
            if (with_lab_paths(each.name) == file) return each.content.place(line);
        }
        const bool added =
            host_.config ? file == *host_.config + "/master.cf" && at.line > after_ : file == "master.cf";
        if (added) return in_master_cf(line - static_cast<int>(after_));
        if (file.empty()) return host_.at;
        return {file, line, column};
    }

  private:
    position in_master_cf(int line) const {
        const std::string& text = host_.master_cf.text;
        const auto lines = std::count(text.begin(), text.end(), '\n') + (text.empty() || text.back() == '\n' ? 0 : 1);
        if (line <= lines) return host_.master_cf.place(line);
        return host_.filters.empty() ? host_.at : host_.filters.front().at;
    }
    const topology::host& host_;
    std::size_t after_;
};

// By place; what stands at one place in the order in which it was found.
std::vector<problem> sorted(std::vector<problem> found) {
    std::vector<std::size_t> order(found.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return found[a].at == found[b].at ? a < b : found[a].at < found[b].at;
    });
    std::vector<problem> result;
    for (const std::size_t each : order) result.push_back(std::move(found[each]));
    return result;
}

void check_host(const topology::topology& whole, const topology::host& host, std::vector<problem>& out) {
    const configuration_as_read read = read_configuration(
        host, {fmt::format("{}/{}", topology::to_string(host.address), whole.network.subnet.prefix), "127.0.0.1/8"});
    const host_places places(host, read.added_after);
    std::optional<config_folder> folder;
    if (host.config) folder.emplace(*host.config);
    const auto given = files_of(host);
    const auto reader = [&](std::string_view path) -> std::optional<std::string> {
        if (const auto found = given.find(path); found != given.end()) return found->second;
        return folder ? folder->read(path) : std::nullopt;
    };
    const reporter tell = [&](const config::position& at, topology::severity level, std::string text) {
        out.push_back({places.find(at), level, std::move(text)});
    };
    host_check(read.main, read.services, read.values, reader, tell).run();
    report_all(check_policies(whole, host, read.values, read.services), tell);
}

}  // namespace

topology::load_hooks check_hooks() {
    topology::load_hooks hooks;
    hooks.check_zone = check_zone;
    const auto check_with = [](scenario::dialect language) {
        return [language](std::string_view text) -> std::optional<std::string> {
            const auto wrong = scenario::check_pattern(text, language);
            return wrong ? std::optional(wrong->text) : std::nullopt;
        };
    };
    hooks.check_pattern = check_with(scenario::dialect::pcre);
    hooks.check_filter_pattern = check_with(scenario::dialect::python);
    return hooks;
}

std::vector<problem> check_hosts(const topology::topology& what) {
    std::vector<problem> found;
    for (const topology::host& each : what.hosts) check_host(what, each, found);
    return sorted(std::move(found));
}

std::vector<problem> check_folder(const std::string& folder, const std::string& host_name) {
    std::vector<problem> found;
    const auto tell = [&](const config::position& at, topology::severity level, std::string text) {
        found.push_back({{std::string(at.file_name()), static_cast<int>(at.line), static_cast<int>(at.column)},
                         level,
                         std::move(text)});
    };
    const auto read = [&](const std::string& name) {
        topology::file_content content = topology::read_file(folder + "/" + name, topology::largest_file);
        if (content.bytes.size() > topology::largest_file) content.error = "it is larger than a megabyte";
        if (!content.error.empty()) {
            found.push_back(
                {{folder + "/" + name, 0, 0}, topology::severity::error, "cannot be read: " + content.error});
        }
        return content.error.empty() ? std::optional(std::move(content.bytes)) : std::nullopt;
    };
    const auto main_text = read("main.cf"), master_text = read("master.cf");
    if (!main_text) return found;
    const auto main = config::read_main_cf(*main_text, folder + "/main.cf");
    const auto services = master_text ? config::read_master_cf(*master_text, folder + "/master.cf")
                                      : config::stock_master_cf_with("", "");
    config::machine machine;
    machine.host_name = host_name;
    machine.addresses = {"127.0.0.1/8"};
    const auto values = config::parameters::layer(config::parameters::defaults(std::move(machine)), main.definitions);
    const config_folder files(folder);
    std::error_code error;
    const bool is_this_machine = std::filesystem::equivalent(folder, files_directory, error);
    const auto reader = [&](std::string_view path) -> std::optional<std::string> {
        if (auto text = files.read(path)) return text;
        if (path == mta::table::environment_file) return std::nullopt;  // this program's own
        if (!is_this_machine || files.place_of(path)) return std::nullopt;
        topology::file_content content = topology::read_file(std::string(path), topology::largest_file);
        return content.error.empty() ? std::optional(std::move(content.bytes)) : std::nullopt;
    };
    // Tables by the name that the user finds them under.
    const auto tell_where = [&](config::position at, topology::severity level, std::string text) {
        const auto place = files.place_of(at.file_name());
        if (place) at = config::place(*place, at.line, at.column);
        tell(at, level, std::move(text));
    };
    host_check all(main, services, values, reader, tell_where);
    if (!is_this_machine) all.leave_out([&](std::string_view path) { return !files.place_of(path); });
    all.run();
    report_all(check_restrictions(*values), tell);
    for (config::problem each : check_level(*values)) {
        if (!each.where.file) each.where = config::place(folder + "/main.cf", 0);
        report_all({each}, tell);
    }
    // What the daemons say at their start and nobody has said yet.
    const topology::topology alone = topology_of_folder(folder, host_name, {0x7F000001}, {});
    for (const config::problem& each : check_starts(alone, alone.hosts.front())) {
        const bool known = std::any_of(found.begin(), found.end(), [&](const problem& other) {
            return other.text.find(each.text) != std::string::npos;
        });
        if (!known) report_all({each}, tell);
    }
    return sorted(std::move(found));
}

}  // namespace sim::lab
