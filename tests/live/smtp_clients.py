#!/usr/bin/python3
"""Programs that know nothing of the lab send mail into it, over the wire and over TLS: Python's smtplib, and swaks.

    smtp_clients.py PROGRAM
"""
import contextlib, pathlib, re, shutil, signal, smtplib, ssl, subprocess, sys
from live import check, folder_for, places, program, root

scenario = root / "tests/live/held-open.yaml"
SERVER, DESK, STRANGER = "mail.harbour.example", "desk.harbour.example", "192.168.90.254"


@contextlib.contextmanager
def open_lab(out):
    """The running lab's stderr, and its places; asks it to end afterwards."""
    lab = subprocess.Popen([program, "run", scenario, "--live", "--out", out], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                           stderr=subprocess.PIPE, text=True)
    try:
        told = read_until(lab.stderr, "daemon started")
        yield lab.stderr, places(told)
        lab.send_signal(signal.SIGTERM)
        check(lab.wait(timeout=60) == 0, f"the lab ended with {lab.returncode}:\n{lab.stderr.read()}")
    finally:
        lab.kill()
        lab.communicate()


def read_until(lines, pattern):
    told = ""
    for line in lines:
        told += line
        if re.search(pattern, line): return told
    sys.exit(f"FAILED: the lab ended before it said {pattern}:\n{told}")


def connected(server, source):
    """The port opens in the same turn in which the log says so, or just after."""
    for _ in range(10_000):
        with contextlib.suppress(ConnectionRefusedError):
            return smtplib.SMTP(*server, local_hostname="desk", timeout=30, source_address=(source, 0))
    sys.exit(f"FAILED: nobody listens at {server}")


def send_with_smtplib(lines, where):
    desk = where[DESK][0]
    with connected(where[SERVER], desk) as client:
        check(client.ehlo("desk")[0] == 250, "EHLO")
        trusting = ssl.create_default_context()
        trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
        client.starttls(context=trusting)
        refused = client.sendmail(f"amy@{DESK}", [f"mira@{SERVER}"], "Subject: from smtplib\r\n\r\nIs anyone there?\r\n.dots\r\n")
        check(not refused, f"refused: {refused}")
    log = read_until(lines, r"status=sent \(delivered to mailbox\)")
    check(re.search(rf"smtpd\[\d+\]: \w+: client={DESK}\[192\.168\.90\.10\]", log), f"the desk's address is not in the log:\n{log}")
    check("127." not in log, f"a loopback address in the log:\n{log}")


def is_no_relay_for_strangers(lines, where):
    with connected(where[SERVER], "127.0.0.1") as client:
        client.ehlo("elsewhere")
        client.mail("a@elsewhere.example")
        code, text = client.rcpt("b@victim.example")
        check(code in (454, 554) and b"Relay access denied" in text, f"RCPT from a stranger: {code} {text}")
    read_until(lines, rf"disconnect from unknown\[{re.escape(STRANGER)}\]")


def send_with_swaks(lines, where):
    if not shutil.which("swaks"):
        print("swaks is not installed: not tried")
        return
    address, port = where[SERVER]
    done = subprocess.run(["swaks", "--server", address, "--port", str(port), "--local-interface", where[DESK][0], "--helo", DESK,
                           "--from", f"amy@{DESK}", "--to", f"mira@{SERVER}", "--header", "Subject: from swaks"],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
    check(done.returncode == 0, f"swaks:\n{done.stdout}")
    read_until(lines, r"status=sent \(delivered to mailbox\)")


if __name__ == "__main__":
    with folder_for() as folder:
        out = pathlib.Path(folder) / "run"
        with open_lab(out) as (lines, where):
            send_with_smtplib(lines, where)
            is_no_relay_for_strangers(lines, where)
            send_with_swaks(lines, where)
        mailbox = (out / SERVER / "mbox/mira").read_text()
        check("Subject: from smtplib" in mailbox and "\n.dots\n" in mailbox, f"the mailbox:\n{mailbox}")
        check(mailbox.count("with ESMTPS") == 1, f"not over TLS:\n{mailbox}")
        check(f"from desk ({DESK} [192.168.90.10])" in mailbox, f"the Received line:\n{mailbox}")
        if shutil.which("swaks"): check("Subject: from swaks" in mailbox, f"the mailbox:\n{mailbox}")
    print("delivered")
