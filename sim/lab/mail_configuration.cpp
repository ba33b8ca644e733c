#include "sim/lab/mail_configuration.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "mta/config/main_cf.hpp"
#include "mta/text/strings.hpp"
#include "sim/lab/machine.hpp"
#include "sim/topology/loader.hpp"

namespace sim::lab {
namespace {

using mta::config::definition;

std::vector<definition> starting_values(const topology::host& host) {
    const auto dot = host.name.find('.');
    std::vector<definition> values;
    // A real main.cf stands on Postfix's own defaults.
    if (!host.config) {
        values = {
            {"compatibility_level", "3.6", {}},
            {"myhostname", host.name, {}},
            {"mydomain", dot == std::string::npos ? host.name : host.name.substr(dot + 1), {}},
            {"inet_interfaces", "all", {}},
            {"alias_maps", "", {}},
            {"alias_database", "", {}},
            {"biff", "no", {}},
            {"smtputf8_enable", "yes", {}},
        };
    }
    values.push_back({"inet_protocols", "ipv4", {}});
    values.push_back({"mail_spool_directory", std::string(mailbox_directory), {}});
    if (host.tls) {
        values.push_back({"smtpd_tls_chain_files", fmt::format("{}/{}.pem", tls_directory, host.name), {}});
        values.push_back({"smtpd_tls_security_level", "may", {}});
        values.push_back({"smtp_tls_security_level", "may", {}});
        values.push_back({"smtp_tls_CAfile", fmt::format("{}/ca.crt", tls_directory), {}});
        values.push_back({"smtpd_tls_CAfile", fmt::format("{}/ca.crt", tls_directory), {}});
    }
    if (!host.users_sasl.empty()) {
        values.push_back({"smtpd_sasl_auth_enable", "yes", {}});
        values.push_back({"smtpd_sasl_type", "cyrus", {}});
        values.push_back({"smtpd_sasl_path", "smtpd", {}});
        values.push_back({"smtpd_sasl_mechanism_filter", "plain, login, cram-md5, scram-sha-256", {}});
        values.push_back({"smtpd_sasl_local_domain", "$myhostname", {}});
    }
    return values;
}

std::string master_cf_text(const topology::host& host) {
    std::string text = host.master_cf.text;
    if (!text.empty() && text.back() != '\n') text += '\n';
    for (const topology::filter& each : host.filters) {
        text += fmt::format(
            "{0} unix - n n - 10 pipe\n  flags=Rq user=nobody null_sender= argv={1}/filter-{0} ${{sender}} "
            "${{recipient}}\n",
            each.name, files_directory);
    }
    return with_lab_paths(text);
}

// Debian's Postfix takes a myorigin that begins with a slash for a file whose first line is meant.
void read_origin(const std::string& folder, std::vector<definition>& values) {
    for (definition& each : values) {
        if (each.name != "myorigin" || !each.value.starts_with('/')) continue;
        const auto text = config_folder(folder).read(each.value);
        if (text) each.value = std::string(mta::text::trimmed(text->substr(0, text->find('\n'))));
    }
}

}  // namespace

configuration_as_read read_configuration(const topology::host& host, const std::vector<std::string>& interfaces) {
    mta::config::machine machine;
    machine.host_name = host.name;
    machine.addresses = interfaces;
    configuration_as_read result;
    result.main.definitions = starting_values(host);
    std::vector<definition>& values = result.main.definitions;
    const std::string master_text = master_cf_text(host);
    if (host.config) {
        const auto main = topology::read_file(*host.config + "/main.cf", topology::largest_file);
        auto read = mta::config::read_main_cf(main.bytes, *host.config + "/main.cf");
        for (definition& each : read.definitions) values.push_back(std::move(each));
        result.main.found = std::move(read.found);
        const auto master = topology::read_file(*host.config + "/master.cf", topology::largest_file);
        if (master.error.empty()) {
            result.added_after =
                1 + static_cast<std::size_t>(std::count(master.bytes.begin(), master.bytes.end(), '\n'));
            result.services =
                mta::config::read_master_cf(master.bytes + "\n" + master_text, *host.config + "/master.cf");
        }
    }
    if (result.services.services.empty()) {
        result.added_after = 0;
        result.services = mta::config::stock_master_cf_with(master_text, "master.cf");
    }
    if (host.config) read_origin(*host.config, values);
    for (const topology::parameter& each : host.postfix) {
        values.push_back({each.name, with_lab_paths(each.value),
                          mta::config::place(each.at.file, static_cast<std::uint32_t>(each.at.line),
                                             static_cast<std::uint32_t>(each.at.column))});
    }
    result.values = mta::config::parameters::layer(mta::config::parameters::defaults(std::move(machine)), values);
    return result;
}

mta::master::configuration mail_configuration(const topology::host& host, const std::vector<std::string>& interfaces,
                                              known_services& known) {
    configuration_as_read read = read_configuration(host, interfaces);
    mta::master::configuration result;
    result.main = std::move(read.values);
    if (!host.config) result.services = known[master_cf_text(host)];
    if (!result.services) {
        result.services = std::make_shared<const mta::config::master_cf>(std::move(read.services));
        if (!host.config) known[master_cf_text(host)] = result.services;
    }
    result.directory = std::string(files_directory);
    return result;
}

bool logs_utf8(const mta::config::parameters& main) {
    try {
        return main.flag("smtputf8_enable");
    } catch (const mta::config::fatal&) {
        return false;
    }
}

}  // namespace sim::lab
