"""What the tests of the command line share: running it, and places to write to."""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("RELAYLAB", str(ROOT / "build" / "relaylab"))
CHAIN = ROOT / "topologies" / "open-relay-chain.yaml"

SMALL = """\
hosts:
  mail.example.org:
    address: 192.168.137.3
    mailboxes: [alice]
    postfix: {mydestination: "$myhostname, example.org"}
steps:
  - submit: {host: mail.example.org, from: bob@example.org, to: [alice@example.org], subject: hi}
  - settle:
"""


class Case(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return name

    def relaylab(self, *words, status=0, stdout=subprocess.PIPE):
        """Runs the program in the test's folder; (stdout, stderr) once it has ended with `status`."""
        done = subprocess.run([PROGRAM, *map(str, words)], cwd=self.folder, stdout=stdout, stderr=subprocess.PIPE,
                              stdin=subprocess.DEVNULL, text=True, timeout=300)
        self.assertEqual(done.returncode, status, f"{words}\n{done.stdout}\n{done.stderr}")
        return done.stdout, done.stderr

    def document(self, *words, status=0):
        out, _ = self.relaylab(*words, "--json", status=status)
        return json.loads(out)

    def tree(self, name):
        """A folder as {path: bytes}."""
        top = self.folder / name
        return {str(p.relative_to(top)): p.read_bytes() for p in sorted(top.rglob("*")) if p.is_file()}
