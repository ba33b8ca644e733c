#!/usr/bin/python3
"""Hold the lab's SMTP server against real Postfix, with random configurations and random probes.

    run.py PROGRAM [--probes N] [--seed S]      until N probes (20000) are played, or a difference is found
    run.py PROGRAM --seed S --batch B [--keep FILE]     one batch alone; its scenario goes to FILE
    run.py PROGRAM --record FILE --probes N             keep what Postfix answers, but for what differs
    run.py PROGRAM --corpus FILE                        play what was kept; wants no Postfix

A difference is shrunk to a small scenario that `relaylab run` plays. Exit status 0: none; 1: a difference; 77: skipped, as
there is no Postfix 3.7 here or no permission to make namespaces for it.
"""
import argparse
import pathlib
import re
import sys
import tempfile
import time

import corpus
import generate
import lab
import model
import real
import shrink

SKIPPED = 77
MASKS = [(re.compile(r"^S: 334 \S{24,}$"), "S: 334 @"),            # a challenge
         (re.compile(r"queued as [0-9A-Za-z]+"), "queued as @"),
         (re.compile(r"(\w\[[0-9A-Fa-f.:]+\]):\d+"), r"\1:@")]      # a client's port, with smtpd_client_port_logging


def masked(transcript):
    for pattern, mask in MASKS:
        transcript = [pattern.sub(mask, line) for line in transcript]
    return transcript


class Judge:
    """Plays a batch on both sides, and says which dialogues differ."""

    def __init__(self, program, real_side):
        self.program, self.real = program, real_side

    def differences(self, batch):
        """(service number, dialogue number, real transcript, lab transcript) of each that differs.

        Of a service that does not start only its first silence counts: how often it is started anew is a matter of time.
        """
        truth, ours = self.real.play(batch), lab.play(self.program, batch)
        for left, right in zip(truth, ours):
            if [real.SILENCE] in left:
                first = left.index([real.SILENCE])
                right[first:] = [right[first][:1], *left[first + 1:]]
        return [(number, which, theirs, mine)
                for number, (left, right) in enumerate(zip(truth, ours))
                for which, (theirs, mine) in enumerate(zip(map(masked, left), map(masked, right))) if theirs != mine]


def show(batch, difference, out):
    number, which, truth, ours = difference
    service = batch.services[number]
    print(f"{batch.label}: service {service.port}, dialogue {which}", file=out)
    common = next((at for at, (a, b) in enumerate(zip(truth, ours)) if a != b), min(len(truth), len(ours)))
    for line in truth[max(0, common - 6):common]:
        print(f"    {line}", file=out)
    for line in truth[common:common + 3]:
        print(f"  - {line}", file=out)
    for line in ours[common:common + 3]:
        print(f"  + {line}", file=out)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("--probes", type=int, default=20000)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--batch", type=int)
    parser.add_argument("--keep", type=pathlib.Path)
    parser.add_argument("--go-on", action="store_true", help="do not stop at the first difference")
    parser.add_argument("--no-shrink", action="store_true")
    parser.add_argument("--record", type=pathlib.Path)
    parser.add_argument("--corpus", type=pathlib.Path)
    options = parser.parse_args()
    if options.corpus:
        return play_corpus(options.program.resolve(), options.corpus)
    if reason := real.missing():
        print(f"skipped: {reason}")
        return SKIPPED
    with tempfile.TemporaryDirectory(prefix="differential-") as folder:
        pathlib.Path(folder).chmod(0o755)
        judge = Judge(options.program.resolve(), real.Real(folder))
        try:
            return record(judge, options) if options.record else play(judge, options)
        finally:
            judge.real.close()


def play_corpus(program, path):
    probes = found = 0
    for batch, truth in corpus.read(path):
        differences = Judge(program, corpus.Recording(truth)).differences(batch)
        probes += sum(len(service.dialogues) for service in batch.services)
        found += len(differences)
        for difference in differences:
            show(batch, difference, sys.stdout)
    print(f"{probes} recorded dialogues, {found} differences")
    return 1 if found or not probes else 0


def record(judge, options):
    records, dropped = [], 0
    for number in range(-(-options.probes // (generate.SERVICES * generate.PROBES))):
        batch = generate.batch(options.seed, number)
        truth = judge.real.play(batch)
        differences = Judge(judge.program, corpus.Recording(truth)).differences(batch)
        dropped += len(differences)
        records.append(corpus.without(batch, [list(map(masked, each)) for each in truth], differences))
    corpus.write(options.record, records)
    print(f"{len(records)} batches, without {dropped} dialogues that differ")
    return 0


def play(judge, options):
    played = found = 0
    number, begin = options.batch or 0, time.monotonic()
    while played < options.probes:
        batch = generate.batch(options.seed, number)
        if options.keep:
            options.keep.write_text(model.yaml_text(model.scenario(batch)).lstrip("\n"))
        differences = judge.differences(batch)
        played += len(batch.services) * generate.PROBES
        found += len(differences)
        print(f"seed {options.seed} batch {number}: {len(differences)} differences; {played} probes in {time.monotonic() - begin:.0f} s", flush=True)
        for difference in differences[:40]:
            show(batch, difference, sys.stdout)
        if differences and not options.no_shrink:
            small = shrink.shrink(judge, batch, differences[0])
            print(f"# seed {options.seed}, batch {number}, made small\n" + model.yaml_text(model.scenario(small)).lstrip("\n"))
            for each in judge.differences(small):
                show(small, each, sys.stdout)
        if options.batch is not None or (differences and not options.go_on):
            break
        number += 1
    print(f"{played} probes, {found} differences")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
