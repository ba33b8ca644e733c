#include "sim/dns/zone_record.hpp"

#include <arpa/inet.h>

#include <array>

#include "mta/text/strings.hpp"

namespace sim::dns {

using mta::dns::record;
using mta::dns::record_type;

namespace {

// Reads numbers and names in turn; once something is missing all that follows is empty and `good` is false.
class reader {
  public:
    explicit reader(wire bytes) : bytes_(bytes) {}

    std::uint32_t number(std::size_t bytes) {
        std::uint32_t value = 0;
        for (const auto byte : take(bytes)) value = value << 8 | byte;
        return value;
    }
    std::string name() {
        auto found = name_from_wire(bytes_, at_);
        good = good && found;
        return found.value_or("");
    }
    wire take(std::size_t count) {
        good = good && count <= bytes_.size() - at_;
        if (!good) return {};
        const auto taken = bytes_.subspan(at_, count);
        at_ += count;
        return taken;
    }
    std::string rest() {
        const auto taken = take(bytes_.size() - at_);
        return {taken.begin(), taken.end()};
    }
    bool at_end() const { return at_ == bytes_.size(); }

    bool good = true;

  private:
    wire bytes_;
    std::size_t at_ = 0;
};

std::string address_text(int family, wire bytes) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (bytes.size() == (family == AF_INET ? 4u : 16u)) inet_ntop(family, bytes.data(), text.data(), text.size());
    return text.data();
}

void read_soa(reader& in, record& to) {
    to.target = in.name();
    to.soa.mailbox = in.name();
    to.soa.serial = in.number(4);
    to.soa.refresh_s = in.number(4);
    to.soa.retry_s = in.number(4);
    to.soa.expire_s = in.number(4);
    to.soa.minimum_s = in.number(4);
}

void read_srv(reader& in, record& to) {
    to.preference = static_cast<std::uint16_t>(in.number(2));
    to.weight = static_cast<std::uint16_t>(in.number(2));
    to.port = static_cast<std::uint16_t>(in.number(2));
    to.target = in.name();
}

void read_tlsa(reader& in, record& to) {
    to.tlsa.usage = static_cast<std::uint8_t>(in.number(1));
    to.tlsa.selector = static_cast<std::uint8_t>(in.number(1));
    to.tlsa.matching = static_cast<std::uint8_t>(in.number(1));
    to.tlsa.data = in.rest();
}

void read_text(reader& in, record& to) {
    while (in.good && !in.at_end()) {
        const auto length = in.number(1);
        const auto bytes = in.take(length);
        to.text.emplace_back(bytes.begin(), bytes.end());
    }
}

}  // namespace

std::optional<std::string> name_from_wire(wire bytes, std::size_t& at) {
    std::string name;
    while (at < bytes.size()) {
        const std::size_t length = bytes[at++];
        if (length == 0) return name;
        if (length > 63 || length > bytes.size() - at) return std::nullopt;
        if (!name.empty()) name += '.';
        const auto label = bytes.subspan(at, length);
        name += mta::dns::escaped_label(std::string(label.begin(), label.end()));
        at += length;
    }
    return std::nullopt;
}

std::optional<record> record_from_wire(record_type type, wire data) {
    reader in(data);
    record made;
    made.type = type;
    switch (type) {
        case record_type::a:
            made.address = address_text(AF_INET, in.take(4));
            break;
        case record_type::aaaa:
            made.address = address_text(AF_INET6, in.take(16));
            break;
        case record_type::mx:
            made.preference = static_cast<std::uint16_t>(in.number(2));
            made.target = in.name();
            break;
        case record_type::ns:
        case record_type::cname:
        case record_type::ptr:
            made.target = in.name();
            break;
        case record_type::txt:
            read_text(in, made);
            break;
        case record_type::soa:
            read_soa(in, made);
            break;
        case record_type::srv:
            read_srv(in, made);
            break;
        case record_type::tlsa:
            read_tlsa(in, made);
            break;
    }
    if (!in.good || !in.at_end()) return std::nullopt;
    return made;
}

bool is_host_name(std::string_view name, wildcards first_label) {
    const auto labels = mta::dns::labels_of(name);
    for (std::size_t i = 0; i < labels.size(); ++i) {
        const auto label = labels[i];
        if (i == 0 && label == "*" && first_label == wildcards::allowed) continue;
        for (std::size_t at = 0; at < label.size(); ++at) {
            const bool inner = at > 0 && at + 1 < label.size();
            if (!mta::text::is_alnum(label[at]) && !(inner && label[at] == '-')) return false;
        }
    }
    return true;
}

}  // namespace sim::dns
