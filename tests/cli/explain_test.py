"""relaylab explain: verdicts, their reasons with file and line, routes, and matrices."""

import json
import unittest

from support import CHAIN, Case

MAIN_CF = """\
compatibility_level = 3.6
myhostname = mx.example.com
mydestination = example.com
mynetworks = 127.0.0.0/8
local_recipient_maps = hash:/etc/postfix/users
alias_maps =
smtpd_sender_restrictions =
    reject_non_fqdn_sender,
    check_sender_access hash:/etc/postfix/senders
smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
"""
MASTER_CF = """\
smtp      inet  n       -       n       -       -       smtpd
cleanup   unix  n       -       n       -       0       cleanup
local     unix  -       n       n       -       -       local
"""


class Folder(Case):
    def setUp(self):
        super().setUp()
        (self.folder / "etc").mkdir()
        self.write("etc/main.cf", MAIN_CF)
        self.write("etc/master.cf", MASTER_CF)
        self.write("etc/senders", "# who is not heard\nspam.example REJECT go away\n")
        self.write("etc/users", "ann x\n")

    def explain(self, *words, status=0):
        return self.relaylab("explain", "--config", "etc", *words, status=status)[0]

    def test_the_reply_and_the_line_that_decided(self):
        out = self.explain("--client", "203.0.113.7[mail.client.example]", "--sender", "bob@spam.example",
                           "--recipient", "ann@example.com")
        self.assertEqual(out, """\
from mail.client.example[203.0.113.7]  220 mx.example.com ESMTP Postfix
EHLO mail.client.example               250-mx.example.com
MAIL FROM:<bob@spam.example>           250 2.1.0 Ok
RCPT TO:<ann@example.com>              554 5.7.1 <bob@spam.example>: Sender address rejected: go away
    main.cf:8  sender  reject_non_fqdn_sender                         dunno
  > main.cf:9  sender  check_sender_access hash:/etc/postfix/senders  reject   senders:2: spam.example REJECT go away
  refused by check_sender_access hash:/etc/postfix/senders, main.cf:9, entry senders:2
""")

    def test_the_same_as_a_document(self):
        stages = self.document("explain", "--config", "etc", "--client", "203.0.113.7", "--sender", "bob@spam.example",
                               "--recipient", "ann@example.com")["stages"]
        self.assertEqual([each["stage"] for each in stages], ["CONNECT", "EHLO", "MAIL", "RCPT"])
        self.assertEqual([each["refused"] for each in stages], [False, False, False, True])
        decided = [each for each in stages[-1]["trail"] if each["decided"]]
        self.assertEqual(len(decided), 1)
        for name, value in (("restriction", "check_sender_access hash:/etc/postfix/senders"), ("status", "reject"),
                            ("place", "main.cf:9"), ("key", "spam.example"), ("entry_place", "senders:2")):
            self.assertEqual(decided[0][name], value)

    def test_the_trail_in_the_words_of_the_verbose_log(self):
        out = self.explain("--client", "203.0.113.7", "--sender", "bob@x.example", "--recipient", "ann@other.example",
                           "--trail", "postfix")
        self.assertEqual(out, """\
>>> START Sender address RESTRICTIONS <<<
generic_checks: name=reject_non_fqdn_sender
generic_checks: name=reject_non_fqdn_sender status=0
generic_checks: name=check_sender_access
generic_checks: name=check_sender_access status=0
>>> END Sender address RESTRICTIONS <<<
>>> START Recipient address RESTRICTIONS <<<
generic_checks: name=permit_mynetworks
generic_checks: name=permit_mynetworks status=0
generic_checks: name=reject_unauth_destination
generic_checks: name=reject_unauth_destination status=2
>>> END Recipient address RESTRICTIONS <<<
""")

    def test_a_route(self):
        out = self.explain("--route", "ann@example.com")
        self.assertIn("ann@example.com  ->  local:mx.example.com\n", out)
        self.assertRegex(out, r"main\.cf:3 +class +local +by mydestination +\(example\.com\)\n")

    def test_a_matrix_says_which_lines_are_not_as_expected(self):
        self.write("m.csv", """\
client,helo,sender,recipient,expect
203.0.113.7,h.example,a@b.example,ann@example.com,accept
203.0.113.7,h.example,a@spam.example,ann@example.com,554 5.7.1 *
203.0.113.7,h.example,a@b.example,nobody@example.com,accept
""")
        out, err = self.relaylab("explain", "--config", "etc", "--matrix", "m.csv", status=1)
        unknown = ("550 5.1.1 <nobody@example.com>: Recipient address rejected: User unknown in local recipient table")
        self.assertEqual(out.splitlines(), [
            "client,helo,sender,recipient,verdict,stage,reply",
            "203.0.113.7,h.example,a@b.example,ann@example.com,accept,RCPT,250 2.1.5 Ok",
            "203.0.113.7,h.example,a@spam.example,ann@example.com,reject,RCPT,"
            "554 5.7.1 <a@spam.example>: Sender address rejected: go away",
            "203.0.113.7,h.example,a@b.example,nobody@example.com,reject,RCPT," + unknown])
        self.assertEqual(err, f"m.csv:4: expected accept, got {unknown}\n")
        self.write("m.csv", "client,helo,sender,recipient\n203.0.113.7,h.example,,ann@example.com\n")
        self.assertIn(",accept,RCPT,250 2.1.5 Ok\n", self.explain("--matrix", "m.csv"))

    def test_wrong_input_is_named(self):
        for words, complaint in (
                (["--client", "nowhere"], "the client nowhere is no address: give 203.0.113.7, or 203.0.113.7[name]"),
                ([], "say who connects with --client, where mail goes with --route, or give a --matrix"),
                (["--client", "203.0.113.7", "--trail", "x"], "--trail x: the one grammar is postfix"),
                (["--client", "203.0.113.7", "--service", "pop"], "master.cf has no smtpd service pop")):
            _, err = self.relaylab("explain", "--config", "etc", *words, status=2)
            self.assertIn(complaint, err)
        self.write("m.csv", "client,hello\n")
        _, err = self.relaylab("explain", "--config", "etc", "--matrix", "m.csv", status=2)
        self.assertIn("m.csv:1: unknown column; there are client, helo, sender, recipient, login, expect", err)
        self.write("etc/main.cf", MAIN_CF + "smtpd_relay_restrictions = permit\n")
        _, err = self.relaylab("explain", "--config", "etc", "--client", "203.0.113.7", status=2)
        self.assertIn("smtpd_relay_restrictions", err)


class Topology(Case):
    def test_a_host_of_it(self):
        out, _ = self.relaylab("explain", CHAIN, "mail.ohio.cc", "--client", "203.0.113.7", "--sender", "a@b.example",
                               "--recipient", "kimchen@york.cc")
        self.assertIn("RCPT TO:<kimchen@york.cc>", out)
        self.assertIn("250 2.1.5 Ok", out)
        _, err = self.relaylab("explain", CHAIN, "--client", "203.0.113.7", status=2)
        self.assertRegex(err, "name one of its hosts: .*mail.ohio.cc")
        _, err = self.relaylab("explain", CHAIN, "mail.nowhere.cc", "--client", "203.0.113.7", status=2)
        self.assertRegex(err, "no host is called mail.nowhere.cc; there are .*mail.ohio.cc")



class LikeASession(Case):
    """What explain says is what a session gets, where smtpd itself decides and no restriction."""

    HOST = """\
hosts:
  mx.example.org:
    address: 192.168.137.3
    mailboxes: [ann, ben, kim]
    postfix:
      mydestination: $myhostname, example.org
      smtpd_recipient_limit: "2"
      strict_smtputf8: "yes"
      smtpd_noop_commands: ping
      smtpd_command_filter: "pcre:$lab_files/filter"
    files:
      filter: |
        /^RCPT TO:<ben@(.*)>/ RCPT TO:<kim@$1>
        /^EHLO lazy/ PING
        /^MAIL FROM:<odd/ FROB
    master_cf: |
      2525 inet n - n - - smtpd
        -o queue_minfree=1000000000000000
        -o smtpd_command_filter=
      2526 inet n - n - - smtpd
        -o smtpd_command_filter=fail:broken
      2527 inet n - n - - smtpd
        -o smtpd_tls_security_level=encrypt
        -o smtpd_discard_ehlo_keyword_address_maps=fail:broken
      2528 inet n - n - - smtpd
        -o smtpd_command_filter=
        -o local_header_rewrite_clients=fail:broken
    tls: true
clients:
  pc.example.net: {address: 192.168.137.66}
steps:
"""
    # port, HELO, sender, recipients
    ASKED = [(25, "pc", "a@b.example", ["ben@example.org", "ann@example.org", "kim@example.org"]),
             (25, "lazy", "a@b.example", ["ann@example.org"]),
             (25, "pc", "odd@b.example", ["ann@example.org"]),
             (25, "pc", "\u00e4@b.example", ["ann@example.org"]),
             (2525, "pc", "a@b.example", ["ann@example.org"]),
             (2526, "pc", "a@b.example", ["ann@example.org"]),
             (2528, "pc", "a@b.example", ["ann@example.org"]),
             (2527, "pc", "a@b.example", ["ann@example.org"])]

    def test_replies_are_the_same(self):
        text = self.HOST
        for port, helo, sender, recipients in self.ASKED:
            lines = [f"EHLO {helo}", f"MAIL FROM:<{sender}>", *(f"RCPT TO:<{each}>" for each in recipients), "QUIT"]
            text += "  - smtp: {client: pc.example.net, server: mx.example.org, port: %d, lines: %s}\n" % (
                port, json.dumps(lines))
        self.write("lab.yaml", text)
        self.relaylab("run", "lab.yaml", "--quiet", "--out", "out")
        for number, (port, helo, sender, recipients) in enumerate(self.ASKED, 1):
            said = (self.folder / "out" / "dialogues" / f"{number:02}.txt").read_text().splitlines()
            replies = [line.removeprefix("S: ") for before, line in zip([""] + said, said)
                       if line.startswith("S: ") and not before.startswith("S: ")]
            stages = self.document("explain", "lab.yaml", "--client", "pc.example.net", "--service", port, "--helo", helo,
                                   "--sender", sender, *(word for each in recipients for word in ("--recipient", each)))
            explained = [each["reply"] for each in stages["stages"]]
            self.assertEqual(explained, replies[:len(explained)], (port, helo, sender))
            self.assertTrue(len(explained) > len(recipients) + 2 or stages["refused"], (port, helo, sender))


if __name__ == "__main__":
    unittest.main()
