#include "sim/record/received_chain.hpp"

#include <algorithm>

#include "mta/text/strings.hpp"

namespace sim::record {
namespace {

constexpr std::size_t header_limit = 1000;

// The word after `key` where that stands as a word of its own, outside of parentheses: "by mail.ohio.cc".
std::string_view word_after(std::string_view text, std::string_view key) {
    int depth = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '(') ++depth;
        if (text[i] == ')' && depth > 0) --depth;
        if (depth > 0 || !text.substr(i).starts_with(key)) continue;
        const bool begins = i == 0 || text[i - 1] == ' ';
        const std::size_t after = i + key.size();
        if (!begins || after >= text.size() || text[after] != ' ') continue;
        const std::size_t start = text.find_first_not_of(' ', after);
        if (start == std::string_view::npos) return {};
        return text.substr(start, text.find_first_of(" ;", start) - start);
    }
    return {};
}

// "(mail.ohio.cc [192.168.137.9])" after "from helo".
void read_client(std::string_view text, received_header& header) {
    if (!text.starts_with("from ")) return;
    const std::size_t open = text.find('(');
    const std::size_t close = text.find(')', open == std::string_view::npos ? 0 : open);
    if (open == std::string_view::npos || close == std::string_view::npos) return;
    const std::string_view inside = text.substr(open + 1, close - open - 1);
    const std::size_t bracket = inside.find('[');
    if (bracket == std::string_view::npos) return;
    header.client_name = mta::text::trimmed(inside.substr(0, bracket));
    std::string_view address = inside.substr(bracket + 1);
    address = address.substr(0, address.find(']'));
    if (mta::text::starts_with_ignoring_case(address, "IPv6:")) address.remove_prefix(5);
    header.client_address = address;
}

received_header read_header(std::string_view text) {
    received_header header;
    header.text = text;
    const std::size_t semicolon = text.rfind(';');
    if (semicolon != std::string_view::npos) header.date = mta::text::trimmed(text.substr(semicolon + 1));
    const std::string_view clauses = text.substr(0, semicolon);
    if (clauses.starts_with("from ")) header.from = word_after(clauses, "from");
    read_client(clauses, header);
    header.by = word_after(clauses, "by");
    header.with = word_after(clauses, "with");
    header.id = word_after(clauses, "id");
    std::string_view recipient = word_after(clauses, "for");
    if (recipient.starts_with('<') && recipient.ends_with('>')) recipient = recipient.substr(1, recipient.size() - 2);
    header.recipient = recipient;
    return header;
}

std::string joined(std::initializer_list<std::string_view> parts) {
    std::string out;
    for (const auto part : parts) out += part;
    return out;
}

class comparison {
  public:
    comparison(const received_header& header, const trace_stop& stop) : header_(header), stop_(stop) {}

    std::vector<chain_difference> run() {
        if (!mta::text::equal_ignoring_case(header_.by, stop_.host)) {
            note("by", stop_.host, header_.by,
                 "The header was written by another host than the one that had the message.");
        }
        if (header_.id != stop_.queue_id) {
            note("id", stop_.queue_id, header_.id, "The header names another queue id.");
        }
        stop_.client_address.empty() ? local_origin() : network_origin();
        return std::move(found_);
    }

  private:
    void local_origin() {
        if (header_.from.empty() && header_.with.empty()) return;
        note("from", "(none)", joined({header_.from, " ", header_.with}),
             "The message came by no network here, but the header names a client or a protocol.");
    }

    void network_origin() {
        const std::string recorded = joined({stop_.client_name, "[", stop_.client_address, "]"});
        const std::string written = joined({header_.client_name, "[", header_.client_address, "]"});
        if (header_.client_address != stop_.client_address ||
            !mta::text::equal_ignoring_case(header_.client_name, stop_.client_name)) {
            note("from", recorded, written, "The header names another client than the one that connected.");
        }
        const std::string expected = expected_protocol();
        if (!agrees(expected)) {
            note("with", expected, header_.with,
                 "The header tells of another protocol, TLS or login than the session had.");
        }
    }

    // RFC 3848: S for TLS, A for AUTH. Without the client's HELO on record, ESMTP is likely but SMTP is possible.
    std::string expected_protocol() const {
        std::string protocol = stop_.protocol.empty() ? "ESMTP" : stop_.protocol;
        if (!stop_.tls_protocol.empty()) protocol += 'S';
        if (!stop_.sasl_username.empty()) protocol += 'A';
        return protocol;
    }

    bool agrees(const std::string& expected) const {
        if (header_.with == expected) return true;
        const std::string suffix = expected.substr(expected.find('P') + 1);
        if (header_.with == "UTF8SMTP" + suffix) return true;  // RFC 6531 4.3
        return stop_.protocol.empty() && header_.with == "SMTP" + suffix;
    }

    void note(std::string_view field, std::string_view recorded, std::string_view written, std::string_view why) {
        found_.push_back({joined({stop_.host, " ", stop_.queue_id}), std::string(field), std::string(recorded),
                          std::string(written), std::string(why)});
    }

    const received_header& header_;
    const trace_stop& stop_;
    std::vector<chain_difference> found_;
};

}  // namespace

std::vector<received_header> received_chain(std::string_view message) {
    std::vector<received_header> chain;
    std::string field;
    const auto finish = [&] {
        constexpr std::string_view name = "received:";
        if (mta::text::starts_with_ignoring_case(field, name) && chain.size() < header_limit) {
            chain.push_back(read_header(mta::text::trimmed(std::string_view(field).substr(name.size()))));
        }
        field.clear();
    };
    bool first = true;
    while (!message.empty()) {
        const std::size_t end = message.find('\n');
        std::string_view line = message.substr(0, end);
        message.remove_prefix(end == std::string_view::npos ? message.size() : end + 1);
        if (line.ends_with('\r')) line.remove_suffix(1);
        const bool envelope = first && line.starts_with("From ");  // of an mbox file
        first = false;
        if (envelope) continue;
        if (line.empty()) break;
        if (line.front() == ' ' || line.front() == '\t') {
            (field += ' ') += mta::text::trimmed(line);
        } else {
            finish();
            field = line;
        }
    }
    finish();
    return chain;
}

std::vector<chain_difference> compare_received(const std::vector<received_header>& headers, const message_trace& story,
                                               std::size_t stop) {
    std::vector<std::size_t> path = story.path_to(stop);
    // A notice is a new message, and so are the headers that it has.
    const auto notice =
        std::find_if(path.rbegin(), path.rend(), [&](std::size_t i) { return story.stops[i].how == arrival::notice; });
    if (notice != path.rend()) path.erase(path.begin(), notice.base() - 1);

    std::vector<chain_difference> found;
    std::size_t at = 0;
    for (auto each = path.rbegin(); each != path.rend(); ++each) {
        const trace_stop& here = story.stops[*each];
        // A header further down with this queue id: what stands above it is too much.
        std::size_t match = at;
        while (match < headers.size() && headers[match].id != here.queue_id) ++match;
        if (match < headers.size()) {
            for (; at < match; ++at) {
                found.push_back({joined({headers[at].by, " ", headers[at].id}), "header", "", headers[at].text,
                                 "No hop on record wrote this header."});
            }
        }
        // Without its queue id, a header by this host in this place is still this hop's.
        if (at < headers.size() &&
            (match < headers.size() || mta::text::equal_ignoring_case(headers[at].by, here.host))) {
            for (auto& difference : comparison(headers[at], here).run()) found.push_back(std::move(difference));
            ++at;
        } else {
            found.push_back({joined({here.host, " ", here.queue_id}), "header",
                             joined({"by ", here.host, " id ", here.queue_id}), "",
                             "The message was here, but no Received header says so."});
        }
    }
    for (; at < headers.size(); ++at) {
        found.push_back({joined({headers[at].by, " ", headers[at].id}), "header", "", headers[at].text,
                         "The message brought this header along; no host of the record wrote it."});
    }
    return found;
}

}  // namespace sim::record
