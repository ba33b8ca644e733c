#!/usr/bin/python3
"""The programs that administrators feed their mail logs to take the lab's for Postfix's.

    consumers.py PROGRAM        exit 1 when one of them stumbles; 77 (skipped) without Debian's pflogsumm, fail2ban and logwatch

Plays every parity case and every ready topology, and gives all their maillogs to pflogsumm, to fail2ban's postfix filter, to
logwatch's postfix script, and to patterns like those of an exporter for Prometheus. GAPS are the lines of real Postfix that a
program is known not to take.
"""
import collections
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
LOGWATCH = pathlib.Path("/usr/share/logwatch/scripts/services/postfix")
SKIPPED = 77

# What real Postfix logs, too, and the program does not take.
GAPS = {
    "pflogsumm": [r" reject: mime-error ", r" bare <LF> received;"],
    "logwatch": [
        r" info: (?:CONNECT|HELO|EHLO|MAIL|RCPT|DATA|BDAT|END-OF-MESSAGE|VRFY|ETRN) from ",     # INFO of access(5)
        r" replacing (?:command|server reply) ",
        r": (?:strip|pass|info): (?:header|body) ",
        r": breaking line > ",
        r" reject: mime-error ",
        r" reject: BDAT from ",
        r" reject: MAIL from \S+: 451 4\.3\.0 Temporary lookup error; ",                       # of local_header_rewrite_clients
        r" bare <LF> received;",
        r"postfix/(?!submissions?/|smtps/|relay/)[\w-]+/\w+\[",                                 # a syslog_name of one's own
        r" reject: RCPT from [^;]* (?:by bl\.list\.example|\(domain is listed\)|; domain is listed)",   # replies of one's own
        r" reject: RCPT from .* blocked using rhs\.list\.example",
        r" reject: RCPT from [^;]*: (?:45[04]|554) [45]\.7\.1 Service unavailable; .*helo=<(?:ok|host\.star)\.example>",  # of an address
        r" reject: RCPT from [^;]*: 450 4\.7\.1 (?:Go away; |Service unavailable; from=)",          # a template without a list
        r"/(?:smtp|lmtp)\[\d+\]: SMTPS wrappermode ",
        r" anvil\[\d+\]: statistics: ",
        r": permit: [\w-]+ from ",                                                              # smtpd_log_access_permit_actions
        r" reject(?:_warning)?: \w+ from [^;]* Session encryption is required",
        r" reject: XCLIENT from ",
        r" reject(?:_warning)?: END-OF-MESSAGE from ",
        r" reject: RCPT from [^;]*: 450 4\.7\.77 ",                                             # a reply of one's own
        r" reject: RCPT from .* (?:blocked using (?:rhs\.test|bl\.test=)|is listed: dial-up)",           # and templates
        r"/(?:local|smtp)\[\d+\]: \w+: passing <",
        r" ignoring DNS RR: ", r"/postsuper\[\d+\]: Force-expired: ", r" status=force-expired, ",
        r" offers SMTPUTF8 support, but not 8BITMIME", r"/smtp\[\d+\]: \w+: Server certificate not verified",
        r"/cleanup\[\d+\]: \w+: to=<.*status=deliverable ",
        r"/postscreen\[\d+\]: (?:(?:DENY|ALLOW)LIST(?:ED| VETO)|(?:DATA|BDAT) without valid RCPT)",
        r"/[sl]mtp\[\d+\]: SMTPS wrappermode \(",
        r" postfix\[\d+\]: ",                                                                  # postfix(1) itself
    ],
}

ADDRESS = r"<[^>]*(?:>[^,; ]*)?>"
PEER = r"\S+\[[^\]]*\](?::\d+)?"
QUEUE_ID = r"(?:[0-9A-F]{6,}|[0-9A-Za-z]{10,})"
DELIVERY = (rf"{QUEUE_ID}: to={ADDRESS}(?:, orig_to={ADDRESS})?, relay=\S+(?:, conn_use=\d+)?, delay=[\d.]+,"
            r" delays=[\d.]+/[\d.]+/[\d.]+/[\d.]+, dsn=[245]\.\d+\.\d+,"
            r" status=(?:sent|deferred|bounced|undeliverable(?:-but-not-cached)?|deliverable|SOFTBOUNCE) \(.*\)")
TLS = (rf"(?:Anonymous|Untrusted|Trusted|Verified) TLS connection (?:established|reused) (?:from|to) {PEER}: (?:TLSv1[.\d]*) with cipher"
       r" \S+ \(\d+/\d+ bits\).*")
CHECKED = rf"(?:{QUEUE_ID}|NOQUEUE)"
RESTRICTION = (rf"{CHECKED}: (?:reject|reject_warning|warn|info|permit|filter|hold|discard|redirect|prepend|bcc|abort|client-access):? "
               r".* from \S+\[[^\]]*\](?::\d+)?[:;].*")
ANY = r"(?:warning|fatal|error|panic): .*"
# What each program says: a line that none of its patterns takes is news to an exporter.
EXPORTER = {
    "postfix-script": [r"(?:starting|stopping|refreshing|waiting for) the Postfix mail system.*"],
    "master": [r"(?:daemon started|reload) -- version 3\.7\.\d+, configuration \S+", r"terminating on signal 15", ANY],
    "smtpd": [rf"connect from {PEER}", rf"disconnect from {PEER}(?: \w+=\d+(?:/\d+)?)+", rf"(?:lost connection|timeout|too many errors) after \S.* from {PEER}",
              rf"{QUEUE_ID}: client={PEER}(?:, \w+=.*)?", RESTRICTION, TLS, rf"improper command pipelining after \w+ from {PEER}: .*",
              r"discarding EHLO keywords: [A-Z0-9 _-]+",
              r"mapping DSN status [245]\.\d+\.\d+ into [\w ]+ status [245]\.\d+\.\d+", rf"{PEER}: replacing command \".*", rf"SSL_accept error from {PEER}: .*",
              rf"certificate verification failed for {PEER}: .*", rf"NOQUEUE: abort: TLS from {PEER}: .*",
              r"(?:setting up TLS|initializing the server-side TLS|Reusing|setting) .*", ANY],
    "cleanup": [rf"{QUEUE_ID}: (?:resent-)?message-id=.*", rf"{QUEUE_ID}: (?:milter-)?(?:reject|warning|info|hold|discard|filter|redirect|prepend|replace|bcc|strip|pass|ignore): .*",
                DELIVERY, ANY],
    "qmgr": [rf"{QUEUE_ID}: from={ADDRESS}, size=\d+, nrcpt=\d+ \(queue active\)", rf"{QUEUE_ID}: removed",
             rf"{QUEUE_ID}: skipped, still being delivered",
             rf"{QUEUE_ID}: from={ADDRESS}, status=(?:expired|force-expired), returned to sender",
             rf"{QUEUE_ID}: status=deferred \(bounce failed\)", DELIVERY, ANY],
    "pickup": [rf"{QUEUE_ID}: uid=\d+ from={ADDRESS}(?: orig_id=\w+)?", ANY],
    "bounce": [rf"{QUEUE_ID}: (?:sender|postmaster) (?:non-delivery|delivery status|delay) notification: {QUEUE_ID}",
               rf"{QUEUE_ID}: not sending trace/success notification for (?:single|double)-bounce message", ANY],
    "smtp": [DELIVERY, TLS, rf"connect to {PEER}: .*", rf"{QUEUE_ID}: host {PEER} (?:said|refused to talk to me): .*", rf"{QUEUE_ID}: enabling PIX workarounds: .*",
             rf"{QUEUE_ID}: (?:lost connection|conversation) with .*",
             rf"{QUEUE_ID}: (?:prepend|replace|warning|info|strip|pass): (?:header|body) .*", rf"{QUEUE_ID}: breaking line > \d+ bytes with .*",
             r"ignoring DNS RR: .*", rf"host {PEER} offers SMTPUTF8 support, but not 8BITMIME", rf"{QUEUE_ID}: passing {ADDRESS} to transport=\S+",
             rf"{QUEUE_ID}: Cannot start TLS: .*", rf"{QUEUE_ID}: Server certificate not verified", r"SMTPS wrappermode .*",
              rf"{PEER}: replacing server reply \".*", r"Host offered STARTTLS: \[.*\]",
             r"(?:server )?certificate verification failed for .*", r"SSL_connect error to .*",
             r"(?:setting up TLS|initializing the client-side TLS) .*", r"discarding EHLO keywords: .*", r"certificate .*", r"depth=\d .*", ANY],
    "local": [DELIVERY, rf"{QUEUE_ID}: passing {ADDRESS} to transport=\S+", rf"{QUEUE_ID}: required alias not found: .*", ANY],
    "postsuper": [rf"{QUEUE_ID}: (?:removed|requeued|placed on hold|released from hold|expired)", r"(?:Deleted|Requeued|Placed on hold|Released from hold|Force-expired): \d+ messages?", ANY],
    "anvil": [r"statistics: max .*"],
    "postscreen": [r"NOQUEUE: reject: (?:CONNECT|RCPT) from \[[\d.]+\]:\d+: .*", r"[A-Z][\w -]* .*", r"cache \S+ full cleanup: .*",
                   r"(?:entering|leaving) STRESS mode with \d+ connections", r"reject: connect from \[[\d.]+\]:\d+: all screening ports busy",
                   r"\[[\d.]+\]:?\d+: (?:replacing command|discarding EHLO keywords).*",
                   r"using backwards-compatible default setting respectful_logging=no for client .*", ANY],
    "tlsproxy": [TLS.replace(PEER, r"\[[\d.]+\]:\d+"), r"(?:DIS)?CONNECT .*", r"TLS handshake failed for service=\S+ peer=\S+", ANY],
    "dnsblog": [r"addr \S+ listed by domain \S+ as \S+", ANY],
    "verify": [r"cache \S+ .*", ANY],
}
EXPORTER["lmtp"] = EXPORTER["smtp"]
EXPORTER["postfix"] = [r"Postfix is using backwards-compatible default settings", r"See http://\S+ for details", r"To disable backwards compatibility use .*"]
for name in ("pipe", "virtual", "error", "discard", "retry"):
    EXPORTER[name] = [DELIVERY, ANY]
for name in ("trivial-rewrite", "sendmail", "postdrop", "flush", "proxymap", "tlsmgr", "scache", "showq", "postqueue", "postmap", "postalias"):
    EXPORTER[name] = [ANY]
LINE = re.compile(r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ \d]\d \d\d:\d\d:\d\d [\w.-]+ (?:postfix(?:-[\w-]+)?(?:/[\w.-]+)*/(?=[\w-]+\[)|(?=postfix\[))([\w-]+)\[\d+\]: (.*)")


def play(program, scenario):
    with tempfile.TemporaryDirectory() as folder:
        run = pathlib.Path(folder) / "run"
        # Expectations are other tests' business.
        subprocess.run([program, "run", scenario, "--out", run, "--quiet"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, timeout=300, check=False)
        return [each.read_text(errors="replace") for each in sorted(run.glob("*/maillog"))]


def all_lines(program):
    scenarios = [*sorted((ROOT / "tests" / "parity" / "cases").glob("*/scenario.yaml")), *sorted((ROOT / "topologies").glob("*.yaml"))]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        logs = pool.map(lambda each: play(program, each), scenarios)
        return [line for per_run in logs for log in per_run for line in log.splitlines()]


def without_gaps(lines, consumer):
    gaps = [re.compile(each) for each in GAPS[consumer]]
    return [line for line in lines if not any(gap.search(line) for gap in gaps)]


def run(*command, lines=None, **more):
    return subprocess.run(command, input=None if lines is None else "\n".join(lines) + "\n", capture_output=True, text=True,
                          errors="replace", timeout=300, check=False, **more)


def exporter(lines):
    patterns = {name: [re.compile(each) for each in group] for name, group in EXPORTER.items()}
    for line in lines:
        whole = LINE.fullmatch(line)
        if not whole:
            yield f"not a line of syslog: {line}"
        elif not any(each.fullmatch(whole[2]) for each in patterns.get(whole[1], [])):
            yield f"nothing takes: {line}"


def pflogsumm(lines):
    """It takes all lines without a word, and its totals are ours."""
    known = without_gaps(lines, "pflogsumm")
    done = run("pflogsumm", "-h", "0", "-u", "0", lines=known)
    if done.returncode != 0 or done.stderr:
        yield f"exit status {done.returncode}: {done.stderr[:500]}"
    sent = re.compile(r"/(?:smtp|local|pipe|virtual|lmtp|discard|qmgr)\[\d+\]: \w+: to=<.*, status=sent \((?!forwarded as )")
    counts = {"delivered": sum(1 for line in known if sent.search(line))}
    for name, ours in counts.items():
        total = re.search(rf"^\s*(\d+)(k?)\s+{name}", done.stdout, re.M)
        if not total or (not total[2] and int(total[1]) != ours):
            yield f"{name}: {total and total[0].strip()}, not {ours}"


def fail2ban(lines):
    """Every line's time is read, and the offences are seen that its filter is for."""
    offences = re.compile(r"/smtpd\[\d+\]: (?:\w+: reject: RCPT from \S+\[[\d.]+\]: [45]54 [45]\.7\.1 <\S*>: Relay access denied"
                          r"|(?:improper command pipelining|too many errors) after \S+ from "
                          r"|warning: \S+\[[\d.]+\]: SASL (?:LOGIN|PLAIN|CRAM-MD5) authentication failed: )")
    # Real Postfix's answers that fail2ban leaves alone.
    spared = re.compile(r"after END-OF-MESSAGE|DATA content|after [A-Z]+ \(")
    wanted = {line.rstrip() for line in lines if offences.search(line) and not spared.search(line)}
    with tempfile.NamedTemporaryFile("w", suffix=".log") as log:
        log.write("\n".join(lines) + "\n")
        log.flush()
        done = run("fail2ban-regex", "--print-all-matched", log.name, "postfix[mode=aggressive]")
    dated = re.search(r"Date template hits:\n\|- .*\n\|\s+\[(\d+)\]", done.stdout)
    if done.returncode != 0 or not dated or int(dated[1]) != len(lines):
        yield f"exit status {done.returncode}, dates of {dated and dated[1]} of {len(lines)} lines read: {done.stdout[-500:]}"
    matched = {each[2:].strip() for each in done.stdout.splitlines() if each.startswith("| ")}
    matched |= {each.removeprefix("|").strip() for each in done.stdout.splitlines()}
    for line in sorted(wanted - matched):
        yield f"not seen: {line}"


def logwatch(lines):
    known = without_gaps(lines, "logwatch")
    done = run("perl", str(LOGWATCH), lines=known, env={**os.environ, "LOGWATCH_DETAIL_LEVEL": "10"})
    if done.returncode != 0 or done.stderr:
        yield f"exit status {done.returncode}: {done.stderr[:500]}"
    if "Unmatched Entries" in done.stdout:
        yield from done.stdout.split("Unmatched Entries", 1)[1].splitlines()[1:]


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    missing = [name for name in ("pflogsumm", "fail2ban-regex") if not shutil.which(name)] + ([] if LOGWATCH.exists() else ["logwatch"])
    if missing:
        print(f"not here: {', '.join(missing)}; ./dev setup test installs them")
        sys.exit(SKIPPED)
    lines = all_lines(pathlib.Path(sys.argv[1]).resolve())
    programs = collections.Counter(found[1] for line in lines if (found := LINE.fullmatch(line)))
    if len(lines) < 1000 or programs["smtpd"] < 100:
        sys.exit(f"only {len(lines)} lines: {programs}")
    failed = 0
    for consumer in (exporter, pflogsumm, fail2ban, logwatch):
        complaints = list(consumer(lines))
        print(f"{consumer.__name__}: {len(complaints)} complaints of {len(lines)} lines")
        for each in complaints[:40]:
            print(f"  {each}")
        failed += bool(complaints)
    sys.exit(failed > 0)


main()
