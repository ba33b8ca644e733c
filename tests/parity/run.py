#!/usr/bin/python3
"""Play a case on the lab and hold the run against what real Postfix did.

    run.py PROGRAM CASE_DIR         exit 0 when the lab's run says the same as CASE_DIR/truth
    run.py --self-test              the comparison must see what differs

A case is a folder with scenario.yaml and truth/, the run folder that real Postfix 3.7 left when it played the same file.
"""
import pathlib
import shutil
import subprocess
import sys
import tempfile

import compare

HERE = pathlib.Path(__file__).resolve().parent
LIMIT_S = 300           # for a build with sanitizers on a busy machine


def play(program, case):
    with tempfile.TemporaryDirectory() as folder:
        run = pathlib.Path(folder) / "run"
        done = subprocess.run([program, "run", case / "scenario.yaml", "--out", run, "--quiet"], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                              timeout=LIMIT_S, check=False)
        if done.returncode != 0:
            print(f"{done.stdout}\nrelaylab: exit status {done.returncode}")
            return 1
        scores = compare.compare(case / "truth", run, print)
        print(" ".join(f"{aspect} {each['matched']}/{each['total']}" for aspect, each in scores.items()))
        return 0 if scores and compare.is_exact(scores) else 1


def self_test():
    """Each change to a copy of a truth must be seen, and none in the copy itself."""
    truth = HERE / "cases" / "seed-chain" / "truth"
    host = "mail.york.cc"
    changes = {
        "nothing": (lambda copy: None, True),
        "a queue id": (lambda copy: edit(copy / host / "maillog", lambda t: t.replace(first_queue_id(t), "ABCDEF12345")), True),
        "a line lost": (lambda copy: edit(copy / host / "maillog", lambda t: t.rsplit("\n", 2)[0] + "\n"), False),
        "a word in a log": (lambda copy: edit(copy / host / "maillog", lambda t: t.replace("status=sent", "status=bounced")), False),
        "a header": (lambda copy: edit(copy / host / "mbox" / "kimchen", lambda t: t.replace("with ESMTPS", "with ESMTP")), False),
        "a mailbox": (lambda copy: (copy / host / "mbox" / "kimchen").unlink(), False),
        "a reply": (lambda copy: edit(copy / "dialogues" / "01.txt", lambda t: t.replace("S: 250 ", "S: 251 ")), False),
        "a host": (lambda copy: shutil.rmtree(copy / host), False),
    }
    wrong = 0
    for what, (change, same) in changes.items():
        with tempfile.TemporaryDirectory() as folder:
            copy = pathlib.Path(folder) / "copy"
            shutil.copytree(truth, copy)
            change(copy)
            if compare.is_exact(compare.compare(truth, copy, lambda text: None)) != same:
                print(f"{what}: {'taken for a difference' if same else 'not seen'}")
                wrong += 1
    print(f"{len(changes)} changes, {wrong} judged wrongly")
    return wrong > 0


def edit(path, change):
    before = path.read_text()
    after = change(before)
    if before == after:
        raise AssertionError(f"nothing changed in {path}")
    path.write_text(after)


def first_queue_id(log):
    return next(m[1] for line in log.splitlines() if (m := compare.STARTS_WITH_QUEUE_ID.match(line.split("]: ", 1)[1])))


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    return play(sys.argv[1], pathlib.Path(sys.argv[2]))


if __name__ == "__main__":
    sys.exit(main())
