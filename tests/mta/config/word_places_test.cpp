#include "mta/config/word_places.hpp"

#include <gtest/gtest.h>

namespace mta::config {
namespace {

constexpr std::string_view text = R"(# comment
common = permit_mynetworks
    # in between
    permit_sasl_authenticated
smtpd_client_restrictions = $common
    check_client_access hash:/etc/postfix/a,

    check_client_access hash:/etc/postfix/b reject
table = hash:/etc/postfix/c
smtpd_helo_restrictions = check_helo_access ${table} reject, $nothing reject
self = $self a
)";

struct places : testing::Test {
    main_cf main = read_main_cf(text, "main.cf");
    parameters::pointer values =
        parameters::layer(parameters::defaults({"mx.example", {"127.0.0.1/8"}}), main.definitions);
    source_reader read = [](std::string_view) { return std::optional<std::string>(text); };

    std::string of(std::string_view name, std::string_view phrase, std::size_t which = 0) const {
        const auto at = place_of_phrase(placed_words(*values, name, read), phrase, which);
        return at ? at->text() : "nowhere";
    }
};

TEST_F(places, words_stand_on_their_own_lines) {
    EXPECT_EQ(of("smtpd_client_restrictions", "check_client_access hash:/etc/postfix/a"), "main.cf:6");
    EXPECT_EQ(of("smtpd_client_restrictions", "check_client_access hash:/etc/postfix/b"), "main.cf:8");
    EXPECT_EQ(of("smtpd_client_restrictions", "reject"), "main.cf:8");
}

TEST_F(places, what_a_name_takes_in_stands_where_it_was_written) {
    EXPECT_EQ(of("smtpd_client_restrictions", "permit_mynetworks"), "main.cf:2");
    EXPECT_EQ(of("smtpd_client_restrictions", "permit_sasl_authenticated"), "main.cf:4");
    EXPECT_EQ(of("smtpd_helo_restrictions", "hash:/etc/postfix/c"), "main.cf:9");
}

TEST_F(places, a_phrase_may_stand_there_more_than_once) {
    EXPECT_EQ(of("smtpd_helo_restrictions", "reject", 0), "main.cf:10");
    EXPECT_EQ(of("smtpd_helo_restrictions", "reject", 1), "main.cf:10");
    EXPECT_EQ(of("smtpd_helo_restrictions", "reject", 2), "nowhere");
    EXPECT_EQ(of("smtpd_helo_restrictions", "permit"), "nowhere");
}

TEST_F(places, a_name_within_itself_ends) {
    EXPECT_FALSE(placed_words(*values, "self", read).empty());
}

TEST_F(places, a_file_that_changed_gives_the_line_of_the_parameter) {
    read = [](std::string_view) { return std::optional<std::string>("something = else\n"); };
    EXPECT_EQ(of("smtpd_client_restrictions", "reject"), "main.cf:5");
}

}  // namespace
}  // namespace mta::config
