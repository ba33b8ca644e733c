// sendmail(1)'s command line, as Postfix's reads it.
#include "mta/pickup/sendmail_options.hpp"

#include <gtest/gtest.h>

#include "mta/queue/queue_file.hpp"

namespace mta::pickup {
namespace {

sendmail_options read(std::vector<std::string> words) {
    return read_options(words, "+=", "-=+");
}

TEST(sendmail_options, values_stand_beside_their_letters_or_after_them) {
    const auto options =
        read({"-oi", "-fann", "-F", "Ann B", "-tG", "-Vid-12", "-N", "success,Failure", "--", "bob", "-x"});
    EXPECT_EQ(options.fatal, "");
    EXPECT_EQ(options.sender, "ann");
    EXPECT_EQ(options.full_name, "Ann B");
    EXPECT_TRUE(options.extracts_recipients);
    EXPECT_TRUE(options.gateway);
    EXPECT_EQ(options.envelope_id, "id-12");
    EXPECT_EQ(options.notify, queue::notify_success | queue::notify_failure);
    EXPECT_EQ(options.arguments, (std::vector<std::string>{"bob", "-x"}));
}

TEST(sendmail_options, the_first_recipient_ends_the_options) {
    EXPECT_EQ(read({"-i", "bob", "-t"}).arguments, (std::vector<std::string>{"bob", "-t"}));
    EXPECT_EQ(read({"-f", "a", "-r", "b"}).sender, "b");
}

TEST(sendmail_options, what_postfix_refuses) {
    EXPECT_EQ(read({"-BBAD"}).fatal, "-B option needs 8BITMIME or 7BIT");
    EXPECT_EQ(read({"-n"}).fatal, "-n option not supported");
    EXPECT_EQ(read({"-bz"}).fatal, "unsupported: -bz");
    EXPECT_EQ(read({"-t", "-bs"}).fatal, "-t can be used only in delivery mode");
    EXPECT_EQ(read({"-Z"}).fatal, "usage: sendmail [options]");
    EXPECT_EQ(read({"-f"}).fatal, "usage: sendmail [options]");
}

TEST(sendmail_options, a_notify_list_that_is_not_understood_is_ignored) {
    const auto options = read({"-N", "rubbish"});
    EXPECT_EQ(options.notify, 0);
    EXPECT_EQ(options.warnings, (std::vector<std::string>{"unknown DSN NOTIFY command value \"rubbish\" in \"rubbish\"",
                                                          "bad -N option value -- ignored"}));
    EXPECT_EQ(read({"-N", "never,success"}).notify, 0);
}

TEST(sendmail_options, verp) {
    EXPECT_EQ(read({"-XV"}).verp_delimiters, "+=");
    EXPECT_EQ(read({"-XV-="}).verp_delimiters, "-=");
    EXPECT_EQ(read({"-XV?!"}).fatal, "-V requires two characters from -=+");
    EXPECT_EQ(read({"-V", "+="}).verp_delimiters, "+=");
}

}  // namespace
}  // namespace mta::pickup
