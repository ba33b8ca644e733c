// mta/smtpd/session_data.cpp - the content of a message as it comes: DATA and BDAT (RFC 5321 4.1.1.4, RFC 3030).
#include <fmt/format.h>

#include <algorithm>

#include "mta/master/mail_system.hpp"
#include "mta/smtpd/session.hpp"
#include "mta/text/strings.hpp"

namespace mta::smtpd {
namespace {

constexpr std::size_t chunk_read_size = 4096;  // what smtpd asks of a chunk at once

}  // namespace

task<session::verdict> session::data(const address::command_line& line) {
    if (chunks_ != chunks::none) co_return refuse("503 5.5.1 Error: DATA after BDAT");
    const bool forlorn = transaction_.recipients.empty() && transaction_.lost_recipients > 0;
    if (transaction_.recipients.empty() && !forlorn) {
        co_return refuse(in_transaction() ? "554 5.5.1 Error: no valid recipients"
                                          : "503 5.5.1 Error: need RCPT command");
    }
    const auto parsed = address::parse_bare(line);
    if (const auto* refused = std::get_if<address::refusal>(&parsed)) co_return refuse(*refused);
    const access_facts known = facts();
    const decision decided = co_await server_.restrictions().check(stage::data, known, process_);
    if (decided.refused()) co_return refuse(decided);
    if (forlorn) co_return crash();
    begin_content();
    reply("354 End data with <CR><LF>.<CR><LF>");
    const io_error unsent = co_await send();
    error_ = unsent;
    if (unsent != io_error::none) co_return verdict::lost;
    where_ = "DATA content";
    const io_error broken = co_await receive_content();
    error_ = broken;
    if (broken != io_error::none) {
        bytes_ += static_cast<std::uint64_t>(transaction_.size);
        co_return verdict::lost;
    }
    where_ = "END-OF-MESSAGE";
    const verdict last = co_await finish_message();
    co_return last;
}

// One line of the message, or a piece of one that is longer than line_length_limit.
void session::append_line(std::string_view line, bool whole) {
    transaction& t = transaction_;
    if (t.at_first_line) {
        // What a mail reader took for the envelope is no header.
        const std::size_t quotes = std::min(line.find_first_not_of('>'), line.size());
        const bool envelope = line.substr(quotes).starts_with("From ");
        if (!envelope) {
            t.at_first_line = false;
            if (!line.empty() && (line[0] == ' ' || line[0] == '\t')) t.content += '\n';
        } else {
            t.content += "X-Mailbox-Line: ";
        }
    }
    if (t.too_big) return;
    if (options_.message_size_limit > 0 &&
        options_.message_size_limit - t.size < static_cast<std::int64_t>(line.size()) + 2) {
        t.too_big = true;
        warn(fmt::format("{}: queue file size limit exceeded", t.queue_id));
        return;
    }
    t.size += static_cast<std::int64_t>(line.size()) + 2;
    t.content += line;
    if (whole) t.content += '\n';
}

// To the line with the dot alone; the content with LF line ends and without the dots put before dots.
task<io_error> session::receive_content() {
    std::string line;
    bool continued = false, after_crlf = true;
    const bool strict = checks_bare_newline_;
    for (;;) {
        const smtp_stream::line got = co_await stream_.read_line(line, options_.line_length_limit, options_.timeout);
        if (!got.ok()) co_return got.error;
        const bool crlf = got.end == smtp_stream::line_end::crlf, bare = got.end == smtp_stream::line_end::lf;
        const bool whole = crlf || bare;
        while (whole && !strict && !line.empty() && line.back() == '\r') line.pop_back();
        if (bare) transaction_.bare_newline = true;
        std::string_view text = line;
        const bool dotted = !continued && text.starts_with('.');
        const bool lone_dot = dotted && whole && text.size() == 1;
        if (lone_dot && (!strict || (crlf && after_crlf))) co_return io_error::none;
        // A dot that smuggles is not only no end of the message: it is no line of it either.
        if (!lone_dot) append_line(dotted ? text.substr(1) : text, whole);
        continued = !whole;
        after_crlf = crlf;
    }
}

// A chunk that is not wanted is read whole all the same, and so are those after it up to the last, which ends the
// transaction.
task<session::verdict> session::discard_chunk(const address::bdat_command& chunk, std::string text) {
    std::string piece;
    for (std::int64_t left = chunk.size; left > 0; left -= static_cast<std::int64_t>(piece.size())) {
        piece.clear();
        const io_error broken = co_await stream_.read_bytes(piece, static_cast<std::size_t>(left), options_.timeout);
        error_ = broken;
        if (broken != io_error::none) co_return verdict::lost;
    }
    reply(text);
    if (chunk.last) {
        // The recipients that it had still count, as those of a message that its end refused.
        const std::size_t lost = transaction_.lost_recipients + transaction_.recipients.size();
        std::string first = std::move(transaction_.first_recipient);
        reset_transaction();
        transaction_.lost_recipients = lost;
        transaction_.first_recipient = std::move(first);
    } else {
        chunks_ = chunks::discarded;
    }
    co_return verdict::bad;
}

// The lines of a chunk; what has no end yet waits for the next one.
void session::take_chunk_lines(std::string_view piece) {
    std::string& rest = transaction_.rest;
    for (;;) {
        const std::size_t end = piece.find('\n');
        const std::size_t room = options_.line_length_limit - std::min(options_.line_length_limit, rest.size());
        const std::size_t taken = std::min({end, piece.size(), room});
        rest += piece.substr(0, taken);
        piece.remove_prefix(taken);
        if (taken == end) {
            if (rest.empty() || rest.back() != '\r') transaction_.bare_newline = true;
            if (rejects_newlines()) return;
            if (checks_bare_newline_) {
                if (!rest.empty() && rest.back() == '\r') rest.pop_back();
            } else {
                while (!rest.empty() && rest.back() == '\r') rest.pop_back();
            }
            append_line(rest, true);
            rest.clear();
            piece.remove_prefix(1);
        } else if (taken == room) {
            append_line(rest, false);
            rest.clear();
        }
        if (piece.empty()) return;
    }
}

task<io_error> session::receive_chunk(const address::bdat_command& chunk) {
    std::string piece;
    for (std::int64_t left = chunk.size; left > 0;) {
        const auto wanted = std::min<std::int64_t>(left, chunk_read_size);
        std::string part;
        while (static_cast<std::int64_t>(part.size()) < wanted) {
            piece.clear();
            const auto more = static_cast<std::size_t>(wanted) - part.size();
            const io_error broken = co_await stream_.read_bytes(piece, more, options_.timeout);
            if (broken != io_error::none) {
                bytes_ = broken == io_error::timed_out ? static_cast<std::uint64_t>(wanted) : part.size();
                co_return broken;
            }
            part += piece;
        }
        take_chunk_lines(part);
        left -= wanted;
    }
    co_return io_error::none;
}

task<session::verdict> session::bdat(const address::command_line& line) {
    if (!advertises(keyword::chunking)) co_return refuse("521 5.5.1 Error: command not implemented");
    const auto parsed = address::parse_bdat(line);
    if (const auto* refused = std::get_if<address::refusal>(&parsed)) {
        const std::string& id = transaction_.queue_id;
        warn(fmt::format("{}: malformed BDAT command syntax from {}: {:.100}", id.empty() ? "NOQUEUE" : id,
                         client_.name_and_address(), address::printable(text_, options_.smtputf8)));
        co_return refuse(*refused);
    }
    const address::bdat_command chunk = std::get<address::bdat_command>(parsed);
    const bool forlorn = transaction_.lost_recipients > 0 && transaction_.queue_id.empty();
    std::string no;
    if (chunk.size == 0 && !chunk.last) {
        note(notice::policy);
        const std::string& id = transaction_.queue_id;
        warn(fmt::format("{}: null BDAT request from {}", id.empty() ? "NOQUEUE" : id, client_.name_and_address()));
        no = "551 5.7.1 Null BDAT request";
    } else if (chunks_ == chunks::discarded) {
        note(notice::protocol);
        no = fmt::format("551 5.0.0 Discarded {} bytes after earlier error", chunk.size);
    } else if (transaction_.recipients.empty() && !forlorn) {
        note(notice::protocol);
        no = in_transaction() ? "554 5.5.1 Error: no valid recipients" : "503 5.5.1 Error: need RCPT command";
    } else if (chunks_ == chunks::none) {
        command_ = "BDAT";
        const access_facts known = facts();
        const decision decided = co_await server_.restrictions().check(stage::data, known, process_);
        command_.clear();
        if (decided.hang_up || decided.process_dies) co_return refuse(decided);
        if (decided.refused()) {
            note(notice_of(decided.cause));
            no = decided.reply;
        }
    }
    if (no.empty() && options_.message_size_limit > 0 && transaction_.size > options_.message_size_limit - chunk.size) {
        note(notice::policy);
        warn(fmt::format("{}: BDAT request from {} exceeds message size limit", transaction_.queue_id,
                         client_.name_and_address()));
        no = "552 5.3.4 Chunk exceeds message size limit";
    }
    if (!no.empty()) {
        const verdict last = co_await discard_chunk(chunk, std::move(no));
        co_return last;
    }
    if (forlorn) co_return crash();
    if (chunks_ == chunks::none) {
        chunks_ = chunks::taken;
        begin_content();
    }
    where_ = "BDAT content";
    const io_error broken = co_await receive_chunk(chunk);
    error_ = broken;
    if (broken != io_error::none) {
        bytes_ += static_cast<std::uint64_t>(transaction_.size);
        co_return verdict::lost;
    }
    if (!chunk.last && rejects_newlines()) {
        const verdict last = reject_newlines();
        chunks_ = chunks::discarded;
        co_return last;
    }
    if (!chunk.last) {
        bytes_ = static_cast<std::uint64_t>(transaction_.size) + transaction_.rest.size();
        reply(fmt::format("250 2.0.0 Ok: {} bytes", chunk.size));
        co_return verdict::good;
    }
    if (!transaction_.rest.empty()) append_line(std::exchange(transaction_.rest, {}), true);
    where_ = "END-OF-MESSAGE";
    const verdict last = co_await finish_message();
    co_return last;
}

}  // namespace mta::smtpd
