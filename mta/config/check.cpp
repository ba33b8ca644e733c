#include "mta/config/check.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "mta/text/strings.hpp"

namespace mta::config {
namespace {

// A misspelling is looked for only in so many names, and only in those that could be one.
constexpr int suggestion_limit = 10;
constexpr std::size_t longest_suggested = 80;

using name_set = std::set<std::string, std::less<>>;

// Names of older versions that defaults of newer parameters still refer to: postconf takes them as used.
constexpr std::array<std::string_view, 13> legacy_names = {"authorized_verp_clients",
                                                           "fallback_relay",
                                                           "lmtp_per_record_deadline",
                                                           "postscreen_blacklist_action",
                                                           "postscreen_dnsbl_ttl",
                                                           "postscreen_dnsbl_whitelist_threshold",
                                                           "postscreen_whitelist_interfaces",
                                                           "smtp_per_record_deadline",
                                                           "smtpd_client_connection_limit_exceptions",
                                                           "smtpd_per_record_deadline",
                                                           "tlsproxy_client_level",
                                                           "tlsproxy_client_policy",
                                                           "virtual_maps"};

// Tables whose old form takes its settings from main.cf: `ldap:name` reads name_server_host and so on.
constexpr std::array<std::string_view, 5> tables_with_parameters = {
    "ldap:", "mysql:", "pgsql:", "sqlite:", "memcache:"};

// The names that a text refers to: $name, ${name...}, $(name...), also inside one another.
void collect_names(std::string_view text, name_set& names) {
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] != '$') continue;
        if (at + 1 < text.size() && text[at + 1] == '$') {
            ++at;
            continue;
        }
        auto begin = at + 1;
        if (begin < text.size() && (text[begin] == '{' || text[begin] == '(')) ++begin;
        while (begin < text.size() && text::is_space(text[begin])) ++begin;
        auto end = begin;
        while (end < text.size() && (text::is_alnum(text[end]) || text[end] == '_')) ++end;
        if (end > begin) names.emplace(text.substr(begin, end - begin));
    }
}

bool is_built_in(std::string_view name) {
    return find_parameter(name) != nullptr ||
           std::find(legacy_names.begin(), legacy_names.end(), name) != legacy_names.end();
}

// What all values of a configuration refer to.
class uses {
  public:
    void add(std::string_view value) {
        collect_names(value, names_);
        for (const auto word : text::split(value, text::comma_or_space)) {
            for (const auto type : tables_with_parameters) {
                const auto at = word.find(type);
                if (at == std::string_view::npos || (at > 0 && word[at - 1] != ':')) continue;
                const auto source = word.substr(at + type.size());
                if (!source.empty() && source.front() != '/' && source.front() != '.')
                    prefixes_.emplace(std::string(source) + "_");
            }
        }
    }
    void add_classes(const std::vector<std::string>& classes) { names_.insert(classes.begin(), classes.end()); }
    bool has(std::string_view name) const {
        if (names_.find(name) != names_.end()) return true;
        for (std::size_t at = name.find('_'); at != std::string_view::npos; at = name.find('_', at + 1)) {
            if (prefixes_.find(name.substr(0, at + 1)) != prefixes_.end()) return true;
        }
        return false;
    }

  private:
    name_set names_;
    name_set prefixes_;
};

class checker {
  public:
    checker(const master_cf& master, const parameters& values, lab_notes notes, problems& out)
        : master_(master), values_(values), notes_(notes), out_(out) {
        for (auto& name : values.set_names()) used_.add(values.unexpanded(name));
        for (const auto& s : master.services) {
            for (const auto& o : s.overrides) used_.add(o.value);
        }
        try {
            used_.add_classes(values.words("smtpd_restriction_classes"));
        } catch (const fatal&) {
            // Listed with the value itself.
        }
    }

    void main_values() {
        for (const auto& name : values_.set_names()) one(values_, name, values_.where(name));
    }

    void service_values(const parameters::pointer& below) {
        for (const auto& s : master_.services) {
            if (s.overrides.empty()) continue;
            parameters::pointer view;
            if (!attempt([&] { view = parameters::for_service(below, s); })) continue;
            name_set seen;
            for (const auto& o : s.overrides) {
                if (seen.insert(o.name).second) one(*view, o.name, view->where(o.name));
            }
        }
    }

  private:
    void warn(const position& at, const std::string& text) { out_.push_back({at, severity::warning, text}); }

    template <typename work>
    bool attempt(const work& what) {
        try {
            what();
            return true;
        } catch (const fatal& e) {
            if (!e.warning().empty()) warn(e.where(), e.warning());
            out_.push_back({e.where(), severity::fatal, e.what()});
            return false;
        }
    }

    void one(const parameters& view, const std::string& name, const position& at) {
        const auto raw = view.unexpanded(name);
        const auto prefix = std::string(at.file_name()) + ": ";
        const auto* const row = find_parameter(name);
        const auto* const derived = find_transport_parameter(name);
        const bool known = is_built_in(name) || (derived && has_transport(name, *derived));
        if (!known && !used_.has(name)) {
            warn(at, prefix + "unused parameter: " + name + "=" + raw);
            if (notes_ == lab_notes::include) suggest(name, at);
            return;
        }
        if (!row || row->kind != type::raw) {
            name_set names;
            collect_names(raw, names);
            for (const auto& n : names) {
                if (!view.is_set(n) && !is_built_in(n) && !find_transport_parameter(n)) {
                    warn(at, prefix + "undefined parameter: " + n);
                }
            }
        }
        attempt([&] { convert(view, name, row ? row : derived ? find_parameter(derived->base) : nullptr); });
        if (notes_ == lab_notes::include) note_unsimulated(view, name, row, derived, at);
    }

    // What is set to its default may as well not be there.
    void note_unsimulated(const parameters& view, const std::string& name, const parameter* row,
                          const transport_parameter* derived, const position& at) {
        if (!row && !derived) return;
        if (support_of(row ? name : derived->base) != support::not_simulated) return;
        const std::string standard = row ? std::string(row->default_text) : "$" + std::string(derived->base);
        if (view.unexpanded(name) == standard) return;
        std::string here, there;
        if (attempt_quietly([&] { here = view.expand(view.unexpanded(name)), there = view.expand(standard); }) &&
            here == there)
            return;
        warn(at, name + " is not simulated: the lab does as with its default");
    }

    template <typename work>
    static bool attempt_quietly(const work& what) {
        try {
            what();
            return true;
        } catch (const fatal&) {
            return false;  // listed with the value itself
        }
    }

    static void convert(const parameters& view, const std::string& name, const parameter* row) {
        switch (row ? row->kind : type::string) {
            case type::string:
            case type::raw:
                (void)view.text(name);
                return;
            case type::boolean:
            case type::nbool:
                (void)view.flag(name);
                return;
            case type::integer:
            case type::nint:
            case type::long_integer:
                (void)view.number(name);
                return;
            case type::time:
                (void)view.duration(name);
                return;
        }
    }

    bool has_transport(std::string_view name, const transport_parameter& derived) const {
        const auto* const s = master_.transport(name.substr(0, name.size() - derived.suffix.size()));
        return s && (derived.only_for.empty() || derived.only_for.find(s->command) != std::string_view::npos);
    }

    void suggest(const std::string& name, const position& at) {
        if (name.size() > longest_suggested || ++suggested_ > suggestion_limit) return;
        std::vector<std::string_view> names;
        for (const auto& p : parameter_table()) {
            // Further apart in length than any misspelling that text::nearest takes.
            const auto difference = std::max(p.name.size(), name.size()) - std::min(p.name.size(), name.size());
            if (difference <= std::max<std::size_t>(1, name.size() / 3)) names.push_back(p.name);
        }
        if (const auto near = text::nearest(name, names); !near.empty()) {
            warn(at, name + ": did you mean " + std::string(near) + "?");
        }
    }

    const master_cf& master_;
    const parameters& values_;
    lab_notes notes_;
    problems& out_;
    uses used_;
    int suggested_ = 0;
};

}  // namespace

problems check(const main_cf& main, const master_cf& master, const parameters::pointer& values, lab_notes notes) {
    problems out = main.found;
    out.insert(out.end(), master.found.begin(), master.found.end());
    checker all(master, *values, notes, out);
    all.main_values();
    all.service_values(values);
    return out;
}

}  // namespace mta::config
