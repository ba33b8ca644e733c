// The input is what a client says to postscreen(8), at once and byte for byte. Invariant: the conversation comes to an
// end in virtual time, and nothing of it reaches a mailbox or smtpd.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "sim/lab/virtual_lab.hpp"
#include "sim/topology/loader.hpp"

namespace {

using namespace std::chrono_literals;

constexpr std::string_view guarded = R"(
hosts:
  mail.test:
    address: 192.168.137.6
    mailboxes: [kim]
    master_cf: |
      smtp inet n - n - 1 postscreen
      smtpd pass - - n - - smtpd
    postfix:
      mydestination: mail.test
      mynetworks: 127.0.0.0/8
      postscreen_access_list: static:reject
      postscreen_denylist_action: enforce
      postscreen_bare_newline_enable: yes
      postscreen_command_count_limit: 100000
      postscreen_reject_footer: "\\c; $client_address"
  pc.test: {address: 192.168.137.7}
)";

mta::task<void> talk(mta::Host& host, mta::scheduler& clock, mta::endpoint server, std::string bytes, bool& over) {
    const mta::time_point deadline = clock.now() + 30s;
    mta::connect_result made = co_await host.connect(server, std::nullopt, deadline);
    mta::io_error error = made.error;
    if (made.stream) error = co_await mta::write_all(*made.stream, clock, bytes, 1h);
    char buffer[4096];
    const std::span<char> whole(buffer);
    while (error == mta::io_error::none) {
        const mta::time_point until = clock.now() + 1h;
        const mta::io_result got = co_await mta::read_some(*made.stream, whole, until);
        error = got.error;
    }
    over = error != mta::io_error::timed_out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto loaded = sim::topology::load_text(guarded, "fuzz.yaml");
    if (!loaded.ok()) std::abort();
    sim::lab::options how;
    how.record.database = false;
    sim::lab::virtual_lab lab(*loaded.value, how);
    lab.mail_system("mail.test").start();
    bool over = false;
    mta::nursery talkers([](std::exception_ptr error) { std::rethrow_exception(error); });
    std::string bytes(reinterpret_cast<const char*>(data), size);
    const mta::endpoint server{lab.address_of("mail.test"), 25};
    talkers.start(talk(lab.machine("pc.test"), lab.loop(), server, std::move(bytes), over));
    lab.loop().run_until(lab.loop().now() + 2h);
    if (!over) std::abort();
    // postscreen logs what the client says, too: only the program's own place in the line tells who speaks.
    lab.recorder().log_of("mail.test")->each_line([](std::string_view line) {
        constexpr std::string_view stamp = "Nov 20 09:00:00 ";
        if (line.substr(std::min(line.size(), stamp.size())).starts_with("mail postfix/smtpd[")) std::abort();
        return true;
    });
    return 0;
}
