// sim/topology/new_topology.cpp - the topology that `relaylab new` writes: small, commented, and it runs.
#include <algorithm>

#include "mta/text/strings.hpp"
#include "sim/topology/loader.hpp"

namespace sim::topology {
namespace {

constexpr std::string_view text =
    R"(# A lab of two mail servers. Play it with `relaylab run`; change it and play it again.
# Every key is described in docs/reference/topology.md.
name: $name
title: A mail goes from one server to another
seed: 1                               # the same seed gives the same run, byte for byte

network:
  subnet: 192.168.137.0/24            # the lab's own; nothing leaves it
  latency: 2ms

zones:                                # DNS; the machines' own A and PTR records need no line
  example.org: |
    @  IN MX 10 mail.example.org.

hosts:                                # each has a mail system with Postfix's semantics
  smtp.example.net:                   # its name is its myhostname
    address: 192.168.137.2
    tls: true                         # a certificate of the lab's CA; STARTTLS where both sides have one
  mail.example.org:
    address: 192.168.137.3
    tls: true
    mailboxes: [alice]                # local users
    postfix:                          # main.cf parameters, by their own names
      mydestination: $myhostname, example.org

clients:                              # machines that only speak SMTP
  laptop.elsewhere.example: {address: 192.168.137.66}

steps:                                # what happens, in order
  - submit: {host: smtp.example.net, from: bob@example.net, to: [alice@example.org], subject: hello}
  - settle:                           # until nothing moves any more
  - smtp:                             # a stranger tries to relay
      client: laptop.elsewhere.example
      server: mail.example.org
      lines: ["EHLO laptop.elsewhere.example", "MAIL FROM:<eve@elsewhere.example>", "RCPT TO:<bob@example.net>", QUIT]

expect:                               # checked at the end
  - delivered: {to: alice@example.org, host: mail.example.org, hops: [smtp.example.net, mail.example.org]}
  - refused: {client: laptop.elsewhere.example, to: bob@example.net, reply: "454 4.7.1 *Relay access denied"}
  - queue: {host: smtp.example.net, total: 0}
)";

}  // namespace

std::string new_topology(std::string_view name) {
    // Whatever the name of the file is, the line must stay one line of YAML.
    std::string word(name.substr(0, 100));
    std::replace_if(
        word.begin(), word.end(), [](char c) { return !mta::text::is_alnum(c) && c != '-' && c != '_' && c != '.'; },
        '-');
    return mta::text::replaced(text, "$name", "\"" + word + "\"");
}

}  // namespace sim::topology
