"""relaylab run: what it prints and writes, and its exit status."""

import os
import pty
import shutil
import subprocess
import unittest

from support import CHAIN, PROGRAM, SMALL, Case


class Verdicts(Case):
    def test_held_expectations_are_a_line_each_and_status_0(self):
        self.write("lab.yaml", SMALL + "expect:\n  - delivered: {to: alice@example.org, count: 1}\n")
        out, err = self.relaylab("run", "lab.yaml", "--quiet")
        self.assertEqual(out, "== expectations\n"
                              "held    delivered to alice@example.org, once   lab.yaml:10:5\n"
                              "1 of 1 expectations held.\n")
        self.assertEqual(err, "")

    def test_a_failed_one_says_what_was_found_and_what_came_nearest_and_status_1(self):
        self.write("lab.yaml", SMALL + "expect:\n  - delivered: {to: alicia@example.org}\n"
                                       "  - delivered: {to: alice@example.org}\n")
        out, _ = self.relaylab("run", "lab.yaml", "--quiet", status=1)
        self.assertEqual(out, "== expectations\n"
                              "FAILED  delivered to alicia@example.org; found no deliveries; "
                              "nearest: there is alice@example.org   lab.yaml:10:5\n"
                              "held    delivered to alice@example.org   lab.yaml:11:5\n"
                              "1 of 2 expectations held.\n")

    def test_nothing_expected_is_said(self):
        self.write("lab.yaml", SMALL)
        self.assertIn("The file expects nothing", self.relaylab("run", "lab.yaml", "--quiet")[0])

    def test_a_run_that_is_cut_off_says_so_and_judges_what_it_can(self):
        self.write("lab.yaml", SMALL + "  - wait: 1d\n  - expect: {delivered: {to: alice@example.org}}\n"
                                       "expect:\n  - delivered: {to: alice@example.org}\n")
        out, _ = self.relaylab("run", "lab.yaml", "--quiet", "--until", "6h", status=1)
        self.assertIn("Cut off by --until 6h in step 3 of 4;", out)
        self.assertIn("1 more of steps that were not reached could not be judged.", out)
        self.assertIn("1 of 1 expectations held.", out)
        said = self.document("run", "lab.yaml", "--until", "6h", status=1)
        self.assertTrue(said["cut_off"])
        self.assertFalse(said["held"])
        self.assertEqual(said["elapsed_ns"], 6 * 3600 * 10**9)
        self.relaylab("run", "lab.yaml", "--quiet", "--until", "2d")

    def test_mail_that_is_lost_is_told_and_status_3(self):
        # local(8) takes the second round for the first, as Postfix does.
        self.write("lab.yaml", SMALL.split("steps:")[0].replace(
            '"$myhostname, example.org"', '"a.example, b.example", local_recipient_maps: "", '
                                          "luser_relay: nobodyhere@b.example") + """\
steps:
  - submit: {host: mail.example.org, from: alice@example.org, to: [nobodyhere@a.example]}
""")
        out, _ = self.relaylab("run", "lab.yaml", "--quiet", status=3)
        self.assertIn("LOST    mail.example.org: ", out)
        self.assertIn(": 1 of 1 recipient came to no end before the message was removed\n", out)
        self.assertIn("Mail was lost or doubled (1 finding): ", out)

    def test_a_greeting_that_refuses_is_a_refusal(self):
        self.write("lab.yaml", SMALL.split("steps:")[0].replace(
            'postfix: {', 'postfix: {smtpd_delay_reject: "no", smtpd_client_restrictions: reject, ') + """\
clients: {pc.example.net: {address: 192.168.137.66}}
steps:
  - smtp: {client: pc.example.net, server: mail.example.org, lines: [QUIT]}
expect:
  - refused: {client: pc.example.net, server: mail.example.org, reply: "554 5.7.1 *Client host rejected*", count: 1}
""")
        self.assertIn("1 of 1 expectations held.", self.relaylab("run", "lab.yaml")[0])


class Text(Case):
    def test_the_chain_is_told_with_logs_trace_headers_and_verdicts(self):
        out, err = self.relaylab("run", CHAIN)
        self.assertEqual(err, "")
        for expected in ("== smtp.6circles.cc (192.168.137.2) maillog\n", "== mail.york.cc (192.168.137.5) maillog\n",
                         "status=sent (delivered to mailbox)", "== trace of message 1\n",
                         "-- Received headers in the mailbox of kimchen at mail.york.cc, newest first\n",
                         "The Received headers agree with the record, hop by hop.\n", "\nheld    delivered to kimchen"):
            self.assertIn(expected, out)
        self.assertNotIn("$lab_", out)
        self.assertNotIn("\x1b", out)
        self.assertNotIn("LOST", out)

    def test_many_messages_are_a_list_and_the_first_few(self):
        self.write("lab.yaml", SMALL.replace("subject: hi", "subject: hi, count: 30"))
        out, _ = self.relaylab("run", "lab.yaml")
        self.assertIn("== 30 messages\n", out)
        self.assertIn("and 10 more\n", out)
        self.assertIn("Traced here: the first 3; to follow the others, run again with --db run.db", out)
        self.assertEqual(out.count("== trace of message"), 3)

    def test_colours_on_a_terminal_unless_NO_COLOR(self):
        self.write("lab.yaml", SMALL + "expect:\n  - delivered: {to: alice@example.org}\n")
        for no_color, coloured in (("", True), ("1", False)):
            master, slave = pty.openpty()
            environment = {**os.environ, "NO_COLOR": no_color}
            done = subprocess.run([PROGRAM, "run", "lab.yaml", "--quiet"], cwd=self.folder, stdout=slave, env=environment)
            os.close(slave)
            said = os.read(master, 1 << 16)
            os.close(master)
            self.assertEqual(done.returncode, 0)
            self.assertEqual(b"\x1b[" in said, coloured)

    def test_a_reader_that_goes_away_changes_no_status(self):
        self.write("lab.yaml", SMALL.replace("subject: hi", "subject: hi, count: 500"))
        reader, writer = os.pipe()
        os.close(reader)
        self.relaylab("run", "lab.yaml", "--out", "out", stdout=writer)
        os.close(writer)
        self.assertTrue((self.folder / "out" / "run.db").exists())

    def test_output_that_cannot_be_written_is_status_3(self):
        with open("/dev/full", "w") as full:
            _, err = self.relaylab("schema", stdout=full, status=3)
        self.assertIn("standard output cannot be written: No space left on device", err)


class WrongInput(Case):
    def test_a_mistake_in_the_file_has_its_place_and_a_suggestion(self):
        self.write("lab.yaml", SMALL.replace("mailboxes", "mailboxs"))
        out, err = self.relaylab("run", "lab.yaml", status=2)
        self.assertEqual(out, "")
        self.assertTrue(err.startswith("lab.yaml:4:5: "), err)
        self.assertIn("mailboxes", err)
        said = self.document("run", "lab.yaml", status=2)
        self.assertEqual(sorted(said), ["exit_status", "file", "held", "problems", "relaylab"])
        self.assertEqual([said["problems"][0][key] for key in ("file", "line", "column", "level")],
                         ["lab.yaml", 4, 5, "error"])

    def test_a_file_that_is_not_there(self):
        _, err = self.relaylab("run", "nowhere.yaml", status=2)
        self.assertEqual(err, "nowhere.yaml: cannot be read: No such file or directory; name a topology file\n")

    def test_words_that_are_no_command_and_no_option(self):
        for words, expected in (
                (["rum", "x"], "relaylab: there is no command rum; did you mean run?\nrelaylab --help lists the commands\n"),
                (["run", "x", "--sed", "1"],
                 "relaylab: run has no option --sed; did you mean --seed?\nrelaylab run --help lists its options\n"),
                (["--versio"], "relaylab: it has no option --versio; did you mean --version?\nrelaylab --help lists its options\n"),
                (["run"], "relaylab: FILE is required\nrelaylab run --help tells more\n")):
            self.assertEqual(self.relaylab(*words, status=2), ("", expected))

    def test_a_time_without_a_meaning(self):
        self.write("lab.yaml", SMALL)
        _, err = self.relaylab("run", "lab.yaml", "--until", "5 parsecs", status=2)
        self.assertIn("'5 parsecs' is no time; write a number with a unit", err)

    def test_a_bad_pattern_of_a_filter(self):
        self.write("lab.yaml", SMALL.replace("    mailboxes", "    filters: {spam: {rules: [{match: '(', action: reject}]}}\n    mailboxes"))
        _, err = self.relaylab("run", "lab.yaml", status=2)
        self.assertEqual(err, 'lab.yaml:4:38: "match" must be a regular expression, not "("; missing closing parenthesis\n')

    def test_filters_speak_python_and_logs_pcre(self):
        self.write("lab.yaml", SMALL.replace("    mailboxes", "    filters: {spam: {rules: [{match: '(?a)x', action: reject}]}}\n    mailboxes"))
        self.assertEqual(self.relaylab("check", "lab.yaml")[1], "")
        self.write("lab.yaml", SMALL + "expect:\n  - log: {matches: '(?a)x'}\n")
        self.assertIn("lab.yaml:10:", self.relaylab("check", "lab.yaml", status=2)[1])

    def test_places_that_cannot_be_written(self):
        self.write("lab.yaml", SMALL)
        self.write("mine", "not of relaylab")
        (self.folder / "full").mkdir()
        self.write("full/mine", "")
        for words, complaint in ((["--db", "mine"], "mine: is no record of relaylab"),
                                 (["--db", "no/run.db"], "no/run.db"), (["--pcap", "no/t.pcapng"], "no/t.pcapng"),
                                 (["--out", "full"], "is not empty and no run folder of relaylab"),
                                 (["--out", "mine"], "is no folder"),
                                 (["--out", "o", "--db", "o/x.db"], "lies in the run folder, which is replaced as a whole")):
            out, err = self.relaylab("run", "lab.yaml", *words, status=2)
            self.assertEqual(out, "")
            self.assertIn(complaint, err)
        self.assertEqual((self.folder / "mine").read_text(), "not of relaylab")

    def test_a_configuration_that_postfix_would_not_start_with_is_told_and_played(self):
        self.write("lab.yaml", SMALL.replace('example.org"}', 'example.org", maximal_queue_lifetime: 5x}'))
        out, err = self.relaylab("run", "lab.yaml")
        self.assertTrue(err.startswith("lab.yaml:5:58: warning: parameter maximal_queue_lifetime: bad time value or unit: 5x"), err)
        self.assertIn("fatal: parameter maximal_queue_lifetime: bad time value or unit: 5x", out)

    def test_what_is_not_simulated_is_told_once(self):
        self.write("lab.yaml", SMALL.replace('example.org"}', 'example.org", milter_default_action: accept}'))
        _, err = self.relaylab("run", "lab.yaml", "--check-determinism")
        self.assertEqual(err, "lab.yaml:5:58: warning: milter_default_action is not simulated: the lab does as with its default\n")


class RealConfiguration(Case):
    def test_a_folder_of_a_real_server_is_played_with_its_tables(self):
        (self.folder / "etc").mkdir()
        self.write("etc/main.cf", "mydestination = $myhostname, example.org\nalias_maps = hash:/etc/postfix/aliases\n"
                                  "transport_maps = hash:/etc/postfix/../secret\n")
        self.write("etc/aliases", "postmaster: alice\n")
        self.write("secret", "x y\n")
        self.write("lab.yaml", SMALL.replace('postfix: {mydestination: "$myhostname, example.org"}', "config: ./etc")
                   .replace("alice@example.org]", "postmaster@example.org]"))
        _, err = self.relaylab("check", "lab.yaml")
        self.assertIn("open database /etc/postfix/../secret.db: No such file or directory", err)
        self.write("etc/main.cf", "mydestination = $myhostname, example.org\nalias_maps = hash:/etc/postfix/aliases\n")
        self.assertEqual(self.relaylab("check", "lab.yaml")[1], "")
        said = self.document("run", "lab.yaml")
        self.assertEqual(list(said["hosts"][0]["mailboxes"]), ["alice"])


class Files(Case):
    def run_chain(self, name, *words):
        return self.relaylab("run", CHAIN, "--quiet", "--out", name, "--pcap", f"{name}/traffic.pcapng", *words)

    def test_a_seed_gives_the_same_bytes(self):
        self.run_chain("one", "--seed", 7)
        self.run_chain("two", "--seed", 7)
        one, two = self.tree("one"), self.tree("two")
        self.assertEqual(list(one), list(two))
        for path in one:
            self.assertTrue(one[path] == two[path], path)
        self.assertLessEqual({"run.db", "traffic.pcapng", "traffic.pcapng.keys", "mail.york.cc/maillog",
                              "mail.york.cc/mbox/kimchen", "mail.york.cc/queue.json", "dialogues/01.txt"}, set(one))

    @unittest.skipUnless(shutil.which("sqlite3"), "needs sqlite3")
    def test_a_seed_gives_the_same_dump(self):
        dumps = []
        for name in ("one.db", "two.db"):
            self.relaylab("run", CHAIN, "--quiet", "--db", name)
            dumps.append(subprocess.run(["sqlite3", self.folder / name, ".dump"], capture_output=True, check=True).stdout)
        self.assertGreater(len(dumps[0]), 10000)
        self.assertEqual(*dumps)

    def test_another_seed_gives_other_queue_ids_and_the_same_verdicts(self):
        said = [self.document("run", CHAIN, "--seed", seed) for seed in (1, 2)]
        verdicts = [[each["held"] for each in one["expectations"]] for one in said]
        self.assertEqual(*verdicts)
        self.assertTrue(all(verdicts[0]))
        ids = [{stop["queue_id"] for message in one["messages"] for stop in message["stops"]} for one in said]
        self.assertEqual([len(each) for each in ids], [4, 4])
        self.assertFalse(ids[0] & ids[1])

    def test_db_and_pcap_beside_a_folder_are_copied_into_it(self):
        self.relaylab("run", CHAIN, "--quiet", "--out", "out", "--db", "r.db", "--pcap", "t.pcapng")
        for name, copy in (("r.db", "run.db"), ("t.pcapng", "traffic.pcapng"), ("t.pcapng.keys", "traffic.pcapng.keys")):
            self.assertEqual((self.folder / name).read_bytes(), (self.folder / "out" / copy).read_bytes())

    def test_a_run_folder_is_replaced_and_has_the_paths_of_the_lab(self):
        self.write("lab.yaml", SMALL)
        for _ in range(2):
            self.relaylab("run", "lab.yaml", "--quiet", "--out", "out/")
        self.assertIn(b"configuration $lab_files", self.tree("out")["mail.example.org/maillog"])
        self.assertEqual(sorted(p.name for p in self.folder.iterdir()), ["lab.yaml", "out"])


class Determinism(Case):
    def test_the_chain_is_the_same_when_played_again(self):
        out, _ = self.relaylab("run", CHAIN, "--quiet", "--check-determinism", "--pcap", "t.pcapng")
        self.assertRegex(out, r"Played twice with the same results, in \d+ steps of virtual time\.")
        said = self.document("run", CHAIN, "--check-determinism")
        self.assertEqual(said["determinism"], {"same": True, "first_divergence": None, "differences": []})

    # The one way that leads out of a lab: a command of this machine whose output is never the same.
    UNEQUAL = SMALL.replace("    mailboxes", """\
    master_cf: |
      clock unix - n n - - pipe
        user=nobody argv=/bin/sh -c ${sender}
    files: {transport: "alice@example.org clock:"}
    mailboxes""").replace('example.org"}', 'example.org", transport_maps: "hash:$lab_files/transport"}')

    def unequal(self):
        return self.UNEQUAL.replace("${sender}", "{date +%s%N; exit 69}")

    def test_a_difference_is_named_with_its_moment_and_is_status_3(self):
        self.write("lab.yaml", self.unequal())
        out, _ = self.relaylab("run", "lab.yaml", "--quiet", "--check-determinism", "--allow-commands", status=3)
        self.assertRegex(out, r"The runs part at 2026-11-20T09:00:\d\d\.\d+Z\.")
        self.assertRegex(out, r'maillog of mail\.example\.org, line \d+: ".*status=bounced.*" / ".*status=bounced')

    def test_commands_run_only_when_they_may(self):
        self.write("lab.yaml", self.unequal())
        out, _ = self.relaylab("run", "lab.yaml", "--check-determinism")
        self.assertIn("status=deferred", out)
        self.assertIn("only when it is allowed to", out)


@unittest.skipUnless(shutil.which("tshark"), "needs tshark")
class Traffic(Case):
    def tshark(self, *words):
        done = subprocess.run(["tshark", "-r", self.folder / "t.pcapng", *words], capture_output=True, text=True, check=True)
        return done.stdout.splitlines()

    def test_tshark_reads_the_chain_as_smtp_and_into_its_tls(self):
        self.relaylab("run", CHAIN, "--quiet", "--pcap", "t.pcapng")
        port = ["-d", "tcp.port==587,smtp"]
        commands = self.tshark(*port, "-Y", "smtp.req.command", "-T", "fields", "-e", "smtp.req.command")
        self.assertEqual(commands.count("STAR"), 3)
        # Within TLS, by the secrets that the file itself holds.
        self.assertEqual([line for line in commands if "MAIL" in line], ["MAIL", "MAIL,RCPT,DATA", "MAIL,RCPT,DATA"])
        subjects = self.tshark(*port, "-Y", 'imf.subject == "lunch"', "-T", "fields", "-e", "ip.dst")
        self.assertIn("192.168.137.5", subjects)
        self.assertEqual(self.tshark("-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE", "-Y",
                                     "ip.checksum.status == 0 || tcp.checksum.status == 0"), [])
        keys = (self.folder / "t.pcapng.keys").read_text().split()
        self.assertIn("CLIENT_TRAFFIC_SECRET_0", keys)


class Document(Case):
    def test_its_keys(self):
        said = self.document("run", CHAIN)
        self.assertEqual(list(said), [
            "relaylab", "file", "name", "title", "seed", "exit_status", "held", "began", "ended", "elapsed_ns", "cut_off",
            "problems", "expectations", "unjudged_expectations", "violations", "messages", "hosts", "dialogues",
            "determinism", "written"])
        self.assertEqual(list(said["expectations"][0]), ["file", "line", "column", "held", "expected", "found", "nearest"])
        message = said["messages"][0]
        self.assertEqual(list(message), ["number", "host", "queue_id", "message_id", "sender", "recipients", "time_ns",
                                         "outcome", "stops", "copies"])
        self.assertEqual([stop["host"] for stop in message["stops"]],
                         ["smtp.6circles.cc", "smtp.6circles.cc", "mail.ohio.cc", "mail.york.cc"])
        self.assertEqual(len(message["copies"][0]["received"]), 4)
        self.assertEqual(message["copies"][0]["differences"], [])
        self.assertEqual(list(said["hosts"][0]), ["name", "address", "maillog", "mailboxes", "queue"])
        self.assertEqual(said["violations"], [])
        self.assertEqual(said["written"], {"folder": None, "database": None, "capture": None})


if __name__ == "__main__":
    unittest.main()
