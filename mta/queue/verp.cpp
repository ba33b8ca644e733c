#include "mta/queue/verp.hpp"

#include <algorithm>

#include "mta/queue/queue_file.hpp"

namespace mta::queue {

std::string verp_sender(std::string_view delimiters, std::string_view sender, std::string_view recipient) {
    const auto local_of = [](std::string_view address) {
        return address.substr(0, std::min(address.rfind('@'), address.size()));
    };
    const auto domain_of = [&](std::string_view address) {
        const std::size_t at = local_of(address).size();
        return address.substr(std::min(at + 1, address.size()));
    };
    std::string out(local_of(sender));
    out += delimiters[0];
    out += local_of(recipient);
    if (!domain_of(recipient).empty()) (out += delimiters[1]) += domain_of(recipient);
    if (!domain_of(sender).empty()) (out += '@') += domain_of(sender);
    return out;
}

bool is_verp(const queue_file& file) {
    return file.verp_delimiters.size() == 2 && !file.sender.empty();
}

std::string verp_sender(const queue_file& file, std::string_view original, std::string_view address) {
    return verp_sender(file.verp_delimiters, file.sender, original.empty() ? address : original);
}

}  // namespace mta::queue
