#include "mta/pickup/sendmail.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "mta/address/header_addresses.hpp"
#include "mta/address/quote.hpp"
#include "mta/cleanup/mime.hpp"
#include "mta/config/parameters.hpp"
#include "mta/pickup/sendmail_options.hpp"
#include "mta/table/match_list.hpp"
#include "mta/table/registry.hpp"
#include "mta/text/strings.hpp"

namespace mta::pickup {
namespace {

constexpr int exit_usage = 64, exit_data_error = 65, exit_unavailable = 69, exit_no_permission = 77;

// Lines as rec_streamlf_get(3) makes them: no From_ lines in front, no CR at their ends (sendmail_fix_line_endings).
std::string line_ends_fixed(std::string_view content, const std::string& how) {
    std::string out;
    out.reserve(content.size() + 1);
    bool first_lines = true, decided = how != "strict", strips = how == "always";
    while (!content.empty()) {
        const auto end = content.find('\n');
        std::string_view line = content.substr(0, end);
        content.remove_prefix(end == std::string_view::npos ? content.size() : end + 1);
        if (!decided) {
            decided = true;
            strips = line.ends_with('\r');
        }
        if (first_lines) {
            const std::string_view unquoted = line.substr(std::min(line.find_first_not_of('>'), line.size()));
            if (unquoted.starts_with("From ")) continue;
            first_lines = false;
        }
        while (strips && line.ends_with('\r')) line.remove_suffix(1);
        (out += line) += '\n';
    }
    return out;
}

// sendmail -t: the recipients that the headers name; those of Resent- headers alone where there are any.
class recipient_extractor final : public cleanup::mime_handler {
  public:
    explicit recipient_extractor(std::size_t token_limit) : token_limit_(token_limit) {}
    void header(cleanup::header_class, const cleanup::header_options* options, std::string& text) override {
        if (!options || !options->is(cleanup::header_extracted)) return;
        const bool resent = options->is(cleanup::header_resent);
        if (resent_ && !resent) return;
        resent_ = resent_ || resent;
        for (std::string& each :
             address::recipients_in_header(std::string_view(text).substr(text.find(':') + 1), token_limit_)) {
            (resent ? of_resent_ : plain_).push_back(std::move(each));
        }
    }
    void primary_headers_end() override { done_ = true; }
    void body(std::string_view, bool, std::int64_t) override {}
    void error(cleanup::mime_error, std::string_view) override {}

    bool done() const { return done_; }
    std::vector<std::string>& found() { return resent_ ? of_resent_ : plain_; }

  private:
    std::size_t token_limit_;
    bool resent_ = false, done_ = false;
    std::vector<std::string> plain_, of_resent_;
};

struct extraction {
    std::vector<std::string> recipients;
    bool header_too_long = false;
};

extraction recipients_of(std::string_view content, const config::parameters& p) {
    cleanup::mime_options options;
    options.ignore_structure = true;
    options.report_truncated_header = true;
    options.header_size_limit = static_cast<std::size_t>(p.number("header_size_limit"));
    const cleanup::header_table headers(p.words("message_drop_headers"));
    recipient_extractor extractor(static_cast<std::size_t>(p.number("header_address_token_limit")));
    cleanup::mime_parser parser(options, headers, extractor);
    const auto piece_size = static_cast<std::size_t>(p.number("line_length_limit"));
    while (!content.empty() && !extractor.done() && parser.errors() == 0) {
        const auto end = content.find('\n');
        std::string_view line = content.substr(0, end);
        content.remove_prefix(end == std::string_view::npos ? content.size() : end + 1);
        for (; line.size() > piece_size; line.remove_prefix(piece_size)) parser.text(line.substr(0, piece_size), false);
        parser.text(line, true);
    }
    if (!extractor.done()) parser.end();
    return {std::move(extractor.found()), parser.errors() != 0};
}

std::vector<std::string> command_line(const master::submission& message) {
    std::vector<std::string> words = message.options;
    words.emplace_back("--");
    words.insert(words.end(), message.recipients.begin(), message.recipients.end());
    return words;
}

// One run of the command.
class command {
  public:
    command(master::mail_system& mail, master::submission& message)
        : mail_(mail),
          message_(message),
          options_(read_options(command_line(message), mail.parameters().text("default_verp_delimiters"),
                                mail.parameters().text("verp_delimiter_filter"))),
          process_(mail.command_process("sendmail")),
          token_limit_(static_cast<std::size_t>(mail.parameters().number("header_address_token_limit"))) {}

    master::submission_result run() {
        for (const std::string& each : options_.warnings) warn(each);
        if (!options_.fatal.empty()) return fail(exit_usage, options_.fatal);
        if (!options_.delivers) return do_other_job();
        if (const auto refused = refuse_user()) return *refused;
        read_sender();
        if (!options_.verp_delimiters.empty() && file_.sender.empty()) {
            return fail(exit_usage,
                        fmt::format("{}({}): -V option requires non-null sender address", file_.sender, message_.uid));
        }
        for (const std::string& each : options_.arguments) add_argument(each);
        const std::string content =
            options_.verifies ? probe_text()
                              : line_ends_fixed(message_.content, mail_.parameters().text("sendmail_fix_line_endings"));
        file_.first_extracted = file_.recipients.size();
        if (options_.extracts_recipients) {
            extraction found = recipients_of(content, mail_.parameters());
            if (found.header_too_long) {
                return fail(exit_data_error,
                            fmt::format("{}({}): unable to extract recipients: {}", file_.sender, message_.uid,
                                        cleanup::describe(cleanup::mime_error::truncated_header).text));
            }
            for (std::string& each : found.recipients) add_recipient(std::move(each));
        }
        if (file_.recipients.empty()) {
            const char* why = options_.extracts_recipients
                                  ? "No recipient addresses found in message header"
                                  : "Recipient addresses must be specified on the command line or via the -t option";
            return fail(exit_usage, fmt::format("{}({}): {}", file_.sender, message_.uid, why));
        }
        if (is_too_big(content)) return refuse_size();
        drop(content);
        return {};
    }

  private:
    master::submission_result do_other_job() {
        if (!options_.arguments.empty() && !options_.other_job.empty())
            return fail(exit_usage, options_.other_job + " requires no recipient");
        if (options_.flushes) mail_.flush();
        return {};
    }
    // authorized_submit_users
    std::optional<master::submission_result> refuse_user() {
        std::vector<table::diagnostic> complaints;
        const table::string_list allowed("authorized_submit_users", mail_.parameters().text("authorized_submit_users"),
                                         mail_.shared().tables, mail_.table_environment(mail_.parameters()), complaints,
                                         table::parent_style::dot_parent);
        for (const table::diagnostic& each : complaints) mail_.log(process_, each);
        const auto account = own_account();
        const std::string name = account ? account->name : "unknown";
        if (allowed.match(name).matched()) return std::nullopt;
        return fail(exit_no_permission, fmt::format("User {}({}) is not allowed to submit mail", name, message_.uid));
    }
    // The first address in what -f gives.
    void read_sender() {
        const std::string& given = options_.sender ? *options_.sender : message_.sender;
        std::vector<std::string> addresses = address::recipients_in_header(given, token_limit_);
        if (!addresses.empty()) file_.sender = std::move(addresses.front());
        if (addresses.size() > 1) warn("-f option specified malformed sender: " + given);
    }

    // Each argument is read as if it were a header.
    void add_argument(const std::string& argument) {
        std::vector<std::string> addresses = address::recipients_in_header(argument, token_limit_);
        if (addresses.empty()) addresses.emplace_back();
        for (std::string& each : addresses) add_recipient(std::move(each));
    }
    void add_recipient(std::string address) {
        queue::recipient to;
        to.address = std::move(address);
        to.notify = options_.notify;
        file_.recipients.push_back(std::move(to));
    }

    // sendmail -bv reads no message: this is the one that goes.
    std::string probe_text() const {
        std::string to;
        for (const queue::recipient& each : file_.recipients) {
            to += fmt::format("{}\t{}", to.empty() ? "" : ",\n", address::quote_822_local(each.address));
        }
        return fmt::format("From: {}\nSubject: probe\nTo:{}\n", address::quote_822_local(file_.sender), to);
    }

    // The size of the file that postdrop(1) would write: each line is a record with two bytes, or three, in front.
    bool is_too_big(std::string_view content) const {
        const auto limit = static_cast<std::size_t>(mail_.parameters().number("message_size_limit"));
        constexpr std::size_t envelope = 150, one_byte_length = 127;
        std::size_t total = envelope;
        for (const queue::recipient& each : file_.recipients) total += 2 + each.address.size();
        if (limit == 0 || total + 2 * content.size() < limit) return false;
        while (!content.empty() && total <= limit) {
            const std::size_t length = std::min(content.find('\n'), content.size());
            total += length + (length > one_byte_length ? 3 : 2);
            content.remove_prefix(std::min(length + 1, content.size()));
        }
        return total > limit;
    }
    master::submission_result refuse_size() {
        mail_.log(mail_.command_process("postdrop"), {},
                  maillog::remark{maillog::level::warning, fmt::format("uid={}: File too large", message_.uid)});
        warn("mail_stream_cleanup: close error");
        return fail(exit_unavailable, fmt::format("{}({}): message file too big", file_.sender, message_.uid));
    }

    void drop(const std::string& content) {
        file_.arrived = mail_.now();
        file_.id = mail_.new_queue_id(file_.arrived);
        file_.uid = message_.uid;
        file_.where = queue::name::maildrop;
        file_.from.local = !options_.gateway;
        file_.encoding = options_.encoding;
        file_.returns = options_.returns;
        file_.envelope_id = options_.envelope_id;
        file_.verp_delimiters = options_.verp_delimiters;
        file_.trace = options_.verifies  ? queue::tracing::user_probe
                      : options_.records ? queue::tracing::record
                                         : queue::tracing::none;
        file_.full_name = options_.full_name ? *options_.full_name : own_full_name();
        file_.content = std::make_shared<const std::string>(content);
        file_.size = content.size();
        const auto file = std::make_shared<queue::queue_file>(std::move(file_));
        mail_.host().queue_files().save(file);
        mail_.maildrop_arrived(file);
    }

    // fullname(3), of the only accounts that programs of the lab run as.
    std::string own_full_name() const {
        const auto account = own_account();
        return account ? account->full_name.substr(0, account->full_name.find(',')) : "";
    }
    std::optional<account> own_account() const {
        auto account = mail_.host().find_account(message_.uid == 0 ? "root" : "nobody");
        if (account && account->uid != message_.uid) account.reset();
        return account;
    }

    void warn(const std::string& text) { mail_.log(process_, {}, maillog::remark{maillog::level::warning, text}); }
    master::submission_result fail(int status, const std::string& text) {
        mail_.log(process_, {}, maillog::remark{maillog::level::fatal, text});
        return {status, fmt::format("sendmail: fatal: {}\n", text)};
    }

    master::mail_system& mail_;
    master::submission& message_;
    const sendmail_options options_;
    const maillog::process process_;
    const std::size_t token_limit_;
    queue::queue_file file_;
};

// Only what is still to be delivered comes back from a queue file, and it is new mail from here on.
void forget_attempts(queue::queue_file& file) {
    const auto is_done = [](const queue::recipient& each) { return each.done; };
    file.first_extracted = std::min(file.first_extracted, file.recipients.size());
    const auto extracted = file.recipients.begin() + static_cast<std::ptrdiff_t>(file.first_extracted);
    file.first_extracted -= static_cast<std::size_t>(std::count_if(file.recipients.begin(), extracted, is_done));
    std::erase_if(file.recipients, is_done);
    for (queue::recipient& each : file.recipients) each.delay = nullptr;
    file.bounces.clear();
    file.traces.clear();
    file.next_attempt = {};
    file.warn_after = never;
    file.forced_expired = false;
}

}  // namespace

master::submission_result sendmail(master::mail_system& mail, master::submission message) {
    return command(mail, message).run();
}

bool pick_up(master::mail_system& mail, const queue::message& file) {
    const maillog::process& pickup = mail.process_of("pickup");
    const master::daemon* service = mail.transport("pickup");
    const config::parameters& p = service ? *service->parameters : mail.parameters();
    const bool requeued = !file->original_id.empty();
    cleanup::incoming message;
    queue::queue_file& envelope = message.envelope;
    envelope = *file;
    if (requeued) {
        forget_attempts(envelope);
        const auto owner = mail.host().find_account(p.text("mail_owner"));
        if (owner) envelope.uid = owner->uid;
    }
    envelope.id = mail.new_queue_id(mail.now());
    envelope.content_filter = p.text("content_filter");
    envelope.original_id.clear();
    message.bounces = true;
    message.wanted = cleanup::overrides(p);
    message.first_extracted = envelope.first_extracted;
    message.full_name = file->full_name;
    message.service = p.text("cleanup_service_name");
    message.detects_utf8 = !requeued && p.flag("smtputf8_enable");
    mail.log(pickup, envelope.id, maillog::picked_up{envelope.uid, file->sender, file->original_id});
    message.content =
        fmt::format("Received: by {} ({}, from userid {})\n\tid {}; {}\n", p.text("myhostname"), p.text("mail_name"),
                    envelope.uid, envelope.id, text::mail_date(mail.now(), mail.host().time_zone()));
    // What begins with white space is no continuation of our own header.
    const std::string& content = *file->content;
    if (!content.empty() && (content.front() == ' ' || content.front() == '\t')) message.content += '\n';
    message.content += content;
    const std::string id = envelope.id;
    const cleanup::result taken = mail.cleanup().take(std::move(message));
    // Where cleanup gave a reason, that is in the log already.
    if (taken.status != cleanup::status::ok && taken.text.empty()) {
        mail.warn(pickup, fmt::format("maildrop/{}: error writing {}: {}", file->id, id, taken.description()));
    }
    const bool given_up = taken.status == cleanup::status::bad || taken.status == cleanup::status::no_recipients;
    if (taken.status != cleanup::status::ok && !given_up) return false;
    mail.host().queue_files().remove(file->id);
    return true;
}

}  // namespace mta::pickup
