#!/usr/bin/python3
"""Write docs/reference/cli.md from what the program says of itself.

    tools/cli_reference.py PROGRAM            prints the page
    tools/cli_reference.py PROGRAM --check    exit 1 when docs/reference/cli.md is another
"""
import difflib
import pathlib
import re
import subprocess
import sys

PAGE = pathlib.Path(__file__).resolve().parent.parent / "docs" / "reference" / "cli.md"
HEAD = """# Command line

<!-- Written by tools/cli_reference.py from --help; do not edit. -->

Exit status: 0 all expectations held, 1 one did not, 2 the input is wrong, 3 the lab itself failed. What is wrong with a file
is said on standard error as `file:line:column: what it is; what to do`.
"""


def help_of(program, *command):
    text = subprocess.run([program, *command, "--help"], stdout=subprocess.PIPE, text=True, check=True).stdout
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def page(program):
    top = help_of(program)
    listed = top.split("Subcommands:")[1]
    parts = [HEAD, "## relaylab\n", indented(top)]
    for name in re.findall(r"^  (\w[\w-]*)\s", listed, re.M):
        parts += [f"\n## relaylab {name}\n", indented(help_of(program, name))]
    return "\n".join(parts) + "\n"


def indented(text):
    return "\n".join(f"    {line}".rstrip() for line in text.splitlines())


def main():
    if len(sys.argv) not in (2, 3) or sys.argv[2:] not in ([], ["--check"]):
        sys.exit(__doc__)
    made = page(sys.argv[1])
    if len(sys.argv) == 2:
        sys.stdout.write(made)
        return 0
    there = PAGE.read_text() if PAGE.exists() else ""
    sys.stdout.writelines(difflib.unified_diff(there.splitlines(True), made.splitlines(True), "docs/reference/cli.md", "--help"))
    if made != there:
        print("\nTo bring it in step: tools/cli_reference.py build/relaylab > docs/reference/cli.md")
    return made != there


sys.exit(main())
