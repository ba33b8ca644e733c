#include "mta/cleanup/settings.hpp"

#include <algorithm>

#include "mta/config/parameters.hpp"
#include "mta/master/mail_system.hpp"
#include "mta/text/strings.hpp"

namespace mta::cleanup {
namespace {

address_classes classes_of(const std::vector<std::string>& words) {
    const auto has = [&](std::string_view name) {
        return std::any_of(words.begin(), words.end(),
                           [&](const std::string& each) { return text::equal_ignoring_case(each, name); });
    };
    return {has("envelope_sender"), has("envelope_recipient"), has("header_sender"), has("header_recipient")};
}

bool contains(const std::vector<std::string>& words, std::string_view name) {
    return std::find(words.begin(), words.end(), name) != words.end();
}

mime_options mime_options_of(const config::parameters& p) {
    mime_options mime;
    mime.ignore_structure = p.flag("disable_mime_input_processing");
    const bool strict = p.flag("strict_8bitmime");
    const bool strict_headers = p.flag("strict_7bit_headers"), strict_body = p.flag("strict_8bitmime_body");
    mime.report_eight_bit_header = strict || strict_headers;
    mime.report_eight_bit_body = strict || strict_body;
    mime.report_encoding_domain = p.flag("strict_mime_encoding_domain");
    mime.report_nesting = strict || strict_headers || strict_body || mime.report_encoding_domain ||
                          !p.text("header_checks").empty() || !p.text("mime_header_checks").empty() ||
                          !p.text("nested_header_checks").empty();
    if (mime.ignore_structure) {
        mime.report_eight_bit_header = mime.report_eight_bit_body = mime.report_encoding_domain = mime.report_nesting =
            false;
    }
    mime.header_size_limit = static_cast<std::size_t>(p.number("header_size_limit"));
    mime.boundary_length_limit = static_cast<std::size_t>(p.number("mime_boundary_length_limit"));
    mime.nesting_limit = static_cast<int>(p.number("mime_nesting_limit"));
    return mime;
}

}  // namespace

std::string unescaped(std::string_view text) {
    constexpr std::string_view letters = "abfnrtv", meanings = "\a\b\f\n\r\t\v";
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\' || i + 1 == text.size()) {
            out += text[i];
            continue;
        }
        const char c = text[++i];
        const auto letter = letters.find(c);
        if (letter != std::string_view::npos) {
            out += meanings[letter];
        } else if (c >= '0' && c <= '7') {
            int value = 0;
            std::size_t end = i;
            while (end < text.size() && end < i + 3 && text[end] >= '0' && text[end] <= '7')
                value = value * 8 + (text[end++] - '0');
            out += static_cast<char>(value);
            i = end - 1;
        } else {
            out += c;
        }
    }
    return out;
}

settings::settings(master::mail_system& mail, const config::parameters& p, std::vector<table::diagnostic>& complaints)
    : headers(p.words("message_drop_headers")), mime(mime_options_of(p)) {
    const auto size = [&](const char* name) { return static_cast<std::size_t>(p.number(name)); };
    message_size_limit = p.number("message_size_limit");
    body_checks_size_limit = p.number("body_checks_size_limit");
    line_length_limit = std::max<std::size_t>(1, size("line_length_limit"));
    token_limit = size("header_address_token_limit");
    hopcount_limit = static_cast<int>(p.number("hopcount_limit"));
    always_add_missing_headers = p.flag("always_add_missing_headers");
    enable_original_recipient = p.flag("enable_original_recipient");
    detect_eight_bit = p.flag("detect_8bit_encoding_header");
    long_queue_ids = p.flag("enable_long_queue_ids");
    soft_bounce = p.flag("soft_bounce");
    smtputf8 = p.flag("smtputf8_enable");
    from_in_standard_format = p.text("header_from_format") != "obsolete";
    replace_stray_cr = p.flag("cleanup_replace_stray_cr_lf");
    undisclosed_recipients_header = p.text("undisclosed_recipients_header");
    myhostname = p.text("myhostname");
    always_bcc = p.text("always_bcc");
    empty_address_recipient = p.text("empty_address_recipient");
    delay_warning_time = p.duration("delay_warning_time");
    reject_characters = unescaped(p.text("message_reject_characters"));
    strip_characters = unescaped(p.text("message_strip_characters"));

    local_context = {p.text("myorigin"), p.text("mydomain")};
    const std::string remote_domain = p.text("remote_header_rewrite_domain");
    remote_context = {remote_domain, remote_domain};
    rewrite_rules.append_at_myorigin = p.flag("append_at_myorigin");
    rewrite_rules.append_dot_mydomain = p.flag("append_dot_mydomain");
    rewrite_rules.swap_bangpath = p.flag("swap_bangpath");
    rewrite_rules.allow_percent_hack = p.flag("allow_percent_hack");

    const auto environment = mail.table_environment(p);
    const auto open = [&](const char* name, bool of_addresses) {
        table::open_options options;
        options.fold_keys = of_addresses;
        options.utf8 = of_addresses && smtputf8;
        return table::maps::open(name, p.text(name), mail.shared().tables, environment, options, complaints);
    };
    canonical = {open("canonical_maps", true), classes_of(p.words("canonical_classes"))};
    sender_canonical = {open("sender_canonical_maps", true), classes_of(p.words("sender_canonical_classes"))};
    recipient_canonical = {open("recipient_canonical_maps", true), classes_of(p.words("recipient_canonical_classes"))};
    const auto propagate = p.words("propagate_unmatched_extensions");
    propagate_canonical = contains(propagate, "canonical");
    propagate_virtual = contains(propagate, "virtual");
    masquerade_domains = p.words("masquerade_domains");
    masquerade_classes = classes_of(p.words("masquerade_classes"));
    has_masquerade_exceptions = !p.text("masquerade_exceptions").empty();
    masquerade_exceptions =
        table::string_list("masquerade_exceptions", p.text("masquerade_exceptions"), mail.shared().tables, environment,
                           complaints, table::parent_style::dot_parent);
    virtual_alias = open("virtual_alias_maps", true);
    virtual_expansion_limit = size("virtual_alias_expansion_limit");
    virtual_recursion_limit = size("virtual_alias_recursion_limit");
    virtual_length_limit = size("virtual_alias_address_length_limit");
    duplicate_limit = size("duplicate_filter_limit");
    sender_bcc = open("sender_bcc_maps", true);
    recipient_bcc = open("recipient_bcc_maps", true);
    header_checks = open("header_checks", false);
    mime_header_checks = open("mime_header_checks", false);
    nested_header_checks = open("nested_header_checks", false);
    body_checks = open("body_checks", false);
}

}  // namespace mta::cleanup
