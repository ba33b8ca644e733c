#!/usr/bin/python3
"""Hold a run folder of the lab against what real Postfix did with the same scenario.

    compare.py TRUTH RUN            each difference, and the score; exit 0 when there is none
    compare.py --score TRUTH RUN    the score alone, as JSON

Both have the layout of docs/reference/run-folder.md. What no two runs share is masked: times, process ids, queue ids,
delays, sizes and MIME boundaries. All else must be the same: every log line of every message and of every SMTP session,
every SMTP reply, every delivered message, every message left in a queue. The daemons of a real Postfix run side by
side, so log lines are compared message by message and session by session, not in the order of the file.
"""
import collections
import json
import pathlib
import re
import sys

LINE = re.compile(r"^\w{3} [ \d]\d \d\d:\d\d:\d\d (?P<host>\S+) (?P<program>[\w./-]+)\[(?P<pid>\d+)\]: (?P<text>.*)$")
QUEUE_ID = r"(?:[0-9A-F]{6,14}|[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{12,20})"
STARTS_WITH_QUEUE_ID = re.compile(rf"^({QUEUE_ID}|NOQUEUE): ")
# What tells of the processes of a real Postfix, of its cache files and of its machine's clock.
PROCESS_PROGRAM = re.compile(r"postfix/(master|postfix-script|anvil|scache|tlsmgr|postlog|postfix|verify-cache)$")
MACHINE_TEXT = re.compile(r"cache \S+ full cleanup: |warning: (file system clock is \d+ seconds|resetting file time stamps)")

LOG_MASKS = [(re.compile(pattern), mask) for pattern, mask in (
    (rf"<\d{{14}}\.{QUEUE_ID}@", "<DATE.@@"),
    (rf"\bqueued as {QUEUE_ID}", "queued as @"),
    (rf"\b(id|notification:|forwarded as|notification|redirected to|Queue-ID:|original) {QUEUE_ID}\b", r"\1 @"),
    (rf"\borig(_queue)?_id={QUEUE_ID}", r"orig\1_id=@"),
    (rf"^(warning|fatal|error|panic): {QUEUE_ID}: ", r"\1: @: "),
    (r"\bmessage size \d+ exceeds", "message size * exceeds"),
    (r"\bdelay=[\d.]+, delays=[\d./]+", "delay=*, delays=*"),
    (r"\bsize=\d+", "size=*"),
    (r"\[(\d+\.\d+\.\d+\.\d+)\]:\d{4,5}\b(?=.*(?:SSL_accept|lost|client port))", r"[\1]:PORT"),
    (r"(?:^|(?<=[ =]))(?<!to )\[(\d+\.\d+\.\d+\.\d+)\](:?)(?:\d{4,5}|PORT)\b", r"[\1]\2PORT"),  # a client's own, as postscreen has it
    (r"\b\d+ more byte", "* more byte"),
    (r"\bafter [\d.]+(?=s? ?(?:seconds|from))", "after *"),
    (r"\bmail queue: \d+ bytes", "mail queue: * bytes"),
    (r"\(approximately \d+ bytes\)", "(approximately * bytes)"),
)]
MESSAGE_MASKS = [(re.compile(pattern), mask) for pattern, mask in (
    (r"\w{3},\s+\d{1,2} \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4} \(\w+\)", "DATE"),
    (r"\bSIZE=\d+", "SIZE=*"),
    (r"\bmessage(\s+)size(\s+)\d+(\s+)exceeds", r"message\1size\2*\3exceeds"),
    (r"\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}", "DATE"),
    (rf"\b(id|by [\w.-]+ \(Postfix, from userid \d+\)\n\tid) {QUEUE_ID}\b", r"\1 @"),
    (rf"<\d{{14}}\.{QUEUE_ID}@", "<DATE.@@"),
    (rf"{QUEUE_ID}\.\d{{10}}/", "BOUNDARY/"),
    (rf"(X-Postfix-Queue-ID:|queue id|queued as) {QUEUE_ID}", r"\1 @"),
)]


def masked(text, masks):
    for pattern, mask in masks:
        text = pattern.sub(mask, text)
    return text


def lines_of(path):
    return path.read_text(errors="replace").splitlines() if path.exists() else []


def log_groups(path):
    """Sorted lines of each message, each SMTP session and the rest."""
    groups, session, sessions = collections.defaultdict(list), {}, 0
    for raw in lines_of(path):
        line = LINE.match(raw)
        if not line:
            groups["(unreadable)"].append(raw)
            continue
        program, text = line["program"], line["text"]
        if PROCESS_PROGRAM.search(program) or MACHINE_TEXT.match(text):
            continue
        start = STARTS_WITH_QUEUE_ID.match(text)
        if start and start[1] != "NOQUEUE":
            groups[start[1]].append(f"{program}: {masked(text[start.end():], LOG_MASKS)}")
            continue
        if text.startswith("connect from"):
            sessions += 1
            session[line["pid"]] = f"session {sessions}"
        key = session.get(line["pid"], "rest") if "smtpd" in program else "rest"
        groups[key].append(f"{program}: {masked(text, LOG_MASKS)}")
    return [tuple(sorted(lines)) for lines in groups.values()]


def mailboxes(folder):
    """Each message of the mbox files, with its user."""
    messages = []
    for path in sorted(folder.iterdir()) if folder.exists() else []:
        for part in re.split(r"(?m)^(?=From \S*\s+\w{3} \w{3} [ \d]\d )", path.read_text(errors="backslashreplace")):
            if part.strip():
                messages.append(f"{path.name}\n{masked(part, MESSAGE_MASKS)}".rstrip())
    return messages


def queue(path):
    return [f"{entry['queue_name']} {entry['sender']} -> {each['address']} ({masked(each.get('delay_reason', ''), LOG_MASKS)})"
            for entry in map(json.loads, lines_of(path)) for each in entry["recipients"]]


def dialogue(path):
    return [masked(line, LOG_MASKS) for line in lines_of(path)]


def differences(truth, run):
    """How many are in both, those missing from the run, those that the run has beyond the truth."""
    truth, run = collections.Counter(truth), collections.Counter(run)
    return sum((truth & run).values()), list((truth - run).elements()), list((run - truth).elements())


def pair_groups(truth, run):
    """Pairs equal groups first, then the most alike: lines that matched, all lines, and what differs."""
    _, left, right = differences(truth, run)
    matched = 2 * sum(len(group) for group in (collections.Counter(truth) & collections.Counter(run)).elements())
    total, report = matched, []
    while left and right:
        alike, i, j = max((differences(a, b)[0], i, j) for i, a in enumerate(left) for j, b in enumerate(right))
        if alike == 0:
            break
        expected, found = left.pop(i), right.pop(j)
        _, missing, extra = differences(expected, found)
        matched += 2 * alike
        total += len(expected) + len(found)
        report.append(("log lines differ", missing, extra))
    for group in left:
        report.append(("missing", group, ()))
    for group in right:
        report.append(("not in the truth", (), group))
    return matched, total + sum(map(len, left)) + sum(map(len, right)), report


def show_lines(show, missing, extra):
    for sign, texts in (("-", missing), ("+", extra)):
        for text in texts:
            show("\n".join(f"  {sign} {line}" for line in text.splitlines()))


def compare(truth, run, show):
    """{aspect: {matched, total}}; `show` is called with each difference."""
    scores = collections.defaultdict(lambda: [0, 0])

    def count(aspect, matched, total):
        scores[aspect][0] += matched
        scores[aspect][1] += total

    for host in sorted(path.name for path in truth.iterdir() if path.is_dir() and path.name != "dialogues"):
        matched, total, report = pair_groups(log_groups(truth / host / "maillog"), log_groups(run / host / "maillog"))
        count("log", matched, total)
        for what, missing, extra in report:
            show(f"{host}: {what}")
            show_lines(show, missing, extra)
        for aspect, of in (("mail", lambda top: mailboxes(top / host / "mbox")),
                           ("queue", lambda top: queue(top / host / "queue.json"))):
            same, missing, extra = differences(of(truth), of(run))
            count(aspect, 2 * same, 2 * same + len(missing) + len(extra))
            if missing or extra:
                show(f"{host}: {aspect} differs")
                show_lines(show, missing, extra)
    for path in sorted((truth / "dialogues").glob("*.txt")):
        expected, found = dialogue(path), dialogue(run / "dialogues" / path.name)
        count("dialogue", 2 * sum(a == b for a, b in zip(expected, found)), len(expected) + len(found))
        if expected != found:
            show(f"dialogue {path.name} differs")
            for i in range(max(len(expected), len(found))):
                a, b = expected[i:i + 1], found[i:i + 1]
                if a != b:
                    show_lines(show, a, b)
    return {aspect: {"matched": matched, "total": total} for aspect, (matched, total) in scores.items()}


def is_exact(scores):
    return all(each["matched"] == each["total"] for each in scores.values())


def main():
    arguments = sys.argv[1:]
    only_score = arguments[:1] == ["--score"]
    if len(arguments) != 2 + only_score:
        sys.exit(__doc__)
    truth, run = map(pathlib.Path, arguments[only_score:])
    scores = compare(truth, run, (lambda text: None) if only_score else print)
    if only_score:
        print(json.dumps({"exact": is_exact(scores), **scores}))
    else:
        print("same" if is_exact(scores) else "DIFFERENT",
              " ".join(f"{aspect} {each['matched']}/{each['total']}" for aspect, each in scores.items()))
    return not is_exact(scores)


if __name__ == "__main__":
    sys.exit(main())
