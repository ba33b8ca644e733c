// mta/delivery/mailbox.hpp - a message into an mbox file or a Maildir of this host, for local(8) and virtual(8)
// (mbox_open(3), maildir.c).
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

#include "mta/delivery/mail_copy.hpp"
#include "mta/host.hpp"
#include "mta/queue/queue_file.hpp"

namespace mta::delivery {

struct mailbox {
    std::string path;  // ends in a slash: a Maildir
    account owner;
    std::size_t size_limit = 0;  // of an mbox file in bytes; 0: none
    bool maildir() const { return path.ends_with('/'); }
};

inline constexpr std::string_view null_device = "/dev/null";  // a file that takes everything, and is no regular one

// An empty dsn: the message is in. Else why not, in the words of the system: "unable to create lock file ...".
// `cannot_open`: the status of a file that cannot be opened.
queue::delivery_status store(Host& host, const mailbox& to, std::string_view content, unsigned mbox_flags,
                             const copy_addresses& about, const char* cannot_open);

// delivered_hdr_find(3): whether the message was delivered to this address before, by its own Delivered-To headers.
bool was_delivered_to(std::string_view content, std::string_view address);

}  // namespace mta::delivery
