// The input is the content of a queued message on its way to an SMTP server, with rewriting and checks and without, as
// it stands and made 7-bit. Invariant: what goes over the wire is lines that end in CRLF, none of them longer than the
// limit, and none a dot alone: that would be the end of the message, and what follows commands.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "mta/delivery/request.hpp"
#include "mta/master/mail_system.hpp"
#include "mta/smtp/content_writer.hpp"
#include "sim/lab/virtual_lab.hpp"
#include "sim/topology/loader.hpp"

namespace {

constexpr std::string_view hosts = R"(
hosts:
  plain.test:
    address: 192.168.137.6
    postfix: {smtp_line_length_limit: 50}
  busy.test:
    address: 192.168.137.7
    postfix:
      smtp_line_length_limit: 50
      smtp_generic_maps: 'inline:{{a@b.test="odd one"@busy.test}, {@c.test=all@busy.test}}'
      smtp_header_checks: 'pcre:{{/^Subject: (.*)/ REPLACE Subject: $1$1}, {/^X-/ IGNORE}, {/^P/ PREPEND .}}'
      smtp_body_checks: 'pcre:{{/^r(.*)/ REPLACE .$1}, {/^p/ PREPEND .}, {/^i/ IGNORE}}'
)";

void hold_against_limit(std::string_view wire, std::size_t limit) {
    while (!wire.empty()) {
        const std::size_t end = wire.find('\n');
        if (end == std::string_view::npos || end == 0 || wire[end - 1] != '\r') std::abort();
        const std::string_view line = wire.substr(0, end - 1);
        const bool doubled = line.starts_with("..");
        if (line.size() > limit + (doubled ? 1 : 0) || (line.starts_with('.') && !doubled)) std::abort();
        wire.remove_prefix(end + 1);
    }
}

void write_all(mta::master::mail_system& mail, std::string_view content, bool downgrade) {
    std::vector<mta::table::diagnostic> complaints;
    const mta::smtp::filters with(mail, mail.parameters(), "smtp_", complaints);
    if (!complaints.empty()) std::abort();
    mta::smtp::content_writer writer(with, mail.rewrite(), content, downgrade);
    std::string wire;
    try {
        while (writer.write(wire, wire.size() + 100)) {
        }
    } catch (const mta::delivery::agent_died&) {
    }
    if (writer.failed() != mta::smtp::content_writer::problem::none) return;
    hold_against_limit(wire, with.smtp_line_limit);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto loaded = sim::topology::load_text(hosts, "fuzz.yaml");
    if (!loaded.ok()) std::abort();
    sim::lab::options how;
    how.record.database = false;
    static sim::lab::virtual_lab lab(*loaded.value, how);
    static const bool started = [] {
        for (const char* each : {"plain.test", "busy.test"}) lab.mail_system(each).start();
        return true;
    }();
    if (!started) std::abort();
    // As in the queue: every line ends.
    std::string content(reinterpret_cast<const char*>(data), size);
    if (!content.empty() && content.back() != '\n') content += '\n';
    for (const char* each : {"plain.test", "busy.test"}) {
        for (const bool downgrade : {false, true}) write_all(lab.mail_system(each), content, downgrade);
    }
    return 0;
}
