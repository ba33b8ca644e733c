#!/usr/bin/python3
"""What the command line answers to wrong input: exit status, where, what, and what to do.

    wrong_input.py PROGRAM

0 all expectations held, 1 one did not, 2 the input is wrong; nothing is left behind by a run that never began.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

GOOD = """network: {subnet: 192.0.2.0/24}
hosts:
  mail.example:
    address: 192.0.2.5
    mailboxes: [ann]
    postfix: {mydestination: mail.example}
steps:
  - submit: {host: mail.example, from: ann@mail.example, to: [ann@mail.example], body: hello}
  - settle:
expect:
  - delivered: {to: ann@mail.example, host: mail.example}
"""
# What is done to GOOD, the exit status, and what the output must match.
CASES = {
    "as it is": (lambda t: t, 0, r"held"),
    "not held": (lambda t: t.replace("to: ann@mail.example, host", "to: bob@mail.example, host"), 1, r"FAILED.*topology\.yaml:11:5"),
    "misspelt": (lambda t: t.replace("address:", "adress:"), 2, r"topology\.yaml:4:5:.*did you mean \"address\""),
    "outside": (lambda t: t.replace("192.0.2.5", "192.0.3.5"), 2, r"topology\.yaml:4:14: "),
    "not YAML": (lambda t: t + "\t- {", 2, r"topology\.yaml:12:\d+: "),
    "empty": (lambda t: "", 2, r"topology\.yaml"),
    "not text": (lambda t: "\0\1\2", 2, r"topology\.yaml:1:1: "),
    "fatal": (lambda t: t.replace("{mydestination", "{message_size_limit: much, mydestination"), None, r"message_size_limit"),
}


def run(program, *arguments):
    done = subprocess.run([program, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", timeout=120, check=False)
    return done.returncode, done.stdout


def failures(program, folder):
    """A line for each answer that is not as it should be."""
    def expect(what, answer, status, pattern):
        found, text = answer
        if found < 0 or (status is not None and found != status):
            yield f"{what}: exit status {found}, not {status}\n{text}"
        elif not re.search(pattern, text, re.S):
            yield f"{what}: no match for {pattern}\n{text}"

    for what, (change, status, pattern) in CASES.items():
        path = folder / "topology.yaml"
        path.write_text(change(GOOD))
        yield from expect(what, run(program, "run", path, "--out", folder / "out"), status, pattern)
        if status == 2 and (folder / "out").exists():
            yield f"{what}: left a run folder behind"
        if (folder / "out").exists():
            run("rm", "-r", folder / "out")
    path.write_text(GOOD)
    yield from expect("no file", run(program, "run", folder / "absent.yaml"), 2, r"absent\.yaml")
    yield from expect("a folder", run(program, "run", folder), 2, r".")
    yield from expect("no command", run(program), 2, r"(?i)subcommand")
    yield from expect("wrong option", run(program, "run", path, "--sed", 1), 2, r"--sed")
    yield from expect("a seed that is none", run(program, "run", path, "--seed", "x"), 2, r"--seed")
    yield from expect("help", run(program, "--help"), 0, r"run\b")
    yield from expect("version", run(program, "--version"), 0, r"^relaylab \d+\.\d+")
    foreign = folder / "foreign"
    foreign.mkdir()
    (foreign / "letter.txt").write_text("mine")
    yield from expect("a folder of mine", run(program, "run", path, "--out", foreign), 2, r"foreign")
    if (foreign / "letter.txt").read_text() != "mine":
        yield "a folder of mine: overwritten"


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        wrong = list(failures(sys.argv[1], pathlib.Path(folder)))
    print("\n".join(wrong) or "every answer as it should be")
    return bool(wrong)


sys.exit(main())
