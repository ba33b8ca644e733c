#include "mta/sasl/client.hpp"

#include <algorithm>
#include <utility>

#include "mta/random.hpp"
#include "mta/sasl/client_scram.hpp"
#include "mta/text/strings.hpp"

namespace mta::sasl {
namespace {

struct requirement_name {
    std::string_view name;
    requirement value;
};
constexpr requirement_name requirement_names[] = {
    {"noplaintext", not_plaintext},         {"noactive", not_active},
    {"nodictionary", not_dictionary},       {"noanonymous", not_anonymous},
    {"mutual_auth", mutual_authentication}, {"forward_secrecy", forward_secrecy}};

class plain_client final : public client_exchange {
  public:
    explicit plain_client(const credentials& who) : client_exchange("PLAIN", who) { done_ = true; }
    std::string initial() override {
        std::string text(1, '\0');
        return text.append(who_.user).append(1, '\0').append(who_.password);
    }

  private:
    response answer(std::string_view) override { return say({}); }
};

class login_client final : public client_exchange {
  public:
    explicit login_client(const credentials& who) : client_exchange("LOGIN", who) {}

  private:
    response answer(std::string_view) override {
        if (!std::exchange(named_, true)) return say(who_.user);
        done_ = true;
        return say(who_.password);
    }
    bool named_ = false;
};

class cram_client final : public client_exchange {
  public:
    explicit cram_client(const credentials& who) : client_exchange("CRAM-MD5", who) {}

  private:
    response answer(std::string_view challenge) override {
        done_ = true;
        return say(who_.user + " " + lower_hex(keyed_digest("MD5", who_.password, challenge)));
    }
};

// The trace information of RFC 4505 is the user's name.
class anonymous_client final : public client_exchange {
  public:
    explicit anonymous_client(const credentials& who) : client_exchange("ANONYMOUS", who) { done_ = true; }
    std::string initial() override { return who_.user; }

  private:
    response answer(std::string_view) override { return say({}); }
};

template <class Kind>
std::unique_ptr<client_exchange> make(const credentials& who) {
    return std::make_unique<Kind>(who);
}
template <const scram_variant& Variant>
std::unique_ptr<client_exchange> make_scram(const credentials& who) {
    return std::make_unique<scram_client>(Variant, who);
}

struct row {
    std::string_view name;
    unsigned has;
    std::unique_ptr<client_exchange> (*make)(const credentials& who);
};
constexpr unsigned scram_has = not_plaintext | not_active | not_anonymous | mutual_authentication;
// In the order of sasl_client_start(3): the strongest first.
constexpr row rows[] = {{"SCRAM-SHA-512", scram_has, make_scram<scram_sha_512>},
                        {"SCRAM-SHA-384", scram_has, make_scram<scram_sha_384>},
                        {"SCRAM-SHA-256", scram_has, make_scram<scram_sha_256>},
                        {"SCRAM-SHA-1", scram_has, make_scram<scram_sha_1>},
                        {"CRAM-MD5", not_plaintext | not_anonymous, make<cram_client>},
                        {"PLAIN", not_anonymous, make<plain_client>},
                        {"LOGIN", not_anonymous, make<login_client>},
                        {"ANONYMOUS", not_plaintext, make<anonymous_client>}};

}  // namespace

bool parse_requirements(std::string_view text, unsigned& result, std::string& unknown) {
    result = 0;
    for (const std::string_view word : text::split(text, text::comma_or_space)) {
        const auto found =
            std::find_if(std::begin(requirement_names), std::end(requirement_names),
                         [&](const requirement_name& each) { return text::equal_ignoring_case(each.name, word); });
        if (found == std::end(requirement_names)) {
            unknown = word;
            return false;
        }
        result |= found->value;
    }
    return true;
}

response client_exchange::next(std::string_view challenge) {
    if (done_) return fail(code::failed, "SASL authentication problem: attempting client step after doneflag");
    return answer(challenge);
}

response client_exchange::say(std::string text) {
    response result;
    result.text = std::move(text);
    return result;
}

response client_exchange::fail(code why, std::string warning) {
    response result;
    result.result = why;
    result.warnings.push_back(std::move(warning));
    return result;
}

std::unique_ptr<client_exchange> choose(std::string_view offered, unsigned required, const credentials& who) {
    const auto words = text::split(offered, " ,\t");
    for (const row& each : rows) {
        if ((required & ~each.has) != 0) continue;
        const bool is_offered = std::any_of(words.begin(), words.end(), [&](std::string_view word) {
            return text::equal_ignoring_case(word, each.name);
        });
        if (is_offered) return each.make(who);
    }
    return nullptr;
}

}  // namespace mta::sasl
