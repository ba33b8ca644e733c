#include "sim/scenario/dialogue.hpp"

#include <utility>
#include <variant>

#include "mta/text/strings.hpp"
#include "sim/scenario/channel.hpp"
#include "sim/scenario/pattern.hpp"
#include "sim/scenario/utf8.hpp"

namespace sim::scenario {
namespace {

using mta::io_error;
using mta::task;
using namespace std::chrono_literals;

constexpr mta::duration patience = 20s;
constexpr mta::duration raw_patience = 1s;  // after the last bytes that came
constexpr std::size_t longest_transcript = std::size_t{16} << 20;
constexpr std::string_view crlf = "\r\n";

// A text file reads every kind of line end as one.
std::string with_plain_line_ends(std::string_view text) {
    return mta::text::replaced(mta::text::replaced(text, crlf, "\n"), "\r", "\n");
}

class conversation {
  public:
    conversation(channel& wire, mta::scheduler& clock, const stream_upgrade& start_tls, std::string& transcript)
        : wire_(wire), clock_(clock), start_tls_(start_tls), transcript_(transcript) {}

    task<void> run(std::span<const dialogue_entry> lines, bool early) {
        const auto* first = early && !lines.empty() ? std::get_if<line>(&lines[0]) : nullptr;
        if (first) {
            say('C', first->text);
            std::string bytes = first->text + "\r\n";
            const io_error error = co_await wire_.send(std::move(bytes), patience);
            if (error != io_error::none) closed();
            if (error != io_error::none) co_return;
            lines = lines.subspan(1);
        }
        std::string code = co_await reply();
        code_ = std::move(code);
        // postscreen(8) has nothing more of a greeting for who was early: then this was the answer already.
        if (first && code_ == "220") {
            std::string answer = co_await reply();
            code_ = std::move(answer);
            if (code_.empty()) co_return;
        }
        for (const dialogue_entry& each : lines) {
            const bool goes_on = co_await play(each);
            if (!goes_on) co_return;
        }
    }

  private:
    void say(char side, std::string_view text) {
        transcript_ += side;
        ((transcript_ += ": ") += text) += '\n';
    }
    bool closed() {
        say('S', "(closed)");
        return false;
    }
    bool flooded() {
        if (!wire_.overflow() && transcript_.size() <= longest_transcript) return false;
        if (!over_) say('S', "(too much)");
        return over_ = true;
    }

    task<bool> play(const dialogue_entry& entry) {
        if (const auto* one = std::get_if<line>(&entry)) co_return co_await play_line(*one);
        if (const auto* bytes = std::get_if<raw>(&entry)) co_return co_await play_raw(*bytes);
        if (const auto* several = std::get_if<group>(&entry)) co_return co_await play_group(*several);
        const mta::time_point end = clock_.now() + std::get<pause>(entry).time;
        co_await mta::sleep_until(clock_, end);
        co_return true;
    }

    // One reply of any number of lines. Its code, or "" when none came; the transcript says why.
    task<std::string> reply() {
        for (;;) {
            std::string text;
            while (!wire_.take_line(text, crlf)) {
                const io_error error = co_await wire_.fill(clock_.now() + patience);
                if (error == io_error::timed_out) {
                    say('S', "(no reply)");
                    co_return "";
                }
                if (error != io_error::none) {
                    closed();
                    co_return "";
                }
                if (flooded()) co_return "";
            }
            text = readable(text);
            say('S', text);
            const std::string_view rest = without_characters(text, 3);
            if (!rest.starts_with('-')) co_return text.substr(0, text.size() - rest.size());
            if (flooded()) co_return "";
        }
    }

    task<bool> play_line(const line& entry) {
        say('C', entry.text);
        std::string bytes = entry.text + "\r\n";
        const io_error error = co_await wire_.send(std::move(bytes), patience);
        if (error != io_error::none) co_return closed();
        if (in_data_) {
            if (entry.text != ".") co_return true;
            in_data_ = false;
        }
        std::string code = co_await reply();
        code_ = std::move(code);
        if (code_.empty()) co_return false;
        if (code_ == "354") in_data_ = true;
        if (code_ != "220" || !mta::text::equal_ignoring_case(entry.text, "STARTTLS")) co_return true;
        const bool secure = co_await wire_.start_tls(start_tls_);
        say(secure ? 'C' : 'S', secure ? "(TLS)" : "(TLS failure)");
        co_return secure;
    }

    task<bool> play_raw(const raw& entry) {
        say('C', "(raw) " + entry.text);
        std::string bytes = entry.bytes;
        io_error error = co_await wire_.send(std::move(bytes), patience);
        if (error != io_error::none) co_return closed();
        for (;;) {
            if (!wire_.has_line(crlf)) {
                error = co_await wire_.fill(clock_.now() + raw_patience);
                if (error == io_error::timed_out) co_return true;
                if (error != io_error::none) co_return closed();
            }
            std::string text;
            while (wire_.take_line(text, crlf)) say('S', readable(text));
            if (flooded()) co_return false;
        }
    }

    task<bool> play_group(const group& entry) {
        std::string bytes;
        for (const std::string& each : entry.lines) {
            say('C', each);
            (bytes += each) += crlf;
        }
        const io_error error = co_await wire_.send(std::move(bytes), patience);
        if (error != io_error::none) co_return closed();
        for (std::size_t i = 0; i < entry.lines.size(); ++i) {
            std::string code = co_await reply();
            code_ = std::move(code);
            if (code_.empty()) break;
        }
        if (code_.empty()) co_return false;
        in_data_ = code_ == "354";
        co_return true;
    }

    channel& wire_;
    mta::scheduler& clock_;
    const stream_upgrade& start_tls_;
    std::string& transcript_;
    std::string code_;  // of the last reply
    bool in_data_ = false;
    bool over_ = false;
};

}  // namespace

task<std::string> run_dialogue(mta::Host& client, dialogue_route route, std::span<const dialogue_entry> lines) {
    mta::scheduler& clock = client.scheduler();
    std::string transcript;
    const mta::time_point deadline = clock.now() + patience;
    mta::connect_result made = co_await client.connect(route.server, route.source, deadline);
    if (!made.stream) {
        const io_error error = made.error == io_error::none ? io_error::refused : made.error;
        co_return "S: (" + std::string(mta::describe(error)) + ")\n";
    }
    channel wire(std::move(made.stream), clock);
    conversation both(wire, clock, route.start_tls, transcript);
    co_await both.run(lines, route.early);
    co_return with_plain_line_ends(transcript);
}

}  // namespace sim::scenario
