// tests/support/fake_host.hpp - machines for unit tests: a network, a disk and accounts in memory, one virtual clock.
//
//     tests::fake_network net;
//     tests::fake_host mail(net, "mail.york.cc", "192.168.137.5"), pc(net, "pc.york.cc", "192.168.137.9");
//     auto port = mail.listen({mail.address(), 25}, ...);
//     net.clock.run();
//
// What a test wants to decide (DNS answers, commands) is a function it sets; what it wants to see is a public member.
#pragma once
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mta/host.hpp"
#include "tests/support/memory_stream.hpp"
#include "tests/support/seeded_random.hpp"
#include "tests/support/virtual_clock.hpp"

namespace tests {

class fake_host;

inline mta::address::ip_address address(std::string_view text) {
    unsigned part = 0;
    std::uint32_t all = 0;
    for (const char c : text) {
        if (c == '.') {
            all = all << 8 | part;
            part = 0;
        } else if (c >= '0' && c <= '9') {
            part = part * 10 + static_cast<unsigned>(c - '0');
        } else {
            throw std::invalid_argument("no IPv4 address");
        }
    }
    return mta::address::ip_address::v4(all << 8 | part);
}

struct fake_network {
    virtual_clock clock;
    mta::duration round_trip{};                                     // before a connection is made or refused
    std::map<mta::address::ip_address, mta::io_error> unreachable;  // fails so, at the deadline when timed_out
    std::map<std::pair<mta::address::ip_address, std::uint16_t>, mta::accept_handler> ports;
    std::uint64_t connections = 0;
};

class fake_spool final : public mta::spool {
  public:
    std::map<std::string, mta::queue::message, std::less<>> files;

    std::uint64_t new_inode() override { return ++inodes_; }
    void save(const mta::queue::message& file) override { files[file->id] = file; }
    void remove(std::string_view id) override {
        if (const auto found = files.find(id); found != files.end()) files.erase(found);
    }
    std::vector<mta::queue::message> all() const override {
        std::vector<mta::queue::message> result;
        for (const auto& [id, file] : files) result.push_back(file);
        return result;
    }
    std::uint64_t free_bytes() const override { return free; }
    std::uint64_t free = std::uint64_t{1} << 40;

  private:
    std::uint64_t inodes_ = 0;
};

class fake_host final : public mta::Host {
  public:
    fake_host(fake_network& net, std::string name, std::string_view at)
        : net_(net), name_(std::move(name)), text_address_(at), address_(tests::address(at)) {}

    const mta::address::ip_address& address() const { return address_; }

    std::map<std::string, std::string, std::less<>> files;
    std::map<std::string, mta::account, std::less<>> accounts;
    std::map<std::string, std::string, std::less<>> mailboxes;              // by path
    std::map<std::string, std::vector<std::string>, std::less<>> maildirs;  // by directory
    mta::append_result append_answer = mta::append_result::ok;
    fake_spool spool;
    std::function<mta::dns::response(const mta::dns::question&)> dns;
    std::function<mta::command_result(const mta::command&)> commands;
    std::function<void(const mta::maillog::entry&)> on_log;
    bool commands_wanted = false;

    std::string_view name() const override { return name_; }
    mta::scheduler& scheduler() override { return net_.clock; }
    const mta::text::time_zone& time_zone() const override { return zone_; }
    mta::random_source& random(std::string_view purpose) override { return random_[std::string(purpose)]; }

    std::vector<std::string> interfaces() const override { return {text_address_ + "/24", "127.0.0.1/8"}; }
    mta::task<mta::connect_result> connect(mta::endpoint remote, std::optional<mta::address::ip_address> source,
                                           mta::time_point deadline) override {
        mta::connect_result result;
        if (const auto way = net_.unreachable.find(remote.address); way != net_.unreachable.end()) {
            const mta::time_point when = way->second == mta::io_error::timed_out ? deadline : net_.clock.now();
            result.error = way->second;
            co_await mta::sleep_until(net_.clock, when);
            co_return result;
        }
        const mta::time_point when = net_.clock.now() + net_.round_trip;
        co_await mta::sleep_until(net_.clock, when);
        const auto port = net_.ports.find({remote.address, remote.port});
        if (port == net_.ports.end()) {
            result.error = mta::io_error::refused;
            co_return result;
        }
        const mta::accept_handler on_accept = port->second;
        const std::uint64_t number = ++net_.connections;
        auto [near, far] = memory_stream::connected(net_.clock, number);
        const mta::endpoint from{source.value_or(address_), static_cast<std::uint16_t>(40000 + number % 20000)};
        on_accept(std::move(far), remote, from);
        result.stream = std::move(near);
        co_return result;
    }
    std::unique_ptr<mta::listener> listen(mta::endpoint local, mta::accept_handler on_accept) override {
        const auto key = std::pair(local.address, local.port);
        if (!net_.ports.emplace(key, std::move(on_accept)).second) return nullptr;
        return std::make_unique<open_port>(net_, key);
    }
    mta::task<mta::dns::response> resolve(mta::dns::question question) override {
        co_await mta::yield(net_.clock);
        co_return dns ? dns(question) : mta::dns::response{};
    }

    std::optional<std::string> read_file(std::string_view path) override {
        const auto found = files.find(path);
        return found == files.end() ? std::nullopt : std::optional(found->second);
    }
    std::optional<mta::account> find_account(std::string_view user) override {
        const auto found = accounts.find(user);
        return found == accounts.end() ? std::nullopt : std::optional(found->second);
    }
    mta::append_result append_to_mailbox(std::string_view path, const mta::account&, std::string_view text,
                                         std::size_t) override {
        if (append_answer == mta::append_result::ok) mailboxes[std::string(path)] += text;
        return append_answer;
    }
    mta::append_result store_in_maildir(std::string_view directory, const mta::account&,
                                        std::string_view text) override {
        if (append_answer == mta::append_result::ok) maildirs[std::string(directory)].emplace_back(text);
        return append_answer;
    }
    mta::spool& queue_files() override { return spool; }

    mta::task<mta::command_result> run(mta::command program) override {
        co_await mta::yield(net_.clock);
        mta::command_result result;
        result.how = mta::command_result::outcome::not_found;
        if (commands) result = commands(program);
        co_return result;
    }

    void log(const mta::maillog::entry& entry) override {
        if (on_log) on_log(entry);
    }
    bool wants_commands() const override { return commands_wanted; }

  private:
    struct open_port final : mta::listener {
        using key = std::pair<mta::address::ip_address, std::uint16_t>;
        open_port(fake_network& net, key at) : net_of(net), where(std::move(at)) {}
        ~open_port() override { net_of.ports.erase(where); }
        fake_network& net_of;
        key where;
    };

    fake_network& net_;
    std::string name_, text_address_;
    mta::address::ip_address address_;
    mta::text::time_zone zone_;
    std::map<std::string, seeded_random, std::less<>> random_;
};

// Runs a task to its end on the clock and hands out what it returned; throws when it never ended.
template <class T>
T finish(virtual_clock& clock, mta::task<T> work) {
    std::optional<T> result;
    mta::nursery all([](std::exception_ptr error) { std::rethrow_exception(error); });
    const auto keep = [](std::optional<T>& into, mta::task<T> from) -> mta::task<void> {
        T value = co_await from;
        into.emplace(std::move(value));
    };
    all.start(keep(result, std::move(work)));
    clock.run();
    if (!result) throw std::runtime_error("the task waits for ever");
    return std::move(*result);
}
inline void finish(virtual_clock& clock, mta::task<void> work) {
    const auto done = [](mta::task<void> from) -> mta::task<bool> {
        co_await from;
        co_return true;
    };
    finish<bool>(clock, done(std::move(work)));
}

}  // namespace tests
