#include <fmt/format.h>

#include <algorithm>

#include "mta/random.hpp"
#include "mta/sasl/scram.hpp"
#include "mta/sasl/server.hpp"
#include "mta/text/strings.hpp"

namespace mta::sasl {
namespace {

answer succeed() {
    answer result;
    result.what = answer::kind::success;
    return result;
}

// authorization NUL user NUL password
class plain_exchange final : public exchange {
  public:
    explicit plain_exchange(const realm& where) : exchange(where) {}
    answer next(const std::optional<std::string>& message) override {
        if (!message || (message->empty() && !asked_)) {
            asked_ = true;
            return ask("");
        }
        const std::size_t first = message->find('\0');
        const std::size_t second = first == std::string::npos ? first : message->find('\0', first + 1);
        if (first == std::string::npos) return fail(code::bad_protocol, "Can only find author (no password)");
        if (second == std::string::npos) return fail(code::bad_protocol, "Can only find author/en (no password)");
        const std::string acts_as = message->substr(0, first);
        const std::string name = message->substr(first + 1, second - first - 1);
        const std::string given = message->substr(second + 1);
        if (given.find('\0') != std::string::npos) return fail(code::bad_protocol, "Got garbage at the end");
        const auto password = look_up(name);
        if (!password || !equal_in_constant_time(*password, given)) {
            return fail(code::bad_authentication, "Password verification failed");
        }
        const bool qualified = acts_as.find('@') != std::string::npos;
        if (!acts_as.empty() && (qualified ? acts_as : acts_as + "@" + where_.local_domain) != user_) {
            return fail(code::bad_authentication, "Requested identity not authenticated identity");
        }
        return succeed();
    }

  private:
    bool asked_ = false;
};

class login_exchange final : public exchange {
  public:
    explicit login_exchange(const realm& where) : exchange(where) {}
    answer next(const std::optional<std::string>& message) override {
        if (!message) return ask("Username:");
        if (!name_) {
            name_ = *message;
            return ask("Password:");
        }
        const auto password = look_up(*name_);
        if (!password || !equal_in_constant_time(*password, *message)) return fail(code::bad_authentication);
        return succeed();
    }

  private:
    std::optional<std::string> name_;
};

class cram_exchange final : public exchange {
  public:
    explicit cram_exchange(const realm& where) : exchange(where) {}
    answer next(const std::optional<std::string>& message) override {
        if (challenge_.empty()) {
            if (message && !message->empty()) return fail(code::bad_protocol, "CRAM-MD5 does not accept inital data");
            const std::uint64_t number = where_.random->below(4'294'967'296);
            const std::uint64_t moment = where_.random->below(100'000);
            challenge_ = fmt::format("<{}.{}@{}>", number, moment, where_.host);
            return ask(challenge_);
        }
        const std::size_t space = message ? message->rfind(' ') : std::string::npos;
        if (space == std::string::npos) return fail(code::bad_protocol, "need authentication name");
        const auto password = look_up(message->substr(0, space));
        if (!password) return fail(code::bad_authentication);
        const std::string expected = lower_hex(keyed_digest("MD5", *password, challenge_));
        if (!equal_in_constant_time(message->substr(space + 1), expected)) {
            return fail(code::bad_authentication, "incorrect digest response");
        }
        return succeed();
    }

  private:
    std::string challenge_;
};

template <class kind>
std::unique_ptr<exchange> make(const realm& where) {
    return std::make_unique<kind>(where);
}

struct row {
    std::string_view name;
    bool in_clear;
    std::unique_ptr<exchange> (*make)(const realm& where);
};
constexpr row rows[] = {{"PLAIN", true, make<plain_exchange>},
                        {"LOGIN", true, make<login_exchange>},
                        {"CRAM-MD5", false, make<cram_exchange>},
                        {"SCRAM-SHA-256", false, make<scram_exchange>}};

const row* find(std::string_view mechanism) {
    const auto found = std::find_if(std::begin(rows), std::end(rows),
                                    [&](const row& each) { return text::equal_ignoring_case(each.name, mechanism); });
    return found == std::end(rows) ? nullptr : found;
}

}  // namespace

std::unique_ptr<exchange> begin(std::string_view mechanism, const realm& where) {
    const row* const found = find(mechanism);
    return found ? found->make(where) : nullptr;
}

bool sends_password_in_clear(std::string_view mechanism) {
    const row* const found = find(mechanism);
    return found && found->in_clear;
}

}  // namespace mta::sasl
