#include "mta/smtpd/server.hpp"

#include "mta/master/mail_system.hpp"
#include "mta/smtpd/session.hpp"

namespace mta::smtpd {

server::server(master::mail_system& mail, master::daemon& service)
    : mail_(mail), service_(service), settings_(mail, service), access_(mail, service), traffic_(mail.clock(), service.parameters->duration("anvil_rate_time_unit")) {}
server::~server() = default;

void server::introduce(const maillog::process& by) {
    if (!introduced_.insert(by.pid).second) return;
    if (settings_.tls_lacks_certificates) mail_.warn(by, "No server certs available. TLS won't be enabled");
}

void server::accept(std::unique_ptr<byte_stream> stream, const endpoint& local, const endpoint& remote) {
    mail_.tasks().start(serve(std::move(stream), local, remote));
}

task<void> server::serve(std::unique_ptr<byte_stream> stream, endpoint local, endpoint remote) {
    // A connection beyond the process limit waits in the listen queue until a process is free.
    auto process = co_await service_.processes.wait_for_one(mail_.clock());
    if (!access_.fatal().empty()) {
        mail_.log(process.process(), {}, maillog::remark{maillog::level::fatal, access_.fatal()});
        co_return;
    }
    session conversation(*this, process.process(), std::move(stream), local, remote);
    co_await conversation.run();
}

}  // namespace mta::smtpd
