#include "mta/postscreen/screening.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "mta/master/mail_system.hpp"
#include "mta/text/escape.hpp"
#include "mta/text/strings.hpp"

namespace mta::postscreen {
namespace {

constexpr std::size_t peeked = 1023;  // bytes of an early client that are looked at

// A read that ends when it is woken, too.
class early_read final : public read_some {
  public:
    using read_some::read_some;
    void wake() {
        if (!waiting_) return;
        stream_.cancel(*this);
        result.error = io_error::timed_out;
        completed();
    }
};

// A connection of which something was read already.
class replaying_stream final : public byte_stream {
  public:
    replaying_stream(std::unique_ptr<byte_stream> lower, std::string first)
        : lower_(std::move(lower)), first_(std::move(first)) {}
    bool start_read(io_operation& operation) override {
        if (first_.empty()) return lower_->start_read(operation);
        const std::size_t count = first_.copy(operation.data, operation.size);
        first_.erase(0, count);
        operation.result = {count, io_error::none};
        return true;
    }
    bool start_write(io_operation& operation) override { return lower_->start_write(operation); }
    void cancel(io_operation& operation) override { lower_->cancel(operation); }
    void shut_down_write() override { lower_->shut_down_write(); }
    void abort() override { lower_->abort(); }
    std::uint64_t connection() const override { return lower_->connection(); }

  private:
    std::unique_ptr<byte_stream> lower_;
    std::string first_;
};

}  // namespace

screening::screening(server& owner, std::unique_ptr<byte_stream> stream, endpoint local, endpoint remote)
    : server_(owner),
      options_(owner.options()),
      mail_(owner.mail()),
      local_(local),
      remote_(remote),
      address_(remote.address.to_string()),
      client_(fmt::format("[{}]:{}", address_, remote.port)),
      connection_(stream->connection()),
      stream_(std::move(stream)),
      start_(owner.mail().now()),
      shared_(owner.entered(address_)),
      expiry_(shared_.expiry) {}

screening::~screening() {
    server_.left(address_);
}

void screening::log(const std::string& text) {
    server_.log(text);
}

// respectful_logging
void screening::log_listed(std::string_view respectful, std::string_view other, std::string_view what) {
    log(fmt::format("{}{} {}", options_.respectful_logging ? respectful : other, what, client_));
    if (options_.respectful_logging || options_.chose_logging || !server_.first_use_of_old_words()) return;
    log("using backwards-compatible default setting respectful_logging=no for client " + client_);
}

// As format_tv(3) has it: two digits that mean something.
std::string screening::since(time_point when) const {
    const double seconds = std::chrono::duration<double>(mail_.now() - when).count();
    if (seconds >= 10) return fmt::format("{:.0f}", std::floor(seconds));
    std::string out = fmt::format("{:.{}f}", seconds, seconds >= 1 ? 1 : 2);
    while (out.back() == '0') out.pop_back();
    if (out.back() == '.') out.pop_back();
    return out;
}

std::string screening::softened(std::string_view reply) const {
    std::string out(reply);
    if (options_.soft_bounce && out.starts_with('5')) {
        out[0] = '4';
        if (out.size() > 4 && out[4] == '5') out[4] = '4';
    }
    return out;
}

void screening::enforce(std::string_view reply) {
    rcpt_reply_ = softened(reply);
    forwards_ = false;
    failed_ = true;
}

void screening::drop(std::string_view reply) {
    final_reply_ = reply;
    forwards_ = false;
    failed_ = true;
}

void screening::pass(test which, duration lifetime) {
    if (of(which) != state::todo) return;
    of(which) = state::passed;
    expiry_[static_cast<std::size_t>(which)] = mail_.now() + lifetime;
}

// A word of the list, or of what a table says: nothing where it says nothing of this client.
std::optional<screening::admission> screening::obey(std::string_view command, std::string_view source) {
    if (text::equal_ignoring_case(command, "permit_mynetworks")) {
        if (options_.mynetworks.match("", address_).matched()) return admission::allowed;
        return std::nullopt;
    }
    if (text::equal_ignoring_case(command, "permit")) return admission::allowed;
    if (text::equal_ignoring_case(command, "reject")) return admission::denied;
    if (text::equal_ignoring_case(command, "dunno")) return admission::unknown;
    mail_.warn(server_.process(),
               fmt::format("{}: unknown command: {} -- ignoring the remainder of this access list", source, command));
    broken_list_ = true;
    return admission::unknown;
}

screening::admission screening::ask_access_list() {
    for (const access_rule& each : options_.access) {
        if (!each.is_table) {
            const auto said = obey(each.word, "postscreen_access_list");
            if (said) return *said;
            continue;
        }
        const table::lookup_result found = each.lookup->lookup(address_);
        for (const std::string& warning : found.warnings) mail_.warn(server_.process(), warning);
        if (found.failed()) {
            mail_.warn(server_.process(), fmt::format("postscreen_access_list: {}: table lookup error -- ignoring the "
                                                      "remainder of this access list",
                                                      each.word));
            return admission::unknown;
        }
        if (!found.found()) continue;
        for (const std::string_view word : text::split(found.value, text::comma_or_space)) {
            if (word.find(':') != std::string_view::npos) {
                mail_.warn(
                    server_.process(),
                    fmt::format("table {}: lookup result \"{}\" is not allowed -- ignoring remainder of access list",
                                each.word, word));
                break;
            }
            const auto said = obey(word, each.word);
            if (!said) continue;
            if (*said != admission::unknown || broken_list_) return *said;
            break;  // a table's "dunno" goes on with what follows the table
        }
    }
    return admission::unknown;
}

bool screening::known_from_cache() {
    const expiry_times* known = options_.cache_map.empty() ? nullptr : server_.memory().find(address_);
    if (known) expiry_ = *known;
    is_new_ = !known;
    const auto find_due = [&](time_point when) {
        bool any = false;
        for (std::size_t i = 0; i < test_count; ++i) {
            if (!options_.enabled[i] || (known && when <= expiry_[i])) continue;
            tests_[i] = state::todo;
            any = true;
        }
        return any;
    };
    for (std::size_t i = 0; i < test_count; ++i)
        is_new_ = is_new_ || (options_.enabled[i] && expiry_[i] == time_point{});
    const bool due = find_due(mail_.now());
    // Who is tested anyway is tested for what would be due soon, too.
    if (due) find_due(mail_.now() + options_.min_ttl / 2);
    return known && !due;
}

task<void> screening::run() {
    log(fmt::format("CONNECT from {} to [{}]:{}", client_, local_.address.to_string(), local_.port));
    server_.check_stress();
    const int limit = options_.client_connection_limit;
    const bool too_many = limit > 0 && shared_.connections > limit;
    const admission admitted = too_many ? admission::unknown : ask_access_list();
    if (too_many) {
        log(fmt::format("NOQUEUE: reject: CONNECT from {}: too many connections", client_));
        drop("421 4.7.0 Error: too many connections");
    } else if (admitted == admission::allowed) {
        log_listed("ALLOW", "WHITE", "LISTED");
    } else if (admitted == admission::denied) {
        log_listed("DENY", "BLACK", "LISTED");
        if (options_.denylist_action == action::drop) drop("521 5.3.2 Service currently unavailable");
        if (options_.denylist_action == action::enforce) enforce("550 5.3.2 Service currently unavailable");
    }
    const bool dropped = !final_reply_.empty();
    const bool known = !dropped && admitted != admission::allowed && known_from_cache();
    if (known && !failed_) {
        if (!server_.stressed()) log("PASS OLD " + client_);
    } else if (!dropped && admitted != admission::allowed) {
        if (!options_.allowlist_interfaces.match("", local_.address.to_string()).matched()) {
            log_listed("ALLOW", "WHITE", "LIST VETO");
            vetoed_ = true;
            forwards_ = false;
        }
        if (options_.pre_queue_limit > 0 && server_.screening() >= options_.pre_queue_limit) {
            log(fmt::format("reject: connect from {}: all screening ports busy", client_));
            drop("421 4.3.2 All screening ports are busy");
        }
        if (final_reply_.empty() && (todo(test::pregreet) || todo(test::dnsbl))) co_await early_tests();
        const bool deep = todo(test::pipelining) || todo(test::non_smtp_command) || todo(test::bare_newline);
        if (final_reply_.empty() && !gone_ && (deep || !forwards_)) co_await converse();
    }
    co_await conclude();
}

// -- before the greeting ----------------------------------------------------------------------------------------------

bool screening::early_tests_done(const dnsbl_score* score) const {
    const bool greeted = pregreet_seen_ || tests_[static_cast<std::size_t>(test::pregreet)] != state::todo;
    return greeted && (!score || score->complete());
}

task<void> screening::early_tests() {
    const bool greets = todo(test::pregreet);
    const duration wait = server_.limit(options_.greet_wait);
    if (greets) {
        const std::string line = fmt::format("220-{}\r\n", options_.teaser);
        const io_error unsent = co_await write_all(*stream_, mail_.clock(), line, wait);
        gone_ = unsent != io_error::none;
    }
    std::shared_ptr<dnsbl_score> score;
    if (todo(test::dnsbl)) score = ask_lists(mail_, options_, address_);
    const time_point until = start_ + wait;
    std::array<char, peeked> buffer;
    bool spared = false;
    while (!gone_ && !spared && mail_.now() < until && !early_tests_done(score.get())) {
        io_result got;
        got.error = io_error::timed_out;
        {
            const std::span<char> into(buffer);
            early_read reading(*stream_, into, until);
            if (score && !score->complete()) score->on_complete = [&reading] { reading.wake(); };
            got = co_await reading;
            if (score) score->on_complete = {};
        }
        if (score && score->complete() && options_.dnsbl_allow_threshold < 0 &&
            score->total <= options_.dnsbl_allow_threshold && !pregreet_seen_) {
            spared = true;
        }
        if (got.ok()) {
            early_.append(buffer.data(), got.bytes);
            if (greets && !pregreet_seen_) spoke_too_soon(got.bytes);
            if (!final_reply_.empty()) co_return;
            // More of it is not looked at, and waits where it is.
            if (early_.size() >= peeked) co_await sleep_until(mail_.clock(), until);
        } else if (got.error != io_error::timed_out) {
            gone_ = true;
        }
    }
    if (gone_) {
        co_await hang_up("tests before SMTP handshake");
        co_return;
    }
    if (spared) {
        const std::uint32_t ttl_s = score->has_ttl ? score->ttl_s : 0;
        const duration lifetime = std::clamp<duration>(std::chrono::seconds(ttl_s), options_.min_dnsbl_ttl,
                                                       std::max(options_.min_dnsbl_ttl, options_.max_dnsbl_ttl));
        spare_tests(lifetime);
    } else if (greets && !pregreet_seen_) {
        pass(test::pregreet, options_.lifetimes[static_cast<std::size_t>(test::pregreet)]);
    }
    if (score) judge_score(*score);
    if (!early_.empty()) stream_ = std::make_unique<replaying_stream>(std::move(stream_), std::move(early_));
}

void screening::spare_tests(duration lifetime) {
    for (const test each : {test::pregreet, test::pipelining, test::non_smtp_command, test::bare_newline})
        pass(each, lifetime);
}

void screening::spoke_too_soon(std::size_t bytes) {
    pregreet_seen_ = true;
    log(fmt::format("PREGREET {} after {} from {}: {:.100}", bytes, since(start_), client_, text::escaped(early_)));
    if (options_.greet_action == action::drop) drop("521 5.5.1 Protocol error");
    if (options_.greet_action != action::enforce) return;
    of(test::pregreet) = state::failed;
    enforce("550 5.5.1 Protocol error");
}

void screening::judge_score(const dnsbl_score& score) {
    if (score.total < options_.dnsbl_threshold) {
        const duration ttl = std::chrono::seconds(score.has_ttl ? score.ttl_s : 0);
        pass(test::dnsbl,
             std::clamp(ttl, options_.min_dnsbl_ttl, std::max(options_.min_dnsbl_ttl, options_.max_dnsbl_ttl)));
        return;
    }
    log(fmt::format("DNSBL rank {} for {}", score.total, client_));
    const std::string why =
        fmt::format("5.7.1 Service unavailable; client [{}] blocked using {}", address_, score.name);
    if (options_.dnsbl_action == action::drop) drop("521 " + why);
    if (options_.dnsbl_action != action::enforce) return;
    of(test::dnsbl) = state::failed;
    enforce("550 " + why);
}

// -- the end ----------------------------------------------------------------------------------------------------------

task<void> screening::hang_up(std::string_view where) {
    log(fmt::format("HANGUP after {} from {} in {}", since(start_), client_, where));
    gone_ = true;
    forwards_ = false;
    co_return;
}

void screening::log_pass() {
    log(fmt::format("PASS {} {}", is_new_ && shared_.passed == 0 ? "NEW" : "OLD", client_));
    ++shared_.passed;
}

// There is no smtpd to let the client in to.
task<void> screening::apologize() {
    const bool teased = of(test::pregreet) != state::off;
    const duration limit = server_.limit(options_.command_time_limit);
    talk_ = std::make_unique<smtp_stream>(std::move(stream_), mail_.clock());
    if (teased) {
        say("220 " + options_.banner);
        const io_error unsent = co_await talk_->flush(limit);
        if (unsent != io_error::none) co_return;
        std::string line;
        const smtp_stream::line got = co_await talk_->read_line(line, options_.line_limit, limit);
        if (!got.ok()) co_return;
    }
    say(teased ? "421 4.3.2 No system resources" : "421 4.3.2 All server ports are busy");
    co_await talk_->flush(limit);
}

task<void> screening::conclude() {
    bool any = false, all = true, passed = false;
    for (const state each : tests_) {
        any = any || each != state::off;
        passed = passed || each == state::passed;
        all = all && (each == state::off || each == state::passed);
    }
    if (any && all && !failed_ && !vetoed_) log_pass();
    if (passed && !failed_ && !vetoed_ && !options_.cache_map.empty()) server_.memory().keep(address_, expiry_);
    if (forwards_) {
        if (mail_.pass_to_smtpd(stream_, local_, remote_)) co_return;
        mail_.warn(server_.process(), "cannot connect to service private/smtpd: No such file or directory");
        co_await apologize();
        if (!any) co_return;
        log_pass();
    }
    if (!gone_ && !forwards_ && !final_reply_.empty()) {
        const bool conversed = talk_ != nullptr;
        if (!conversed) talk_ = std::make_unique<smtp_stream>(std::move(stream_), mail_.clock());
        say(final_reply_);
        if (!conversed) record({}, said_);
        co_await talk_->flush(server_.limit(options_.command_time_limit));
    }
    if (recorded_) {
        const std::array<maillog::command_count, 1> counts = {{{"commands", accepted_, answered_}}};
        const maillog::disconnected told{{"unknown", address_}, counts, false};
        mail_.log(server_.process(), {}, told, connection_);
    }
    log("DISCONNECT " + client_);
    if (in_tls_) log_tlsproxy("DISCONNECT " + client_);
}

}  // namespace mta::postscreen
