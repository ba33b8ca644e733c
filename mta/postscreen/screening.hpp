// mta/postscreen/screening.hpp - one client's way past the doorkeeper: the lists, the cache, the tests before the
// greeting, and then smtpd or the server of few words (postscreen.c, postscreen_early.c, postscreen_smtpd.c).
#pragma once
#include <memory>
#include <string>

#include "mta/postscreen/dnsbl.hpp"
#include "mta/postscreen/server.hpp"
#include "mta/stream/smtp_stream.hpp"

namespace mta::postscreen {

class screening {
  public:
    screening(server& owner, std::unique_ptr<byte_stream> stream, endpoint local, endpoint remote);
    ~screening();
    task<void> run();

  private:
    enum class state : std::uint8_t { off, todo, passed, failed };
    state& of(test which) { return tests_[static_cast<std::size_t>(which)]; }
    bool todo(test which) { return of(which) == state::todo; }

    // Lists and cache.
    enum class admission : std::uint8_t { allowed, denied, unknown };
    admission ask_access_list();
    std::optional<admission> obey(std::string_view command, std::string_view source);
    bool known_from_cache();  // nothing to be tested
    void enforce(std::string_view reply);
    void drop(std::string_view reply);
    void pass(test which, duration lifetime);
    void spare_tests(duration lifetime);

    // Before the greeting.
    task<void> early_tests();
    void spoke_too_soon(std::size_t bytes);
    bool early_tests_done(const dnsbl_score* score) const;
    void judge_score(const dnsbl_score& score);

    // The server of few words.
    task<void> converse();
    void filter(std::string& line);
    void too_much(std::string_view of_what);
    bool one_line(std::string line, bool bare_newline);  // false: the session ends
    bool watches(test which);
    bool has_manners(std::string_view line, bool bare_newline);
    bool misbehaved(test which, std::string_view reply_if_dropped);
    bool execute(std::string_view verb, std::string_view rest);
    void greet_by_name(bool extended, std::string_view rest);
    void mail(std::string_view rest);
    void rcpt(std::string_view rest);
    void data(std::string_view verb, std::string_view rest);
    bool ask_tlsproxy();
    task<bool> start_tls();
    void tlsproxy_gives_up();
    void log_tlsproxy(const std::string& text, maillog::level severity = maillog::level::info);
    std::string ehlo_reply();

    task<void> conclude();
    void log_pass();
    task<void> apologize();
    task<void> hang_up(std::string_view where);
    void say(std::string_view reply);
    // A session of its own, for those who want to know of each command.
    void record(std::string_view line, std::string_view reply);
    std::string with_footer(std::string reply);
    std::string softened(std::string_view reply) const;
    std::string since(time_point when) const;
    void log(const std::string& text);
    void log_listed(std::string_view respectful, std::string_view other, std::string_view what);

    server& server_;
    const settings& options_;
    master::mail_system& mail_;
    endpoint local_, remote_;
    std::string address_, client_;  // "192.0.2.1", "[192.0.2.1]:25000"
    const std::uint64_t connection_;
    std::unique_ptr<byte_stream> stream_;
    std::unique_ptr<smtp_stream> talk_;
    std::string early_;  // what the client said before its turn
    time_point start_;
    std::array<state, test_count> tests_{};
    server::client& shared_;
    expiry_times& expiry_;
    bool is_new_ = true, forwards_ = true, failed_ = false, vetoed_ = false, gone_ = false, pregreet_seen_ = false,
         broken_list_ = false, turned_away_ = false, wants_tls_ = false, in_tls_ = false, extended_ = false,
         recorded_ = false;
    std::array<bool, test_count> seen_{};  // misbehaviour that was logged
    std::string said_;                     // the last reply
    std::string rcpt_reply_ = "450 4.3.2 Service currently unavailable", final_reply_;
    std::string helo_, where_ = "CONNECT";
    std::optional<std::string> sender_;
    int commands_ = 0;
    std::uint32_t answered_ = 0, accepted_ = 0;  // of what is recorded
};

}  // namespace mta::postscreen
