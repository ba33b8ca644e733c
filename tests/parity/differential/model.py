"""What is played on both sides: a batch is one Postfix instance with many smtpd services, each a configuration of its own.

A service listens on its own port and has its own master.cf overrides, tables and dialogues; what trivial-rewrite(8) and
cleanup(8) read stands in the batch's main.cf. `scenario` is the batch as a file that `relaylab run` plays, and
`yaml_text` writes it for people.
"""
import copy
import dataclasses
import json
import re

HOST = "mail.lab.test"
CLIENT = "probe.lab.test"
HOST_ADDRESS = "192.168.137.5"
CLIENT_ADDRESS = "192.168.137.66"
DNS_ADDRESS = "192.168.137.253"
FIRST_PORT = 10000
BROKEN = "BROKEN"       # a zone that no server can load: every question about it is answered with SERVFAIL


@dataclasses.dataclass
class Service:
    port: int
    options: dict           # parameter -> value, as `-o { parameter = value }`
    files: dict             # name -> text; named $lab_files/NAME in values
    dialogues: list         # each a list of lines, of {"group": [lines]} and of {"raw": text with escapes}


@dataclasses.dataclass
class Batch:
    label: str
    main: dict
    files: dict
    zones: dict             # name -> list of "owner TYPE data", or BROKEN
    services: list
    mailboxes: list = dataclasses.field(default_factory=lambda: ["alice", "bob"])
    users_sasl: dict = dataclasses.field(default_factory=dict)
    tls: bool = False       # the host has a certificate

    def with_services(self, services):
        other = copy.copy(self)
        other.services = services
        return other

    def all_files(self):
        files = dict(self.files)
        for service in self.services:
            files.update(service.files)
        return files

    def master_lines(self):
        lines = []
        for service in self.services:
            lines.append(f"{service.port} inet n - n - 1 smtpd")      # one process: what it keeps between sessions is no race
            lines += [f"  -o {{ {name} = {value} }}" for name, value in service.options.items()]
        return lines

    def as_json(self):
        return dataclasses.asdict(self)


def from_json(data):
    return Batch(**{**data, "services": [Service(**each) for each in data["services"]]})


def pieces(value):
    """A list's items; a comma within braces parts nothing."""
    items, depth, begin = [], 0, 0
    for at, character in enumerate(value):
        depth += (character == "{") - (character == "}")
        if character == "," and depth == 0:
            items.append(value[begin:at].strip())
            begin = at + 1
    return [*items, value[begin:].strip()]


def hash_tables(text):
    """The files that `text` names as indexed tables, with their type."""
    return sorted(set(re.findall(r"\b(hash|btree|lmdb|cdb):\$lab_files/([\w.-]+)", text)))


def zone_text(name, records):
    if records == BROKEN:
        return f"@ IN SOA ns.{name}. hostmaster.{name}. 1 3600 600 86400 60\n@ IN NOSUCHTYPE broken on purpose\n"
    lines = []
    for record in records:
        owner, kind, data = record.split(" ", 2)
        if kind in ("NS", "CNAME", "PTR", "MX", "SOA"):
            data = re.sub(r"([A-Za-z0-9])(?= |$)", lambda m: m[1] if data[:m.end()].split(" ")[-1].isdigit() else m[1] + ".", data)
        lines.append(f"{owner}. IN {kind} {data}")
    return "\n".join(lines) + "\n"


def scenario(batch):
    """The batch as a topology file's contents."""
    host = {"address": HOST_ADDRESS, "ptr": None, "a": False, "mailboxes": batch.mailboxes, "postfix": batch.main,
            "master_cf": "\n".join(batch.master_lines()) + "\n"}
    if batch.tls:
        host["tls"] = True
    if batch.users_sasl:
        host["users_sasl"] = batch.users_sasl
    if files := batch.all_files():
        host["files"] = files
    return {
        "name": batch.label,
        "zones": {name: zone_text(name, records) for name, records in batch.zones.items()},
        "hosts": {HOST: host},
        "clients": {CLIENT: {"address": CLIENT_ADDRESS, "ptr": None, "a": False}},
        "steps": [{"smtp": {"client": CLIENT, "server": HOST, "port": service.port, "lines": lines}}
                  for service in batch.services for lines in service.dialogues],
    }


def yaml_text(value, indent=0):
    """Block style, with text in JSON's quotes (which are YAML's too) wherever it is not a plain word."""
    pad = "  " * indent
    if isinstance(value, dict):
        if not value:
            return " {}\n"
        return "\n" + "".join(f"{pad}{scalar(key)}:{yaml_text(each, indent + 1)}" for key, each in value.items())
    if isinstance(value, list):
        if not value:
            return " []\n"
        if all(isinstance(each, str) for each in value) and sum(map(len, value)) < 60:
            return f" [{', '.join(map(scalar, value))}]\n"
        return "\n" + "".join(f"{pad}-{yaml_text(each, indent + 1)}" for each in value)
    if isinstance(value, str) and value.endswith("\n") and not value.startswith((" ", "\n", "\t")) and "\t" not in value \
            and value.isprintable() is False and all(line.isprintable() for line in value.split("\n")):
        return " |\n" + "".join(f"{pad}{line}\n" if line else "\n" for line in value[:-1].split("\n"))
    return f" {scalar(value)}\n"


def scalar(value):
    if value is None:
        return "null"
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z][\w./-]*", value) and \
            value.lower() not in ("yes", "no", "true", "false", "on", "off", "null", "y", "n"):
        return value
    return json.dumps(value, ensure_ascii=False)
