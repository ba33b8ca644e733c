#include "sim/dns/zone_loader.hpp"

#include <fmt/format.h>

extern "C" {
#include <libknot/descriptor.h>
#include <libzscanner/scanner.h>
}

#include <algorithm>
#include <array>
#include <limits>

#include "mta/text/strings.hpp"
#include "sim/dns/name_key.hpp"
#include "sim/dns/scan_error.hpp"
#include "sim/dns/zone_record.hpp"

namespace sim::dns {

using mta::dns::record;
using mta::dns::record_type;

namespace {

constexpr std::size_t longest_text = 4 << 20;
constexpr std::size_t most_records = 100'000;
constexpr std::size_t most_nodes = 200'000;  // names, and the empty names between them
constexpr std::size_t most_complaints = 50;
constexpr std::uint32_t no_ttl = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint32_t longest_ttl = 0x7fff'ffff;  // RFC 2181, 8
constexpr std::uint16_t internet = 1;

struct scanner_closer {
    void operator()(zs_scanner* scanner) const {
        zs_deinit(scanner);
        delete scanner;
    }
};

std::string type_text(std::uint16_t code) {
    std::array<char, 32> name{};
    return knot_rrtype_to_string(code, name.data(), name.size()) > 0 ? name.data() : fmt::format("TYPE{}", code);
}

// SIG, KEY, NXT, RRSIG and NSEC may stand beside a CNAME (RFC 2181, 10.1; RFC 4034).
bool may_join_alias(std::uint16_t code) {
    constexpr std::array<std::uint16_t, 5> dnssec = {24, 25, 30, 46, 47};
    return std::find(dnssec.begin(), dnssec.end(), code) != dnssec.end();
}

// Two records are the same one when this is equal: all that their type holds, names without case.
std::string identity(const record& entry, std::string_view key) {
    std::string id = fmt::format("{}|{}|{}|{}|{}|{}|{}", key, static_cast<int>(entry.type), entry.preference,
                                 entry.weight, entry.port, mta::text::lowered(entry.target), entry.address);
    for (const auto& text : entry.text) id += fmt::format("|{}:{}", text.size(), text);
    const auto& soa = entry.soa;
    id += fmt::format("|{}|{}|{}|{}|{}|{}", mta::text::lowered(soa.mailbox), soa.serial, soa.refresh_s, soa.retry_s,
                      soa.expire_s, soa.minimum_s);
    return id + fmt::format("|{}|{}|{}|", entry.tlsa.usage, entry.tlsa.selector, entry.tlsa.matching) + entry.tlsa.data;
}

// A record's text with what stands before it (blank lines, comments, directives) and its last newline taken off.
std::string_view own_text(std::string_view slice) {
    while (slice.ends_with('\n')) slice.remove_suffix(1);
    for (auto end = slice.find('\n'); end != std::string_view::npos; end = slice.find('\n')) {
        const auto line = mta::text::trimmed(slice.substr(0, end));
        if (!line.empty() && line[0] != ';' && line[0] != '$') break;
        slice.remove_prefix(end + 1);
    }
    return slice;
}

// The scanner divides a text of over 255 bytes by itself, which BIND refuses.
bool has_overlong_text(std::string_view record_text) {
    std::size_t length = 0;
    bool quoted = false;
    bool comment = false;
    for (std::size_t at = 0; at < record_text.size(); ++at) {
        const char c = record_text[at];
        if (comment) {
            comment = c != '\n';
        } else if (c == '"') {
            quoted = !quoted;
            length = 0;
        } else if (!quoted && (mta::text::is_space(c) || c == ';')) {
            comment = c == ';';
            length = 0;
        } else {
            const bool decimal = c == '\\' && at + 1 < record_text.size() && mta::text::is_digit(record_text[at + 1]);
            if (c == '\\') at += decimal ? 3 : 1;
            if (++length > 255) return true;
        }
    }
    return false;
}

}  // namespace

zone::loaded zone::load(const zone_source& source) {
    return zone_loader(source).run();
}

zone_loader::zone_loader(const zone_source& source) : source_(source), zone_(new zone) {}

zone::loaded zone_loader::run() {
    if (prepare()) {
        scan();
        if (errors_ == 0) check_whole();
    }
    zone::loaded result;
    if (errors_ == 0) result.contents = std::move(zone_);
    result.complaints = std::move(complaints_);
    return result;
}

bool zone_loader::prepare() {
    const auto key = key_of(source_.name);
    const bool plain = std::all_of(source_.name.begin(), source_.name.end(), [](char c) {
        return mta::text::is_alnum(c) || c == '.' || c == '-' || c == '_' || c == '/';
    });
    if (!key || !plain || source_.name.empty()) {
        complain(severity::error, 0, fmt::format("'{}' is no name for a zone", source_.name.substr(0, 255)),
                 "write a domain name as york.cc, or \".\" for the root");
        return false;
    }
    std::size_t size = source_.head.size() + source_.text.size();
    for (const auto& line : source_.tail) size += line.size() + 1;
    if (size > longest_text) {
        complain(severity::error, 0, fmt::format("the text has {} bytes", size),
                 fmt::format("a zone may have {}; divide it", longest_text));
        return false;
    }
    text_ = zone_text(source_);
    zone_->name_ = mta::text::lowered(*mta::dns::wire_sized(source_.name));
    zone_->key_ = *key;
    zone_->trust_ = source_.trust;
    return add_node(*key);
}

void zone_loader::scan() {
    const std::unique_ptr<zs_scanner, scanner_closer> scanner(new zs_scanner());
    const std::string origin = zone_->name_ + ".";
    const std::string_view all = text_.all();
    if (zs_init(scanner.get(), origin.c_str(), internet, no_ttl) != 0 ||
        zs_set_input_string(scanner.get(), all.data(), all.size()) != 0) {
        complain(severity::error, 0, fmt::format("the scanner cannot start: {}", zs_strerror(scanner->error.code)), "");
        return;
    }
    const char* begin = scanner->input.current;
    while (errors_ < most_complaints) {
        if (zs_parse_record(scanner.get()) != 0) {
            complain(severity::error, 0, fmt::format("the scanner stops: {}", zs_strerror(scanner->error.code)), "");
            return;
        }
        const char* end = scanner->input.current;
        const bool in_text = begin >= all.data() && end <= all.data() + all.size() && begin <= end;
        const auto slice = in_text ? own_text({begin, static_cast<std::size_t>(end - begin)}) : std::string_view();
        begin = end;
        const auto newlines = static_cast<std::uint64_t>(std::count(slice.begin(), slice.end(), '\n'));
        const std::uint64_t line = scanner->line_counter - std::min(newlines, scanner->line_counter - 1);
        if (scanner->state == ZS_STATE_DATA) {
            const bool is_text = scanner->r_type == mta::dns::code_of(record_type::txt);
            if (is_text && has_overlong_text(slice)) complain_at(line, 0, ZS_TEXT_OVERFLOW);
            take(*scanner, line);
        } else if (scanner->state == ZS_STATE_ERROR) {
            const std::size_t rest = scanner->buffer_length > 0 ? scanner->buffer_length - 1 : 0;
            complain_at(scanner->line_counter, rest, scanner->error.code);
            if (scanner->error.fatal) return;
        } else if (scanner->state == ZS_STATE_INCLUDE) {
            complain(severity::error, scanner->line_counter, "$INCLUDE is refused: a zone may not read files",
                     "put the records here");
        } else {
            return;
        }
        if (records_ > most_records) {
            complain(severity::error, 0, fmt::format("there are more than {} records", most_records),
                     "divide the zone");
            return;
        }
    }
}

// A record as scanned is checked in BIND's order and kept.
void zone_loader::take(zs_scanner& scanner, std::uint64_t line) {
    std::size_t at = 0;
    const auto owner = name_from_wire({scanner.r_owner, scanner.r_owner_length}, at);
    const auto key = owner ? key_of(*owner) : std::nullopt;
    const auto type = mta::dns::type_of_code(scanner.r_type);
    auto entry = type ? record_from_wire(*type, {scanner.r_data, scanner.r_data_length}) : std::nullopt;
    if (!key || (type && !entry)) {
        complain(severity::error, line, "the record's data has the wrong form for its type",
                 "write it as RFC 1035 has it");
        return;
    }
    if (entry) entry->owner = *owner;
    const auto errors_before = errors_;
    const auto ttl = ttl_of(scanner, type == record_type::soa ? &*entry : nullptr, line);
    if (scanner.r_class != internet) {
        complain(severity::error, line, "the record's class is not IN", "write IN, or nothing");
    }
    if (!place_is_right(*owner, *key, scanner.r_type, line)) return;
    if (entry && !names_are_right(*entry, line)) return;
    if (errors_ != errors_before || !add_node(*key)) return;
    ++records_;
    if (!entry) {
        record unknown;
        unknown.owner = *owner;
        joins_well(unknown, *key, scanner.r_type, line);
        complain(severity::warning, line,
                 fmt::format("{} records are read, but the lab does not hand them out", type_text(scanner.r_type)), "");
        return;
    }
    entry->ttl_s = ttl;
    if (!seen_.insert(identity(*entry, *key)).second) return;
    if (joins_well(*entry, *key, scanner.r_type, line)) keep(std::move(*entry), *key, line);
}

bool zone_loader::place_is_right(const std::string& owner, const std::string& key, std::uint16_t code,
                                 std::uint64_t line) {
    if (!key.starts_with(zone_->key_)) {
        complain(severity::warning, line, fmt::format("{} is not in the zone and is left out", owner),
                 fmt::format("put it into its own zone, or write it without the final dot to mean {}.{}", owner,
                             source_.name));
        return false;
    }
    const auto type = mta::dns::type_of_code(code);
    if (type == record_type::soa && key != zone_->key_) {
        complain(severity::error, line, fmt::format("a SOA record stands at {}, not at the top of the zone", owner),
                 "write it at @, or declare that zone by itself");
        return false;
    }
    if (type == record_type::ns && owner.starts_with("*.")) {
        complain(severity::error, line, fmt::format("a wildcard cannot be delegated ({} NS)", owner), "name the zone");
        return false;
    }
    return true;
}

// BIND's check-names: who has an address or takes mail, and who is named as a server, needs a host name.
bool zone_loader::names_are_right(const record& entry, std::uint64_t line) {
    using enum record_type;
    const bool owner_is_host = entry.type == a || entry.type == aaaa || entry.type == mx;
    const bool reverse_zone = mta::text::ends_with_ignoring_case(entry.owner, ".in-addr.arpa") ||
                              mta::text::ends_with_ignoring_case(entry.owner, ".ip6.arpa");
    const bool target_is_host = entry.type == mx || entry.type == ns || entry.type == srv || entry.type == soa ||
                                (entry.type == ptr && reverse_zone);
    const bool owner_wrong = owner_is_host && !is_host_name(entry.owner, wildcards::allowed);
    if (!owner_wrong && !(target_is_host && !is_host_name(entry.target, wildcards::refused))) return true;
    complain(severity::error, line,
             fmt::format("{} is no host name ({} record)", owner_wrong ? entry.owner : entry.target,
                         mta::dns::name_of(entry.type)),
             "a host's labels are letters, digits and inner hyphens");
    return false;
}

bool zone_loader::joins_well(const record& entry, const std::string& key, std::uint16_t code, std::uint64_t line) {
    auto& there = owners_[key];
    const auto type = mta::dns::type_of_code(code);
    const bool alias = type == record_type::cname;
    if ((alias && there.alias) || (type == record_type::soa && there.ttls.contains(record_type::soa))) {
        complain(severity::error, line, fmt::format("{} has a second {} record", entry.owner, mta::dns::name_of(*type)),
                 "keep one of them");
        return false;
    }
    there.alias = there.alias || alias;
    there.other = there.other || (!alias && !may_join_alias(code));
    if (there.alias && there.other) {
        complain(severity::error, line, fmt::format("{} has a CNAME and other data", entry.owner),
                 "remove the CNAME or the rest; a machine of the topology gets an A record unless it says a: false");
        return false;
    }
    there.address = there.address || type == record_type::a || type == record_type::aaaa;
    return true;
}

// RFC 1035, 5.1 and RFC 2308, 4, as BIND goes about it: the record's own TTL, $TTL, the last one, the SOA's MINIMUM.
std::uint32_t zone_loader::ttl_of(zs_scanner& scanner, const record* soa, std::uint64_t line) {
    std::uint32_t ttl = scanner.r_ttl;
    if (ttl == no_ttl && last_ttl_known_) {
        ttl = last_ttl_;
    } else if (ttl == no_ttl && soa) {
        ttl = scanner.default_ttl = soa->soa.minimum_s;
    } else if (ttl == no_ttl) {
        complain(severity::error, line, "the record has no TTL, and none stands before it",
                 "begin the zone with a line like $TTL 300, or with its SOA record");
        return 0;
    }
    if (scanner.default_ttl == no_ttl) {
        last_ttl_ = ttl;
        last_ttl_known_ = true;
    }
    if (ttl <= longest_ttl) return ttl;
    complain(severity::warning, line, fmt::format("the TTL {} is too large and counts as 0", ttl),
             fmt::format("{} is the most", longest_ttl));
    return 0;
}

void zone_loader::keep(record entry, const std::string& key, std::uint64_t line) {
    using enum record_type;
    const auto [first, is_first] = owners_[key].ttls.try_emplace(entry.type, entry.ttl_s);
    if (!is_first && first->second != entry.ttl_s) {
        complain(severity::warning, line,
                 fmt::format("{} {} has two TTLs; {}, the first, counts", entry.owner, mta::dns::name_of(entry.type),
                             first->second),
                 "give all records of a name and type one TTL");
        entry.ttl_s = first->second;
    }
    if (entry.type == mx || entry.type == ns) references_.push_back({entry.type, key, entry.target, line});
    zone_->nodes_[key].push_back(std::move(entry));
}

bool zone_loader::add_node(const std::string& key) {
    for (std::string_view at = key; zone_->nodes_.try_emplace(std::string(at)).second && at != zone_->key_;) {
        at = parent_key(at);
    }
    if (zone_->nodes_.size() <= most_nodes) return true;
    complain(severity::error, 0, fmt::format("there are more than {} names", most_nodes), "divide the zone");
    return false;
}

void zone_loader::check_whole() {
    const auto& apex = owners_[zone_->key_].ttls;
    if (!apex.contains(record_type::soa)) {
        complain(severity::error, 0, "the zone has no SOA record, though its text has the word",
                 "take the word SOA out of the text, and the lab adds one; or write the record");
        return;
    }
    if (!apex.contains(record_type::ns)) {
        complain(severity::error, 0, "the zone has no NS record, which one with a SOA of its own needs",
                 fmt::format("add: @ IN NS ns.{}., or remove the SOA, and the lab adds both", zone_->name_));
        return;
    }
    for (const auto& link : references_) check(link);
}

void zone_loader::check(const reference& link) {
    const bool server_of_zone = link.type == record_type::ns && link.owner_key == zone_->key_;
    if (link.type == record_type::ns && !server_of_zone) return;
    if (mta::dns::canonical_address(link.target)) {
        complain(severity::warning, link.line, fmt::format("MX {} is an address", link.target), "name a host");
        return;
    }
    const auto key = key_of(link.target);
    if (!key || link.target.empty() || !key->starts_with(zone_->key_) || zone_->is_delegated(*key)) return;
    const auto node = zone_->node_for(*key);
    const auto target = node == zone_->nodes_.end() ? owners_.end() : owners_.find(node->first);
    if (target != owners_.end() && target->second.address) return;
    const bool alias = target != owners_.end() && target->second.alias;
    complain(server_of_zone ? severity::error : severity::warning, link.line,
             fmt::format("{} {} {}", mta::dns::name_of(link.type), link.target,
                         alias ? "is a CNAME" : "has no address in this zone"),
             alias ? "name the host itself" : "add an A record for it, or correct the name");
}

// ---------------------------------------------------------------------------------------------------------------------

void zone_loader::complain(severity level, std::uint64_t line, std::string message, std::string advice,
                           unsigned column) {
    diagnostic complaint;
    complaint.column = column;
    complaint.level = level;
    complaint.line = text_.declared_line(line);
    complaint.message = std::move(message);
    if (complaint.line == 0 && !text_.line(line).empty()) {
        complaint.message += fmt::format(" (in the lab's own line '{}')", text_.line(line));
    }
    complaint.advice = std::move(advice);
    add(std::move(complaint));
}

void zone_loader::complain_at(std::uint64_t line, std::size_t rest, int code) {
    const auto where = text_.locate(line, rest);
    auto [message, advice] = words_for(code, where);
    complain(severity::error, line, std::move(message), std::move(advice), where.line > 0 ? where.column : 0);
}

void zone_loader::add(diagnostic complaint) {
    if (complaint.level == severity::error) ++errors_;
    if (complaints_.size() > most_complaints) {
        // Full: warnings give way, so that a zone is never refused without a reason.
        if (complaint.level == severity::warning || errors_ > 1) return;
        complaints_.pop_back();
    }
    complaint.zone = source_.name == "." ? "." : zone_->name_.empty() ? source_.name.substr(0, 255) : zone_->name_;
    // In order of line; what cannot be placed on one comes last (0 - 1 is the greatest number).
    const auto place = std::upper_bound(complaints_.begin(), complaints_.end(), complaint,
                                        [](const auto& a, const auto& b) { return a.line - 1 < b.line - 1; });
    complaints_.insert(place, std::move(complaint));
}

}  // namespace sim::dns
