// The corpus' answers held against a real BIND on a loopback port, where there is one; else the test is skipped.
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <resolv.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>

#include "mta/dns.hpp"
#include "tests/sim/dns/corpus.hpp"
#include "tests/support/scratch_folder.hpp"

namespace sim::dns {
namespace {

namespace fs = std::filesystem;

constexpr const char* named_program = "/usr/sbin/named";
constexpr int start_limit_ms = 20'000;

int free_port() {
    const int socket_fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    bind(socket_fd, reinterpret_cast<sockaddr*>(&address), length);
    getsockname(socket_fd, reinterpret_cast<sockaddr*>(&address), &length);
    close(socket_fd);
    return ntohs(address.sin_port);
}

class bind_test : public testing::Test {
  protected:
    static void SetUpTestSuite() {
        if (!fs::exists(named_program)) return;
        folder.emplace();
        port = free_port();
        write_zones();
        start();
    }

    static void TearDownTestSuite() {
        if (process > 0) {
            kill(process, SIGKILL);
            waitpid(process, nullptr, 0);
        }
        if (log_fd >= 0) close(log_fd);
        folder.reset();
    }

    void SetUp() override {
        if (!fs::exists(named_program)) GTEST_SKIP() << "no " << named_program << " here";
        if (!running) GTEST_SKIP() << "named did not start: " << log;
    }

    static void write_zones() {
        std::string conf = fmt::format(
            "options {{ directory \"{0}\"; listen-on port {1} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }}; recursion no;"
            " empty-zones-enable no; pid-file none; session-keyfile none; dnssec-validation no; minimal-responses no;"
            " allow-query {{ any; }}; }};\ncontrols {{ }};\n",
            folder->string(), port);
        const auto add = [&](const std::string& name, const std::string& text) {
            const bool root = name == ".";
            const std::string base = root ? "root." : name + ".";
            std::string head;
            if (text.find(" SOA ") == std::string::npos) {
                head = fmt::format(
                    "$TTL 300\n@ IN SOA ns.{0} hostmaster.{0} 1 3600 600 86400 60\n@ IN NS ns.{0}\n{1} IN A "
                    "127.0.0.1\n",
                    base, root ? "ns.root." : "ns");
            }
            std::ofstream(*folder / (base + "zone")) << head << text << "\n";
            conf += fmt::format("zone \"{}\" {{ type primary; file \"{}zone\"; }};\n", name, base);
        };
        for (const auto& zone : corpus::zones()) add(std::string(zone.name), zone.text);
        for (const auto& zone : corpus::judgements()) add(fmt::format("{}.test", zone.name), zone.text);
        std::ofstream(*folder / "named.conf") << conf;
    }

    static void start() {
        std::array<int, 2> ends{};
        if (pipe(ends.data()) != 0) return;
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, ends[1], 2);
        posix_spawn_file_actions_addclose(&actions, ends[0]);
        const std::string conf = (*folder / "named.conf").string();
        std::vector<std::string> words = {named_program, "-g", "-4", "-n", "1", "-c", conf};
        std::vector<char*> arguments;
        for (auto& word : words) arguments.push_back(word.data());
        arguments.push_back(nullptr);
        const int failed = posix_spawn(&process, named_program, &actions, nullptr, arguments.data(), environ);
        posix_spawn_file_actions_destroy(&actions);
        close(ends[1]);
        log_fd = ends[0];
        if (failed != 0) process = -1;
        if (failed == 0) wait_until_running();
    }

    // "all zones loaded" and "running" are the last lines of a start; an end of the log means that it gave up.
    static void wait_until_running() {
        std::array<char, 4096> buffer{};
        pollfd waiting{log_fd, POLLIN, 0};
        while (!running && poll(&waiting, 1, start_limit_ms) > 0) {
            const auto got = read(log_fd, buffer.data(), buffer.size());
            if (got <= 0) return;
            log.append(buffer.data(), static_cast<std::size_t>(got));
            running = log.find("all zones loaded") != std::string::npos && log.find(" running\n") != std::string::npos;
        }
        // What it says later is not read; it must not block on it.
        fcntl(log_fd, F_SETPIPE_SZ, 1 << 20);
    }

    static std::string data_of(const ns_msg& message, const ns_rr& rr) {
        const auto* data = ns_rr_rdata(rr);
        const auto name_at = [&](int offset) {
            std::array<char, NS_MAXDNAME> name{};
            dn_expand(ns_msg_base(message), ns_msg_end(message), data + offset, name.data(), name.size());
            return std::string(name.data());
        };
        const auto number_at = [&](int offset) { return ns_get16(data + offset); };
        std::array<char, INET6_ADDRSTRLEN> address{};
        switch (static_cast<int>(ns_rr_type(rr))) {
            case ns_t_a:
                return inet_ntop(AF_INET, data, address.data(), address.size());
            case ns_t_aaaa:
                return inet_ntop(AF_INET6, data, address.data(), address.size());
            case ns_t_ns:
            case ns_t_ptr:
            case ns_t_cname:
                return name_at(0);
            case ns_t_mx:
                return fmt::format("{} {}", number_at(0), name_at(2));
            case ns_t_srv:
                return fmt::format("{} {} {} {}", number_at(0), number_at(2), number_at(4), name_at(6));
            case ns_t_soa:
                return name_at(0);
            case ns_t_txt: {
                std::string text;
                for (int at = 0; at < ns_rr_rdlen(rr); at += 1 + data[at]) {
                    text += fmt::format("\"{}\"", std::string(reinterpret_cast<const char*>(data + at + 1), data[at]));
                }
                return text;
            }
            default:
                return fmt::format("{} bytes", ns_rr_rdlen(rr));
        }
    }

    static std::string ask(std::string_view name, std::string_view type) {
        struct __res_state state{};
        res_ninit(&state);
        state.nscount = 1;
        state.nsaddr_list[0].sin_family = AF_INET;
        state.nsaddr_list[0].sin_port = htons(static_cast<std::uint16_t>(port));
        state.nsaddr_list[0].sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        std::array<unsigned char, 512> query{};
        std::array<unsigned char, 65535> reply{};
        const int code = mta::dns::code_of(*mta::dns::type_named(type));
        const std::string terminated(name);
        const int size = res_nmkquery(&state, ns_o_query, terminated.c_str(), ns_c_in, code, nullptr, 0, nullptr,
                                      query.data(), query.size());
        // Not res_nsend: it hides the replies that say SERVFAIL.
        const int socket_fd = socket(AF_INET, SOCK_DGRAM, 0);
        connect(socket_fd, reinterpret_cast<sockaddr*>(&state.nsaddr_list[0]), sizeof(sockaddr_in));
        if (send(socket_fd, query.data(), static_cast<std::size_t>(size), 0) != size) return "not sent";
        res_nclose(&state);
        pollfd waiting{socket_fd, POLLIN, 0};
        const bool came = poll(&waiting, 1, start_limit_ms) > 0;
        const auto got = came ? recv(socket_fd, reply.data(), reply.size(), 0) : 0;
        close(socket_fd);
        ns_msg message;
        if (got <= 0 || ns_initparse(reply.data(), static_cast<int>(got), &message) != 0) return "no reply";
        return render(message);
    }

    static std::string render(ns_msg& message) {
        std::vector<std::string> rows;
        for (int i = 0; i < ns_msg_count(message, ns_s_an); ++i) {
            ns_rr rr;
            ns_parserr(&message, ns_s_an, i, &rr);
            const auto type = mta::dns::type_of_code(static_cast<std::uint16_t>(ns_rr_type(rr)));
            rows.push_back(fmt::format("{} {} {} {}", ns_rr_name(rr), ns_rr_ttl(rr),
                                       type ? mta::dns::name_of(*type) : "?", data_of(message, rr)));
        }
        corpus::sort_sets(rows);
        std::string line = corpus::code_name(ns_msg_getflag(message, ns_f_rcode));
        for (const auto& row : rows) line += "; " + row;
        for (int i = 0; i < ns_msg_count(message, ns_s_ns); ++i) {
            ns_rr rr;
            ns_parserr(&message, ns_s_ns, i, &rr);
            if (ns_rr_type(rr) == ns_t_soa) line += fmt::format("; negative {}", ns_rr_ttl(rr));
        }
        return line;
    }

    inline static std::optional<tests::scratch_folder> folder;
    inline static int port = 0;
    inline static pid_t process = -1;
    inline static int log_fd = -1;
    inline static bool running = false;
    inline static std::string log;
};

TEST_F(bind_test, answers_as_the_corpus_says) {
    for (const auto& [name, type, answer] : corpus::questions()) {
        EXPECT_EQ(ask(name, type), answer) << name << " " << type;
    }
}

TEST_F(bind_test, loads_what_the_corpus_says) {
    for (const auto& [name, text, loads] : corpus::judgements()) {
        EXPECT_EQ(ask(fmt::format("{}.test", name), "SOA").starts_with("NOERROR"), loads) << name << "\n" << text;
    }
}

}  // namespace
}  // namespace sim::dns
