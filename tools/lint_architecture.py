#!/usr/bin/python3
"""Hold the source against the rules of docs/explanation/architecture.md that a program can check.

    tools/lint_architecture.py          exit 1 when a line breaks one

- Dependencies point one way: cli -> sim -> mta.
- A mail system reads no clock, environment or random device, and starts no thread: it asks its host.
- A file in mta/, sim/ or cli/ is included from the root, by its whole path, and exists.
- Heavy headers of libraries stay out of the headers that others include.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SOURCES = ("*.hpp", "*.cpp", "*.inc")

# folder -> the folders that its files may include from.
MAY_INCLUDE = {
    "mta": {"mta"},
    "sim": {"mta", "sim"},
    "cli": {"mta", "sim", "cli"},
    "web": {"mta", "sim", "web"},
    "bindings": {"mta", "sim", "bindings"},
    "tests": {"mta", "sim", "cli", "web", "tests"},
}
# In mta/ and in the virtual world. What is excused has its reason in docs/decisions.
FORBIDDEN = [
    (re.compile(r"\b(?:steady|system|high_resolution|utc|file)_clock\b"), "reads a clock: ask the host's scheduler"),
    (re.compile(r"\b(?:localtime|gmtime)(?:_r)?\(|\bgettimeofday\(|\bclock_gettime\(|\bstd::(?:time|clock)\("
                r"|(?<![\w.>:])time\((?:nullptr|NULL|0|&\w+)\)"),
     "reads a clock or the machine's time zone: ask the host"),
    (re.compile(r"\b(?:secure_)?getenv\b"), "reads the environment"),
    (re.compile(r"\brandom_device\b|\bsrand\(|(?<![\w.>:])(?:std::)?rand\(\)|\b(?:uniform|normal)_\w*distribution\b"),
     "random numbers that are not the seed's, or differ between libraries: draw from the host"),
    (re.compile(r"\bstd::(?:j?thread|async|mutex|condition_variable)\b|\bpthread_create\b"), "threads: a world has one"),
]
EXCUSED = {
    ("mta/tls/random_scope.cpp", "threads: a world has one"),       # docs/decisions/tls.md: one lock, at installation
}
VIRTUAL = ("mta", "sim/dns", "sim/lab", "sim/network", "sim/record", "sim/scenario", "sim/topology")
LIVE = re.compile(r"/real_|/live_|/loopback_")
HEAVY = re.compile(r'#include <(boost/|yaml-cpp/|sqlite3\.h|pcre2\.h|CLI/|libknot|libzscanner)')
# Headers for the one room that wraps the library.
WRAPPERS = {"mta/table/pcre_expression.hpp", "sim/record/sqlite.hpp", "sim/record/json.hpp"}


def code_of(line):
    """A line without its comment and the contents of its texts."""
    return re.sub(r'"(?:\\.|[^"\\])*"', '""', line).split("//")[0]


def check(path, name):
    folder = name.split("/")[0]
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if include := re.match(r'\s*#include "([^"]+)"', line):
            target = include[1]
            if target.split("/")[0] not in MAY_INCLUDE[folder]:
                yield number, f"{folder}/ must not include {target}"
            elif not (ROOT / target).is_file():
                yield number, f"{target} is no file: includes start at the root"
        if name.endswith(".hpp") and folder in ("mta", "sim") and name not in WRAPPERS and not LIVE.search(name) and HEAVY.match(line):
            yield number, "a heavy header in a header: declare forward, include it in the .cpp"
        if name.startswith(VIRTUAL) and not LIVE.search(name):
            code = code_of(line)
            for pattern, what in FORBIDDEN:
                if pattern.search(code) and (name, what) not in EXCUSED:
                    yield number, what


def main():
    found = files = 0
    for folder in MAY_INCLUDE:
        for path in sorted(p for s in SOURCES for p in (ROOT / folder).rglob(s)):
            name = str(path.relative_to(ROOT))
            files += 1
            for line, what in check(path, name):
                print(f"{name}:{line}: {what}")
                found += 1
    print(f"{files} files, {found} found")
    return found > 0


sys.exit(main())
