#include "mta/bounce/templates.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "mta/config/problem.hpp"

namespace mta::bounce {
namespace {

struct reading {
    notice_templates templates = notice_templates::built_in();
    std::vector<std::string> warnings;

    explicit reading(std::string_view text) { templates.read(text, "/t", warnings); }
    const notice_template& failure() { return templates.of(template_kind::failure, warnings); }
};

TEST(bounce_templates, a_file_replaces_what_it_defines) {
    reading file(
        "# ours\n\nfailure_template = <<END\nCharset: utf-8\nFrom: Post <post@x.test>\nSubject: Sorry\n"
        "Postmaster-Subject: Copy\n\nIt failed.\n  Really.\nEND\n");
    EXPECT_EQ(file.failure().subject, "Sorry");
    EXPECT_EQ(file.failure().postmaster_subject, "Copy");
    EXPECT_EQ(file.failure().charset, "utf-8");
    EXPECT_EQ(file.failure().from, "Post <post@x.test>");
    EXPECT_EQ(file.failure().body, "It failed.\n  Really.\n");
    EXPECT_EQ(file.failure().origin, "/t");
    EXPECT_EQ(file.templates.of(template_kind::delay, file.warnings).origin, "[built-in]");
    EXPECT_TRUE(file.warnings.empty());
}

TEST(bounce_templates, one_with_a_fault_is_warned_of_once_and_leaves_the_built_in_words) {
    const std::string wrong[] = {
        "Subject:\n\nbody\n",
        "X-Other: x\n\nbody\n",
        "Subject: \xc3\xa9\n\nbody\n",
        "Subject: no body\n\n",
        "Subject: eight bits\n\n\xc3\xa9\n",
    };
    for (const std::string& each : wrong) {
        reading file("failure_template = <<END\n" + each + "END\n");
        EXPECT_TRUE(file.warnings.empty()) << each;
        EXPECT_EQ(file.failure().origin, "[built-in]") << each;
        const std::size_t told = file.warnings.size();
        EXPECT_GT(told, 0U) << each;
        file.failure();
        EXPECT_EQ(file.warnings.size(), told) << each;
    }
}

TEST(bounce_templates, a_file_that_is_none_is_fatal) {
    EXPECT_THROW(reading("failure_template\n"), config::fatal);
    EXPECT_THROW(reading("failure_template = <<\n"), config::fatal);
}

TEST(bounce_templates, an_end_that_is_missing_and_a_name_that_is_none_are_warned_of) {
    reading open("failure_template = <<END\nSubject: x\n\nbody\n");
    EXPECT_EQ(open.warnings, std::vector<std::string>{"/t, line 5: missing \"END\" end marker"});
    EXPECT_EQ(open.failure().body, "body\n");
    reading other("other_template = <<END\nx\nEND\n");
    EXPECT_EQ(other.warnings,
              std::vector<std::string>{"/t, line 4: unknown template name: other_template -- ignoring this template"});
}

}  // namespace
}  // namespace mta::bounce
