#include "mta/cleanup/cleanup.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "mta/cleanup/passage.hpp"
#include "mta/config/parameters.hpp"
#include "mta/master/mail_system.hpp"
#include "mta/text/strings.hpp"

namespace mta::cleanup {
namespace {

struct row {
    int code;
    const char *dsn, *text;
};
// cleanup_stat_detail(3), by status.
constexpr row rows[] = {
    {250, "2.0.0", "Success"},
    {451, "4.7.1", "service unavailable"},
    {451, "4.3.0", "internal protocol error"},
    {550, "5.1.0", "no recipients specified"},
    {554, "5.4.0", "too many hops"},
    {552, "5.3.4", "message file too big"},
    {550, "5.7.1", "message content rejected"},
    {451, "4.3.0", "queue file write error"},
};
const row& row_of(status which) {
    return rows[static_cast<std::size_t>(which)];
}

// Only these come with a reason that is for the client (smtpd.c).
bool tells_reason(status which) {
    return which == status::deferred || which == status::rejected;
}

}  // namespace

overrides::overrides(const config::parameters& parameters) {
    for (const std::string& each : parameters.words("receive_override_options")) {
        if (text::equal_ignoring_case(each, "no_address_mappings")) address_mappings = false;
        if (text::equal_ignoring_case(each, "no_header_body_checks")) header_body_checks = false;
    }
}

bool filters_notices(const config::parameters& parameters, std::string_view of_class) {
    const auto classes = parameters.words("internal_mail_filter_classes");
    return std::any_of(classes.begin(), classes.end(),
                       [&](const std::string& each) { return text::equal_ignoring_case(each, of_class); });
}

std::string result::smtp_reply() const {
    const row& about = row_of(status);
    if (tells_reason(status) && !text.empty()) return fmt::format("{} {}", about.code, text);
    return fmt::format("{} {} Error: {}", about.code, about.dsn, about.text);
}

std::string_view result::description() const {
    return row_of(status).text;
}

void protect_first_lines(std::string& content, std::size_t begin) {
    constexpr std::string_view name = "X-Mailbox-Line: ";
    while (begin < content.size()) {
        const std::size_t unquoted = std::min(content.find_first_not_of('>', begin), content.size());
        if (content.compare(unquoted, 5, "From ") != 0) break;
        content.insert(begin, name);
        const auto end = content.find('\n', begin);
        begin = end == std::string::npos ? content.size() : end + 1;
    }
    if (begin < content.size() && (content[begin] == ' ' || content[begin] == '\t')) content.insert(begin, 1, '\n');
}

cleaner::cleaner(master::mail_system& mail) : mail_(mail) {}
cleaner::~cleaner() = default;

const settings& cleaner::settings_of(const std::string& service, const maillog::process& by) {
    auto& slot = settings_[service];
    if (!slot) {
        const master::daemon* daemon = mail_.transport(service);
        const config::parameters& parameters = daemon ? *daemon->parameters : mail_.parameters();
        std::vector<table::diagnostic> complaints;
        slot = std::make_unique<const settings>(mail_, parameters, complaints);
        for (const table::diagnostic& each : complaints) mail_.log(by, each);
    }
    return *slot;
}

result cleaner::take(incoming message) {
    const maillog::process& by = mail_.process_of("cleanup", message.service);
    const settings& options = settings_of(message.service, by);
    passage way(mail_, options, by, message);
    return way.run();
}

}  // namespace mta::cleanup
