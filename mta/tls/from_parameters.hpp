// mta/tls/from_parameters.hpp - the TLS contexts that main.cf asks for, on either side (TLS_README).
//
// Reads the files that the parameters name through the host; the private key never leaves it. A context that cannot be
// made is null, and what Postfix would log of it has been logged.
#pragma once
#include <memory>
#include <string>

#include "mta/tls/tls_stream.hpp"

namespace mta::config {
class parameters;
}
namespace mta::master {
class mail_system;
}
namespace mta::maillog {
struct process;
}

namespace mta::tls {

// What the sessions of one client service have in common; their protocols and ciphers are their policy's.
std::shared_ptr<const context> client_context(master::mail_system& mail, const config::parameters& parameters,
                                              const std::string& prefix);
std::shared_ptr<const context> client_context_for(master::mail_system& mail, const context& base, std::string protocols,
                                                  std::string cipher_grade, std::string exclude_ciphers);
// `encrypt`: mandatory protocols and ciphers apply.
std::shared_ptr<const context> server_context(master::mail_system& mail, const config::parameters& parameters,
                                              bool encrypt, const maillog::process& by);

}  // namespace mta::tls
