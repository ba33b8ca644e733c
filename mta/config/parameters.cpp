#include "mta/config/parameters.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <stdexcept>

#include "mta/config/default_networks.hpp"
#include "mta/config/expand.hpp"
#include "mta/config/master_cf.hpp"
#include "mta/text/strings.hpp"

namespace mta::config {

// What one layer sets. Names of the table are kept as their place in it; positions as a place in `files_`.
struct parameters::row {
    std::uint32_t value_at;
    std::uint32_t value_size;
    std::uint32_t name_at;  // of a name of the user's own
    std::uint32_t name_size;
    std::uint32_t line;
    std::uint16_t column;
    std::uint16_t file;
    std::uint16_t index;
};

namespace {

constexpr std::uint16_t no_index = 0xFFFF;
constexpr std::uint16_t no_file = 0xFFFF;

enum computed : unsigned { host_name = 1, domain = 2, networks = 4 };

unsigned computed_bit(std::string_view name) {
    if (name == "myhostname") return host_name;
    if (name == "mydomain") return domain;
    if (name == "mynetworks") return networks;
    return 0;
}

// strtol(3) with base 10, of the whole text.
std::optional<std::int64_t> signed_number(std::string_view text, std::int64_t low, std::int64_t high) {
    while (!text.empty() && text::is_space(text.front())) text.remove_prefix(1);
    if (text.starts_with('+') && text.size() > 1 && text::is_digit(text[1])) text.remove_prefix(1);
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || value < low || value > high) return std::nullopt;
    return value;
}

constexpr std::int64_t int_max = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t int_min = std::numeric_limits<std::int32_t>::min();
constexpr std::int64_t long_max = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t long_min = std::numeric_limits<std::int64_t>::min();

// Seconds. What follows the letter of the unit is not looked at: "5w2" is five weeks for Postfix too.
std::optional<std::int64_t> seconds(std::string_view text, char default_unit) {
    if (text.empty()) return std::nullopt;
    auto digits = text;
    while (!digits.empty() && text::is_space(digits.front())) digits.remove_prefix(1);
    const auto end = std::min(digits.find_first_not_of("0123456789", digits.starts_with('+') ? 1 : 0), digits.size());
    // Without a digit strtol(3) reads nothing, not even the blanks before: "soon" is no seconds.
    const bool nothing = digits.substr(0, end).find_first_of("0123456789") == digits.npos;
    const auto value = nothing ? std::optional<std::int64_t>(0) : signed_number(digits.substr(0, end), 0, int_max);
    const std::string_view rest = nothing ? text : digits.substr(end);
    std::int64_t factor = 0;
    switch (!rest.empty() ? rest.front() : default_unit) {
        case 's':
            factor = 1;
            break;
        case 'm':
            factor = 60;
            break;
        case 'h':
            factor = 3600;
            break;
        case 'd':
            factor = 86400;
            break;
        case 'w':
            factor = 7 * 86400;
            break;
        default:
            return std::nullopt;
    }
    if (!value || *value > int_max / factor) return std::nullopt;
    return *value * factor;
}

std::string quoted_setting(std::string_view name, std::string_view value) {
    return std::string(name) + " = " + std::string(value);
}

}  // namespace

struct parameters::found {
    const parameters* layer = nullptr;  // null: nobody sets it
    const row* setting = nullptr;
};

parameters::parameters() = default;
parameters::~parameters() = default;

std::shared_ptr<parameters> parameters::make(pointer below, std::span<const definition> definitions) {
    // Not make_shared: the constructor is private.
    std::shared_ptr<parameters> made(new parameters);
    if (below) made->machine_ = below->machine_;
    made->below_ = std::move(below);

    std::vector<const definition*> last;  // sorted by name; of equal names the last one
    for (const auto& d : definitions) last.push_back(&d);
    // All point into one span, so that addresses give the order in which they were written.
    std::sort(last.begin(), last.end(),
              [](const auto* a, const auto* b) { return a->name != b->name ? a->name < b->name : a < b; });
    std::size_t kept = 0;
    for (std::size_t i = 0; i < last.size(); ++i) {
        if (i + 1 == last.size() || last[i]->name != last[i + 1]->name) last[kept++] = last[i];
    }
    last.resize(kept);

    made->rows_.reserve(last.size());
    for (const auto* d : last) {
        row r{};
        r.line = d->where.line;
        r.column = static_cast<std::uint16_t>(std::min<std::uint32_t>(d->where.column, 0xFFFF));
        r.file = no_file;
        if (d->where.file) {
            const auto same = [&](const auto& f) { return f == d->where.file || *f == *d->where.file; };
            const auto at = std::find_if(made->files_.begin(), made->files_.end(), same);
            r.file = static_cast<std::uint16_t>(std::min<std::ptrdiff_t>(at - made->files_.begin(), no_file));
            if (at == made->files_.end() && r.file != no_file) made->files_.push_back(d->where.file);
        }
        const auto* const known = find_parameter(d->name);
        r.index = known ? static_cast<std::uint16_t>(known - parameter_table().data()) : no_index;
        if (!known) {
            r.name_at = static_cast<std::uint32_t>(made->blob_.size());
            r.name_size = static_cast<std::uint32_t>(d->name.size());
            made->blob_ += d->name;
        }
        r.value_at = static_cast<std::uint32_t>(made->blob_.size());
        r.value_size = static_cast<std::uint32_t>(d->value.size());
        made->blob_ += d->value;
        made->rows_.push_back(r);
    }
    made->blob_.shrink_to_fit();
    return made;
}

parameters::pointer parameters::defaults(machine m) {
    const auto made = make(nullptr, {});
    made->machine_ = std::make_shared<const machine>(std::move(m));
    return made;
}

parameters::pointer parameters::layer(pointer below, std::span<const definition> definitions) {
    if (!below) throw std::logic_error("a layer of parameters needs one below it: start with parameters::defaults");
    return make(std::move(below), definitions);
}

parameters::pointer parameters::with_overrides(pointer below, std::span<const definition> definitions) {
    for (const auto& d : definitions) {
        if (d.name.empty())
            throw fatal(d.where, "invalid \"-o =" + d.value + "\" option value: missing attribute name");
    }
    return layer(std::move(below), definitions);
}

parameters::pointer parameters::for_service(pointer below, const service& s) {
    const auto slash = s.command.rfind('/');
    std::vector<definition> all = {
        {"process_name", slash == std::string::npos ? s.command : s.command.substr(slash + 1), s.where},
        {"service_name", s.name, s.where}};
    all.insert(all.end(), s.overrides.begin(), s.overrides.end());
    return with_overrides(std::move(below), all);
}

std::string_view parameters::name_of(const row& r) const {
    if (r.index != no_index) return parameter_table()[r.index].name;
    return std::string_view(blob_).substr(r.name_at, r.name_size);
}

std::string_view parameters::value_of(const row& r) const {
    return std::string_view(blob_).substr(r.value_at, r.value_size);
}

const parameters::row* parameters::find_here(std::string_view name) const {
    const auto at = std::lower_bound(rows_.begin(), rows_.end(), name,
                                     [this](const row& r, std::string_view n) { return name_of(r) < n; });
    return at != rows_.end() && name_of(*at) == name ? &*at : nullptr;
}

parameters::found parameters::find(std::string_view name) const {
    for (const parameters* layer = this; layer != nullptr; layer = layer->below_.get()) {
        if (const auto* const r = layer->find_here(name)) return {layer, r};
    }
    return {};
}

std::optional<std::string> parameters::value(std::string_view name, unsigned busy) const {
    const auto bit = computed_bit(name);
    const auto set = find(name);
    if (set.setting) return std::string(set.layer->value_of(*set.setting));
    if (bit != 0 && (busy & bit) != 0) return std::nullopt;
    if (bit == host_name) {
        // A machine whose name has no dot gets Postfix's "localdomain".
        const auto& name_of_machine = machine_->host_name;
        return name_of_machine.find('.') == std::string::npos ? name_of_machine + ".localdomain" : name_of_machine;
    }
    if (bit == domain) {
        const auto host = expand("$myhostname", where("myhostname"), busy | bit);
        const auto dot = host.find('.');
        return dot == std::string::npos ? "localdomain" : host.substr(dot + 1);
    }
    if (bit == networks) return default_networks(busy | bit);
    if (const auto* const known = find_parameter(name)) return std::string(known->default_text);
    if (const auto* const derived = find_transport_parameter(name)) return "$" + std::string(derived->base);
    return std::nullopt;
}

std::string parameters::default_networks(unsigned busy) const {
    const auto style = expand("$mynetworks_style", where("mynetworks_style"), busy);
    const auto interfaces = expand("$inet_interfaces", where("inet_interfaces"), busy);
    const auto protocols = expand("$inet_protocols", where("inet_protocols"), busy);
    const auto blame = where(find("inet_protocols").setting ? "inet_protocols" : "mynetworks_style");
    return config::default_networks(machine_->addresses, style, interfaces, protocols, blame);
}

std::string parameters::expand(std::string_view text, const position& blame, unsigned busy) const {
    return config::expand(text, [this, busy](std::string_view name) { return value(name, busy); }, blame);
}

std::string parameters::expand(std::string_view text, const position& blame) const {
    return expand(text, blame, 0);
}
std::string parameters::expand(std::string_view text) const {
    return expand(text, position{}, 0);
}

// The expanded value with its type and row; of a derived transport parameter those of its base.
std::string parameters::checked_text(std::string_view name, type& kind, const parameter*& row, position& blame) const {
    row = find_parameter(name);
    if (!row) {
        if (const auto* const derived = find_transport_parameter(name)) row = find_parameter(derived->base);
    }
    const bool set = is_set(name);
    if (!row && !set) throw std::logic_error("no such parameter: " + std::string(name));
    kind = row ? row->kind : type::string;
    blame = where(name);
    const auto raw = value(name, 0).value_or("");
    return kind == type::raw ? raw : expand(raw, blame, computed_bit(name) != 0 && !set ? computed_bit(name) : 0);
}

std::string parameters::text(std::string_view name) const {
    type kind{};
    const parameter* row = nullptr;
    position blame;
    auto value = checked_text(name, kind, row, blame);
    if (!row || (kind != type::string && kind != type::raw)) return value;
    const auto size = static_cast<std::int64_t>(value.size());
    const bool too_long = row->maximum > 0 && size > row->maximum;
    if (size < row->minimum || too_long) {
        throw fatal(
            blame, "bad string length " + std::to_string(size) +
                       (too_long ? " > " + std::to_string(row->maximum) : " < " + std::to_string(row->minimum)) + ": " +
                       quoted_setting(name, value));
    }
    return value;
}

std::int64_t parameters::number(std::string_view name) const {
    type kind{};
    const parameter* row = nullptr;
    position blame;
    const auto text = checked_text(name, kind, row, blame);
    const bool is_long = kind == type::long_integer;
    if (!row || (kind != type::integer && kind != type::nint && !is_long)) {
        throw std::logic_error(std::string(name) + " is not a number");
    }
    const auto value = signed_number(text, is_long ? long_min : int_min, is_long ? long_max : int_max);
    if (!value) throw fatal(blame, "bad numerical configuration: " + quoted_setting(name, text));
    const auto out_of_range = "invalid " + std::string(name) + " parameter value " + std::to_string(*value);
    // A minimum of zero is none.
    if (row->minimum != 0 && *value < row->minimum)
        throw fatal(blame, out_of_range + " < " + std::to_string(row->minimum));
    if (row->maximum > 0 && *value > row->maximum)
        throw fatal(blame, out_of_range + " > " + std::to_string(row->maximum));
    return *value;
}

bool parameters::flag(std::string_view name) const {
    type kind{};
    const parameter* row = nullptr;
    position blame;
    const auto text = checked_text(name, kind, row, blame);
    if (!row || (kind != type::boolean && kind != type::nbool))
        throw std::logic_error(std::string(name) + " is not a flag");
    if (text::equal_ignoring_case(text, "yes")) return true;
    if (text::equal_ignoring_case(text, "no")) return false;
    throw fatal(blame, "bad boolean configuration: " + quoted_setting(name, text));
}

std::chrono::nanoseconds parameters::duration(std::string_view name) const {
    type kind{};
    const parameter* row = nullptr;
    position blame;
    const auto text = checked_text(name, kind, row, blame);
    if (!row || kind != type::time) throw std::logic_error(std::string(name) + " is not a time");
    const auto value = seconds(text, row->unit);
    if (!value) throw fatal(blame, "parameter " + std::string(name) + ": bad time value or unit: " + text);
    const auto out_of_range = "invalid " + std::string(name) + ": " + std::to_string(*value);
    if (*value < row->minimum) throw fatal(blame, out_of_range + " (min " + std::to_string(row->minimum) + ")");
    if (row->maximum > 0 && *value > row->maximum) {
        throw fatal(blame, out_of_range + " (max " + std::to_string(row->maximum) + ")");
    }
    return std::chrono::seconds(*value);
}

std::vector<std::string> parameters::words(std::string_view name) const {
    const auto value = text(name);
    const auto fields = text::split_quoting_braces(value, text::comma_or_space);
    return {fields.begin(), fields.end()};
}

std::int64_t parameters::transport_number(std::string_view transport, std::string_view suffix) const {
    return number(std::string(transport).append(suffix));
}

std::chrono::nanoseconds parameters::transport_duration(std::string_view transport, std::string_view suffix) const {
    return duration(std::string(transport).append(suffix));
}

std::string parameters::transport_text(std::string_view transport, std::string_view suffix) const {
    return text(std::string(transport).append(suffix));
}

bool parameters::is_set(std::string_view name) const {
    return find(name).setting != nullptr;
}

bool parameters::defines(std::string_view name) const {
    return is_set(name) || find_parameter(name) != nullptr;
}

std::string parameters::unexpanded(std::string_view name) const {
    return value(name, 0).value_or("");
}

position parameters::where(std::string_view name) const {
    const auto set = find(name);
    if (!set.setting) return {};
    const auto& r = *set.setting;
    return {r.file == no_file ? nullptr : set.layer->files_[r.file], r.line, r.column};
}

std::vector<std::string> parameters::set_names() const {
    std::vector<std::string> names;
    for (const parameters* layer = this; layer != nullptr; layer = layer->below_.get()) {
        for (const auto& r : layer->rows_) names.emplace_back(layer->name_of(r));
    }
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return names;
}

const machine& parameters::host() const {
    return *machine_;
}

std::size_t parameters::bytes() const {
    return sizeof(*this) + rows_.capacity() * sizeof(row) + blob_.capacity() + files_.capacity() * sizeof(files_[0]);
}

}  // namespace mta::config
