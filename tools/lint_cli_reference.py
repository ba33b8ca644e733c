#!/usr/bin/python3
"""docs/reference/cli.md names every command and every option that the program has, and none that it has not.

    tools/lint_cli_reference.py PROGRAM         exit 1 when they differ
"""
import pathlib
import re
import subprocess
import sys

PAGE = pathlib.Path(__file__).resolve().parent.parent / "docs" / "reference" / "cli.md"
COMMON = {"--help", "--help-all", "--version"}


def help_of(program, *command):
    return subprocess.run([program, *command, "--help"], stdout=subprocess.PIPE, text=True, check=True).stdout


def options_of(text):
    """Long options as they are declared: at the beginning of a line, after short ones and commas."""
    return set(re.findall(r"^\s+(?:-\w,\s?)?(--[a-z][\w-]*)", text, re.M)) - COMMON


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    program, page, wrong = sys.argv[1], PAGE.read_text(encoding="utf-8"), []
    commands = re.findall(r"^  (\w[\w-]*)\s", help_of(program).split("Subcommands:")[1].split("\n\n")[0], re.M)
    sections = {m[1]: m[2] for m in re.finditer(r"^## relaylab (\S+)[^\n]*\n(.*?)(?=^## |\Z)", page, re.M | re.S)}
    wrong += [f"no section for the command {name}" for name in commands if name not in sections]
    wrong += [f"a section for {name}, which is no command" for name in sections if name not in commands]
    everywhere = set()
    for name in commands:
        there = options_of(help_of(program, name))
        everywhere |= there
        wrong += [f"relaylab {name}: {each} is not described" for each in sorted(there)
                  if not re.search(rf"{each}(?![\w-])", sections.get(name, ""))]
    named = set(re.findall(r"(?<![\w-])--[a-z][\w-]*", page)) - COMMON
    wrong += [f"{each} is described, and is no option of any command" for each in sorted(named - everywhere)]
    for each in wrong:
        print(f"docs/reference/cli.md: {each}")
    print(f"{len(commands)} commands, {len(everywhere)} options, {len(wrong)} found")
    return bool(wrong)


sys.exit(main())
