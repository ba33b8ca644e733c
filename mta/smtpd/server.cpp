#include "mta/smtpd/server.hpp"

#include "mta/master/mail_system.hpp"
#include "mta/smtpd/session.hpp"

namespace mta::smtpd {

server::server(master::mail_system& mail, master::daemon& service)
    : mail_(mail), service_(service), settings_(mail, service), access_(mail, service) {}
server::~server() = default;

void server::accept(std::unique_ptr<byte_stream> stream, const endpoint& local, const endpoint& remote) {
    mail_.tasks().start(serve(std::move(stream), local, remote));
}

task<void> server::serve(std::unique_ptr<byte_stream> stream, endpoint, endpoint remote) {
    // A connection beyond the process limit waits in the listen queue until a process is free.
    auto process = co_await service_.processes.wait_for_one(mail_.clock());
    session conversation(*this, process.process(), std::move(stream), remote);
    co_await conversation.run();
}

}  // namespace mta::smtpd
