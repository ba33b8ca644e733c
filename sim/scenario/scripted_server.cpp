#include "sim/scenario/scripted_server.hpp"

#include <algorithm>
#include <exception>
#include <optional>
#include <utility>

#include "mta/text/strings.hpp"
#include "sim/scenario/channel.hpp"
#include "sim/scenario/pattern.hpp"
#include "sim/scenario/utf8.hpp"
#include "sim/topology/model.hpp"

namespace sim::scenario {
namespace {

using mta::io_error;
using mta::task;

constexpr std::size_t largest_body = std::size_t{64} << 20;
constexpr std::size_t most_recipients = 100'000;
// How long a client may refuse to read a reply. A server without patience of its own would wait for ever.
constexpr mta::duration write_patience = std::chrono::hours(24);

// "MAIL FROM:<a@b> SIZE=3" -> "a@b"
std::string path_of(std::string_view command) {
    const std::size_t open = command.find('<');
    if (open == command.npos) return "";
    const std::size_t close = command.find('>', open);
    return std::string(command.substr(open + 1, close == command.npos ? close : close - open - 1));
}

// What the conditions of replies ask about.
struct situation {
    std::uint32_t session = 0;
    std::optional<std::string> sender;
    std::vector<std::string> recipients;

    bool satisfies(const scripted_reply& reply) const {
        if (reply.session && !reply.session->has(session)) return false;
        if (reply.sender && (!sender || !glob_matches(*reply.sender, *sender))) return false;
        return !reply.recipient || std::any_of(recipients.begin(), recipients.end(), [&](const std::string& each) {
            return glob_matches(*reply.recipient, each);
        });
    }
};

}  // namespace

std::string received_message::sender() const {
    return path_of(mail_line);
}

std::vector<std::string> received_message::recipients() const {
    std::vector<std::string> result;
    for (const auto& each : rcpt_lines) result.push_back(path_of(each));
    return result;
}

// A script while it is played: the port and the sessions. Its end is theirs.
class scripted_server::performance {
  public:
    performance(scripted_server& owner, const script& play)
        : owner_(owner),
          script_(play),
          used_(play.replies.size()),
          sessions_([](std::exception_ptr error) { std::rethrow_exception(error); }) {
        const mta::endpoint local{owner.address_, play.port};
        port_ =
            owner.machine_.listen(local, [this](std::unique_ptr<mta::byte_stream> stream, const mta::endpoint&,
                                                const mta::endpoint&) { sessions_.start(serve(std::move(stream))); });
    }
    bool listening() const { return port_ != nullptr; }

    std::string_view name() const { return owner_.machine_.name(); }
    const script& text() const { return script_; }
    const stream_upgrade& start_tls() const { return owner_.start_tls_; }
    mta::scheduler& clock() { return owner_.machine_.scheduler(); }
    void keep(received_message message) { owner_.received_.push_back(std::move(message)); }

    // Null: the script says nothing of this verb here and now.
    const scripted_reply* reply_for(std::string_view verb, const situation& now) {
        for (std::size_t i = 0; i < script_.replies.size(); ++i) {
            if (script_.replies[i].first == verb) return choose(script_.replies[i].second, used_[i], now);
        }
        return nullptr;
    }
    std::uint32_t next_session() { return ++sessions_begun_; }

  private:
    static const scripted_reply* choose(const std::vector<scripted_reply>& replies, std::vector<std::uint32_t>& used,
                                        const situation& now) {
        used.resize(replies.size());
        const scripted_reply* last = nullptr;
        for (std::size_t i = 0; i < replies.size(); ++i) {
            const scripted_reply& each = replies[i];
            if (!now.satisfies(each)) continue;
            const std::uint32_t most = each.times.value_or(each.conditional() ? UINT32_MAX : 1);
            if (used[i] < most) {
                ++used[i];
                return &each;
            }
            if (!each.conditional()) last = &each;
        }
        return last;
    }
    task<void> serve(std::unique_ptr<mta::byte_stream> stream);

    scripted_server& owner_;
    script script_;
    std::vector<std::vector<std::uint32_t>> used_;  // beside script_.replies
    std::uint32_t sessions_begun_ = 0;
    mta::nursery sessions_;
    std::unique_ptr<mta::listener> port_;
};

namespace {

template <class Performance>
class session {
  public:
    session(Performance& play, channel& wire) : play_(play), wire_(wire) { now_.session = play.next_session(); }

    task<void> run() {
        const std::string banner = "220 " + std::string(play_.name()) + " ESMTP";
        bool goes_on = co_await answer("CONNECT", banner);
        std::string line;
        while (goes_on) {
            goes_on = co_await read(line);
            if (!goes_on) break;
            const std::string verb = mta::text::uppered(std::string_view(line).substr(0, line.find(' ')));
            goes_on = co_await obey(verb, line);
        }
    }

  private:
    // False when the connection is over; `reply_` is what was said.
    task<bool> answer(std::string_view verb, std::string_view otherwise) {
        const scripted_reply* scripted = play_.reply_for(verb, now_);
        reply_ = scripted ? scripted->text : std::string(otherwise);
        close_after_ = scripted ? scripted->close_after : std::nullopt;
        if (scripted && scripted->delay.count() > 0) {
            co_await mta::sleep_for(play_.clock(), scripted->delay);
        }
        if (reply_ == "close") co_return false;
        if (reply_ == "hang") {
            io_error error = io_error::none;
            while (error == io_error::none) {
                wire_.discard_input();
                error = co_await wire_.fill(mta::never);
            }
            co_return false;
        }
        std::string bytes = mta::text::replaced(reply_, "\n", "\r\n") + "\r\n";
        const io_error error = co_await wire_.send(std::move(bytes), write_patience);
        co_return error == io_error::none;
    }
    bool said(std::string_view code) const { return reply_.starts_with(code); }

    task<bool> read(std::string& line) {
        while (!wire_.take_line(line, "\n")) {
            const io_error error = co_await wire_.fill(mta::never);
            if (error != io_error::none || wire_.overflow()) co_return false;
        }
        while (line.ends_with('\r')) line.pop_back();
        line = readable(line);
        co_return true;
    }

    task<bool> obey(std::string_view verb, std::string_view line) {
        if (verb == "EHLO" || verb == "HELO") {
            const std::string greeting = verb == "EHLO" ? extensions() : "250 " + std::string(play_.name());
            co_return co_await answer(verb, greeting);
        }
        if (verb == "STARTTLS") co_return co_await start_tls();
        if (verb == "MAIL") co_return co_await take_sender(line);
        if (verb == "RCPT") co_return co_await take_recipient(line);
        if (verb == "DATA") co_return co_await take_message();
        if (verb == "QUIT") {
            co_await answer(verb, "221 2.0.0 bye");
            co_return false;
        }
        co_return co_await answer(verb, "250 2.0.0 ok");
    }

    task<bool> take_sender(std::string_view line) {
        now_.sender = path_of(line);
        now_.recipients.clear();
        const bool goes_on = co_await answer("MAIL", "250 2.1.0 ok");
        if (goes_on && said("250")) {
            envelope_ = received_message{};
            envelope_.mail_line = line;
        }
        co_return goes_on;
    }
    task<bool> take_recipient(std::string_view line) {
        now_.recipients = {path_of(line)};
        const bool goes_on = co_await answer("RCPT", "250 2.1.5 ok");
        if (goes_on && said("250")) envelope_.rcpt_lines.emplace_back(line);
        co_return goes_on&& envelope_.rcpt_lines.size() <= most_recipients;
    }

    std::string extensions() const {
        std::vector<std::string> rows = {std::string(play_.name())};
        rows.insert(rows.end(), play_.text().extensions.begin(), play_.text().extensions.end());
        if (play_.start_tls() && !secure_) rows.emplace_back("STARTTLS");
        std::string result;
        for (std::size_t i = 0; i < rows.size(); ++i) {
            if (i > 0) result += '\n';
            (result += i + 1 < rows.size() ? "250-" : "250 ") += rows[i];
        }
        return result;
    }

    task<bool> start_tls() {
        const bool goes_on = co_await answer("STARTTLS", "220 2.0.0 go ahead");
        if (!goes_on || !said("220")) co_return goes_on;
        const bool made = co_await wire_.start_tls(play_.start_tls());
        secure_ = made;
        co_return made;
    }

    task<bool> take_message() {
        now_.recipients = envelope_.recipients();
        bool goes_on = co_await answer("DATA", "354 go ahead");
        if (!goes_on || !said("354")) co_return goes_on;
        const std::optional<std::uint64_t> enough = close_after_;
        std::string body, line;
        for (;;) {
            if (enough && body.size() >= *enough) co_return false;
            goes_on = co_await read(line);
            if (!goes_on) co_return false;
            if (line == ".") break;
            (body += line.starts_with('.') ? std::string_view(line).substr(1) : std::string_view(line)) += '\n';
            if (body.size() > largest_body) co_return false;
        }
        goes_on = co_await answer("END", "250 2.0.0 accepted");
        if (!goes_on || !said("250")) co_return goes_on;
        received_message taken = envelope_;
        taken.when = play_.clock().now();
        taken.connection = wire_.connection();
        taken.body = std::move(body);
        play_.keep(std::move(taken));
        co_return true;
    }

    Performance& play_;
    channel& wire_;
    received_message envelope_;  // stays for the next DATA until another MAIL
    situation now_;
    std::string reply_;
    std::optional<std::uint64_t> close_after_;
    bool secure_ = false;
};

}  // namespace

task<void> scripted_server::performance::serve(std::unique_ptr<mta::byte_stream> stream) {
    channel wire(std::move(stream), clock());
    session<performance> one(*this, wire);
    co_await one.run();
}

scripted_server::scripted_server(mta::Host& machine, const mta::address::ip_address& address, stream_upgrade start_tls)
    : machine_(machine), address_(address), start_tls_(std::move(start_tls)) {}

scripted_server::~scripted_server() = default;

bool scripted_server::play(const script& next) {
    now_playing_.reset();
    if (next.down) return true;
    now_playing_ = std::make_unique<performance>(*this, next);
    if (now_playing_->listening()) return true;
    now_playing_.reset();
    return false;
}

bool scripted_server::listening() const {
    return now_playing_ != nullptr;
}

std::span<const received_message> scripted_server::received() const {
    return received_;
}

std::string scripted_server::mbox() const {
    std::string out;
    for (const auto& each : received_) {
        // The line's tenth character is where the path begins, its "<" included: "From <a@b  Thu ...".
        std::string_view from = without_characters(each.mail_line, std::string_view("MAIL FROM:").size());
        from = from.substr(0, from.find('>'));
        (out += "From ") += from.empty() ? std::string_view("MAILER-DAEMON") : from;
        out += "  Thu Jan  1 00:00:00 1970\n";
        ((out += "X-Received-Mail: ") += each.mail_line) += '\n';
        for (const auto& recipient : each.rcpt_lines) ((out += "X-Received-Rcpt: ") += recipient) += '\n';
        // An empty message still has its end of line.
        (out += each.body.empty() ? std::string_view("\n") : std::string_view(each.body)) += '\n';
    }
    return out;
}

script first_script(const topology::server& of) {
    script result;
    result.server = of.name;
    result.port = of.port;
    result.replies = of.replies;
    result.extensions = of.extensions;
    result.down = of.down;
    return result;
}

}  // namespace sim::scenario
