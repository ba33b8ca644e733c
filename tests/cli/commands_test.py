"""relaylab check, trace, new, schema and --help."""

import json
import re
import unittest

from support import CHAIN, ROOT, SMALL, Case


WAITING = """\
{"queue_name": "active", "queue_id": "8DCC59AC2B2", "arrival_time": 1795215785, "message_size": 252, "forced_expire": false, "sender": "MAILER-DAEMON", "recipients": [{"address": "g@d.example"}]}
{"queue_name": "deferred", "queue_id": "8C40A9AC08F", "arrival_time": 1795215785, "message_size": 2058, "forced_expire": true, "sender": "a2@b.example", "recipients": [{"address": "c@d.example", "delay_reason": "this host is away"}, {"address": "e@f.example", "delay_reason": "this host is away"}, {"address": "h@i.example", "delay_reason": "so is this"}]}
"""


class Queue(Case):
    def setUp(self):
        super().setUp()
        for host, text in (("a.example", WAITING), ("b.example", "")):
            (self.folder / "run" / host).mkdir(parents=True)
            (self.folder / "run" / host / "queue.json").write_text(text)

    def test_the_listing_is_that_of_postqueue(self):
        out, _ = self.relaylab("queue", "run", "a.example")
        self.assertEqual(out, f"""\
-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-------
8DCC59AC2B2*      252 Fri Nov 20 23:03:05  MAILER-DAEMON
                                         g@d.example

8C40A9AC08F#     2058 Fri Nov 20 23:03:05  a2@b.example
{" " * 59}(this host is away)
                                         c@d.example
                                         e@f.example
{" " * 66}(so is this)
                                         h@i.example

-- 2 Kbytes in 2 Requests.
""")
        self.assertEqual(self.relaylab("queue", "run", "b.example")[0], "Mail queue is empty\n")
        self.assertEqual(self.relaylab("queue", "run", "a.example", "-j")[0], WAITING)
        out, _ = self.relaylab("queue", "run")
        self.assertTrue(out.startswith("a.example:\n-Queue ID-") and out.endswith("\nb.example:\nMail queue is empty\n"))

    def test_what_waits_at_a_moment_of_a_run(self):
        self.write("lab.yaml", SMALL.replace("to: [alice@example.org]", "to: [bob@away.example]") +
                   "clients: {mx.away.example: {address: 192.168.137.9}}\nzones: {away.example: '@ IN MX 10 mx'}\n")
        self.relaylab("run", "lab.yaml", "--until", "10m", "--out", "waiting", "--quiet")
        out, _ = self.relaylab("queue", "waiting")
        self.assertRegex(out, r"(?m)^----Queue ID-----|^-Queue ID-")
        self.assertIn("(connect to mx.away.example[192.168.137.9]:25: Connection refused)\n", out)
        self.assertIn("bob@away.example\n", out)

    def test_what_is_no_queue(self):
        _, err = self.relaylab("queue", "nowhere", status=2)
        self.assertEqual(err, "relaylab: nowhere: is no run folder; relaylab run FILE --out nowhere writes one\n")
        _, err = self.relaylab("queue", "run", "c.example", status=2)
        self.assertEqual(err, "relaylab: run: has no queue of c.example; it has those of a.example, b.example\n")
        for wrong in ('{"queue_name": 3}', "[]", '{"a": ', WAITING.replace("1795215785", "-1").splitlines()[0]):
            self.write("run/b.example/queue.json", wrong + "\n")
            _, err = self.relaylab("queue", "run", "b.example", status=2)
            self.assertEqual(err, "relaylab: run/b.example/queue.json:1: is no line of `postqueue -j`; "
                                  "play the scenario again\n")


class Check(Case):
    def test_every_shipped_topology_is_clean(self):
        for path in sorted((ROOT / "topologies").glob("*.yaml")):
            out, err = self.relaylab("check", path)
            self.assertEqual((out, err), (f"{path}: no errors, no warnings\n", ""))

    def test_a_table_that_asks_a_server_is_stood_in_for_or_named(self):
        lab = """\
hosts:
  mail.example.org:
    address: 192.168.137.3
    mailboxes: [alice]
    postfix:
      mydestination: $myhostname, example.org
      virtual_alias_maps: proxy:ldap:$lab_files/users.cf, environ:x
      alias_maps: ""
"""
        self.write("lab.yaml", lab)
        out, err = self.relaylab("check", "lab.yaml")
        self.assertEqual(out, "lab.yaml: no errors, 1 warning\n")
        self.assertEqual(err, "lab.yaml:7:7: warning: virtual_alias_maps: ldap:/etc/postfix/users.cf asks a server, "
                              "which this lab does not run; its entries go under stand_ins: of a host in a topology, "
                              "and without them every lookup fails\n")
        self.write("lab.yaml", lab + """\
    stand_ins:
      ldap:$lab_files/users.cf: |
        info@example.org ann@example.org
    environment: {ann@example.org: x}
""")
        _, err = self.relaylab("check", "lab.yaml", status=2)
        self.assertEqual(err, "lab.yaml:12:19: \"ann@example.org\" cannot be a variable; write a name of letters, "
                              "digits and \"_\"\n")
        self.write("lab.yaml", lab + """\
    stand_ins:
      hash:$lab_files/users: x
""")
        _, err = self.relaylab("check", "lab.yaml", status=2)
        self.assertIn("lab.yaml:10:7: \"hash:$lab_files/users\" is no table that asks a server", err)
        self.write("lab.yaml", lab + """\
    stand_ins:
      ldap:$lab_files/users.cf: |
        info@example.org ann
    environment: {ann: alice@example.org}
steps:
  - submit: {host: mail.example.org, from: bob@example.org, to: [info@example.org], subject: hi}
  - settle:
expect:
  - mailbox: {host: mail.example.org, user: alice, count: 1}
""")
        out, err = self.relaylab("check", "lab.yaml")
        self.assertEqual(out, "lab.yaml: no errors, no warnings\n")
        self.assertEqual(err, "lab.yaml:7:7: note: virtual_alias_maps: the host's stand_ins answer for "
                              "ldap:/etc/postfix/users.cf\n")
        out, err = self.relaylab("run", "lab.yaml", "--quiet")
        self.assertEqual((err, "1 of 1 expectations held." in out), ("", True))

    def test_all_problems_of_a_topology_in_order_of_place(self):
        self.write("lab.yaml", """\
hosts:
  mail.example.org:
    address: 192.168.137.3
    postfix:
      mydestination: $myhostname, example.org
      virtual_transport: viritual
      milter_default_action: accept
      mydestnation: x
      transport_maps: hash:$lab_files/transport, hash:$lab_files/nope
      smtp_connect_timeout: 3x
    files:
      transport: |
        a.example smtp:
        b.example
    master_cf: |
      filter unix - n n - - pipe
        -o nonsense_everywhere=1
        user=nobody argv=/bin/true
zones:
  example.org: |
    @    IN MX 10 mail
    @    IN MX 20 mial
""")
        out, err = self.relaylab("check", "lab.yaml", status=2)
        self.assertEqual(out, "lab.yaml: 1 error, 7 warnings\n")
        self.assertEqual(err, """\
lab.yaml:22:5: warning: zone "example.org": MX mial.example.org has no address in this zone; add an A record for it, or correct the name
lab.yaml:6:7: warning: virtual_transport names the transport viritual, which master.cf does not have; mail for it would be deferred; did you mean virtual?
lab.yaml:7:7: warning: milter_default_action is not simulated: the lab does as with its default
lab.yaml:8:7: warning: unused parameter: mydestnation=x; did you mean mydestination?
lab.yaml:9:7: warning: transport_maps: open database /etc/postfix/nope.db: No such file or directory
lab.yaml:10:7: parameter smtp_connect_timeout: bad time value or unit: 3x
lab.yaml:14:9: warning: /etc/postfix/transport, line 2: expected format: key whitespace value
lab.yaml:16:7: warning: unused parameter: nonsense_everywhere=1
""")

    def test_a_policy_server_that_nobody_is_is_named_where_a_service_asks_it(self):
        self.write("lab.yaml", """\
hosts:
  mail.example.org:
    address: 192.168.137.3
    policies:
      unix:private/policy: {rules: [{action: DUNNO}]}
    postfix:
      smtpd_recipient_restrictions: check_policy_service unix:private/policy
    master_cf: |
      smtp inet n - n - - smtpd
        -o smtpd_client_restrictions=check_policy_service,unix:private/nobody
      2525 inet n - n - - smtpd
        -o { smtpd_recipient_restrictions = check_policy_service inet:127.0.0.1:10023 }
""")
        out, err = self.relaylab("check", "lab.yaml")
        self.assertEqual(out, "lab.yaml: no errors, 2 warnings\n")
        where = [line.split(": warning: ")[0] for line in err.splitlines()]
        self.assertEqual(where, ["lab.yaml:9:7", "lab.yaml:11:7"])
        for endpoint in ("unix:private/nobody", "inet:127.0.0.1:10023"):
            self.assertIn(f"check_policy_service {endpoint}: nobody in this topology serves it", err)

    def test_a_postfix_folder(self):
        (self.folder / "etc").mkdir()
        self.write("etc/main.cf", "myhostname = mx.example.org\nsmtpd_milters = inet:localhost:11332\n"
                                  "mydestnation = x\nmessage_size_limit = huge\n"
                                  "alias_maps = hash:/etc/postfix/aliases\ndefault_transport = relai\n")
        self.write("etc/aliases", "postmaster root\n")
        self.write("etc/master.cf", "smtp inet n - y - - smtpd\nrelay unix - - y - - smtp\nsmtp unix - - y - - smtp\n"
                                    "local unix - n n - - local\nbroken inet\n")
        found = self.document("check", "etc", status=2)
        places = [(each["file"], each["line"], each["level"]) for each in found["problems"]]
        for expected in (("etc/main.cf", 2, "warning"), ("etc/main.cf", 3, "warning"), ("etc/main.cf", 4, "error"),
                         ("etc/main.cf", 6, "warning"), ("etc/master.cf", 5, "error")):
            self.assertIn(expected, places)
        self.assertEqual(found["errors"] + found["warnings"], len(found["problems"]))
        self.assertEqual(found["exit_status"], 2)

    def test_postfix_makes_its_caches_itself_and_a_place_without_a_column_has_none(self):
        (self.folder / "etc").mkdir()
        self.write("etc/main.cf", "smtp_tls_session_cache_database = btree:/nowhere/scache\n"
                                  "transport_maps = hash:/etc/postfix/transport\n"
                                  "compatibility_level = 3.6\nalias_maps =\n")
        self.write("etc/master.cf", "smtp inet n - y - - smtpd\n")
        _, err = self.relaylab("check", "etc")
        self.assertEqual(err, "etc/main.cf:2: warning: transport_maps: open database /etc/postfix/transport.db: "
                              "No such file or directory\n")

    def test_a_folder_without_a_configuration(self):
        _, err = self.relaylab("check", ".", status=2)
        self.assertIn("./main.cf: cannot be read: No such file or directory\n", err)


class Trace(Case):
    def setUp(self):
        super().setUp()
        self.relaylab("run", CHAIN, "--quiet", "--out", "out")

    def test_a_record_and_a_run_folder_list_the_same_messages(self):
        out, _ = self.relaylab("trace", "out/run.db")
        self.assertIn("kimchen@york.cc: sent", out)
        self.assertEqual(self.relaylab("trace", "out")[0], out)

    def test_a_message_by_number_queue_id_and_message_id(self):
        first = self.document("trace", "out")["messages"][0]
        told = [self.relaylab("trace", "out", name)[0] for name in (1, first["queue_id"], first["message_id"])]
        self.assertIn("into the mailbox of kimchen", told[0])
        self.assertEqual(told[0], told[1])
        self.assertEqual(told[0], told[2])
        self.assertEqual(len(self.document("trace", "out", 1)["stops"]), 4)

    def test_what_is_not_there(self):
        self.assertIn("no message of the record", self.relaylab("trace", "out", "99", status=2)[1])
        self.assertIn("there is no such file", self.relaylab("trace", "nowhere.db", status=2)[1])


class New(Case):
    def test_it_runs_green_as_it_stands(self):
        out, _ = self.relaylab("new", "lunch")
        self.assertIn("Play it:    relaylab run lunch.yaml\n", out)
        self.assertEqual(self.relaylab("check", "lunch.yaml")[1], "")
        out, err = self.relaylab("run", "lunch.yaml", "--quiet", "--check-determinism")
        self.assertIn("3 of 3 expectations held.", out)
        self.assertEqual(err, "")

    def test_it_replaces_nothing(self):
        self.write("lunch.yaml", "mine")
        _, err = self.relaylab("new", "lunch.yaml", status=2)
        self.assertEqual(err, "relaylab: lunch.yaml: is there already, and is not replaced; choose another name\n")
        self.assertEqual((self.folder / "lunch.yaml").read_text(), "mine")


class Help(Case):
    def test_each_command_has_an_example(self):
        out, _ = self.relaylab("--help")
        for command in ("run", "check", "trace", "new", "schema"):
            self.assertIn(f"\n  {command} ", out)
            self.assertIn(f"  relaylab {command}", self.relaylab(command, "--help")[0])

    def test_the_reference_has_every_option(self):
        reference = (ROOT / "docs" / "reference" / "cli.md").read_text()
        for option in set(re.findall(r"--[a-z-]+", self.relaylab("run", "--help")[0])) - {"--help"}:
            self.assertIn(f"`{option}", reference)

    def test_the_schema_is_json(self):
        schema = json.loads(self.relaylab("schema")[0])
        self.assertEqual(schema["$schema"], "https://json-schema.org/draft/2020-12/schema")


if __name__ == "__main__":
    unittest.main()
