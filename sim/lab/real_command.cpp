#include "sim/lab/real_command.hpp"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <utility>
#include <vector>

namespace sim::lab {
namespace {

using outcome = mta::command_result::outcome;
using wall_clock = std::chrono::steady_clock;

constexpr int exit_not_found = 127, exit_no_rights = 126;
constexpr int exit_on_signal = 75;  // EX_TEMPFAIL: the command may do better next time

class descriptor {
  public:
    descriptor() = default;
    explicit descriptor(int fd) : fd_(fd) {}
    ~descriptor() { close(); }
    descriptor(const descriptor&) = delete;
    descriptor& operator=(const descriptor&) = delete;
    int get() const { return fd_; }
    void set(int fd) {
        close();
        fd_ = fd;
    }
    void close() {
        if (fd_ >= 0) ::close(fd_);
        fd_ = -1;
    }
    bool open() const { return fd_ >= 0; }

  private:
    int fd_ = -1;
};

struct pipe_ends {
    descriptor read, write;
    bool make() {
        std::array<int, 2> both{};
        if (::pipe2(both.data(), O_CLOEXEC) != 0) return false;
        read.set(both[0]);
        write.set(both[1]);
        return true;
    }
};

// Whom root hands the command to; nothing to do for others.
struct identity {
    bool change = false;
    uid_t uid = 0;
    gid_t gid = 0;
};
bool find_identity(const std::string& user, identity& who) {
    if (::geteuid() != 0) return true;
    passwd entry{};
    passwd* found = nullptr;
    std::array<char, 4096> space{};
    if (user.empty() || ::getpwnam_r(user.c_str(), &entry, space.data(), space.size(), &found) != 0 || !found)
        return false;
    who = {true, entry.pw_uid, entry.pw_gid};
    return entry.pw_uid != 0;
}

// In the child: only what may be called between fork(2) and exec(3).
[[noreturn]] void become(char* const* arguments, char* const* environment, const identity& who, int in, int out) {
    if (::dup2(in, STDIN_FILENO) < 0 || ::dup2(out, STDOUT_FILENO) < 0 || ::dup2(out, STDERR_FILENO) < 0)
        ::_exit(exit_no_rights);
    if (who.change && (::setgroups(0, nullptr) != 0 || ::setgid(who.gid) != 0 || ::setuid(who.uid) != 0))
        ::_exit(exit_no_rights);
    ::signal(SIGPIPE, SIG_DFL);
    ::setpgid(0, 0);
    ::execve(arguments[0], arguments, environment);
    ::_exit(errno == ENOENT ? exit_not_found : exit_no_rights);
}

// Feeds the command and takes what it says until it closes its output. False: its time was up.
bool converse(std::string_view input, descriptor& to, descriptor& from, wall_clock::time_point deadline,
              std::string& output) {
    ::fcntl(to.get(), F_SETFL, O_NONBLOCK);
    if (input.empty()) to.close();
    while (from.open()) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - wall_clock::now()).count();
        if (left <= 0) return false;
        std::array<pollfd, 2> wanted = {pollfd{from.get(), POLLIN, 0}, pollfd{to.get(), POLLOUT, 0}};
        if (::poll(wanted.data(), to.open() ? 2 : 1, static_cast<int>(left)) < 0 && errno != EINTR) return false;
        if (to.open() && wanted[1].revents != 0) {
            const auto sent = ::write(to.get(), input.data(), input.size());
            if (sent > 0) input.remove_prefix(static_cast<std::size_t>(sent));
            if (input.empty() || (sent < 0 && errno != EAGAIN && errno != EINTR)) to.close();
        }
        if (wanted[0].revents == 0) continue;
        std::array<char, 4096> chunk{};
        const auto got = ::read(from.get(), chunk.data(), chunk.size());
        if (got == 0 || (got < 0 && errno != EINTR)) from.close();
        if (got > 0)
            output.append(chunk.data(), std::min(static_cast<std::size_t>(got),
                                                 longest_output - std::min(longest_output, output.size())));
    }
    return true;
}

}  // namespace

mta::command_result run_real_command(const mta::command& program) {
    mta::command_result result;
    identity who;
    pipe_ends in, out;
    const bool absolute = !program.arguments.empty() && program.arguments.front().starts_with('/');
    result.how = absolute ? outcome::not_allowed : outcome::not_found;
    if (!absolute || !find_identity(program.user, who) || !in.make() || !out.make()) return result;
    std::vector<char*> arguments;
    for (const std::string& each : program.arguments) arguments.push_back(const_cast<char*>(each.c_str()));
    arguments.push_back(nullptr);
    std::string path = "PATH=/usr/bin:/bin";
    std::array<char*, 2> environment = {path.data(), nullptr};

    const pid_t child = ::fork();
    if (child < 0) return result;
    if (child == 0) become(arguments.data(), environment.data(), who, in.read.get(), out.write.get());
    in.read.close();
    out.write.close();
    const auto own = program.time_limit > mta::duration::zero() ? program.time_limit : mta::duration(longest_run);
    const auto deadline = wall_clock::now() + std::min<mta::duration>(own, longest_run);
    const bool in_time = converse(program.input ? std::string_view(*program.input) : std::string_view(), in.write,
                                  out.read, deadline, result.output);
    if (!in_time) {
        ::kill(-child, SIGKILL);
        ::kill(child, SIGKILL);
    }
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    result.how = in_time ? outcome::exited : outcome::timed_out;
    result.exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : exit_on_signal;
    if (in_time && result.exit_status == exit_not_found && result.output.empty()) result.how = outcome::not_found;
    return result;
}

}  // namespace sim::lab
