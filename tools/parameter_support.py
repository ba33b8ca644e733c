#!/usr/bin/python3
"""What the lab does with each parameter of main.cf, held against what the code asks for.

    tools/parameter_support.py            exit 1 when the rows or the page are stale, or a hand-written row is wrong
    tools/parameter_support.py --write    write mta/config/support_rows.inc and docs/reference/parameters.md anew

A parameter is simulated when some file of mta/ asks for it by name: whole, as a prefix and a rest ("smtp_" + "helo_timeout",
"lmtp_" likewise), by the suffix that a transport's own parameters have, or as part of another's default. What nobody asks
for is without meaning in a lab when a row of mta/config/support.cpp says so, and not simulated else.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
TABLE = ROOT / "mta/config/parameter_table_rows.inc"
SUPPORT = ROOT / "mta/config/support.cpp"
ROWS = ROOT / "mta/config/support_rows.inc"
PAGE = ROOT / "docs/reference/parameters.md"
# They name parameters without asking for their values.
NOT_ASKING = {"mta/config/check.cpp", "mta/config/support.cpp", "mta/config/parameter_table.cpp"}
PREFIXES = [family + tls + kind for family in ("smtp_", "lmtp_") for tls in ("", "tls_") for kind in ("", "d", "ec")]
PREFIXES += ["smtpd_tls_" + kind for kind in ("", "d", "ec")]
PREFIXES += ["address_verify_", "unverified_recipient", "unverified_sender"]
CLASSES = {"simulated": "does what it does in Postfix",
           "without_meaning_in_a_lab": "taken, and rightly without effect",
           "not_simulated": "the lab does as with its default; `relaylab check` says so where it is set to another value"}


def table():
    """name -> (default, type)"""
    row = re.compile(r'^\{"([^"]+)", ("(?:[^"\\]|\\.)*"(?:\s*"(?:[^"\\]|\\.)*")*), type::(\w+)', re.M)
    text = TABLE.read_text(encoding="utf-8")
    unquote = lambda s: "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', s)).replace('\\"', '"').replace("\\\\", "\\")
    return {m[1]: (unquote(m[2]), m[3]) for m in row.finditer(text)}


def transport_suffixes():
    text = (ROOT / "mta/config/parameter_table.cpp").read_text(encoding="utf-8")
    return dict(re.findall(r'\{"(_\w+)", "(\w+)", "[^"]*"\}', text))


def asked_for(names):
    """name -> the file that asks"""
    found, suffixes = {}, transport_suffixes()
    for path in sorted((ROOT / "mta").rglob("*.[ch]pp")):
        file = str(path.relative_to(ROOT))
        if file in NOT_ASKING:
            continue
        source = re.sub(r"//[^\n]*", "", path.read_text(encoding="utf-8"))
        composes = re.search(r"\bprefix\b|\btls \+", source)
        for literal in re.findall(r'"((?:[^"\\\n]|\\.)*)"', source):
            candidates = [literal]
            if composes:
                candidates += [prefix + literal for prefix in PREFIXES]
            if literal in suffixes or literal == "_delivery_status_filter":
                candidates += [suffixes.get(literal, "")] + [name for name in names if re.fullmatch("[a-z]+" + literal, name)]
            for each in candidates:
                if each in names:
                    found.setdefault(each, file)
    # A default that others are put into asks for them.
    queue = list(found)
    while queue:
        name = queue.pop()
        for inner in re.findall(r"\$[{(]?(\w+)", names[name][0]):
            if inner in names and inner not in found:
                found[inner] = f"the default of {name}"
                queue.append(inner)
    return found


def hand_written():
    """[(pattern, class, reason)], the reason being the comment above"""
    rows, reason = [], ""
    for line in SUPPORT.read_text(encoding="utf-8").splitlines():
        comment, row = re.match(r"\s+// (.*)", line), re.match(r'\s+\{"([^"]+)", (\w+)\},', line)
        if comment:
            reason = comment[1]
        if row:
            rows.append((row[1], row[2], reason))
    return rows


def row_for(name, rows):
    fits = [r for r in rows if (name.startswith(r[0][:-1]) if r[0].endswith("*") else name == r[0])]
    return max(fits, key=lambda r: len(r[0]) * 2 + (0 if r[0].endswith("*") else 3), default=None)


def classify(names, found, rows):
    """name -> (class, reason); and what is wrong with the rows."""
    result, wrong, used = {}, [], set()
    for name in names:
        row = row_for(name, rows)
        direct = name in found and not found[name].startswith("the default of ")
        if row:
            used.add(row[0])
        if row and direct and not row[0].endswith("*"):
            wrong.append(f"{name}: mta/config/support.cpp says {row[1]}, and {found[name]} asks for it; remove the row")
        if direct or (name in found and (not row or row[0].endswith("*"))):
            result[name] = ("simulated", found[name])
        elif row:
            result[name] = (row[1], row[2])
        else:
            result[name] = ("not_simulated", "")
    wrong += [f"{r[0]}: a row of mta/config/support.cpp that fits no parameter" for r in rows if r[0] not in used]
    return result, wrong


def rows_text(classes):
    lines = ["// Written by tools/parameter_support.py from what the code asks for; do not edit.",
             "// The parameters that are simulated, sorted.", "// clang-format off"]
    lines += [f'"{name}",' for name, (kind, _) in sorted(classes.items()) if kind == "simulated"]
    return "\n".join(lines + ["// clang-format on"]) + "\n"


def cell(text):
    return text.replace("|", "\\|").replace("\n", " ")


def page_text(names, classes):
    out = ["<!-- Written by tools/parameter_support.py; do not edit. -->", "", "# Parameters", "",
           f"All {len(names)} parameters of Postfix 3.7.11 (`postconf -d`), and what the lab does with each. The names, types and",
           "defaults are Postfix's own; a parameter counts as simulated when the code asks for it.", "",
           "| class | parameters | meaning |", "| --- | --- | --- |"]
    for kind, meaning in CLASSES.items():
        count = sum(1 for value in classes.values() if value[0] == kind)
        out.append(f"| {kind.replace('_', ' ')} | {count} | {meaning} |")
    for kind in CLASSES:
        out += ["", f"## {kind.replace('_', ' ').capitalize()}", ""]
        chosen = [name for name in sorted(names) if classes[name][0] == kind]
        if kind == "without_meaning_in_a_lab":
            out += ["| parameter | default | why |", "| --- | --- | --- |"]
        else:
            out += ["| parameter | default | type |", "| --- | --- | --- |"]
        for name in chosen:
            default, type_name = names[name]
            shown = f"`{cell(default)}`" if default else ""
            last = classes[name][1] if kind == "without_meaning_in_a_lab" else type_name.replace("_", " ")
            out.append(f"| `{name}` | {shown} | {last} |")
    return "\n".join(out) + "\n"


def main():
    if sys.argv[1:] not in ([], ["--write"]):
        sys.exit(__doc__)
    names = table()
    classes, wrong = classify(names, asked_for(names), hand_written())
    texts = {ROWS: rows_text(classes), PAGE: page_text(names, classes)}
    if sys.argv[1:]:
        for path, text in texts.items():
            path.write_text(text, encoding="utf-8")
    for path, text in texts.items():
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        if before == text:
            continue
        wrong.append(f"{path.relative_to(ROOT)} is stale: run tools/parameter_support.py --write")
        if path == ROWS:
            old, new = set(re.findall(r'^"(\w+)"', before, re.M)), set(re.findall(r'^"(\w+)"', text, re.M))
            wrong += [f"  {n}: asked for by {classes[n][1]}, and not yet classed simulated" for n in sorted(new - old)]
            wrong += [f"  {n}: classed simulated, and no file of mta/ asks for it" for n in sorted(old - new)]
    if wrong:
        sys.exit("\n".join(wrong))


if __name__ == "__main__":
    main()
