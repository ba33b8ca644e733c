#!/usr/bin/python3
"""Write mta/config/parameter_table_rows.inc from the Postfix that is installed on this machine.

    tools/generate_parameter_table.py > mta/config/parameter_table_rows.inc

Names and defaults are what `postconf -d` prints. Types, ranges and the default unit of times are not printed by any
command; postconf(1) holds them in its data section, as arrays of rows {name, default, target, minimum, maximum} that
end with a row of zeros, one array a type. They are read there: a pointer to a string is a relocation. Each array is
recognised by a parameter whose type postconf(5) or a provoked error message tells ("bad time value", "bad boolean").
It stops with a message when an array or a parameter cannot be found, that is, with a Postfix laid out differently.
"""
import re
import struct
import subprocess
import sys

POSTCONF = "/usr/sbin/postconf"
WORD = 8
RELATIVE = 8                    # R_X86_64_RELATIVE
POINTER = object()              # a relocated word that is not a string

# Type, size of a row, a parameter of that type, and how a row goes on after its name: s text, i int, q long, t target.
TABLES = [
    ("time", 32, "queue_run_delay", "stii"),
    ("raw", 32, "default_rbl_reply", "stii"),
    ("string", 32, "mail_owner", "stii"),
    ("nint", 32, "smtpd_hard_error_limit", "stii"),
    ("nbool", 24, "smtp_per_request_deadline", "st"),
    ("boolean", 24, "biff", "it"),
    ("integer", 32, "hash_queue_depth", "itii"),
    ("long_integer", 40, "message_size_limit", "qtqq"),
]
# Values of the machine or of the running program: the host is asked, or the view of a service knows.
COMPUTED = {"myhostname", "mydomain", "mynetworks", "process_id", "process_name", "service_name"}
# Rows that no table of postconf has; all are texts.
STRINGS_BY_NATURE = {"process_id", "process_name", "service_name", "config_directory", "stress"}


class Elf:
    """The sections and relative relocations of a 64-bit little-endian program."""

    def __init__(self, path):
        self.data = open(path, "rb").read()
        start, = struct.unpack_from("<Q", self.data, 0x28)
        count, names = struct.unpack_from("<HH", self.data, 0x3C)
        raw = [struct.unpack_from("<IIQQQQIIQQ", self.data, start + 64 * i) for i in range(count)]
        self.sections = {self.text_at_offset(raw[names][4] + s[0]): s for s in raw}
        self.relocations = {}
        _, _, _, _, offset, size, *_ = self.sections[".rela.dyn"]
        for i in range(size // 24):
            where, info, addend = struct.unpack_from("<QQq", self.data, offset + 24 * i)
            self.relocations[where] = addend if info & 0xFFFFFFFF == RELATIVE else None

    def text_at_offset(self, offset):
        return self.data[offset:self.data.index(b"\0", offset)].decode()

    def text(self, address):
        """The string that the pointer at `address` points to, or None."""
        target = self.relocations.get(address)
        section = self.sections[".rodata"]
        if target is None or not section[3] <= target < section[3] + section[5]:
            return None
        return self.text_at_offset(section[4] + target - section[3])

    def integer(self, address, form):
        section = self.sections[".data.rel.ro"]
        return struct.unpack_from(form, self.data, section[4] + address - section[3])[0]


def read_row(elf, address, layout):
    """(default, minimum, maximum) of one row."""
    at, values = address + WORD, []
    for kind in layout:
        if kind in "st" or kind == "q":
            at = (at + 7) & ~7
        if kind == "s":
            values.append(elf.text(at))
        elif kind in "iq":
            values.append(elf.integer(at, "<q" if kind == "q" else "<i"))
        at += 4 if kind == "i" else WORD
    return (*values, 0, 0)[:3]


def read_tables(elf):
    """name -> (type, default, minimum, maximum) for all that postconf has built in."""
    section = elf.sections[".data.rel.ro"]
    by_name = {}
    for a in range(section[3], section[3] + section[5], WORD):
        name = elf.text(a)
        if name is not None:
            by_name.setdefault(name, []).append(a)
    rows = {}
    for kind, size, anchor, layout in TABLES:
        def is_row(address):
            target = address + 2 * WORD                 # name, default, target: the same offsets in every layout
            return (section[3] <= address < section[3] + section[5] and elf.text(address)
                    and target in elf.relocations and elf.text(target) is None)
        start = [a for a in by_name.get(anchor, []) if is_row(a)]
        if len(start) != 1:
            sys.exit(f"{POSTCONF}: no single row for {anchor}: is this Postfix 3.7 for x86-64?")
        first = start[0]
        while is_row(first - size):
            first -= size
        while is_row(first):
            rows.setdefault(elf.text(first), (kind, *read_row(elf, first, layout)))
            first += size
    return rows


def postconf_lines(*arguments):
    text = subprocess.run([POSTCONF, *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout
    return [re.fullmatch(r"(\S+) =(?: (.*))?", line).groups("") for line in text.splitlines()]


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def default_unit(kind, default):
    """The unit that a time without one has: the first letter of the default's own text (get_mail_conf_time)."""
    if kind != "time":
        return "0"
    plain = re.sub(r"\$\{[^{}]*(\{[^{}]*\}[^{}]*)*\}", "1", default)
    if match := re.search(r"[a-z]", plain if not plain.startswith("$") else ""):
        return f"'{match[0]}'"
    return None                                          # `$other_time`: that of the other


def resolved_units(rows):
    """Fill the units of times whose default is another time."""
    units = {name: default_unit(kind, default) for name, (kind, default, _, _) in rows.items()}
    for name, (_, default, _, _) in rows.items():
        seen = name
        while units[seen] is None:
            seen = rows[seen][1].removeprefix("$")
            if seen not in units:
                sys.exit(f"{name}: no unit in its default {default}")
        units[name] = units[seen]
    return units


def main():
    known = read_tables(Elf(POSTCONF))
    rows = {}
    # Of what postconf derives from master.cf only the rows with a default of their own (local's) are in its tables.
    derived = [(name, default) for name, default in postconf_lines("-C", "service", "-d") if name in known]
    for name, default in postconf_lines("-C", "builtin", "-d") + derived:
        if name not in known and name not in COMPUTED | STRINGS_BY_NATURE:
            sys.exit(f"{name}: printed by postconf -d, but in none of its tables")
        kind, _, low, high = known.get(name, ("string", "", 0, 0))
        rows[name] = (kind, "" if name in COMPUTED else default, low, high)
    units = resolved_units(rows)
    print(f"// Written by tools/generate_parameter_table.py from Postfix {rows['mail_version'][1]}; do not edit.")
    print("// {name, default, type, default unit of a time, minimum, maximum (0: none)}")
    print("// clang-format off")
    for name in sorted(rows):
        kind, default, low, high = rows[name]
        print(f"{{{quoted(name)}, {quoted(default)}, type::{kind}, {units[name]}, {low}, {high}}},")
    print("// clang-format on")


main()
