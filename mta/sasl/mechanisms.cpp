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
        if (given.find('\0') != std::string::npos)
            return fail(code::bad_protocol, "Got more data than we were expecting in the PLAIN plugin?");
        if (is_blank(name)) return fail(code::failed, no_name);
        const auto password = look_up(name);
        if (!password || !equal_in_constant_time(*password, given)) {
            return fail(code::bad_authentication, "Password verification failed");
        }
        if (!acts_as.empty() && in_realm(acts_as) != user_) {
            user_ = in_realm(acts_as);
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
            name_ = message->substr(0, message->find('\0'));
            return ask("Password:");
        }
        if (is_blank(*name_)) return fail(code::failed, no_name);
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
            if (message && !message->empty())
                return fail(code::bad_protocol, "Remote sent first but mech does not allow it.");
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
    property_set properties;
    std::unique_ptr<exchange> (*make)(const realm& where);
};
constexpr property_set of_challenges = bit(property::no_plaintext) | bit(property::no_anonymous);
constexpr row rows[] = {
    {"PLAIN", bit(property::no_anonymous), make<plain_exchange>},
    {"LOGIN", bit(property::no_anonymous), make<login_exchange>},
    {"CRAM-MD5", of_challenges, make<cram_exchange>},
    {"SCRAM-SHA-256", of_challenges | bit(property::no_active) | bit(property::mutual_auth), make<scram_exchange>}};

constexpr std::pair<std::string_view, property> property_names[] = {
    {"noplaintext", property::no_plaintext},        {"noactive", property::no_active},
    {"nodictionary", property::no_dictionary},      {"noanonymous", property::no_anonymous},
    {"forward_secrecy", property::forward_secrecy}, {"mutual_auth", property::mutual_auth}};

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

property_set parse_properties(std::string_view text, std::vector<std::string>& unknown) {
    property_set set = 0;
    for (const std::string_view word : text::split(text, text::comma_or_space)) {
        const auto found = std::find_if(std::begin(property_names), std::end(property_names),
                                        [&](const auto& each) { return text::equal_ignoring_case(each.first, word); });
        if (found == std::end(property_names)) {
            unknown.emplace_back(word);
        } else {
            set |= bit(found->second);
        }
    }
    return set;
}

code permitted(std::string_view mechanism, property_set wanted) {
    const row* const found = find(mechanism);
    if (!found) return code::no_mechanism;
    const property_set missing = wanted & ~found->properties;
    if (missing == 0) return code::ok;
    return missing & bit(property::no_plaintext) ? code::needs_encryption : code::no_mechanism;
}

}  // namespace mta::sasl
