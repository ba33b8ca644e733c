// mta/bounce/templates.hpp - the words of notices: built in, or from bounce_template_file (bounce(5)).
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mta::config {
class parameters;
}

namespace mta::bounce {

enum class template_kind : std::uint8_t { failure, delay, success, verify };

struct notice_template {
    std::string charset = "us-ascii";
    std::string from;  // "": header_from_format says
    std::string subject, postmaster_subject;
    std::string body;                   // with $names of parameters in it
    std::string origin = "[built-in]";  // file, or this
    // What a file defines in its place, which nobody has looked at yet, and that file.
    std::optional<std::string> defined;
    std::string defined_in;
};

struct notice_templates {
    notice_template failure, delay, success, verify;
    // What a file defines is read when it is first wanted; what is wrong with it becomes a warning and leaves the
    // built-in text.
    const notice_template& of(template_kind kind, std::vector<std::string>& warnings);

    static notice_templates built_in();
    // Takes what a template file defines. Throws config::fatal for a file that is none.
    void read(std::string_view text, std::string_view file, std::vector<std::string>& warnings);
};

// The body with its $names written out. `delay_warning_time_hours` and the like are times in a unit; a result of zero
// is worth a warning, as it misinforms the reader. Throws config::fatal for a $name that is none.
std::string expand_body(const notice_template& from, std::string_view name, const config::parameters& parameters,
                        std::vector<std::string>& warnings);

}  // namespace mta::bounce
