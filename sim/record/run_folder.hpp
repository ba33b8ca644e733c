// sim/record/run_folder.hpp - a run's results as files: DIR/<host>/maillog, mbox/<user>, queue.json;
// DIR/dialogues/NN.txt.
//
// Everything is written beside DIR first and takes its place in one rename, so that DIR is whole or absent. A DIR that
// is not empty and was not written here is refused (a file named .relaylab marks ours). Errors are record_error.
#pragma once
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mta/queue/queue_file.hpp"
#include "sim/record/record_error.hpp"

namespace sim::record {

struct mailbox_text {
    std::string user;
    std::string text;  // an mbox file
};
struct host_results {
    std::string name;
    std::string maillog;
    std::vector<mailbox_text> mailboxes;
    std::string queue_json;   // see queue_json() below; "" for a host that is stopped
    bool mail_system = true;  // false for a scripted server, which has mailboxes alone
};
struct run_results {
    std::vector<host_results> hosts;
    std::vector<std::string> dialogues;  // in the order of their steps
};

class run_folder {
  public:
    // Claims `directory`: fails now, before a long run, when it may not be replaced or cannot be made.
    explicit run_folder(std::filesystem::path directory);
    // Leaves nothing behind unless finish() was called.
    ~run_folder();
    run_folder(const run_folder&) = delete;
    run_folder& operator=(const run_folder&) = delete;

    // Where files of the run that are written as it goes (run.db, traffic.pcapng) lie until finish() moves them with
    // the rest.
    const std::filesystem::path& staging() const { return staging_; }
    void finish(const run_results& results);

  private:
    std::filesystem::path directory_, staging_;
    bool finished_ = false;
};

// The messages of a Maildir, in the order of their file names, as one mbox text.
std::string maildir_as_mbox(std::span<const std::string> messages);
// As `postqueue -j` prints a queue: one JSON object a line, for recipients that are still to be delivered.
std::string queue_json(std::span<const mta::queue::message> files);

}  // namespace sim::record
