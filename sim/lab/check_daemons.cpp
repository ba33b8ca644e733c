#include "sim/lab/check_daemons.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "mta/config/word_places.hpp"
#include "mta/master/programs.hpp"
#include "mta/postscreen/server.hpp"
#include "mta/smtpd/access_evaluation.hpp"
#include "mta/smtpd/server.hpp"
#include "mta/text/strings.hpp"
#include "sim/lab/trial.hpp"
#include "sim/topology/loader.hpp"

namespace sim::lab {
namespace {

namespace config = mta::config;
namespace smtpd = mta::smtpd;

config::source_reader files() {
    return [](std::string_view file) -> std::optional<std::string> {
        topology::file_content content = topology::read_file(std::string(file), topology::largest_file);
        if (!content.error.empty()) return std::nullopt;
        return std::move(content.bytes);
    };
}

// The words of one list that smtpd would not know.
void check_list(const config::parameters& values, std::string_view name, const std::vector<std::string>& classes,
                config::problems& out) {
    const auto words = config::placed_words(values, name, files());
    for (std::size_t i = 0; i < words.size(); ++i) {
        const std::string& word = words[i].text;
        if (word.find(':') != std::string::npos || mta::text::equal_ignoring_case(word, "warn_if_reject")) continue;
        if (const auto* known = smtpd::find_restriction(word)) {
            if (known->argument != smtpd::argument_kind::none) ++i;
            continue;
        }
        if (mta::text::equal_ignoring_case(word, "reject_sender_login_mismatch")) continue;
        if (std::find(classes.begin(), classes.end(), word) != classes.end()) continue;
        out.push_back(
            {words[i].where, config::severity::warning, fmt::format("unknown smtpd restriction: \"{}\"", word)});
    }
}

config::severity severity_of(std::string_view line) {
    return line.find(": fatal: ") != std::string_view::npos ? config::severity::fatal : config::severity::warning;
}

// Whether a text is about a file that the folder cannot have.
bool is_outside(std::string_view text, const config_folder& folder) {
    const auto slash = text.find_first_of('/');
    if (slash == std::string_view::npos || (slash > 0 && text[slash - 1] != ' ' && text[slash - 1] != '"'))
        return false;
    std::string_view path = text.substr(slash);
    path = path.substr(0, path.find_first_of(" \":;,"));
    if (path.ends_with(".db")) path.remove_suffix(3);
    return !folder.place_of(path);
}

// Without the program and the level.
std::string text_of(std::string_view line) {
    for (const std::string_view level : {": warning: ", ": error: ", ": fatal: "}) {
        if (const auto at = line.find(level); at != std::string_view::npos)
            return std::string(line.substr(at + level.size()));
    }
    return std::string(line);
}

}  // namespace

config::problems check_services(const config::master_cf& services) {
    config::problems out;
    const auto warn = [&](const config::position& at, std::string text) {
        out.push_back({at, config::severity::warning, std::move(text)});
    };
    for (const config::service& each : services.services) {
        if (mta::master::program_of(each.command) == mta::master::program::unknown) {
            warn(each.where,
                 fmt::format("the service {} is not simulated: the lab has no {}", each.name, each.command));
            continue;
        }
        for (std::size_t i = 0; i < each.arguments.size() && each.command != "pipe"; ++i) {
            if (each.arguments[i].starts_with('-') && each.arguments[i].find_first_not_of("-vD") != std::string::npos)
                warn(each.where,
                     fmt::format("the option {} of the service {} is not simulated", each.arguments[i], each.name));
        }
    }
    return out;
}

config::problems check_restrictions(const config::parameters& values) {
    config::problems out;
    try {
        const auto classes = values.words("smtpd_restriction_classes");
        for (const std::string_view each : restriction_lists) {
            if (values.is_set(each)) check_list(values, each, classes, out);
        }
        for (const std::string& each : classes) {
            if (values.is_set(each)) check_list(values, each, classes, out);
        }
    } catch (const config::fatal&) {
        // Listed with the value itself.
    }
    return out;
}

config::problems check_level(const config::parameters& values) {
    try {
        if (values.expand("${{$compatibility_level} <level {3.6} ? {yes} : {}}").empty()) return {};
    } catch (const config::fatal&) {
        return {};  // listed with the value itself
    }
    return {{values.where("compatibility_level"), config::severity::warning,
             "Postfix is using backwards-compatible default settings; to disable that, set compatibility_level = 3.6"}};
}

config::problems check_starts(const topology::topology& whole, const topology::host& host) {
    config::problems out;
    std::optional<config_folder> folder;
    if (host.config) folder.emplace(*host.config);
    const auto collect = [&](trial& by, const config::position& at) {
        for (const std::string& each : by.take_complaints()) {
            std::string text = text_of(each);
            if (folder && is_outside(text, *folder)) text += " (outside of the folder, and not read)";
            out.push_back({at, severity_of(each), std::move(text)});
        }
    };
    try {
        trial started(whole, host.name);
        collect(started, {});
        if (!started.mail().running()) return out;
        for (mta::master::daemon& each : started.mail().daemons()) {
            const mta::master::program what = mta::master::program_of(each.service.command);
            if (what != mta::master::program::smtpd && what != mta::master::program::postscreen) continue;
            try {
                if (what == mta::master::program::postscreen) {
                    const mta::postscreen::server doorkeeper(started.mail(), each);
                    collect(started, each.service.where);
                    continue;
                }
                smtpd::server server(started.mail(), each);
                const mta::maillog::process by{each.processes.tag(), 1};
                server.restrictions().introduce(server.options().greetings, by);
                server.introduce(by);
                collect(started, each.service.where);
                if (const std::string& why = server.restrictions().fatal(); !why.empty())
                    out.push_back({each.service.where, config::severity::fatal, why});
            } catch (const config::fatal& error) {
                out.push_back(
                    {error.where().file ? error.where() : each.service.where, config::severity::fatal, error.what()});
            }
        }
    } catch (const config::fatal& error) {
        out.push_back({error.where(), config::severity::fatal, error.what()});
    }
    return out;
}

}  // namespace sim::lab
