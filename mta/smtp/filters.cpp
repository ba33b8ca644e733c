#include "mta/smtp/filters.hpp"

#include <algorithm>

#include "mta/config/parameters.hpp"
#include "mta/master/mail_system.hpp"

namespace mta::smtp {

filters::filters(master::mail_system& mail, const config::parameters& p, const std::string& prefix,
                 std::vector<table::diagnostic>& complaints)
    : headers(p.words("message_drop_headers")) {
    const auto environment = mail.table_environment(p);
    const auto open = [&](const std::string& name, bool of_addresses) {
        table::open_options options;
        options.fold_keys = of_addresses;
        options.utf8 = of_addresses && p.flag("smtputf8_enable");
        return table::maps::open(name, p.text(name), mail.shared().tables, environment, options, complaints);
    };
    header_checks = open(prefix + "header_checks", false);
    mime_header_checks = open(prefix + "mime_header_checks", false);
    nested_header_checks = open(prefix + "nested_header_checks", false);
    body_checks = open(prefix + "body_checks", false);
    generic = open(prefix + "generic_maps", true);
    reply = open(prefix + "reply_filter", true);
    const auto propagated = p.words("propagate_unmatched_extensions");
    propagate_extensions = std::find(propagated.begin(), propagated.end(), "generic") != propagated.end();
    converts_eight_bit = !p.flag("disable_mime_output_conversion");
    const auto size = [&](const std::string& name) { return static_cast<std::size_t>(p.number(name)); };
    smtp_line_limit = size(prefix + "line_length_limit");
    queue_line_limit = std::max<std::size_t>(1, size("line_length_limit"));
    token_limit = size("header_address_token_limit");
    mime.header_size_limit = size("header_size_limit");
    mime.boundary_length_limit = size("mime_boundary_length_limit");
    mime.nesting_limit = static_cast<int>(size("mime_nesting_limit"));
}

}  // namespace mta::smtp
