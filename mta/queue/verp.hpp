// mta/queue/verp.hpp - variable envelope return paths: a sender that names the recipient (verp_sender(3), Postfix's
// VERP_README).
#pragma once
#include <string>
#include <string_view>

namespace mta::queue {

struct queue_file;

// "list@a.example" with "+=" for "joe@b.example": "list+joe=b.example@a.example".
std::string verp_sender(std::string_view delimiters, std::string_view sender, std::string_view recipient);
// Whether each recipient of this message has a sender of its own; the null sender has no variants.
bool is_verp(const queue_file& file);
// That of the message for a recipient, by what it was called first where that is known.
std::string verp_sender(const queue_file& file, std::string_view original, std::string_view address);

}  // namespace mta::queue
