"""A DNS server of authority over a few zones: what real Postfix asks while it is compared with the lab.

It answers as the lab's own does (RFC 1034, 4.3.2): wildcards, aliases within the zones, NXDOMAIN for what no zone holds,
SERVFAIL for a zone that is broken on purpose. UDP only; no answer of these zones is longer than 512 octets.
"""
import ipaddress
import shlex
import socket
import struct

import model

TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28}
NOERROR, SERVFAIL, NXDOMAIN = 0, 2, 3
MOST_ALIASES = 8


def packed_name(name):
    name = name.rstrip(".")
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".") if label) + b"\0"


def packed_data(kind, data):
    if kind == "A":
        return ipaddress.IPv4Address(data).packed
    if kind == "AAAA":
        return ipaddress.IPv6Address(data).packed
    if kind == "MX":
        preference, exchange = data.split()
        return struct.pack("!H", int(preference)) + packed_name(exchange)
    if kind == "TXT":
        return b"".join(bytes([len(part)]) + part.encode() for part in shlex.split(data))
    if kind == "SOA":
        first, second, *numbers = data.split()
        return packed_name(first) + packed_name(second) + struct.pack("!5I", *map(int, numbers))
    return packed_name(data)


class Zones:
    def __init__(self, zones):
        self.broken = {name for name, records in zones.items() if records == model.BROKEN}
        self.zones = set(zones)
        self.nodes = {}         # owner -> type -> list of data
        for name, records in zones.items():
            self.nodes.setdefault(name, {})
            for record in records if records != model.BROKEN else []:
                owner, kind, data = record.split(" ", 2)
                owner = owner.lower()
                self.nodes.setdefault(owner, {}).setdefault(kind, []).append(data)
                while owner != name:        # empty non-terminals exist
                    owner = owner.split(".", 1)[1]
                    self.nodes.setdefault(owner, {})

    def zone_of(self, name):
        while name:
            if name in self.zones:
                return name
            name = name.partition(".")[2]
        return None

    def node(self, name, zone):
        if name in self.nodes:
            return self.nodes[name]
        while name != zone:
            name = name.partition(".")[2]
            if f"*.{name}" in self.nodes:
                return self.nodes[f"*.{name}"]
            if name in self.nodes:
                return None
        return None

    def answer(self, name, kind):
        """The reply code, and the records as (owner, type, data)."""
        records, name = [], name.lower()
        for _ in range(MOST_ALIASES):
            zone = self.zone_of(name)
            if zone in self.broken:
                return SERVFAIL, []
            node = self.node(name, zone) if zone else None
            if node is None:
                return NXDOMAIN, records
            if "CNAME" not in node or kind == "CNAME":
                return NOERROR, records + [(name, kind, data) for data in node.get(kind, [])]
            target = node["CNAME"][0].rstrip(".").lower()
            records.append((name, "CNAME", node["CNAME"][0]))
            name = target
        return SERVFAIL, []


def reply(zones, query):
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode("latin-1"))
        at += 1 + query[at]
    question = query[12:at + 5]
    number = struct.unpack("!H", query[at + 1:at + 3])[0]
    kind = next((name for name, value in TYPES.items() if value == number), None)
    code, records = zones.answer(".".join(labels), kind or "NONE")
    flags = 0x8480 | (struct.unpack("!H", query[2:4])[0] & 0x0100) | code
    body = b"".join(packed_name(owner) + struct.pack("!HHIH", TYPES[each], 1, 300, len(data)) + data
                    for owner, each, data in ((o, k, packed_data(k, d)) for o, k, d in records))
    return query[:2] + struct.pack("!HHHHH", flags, 1, len(records), 0, 0) + question + body


def serve(zones, address):
    """Answers for ever; runs in a process of its own."""
    known, listener = Zones(zones), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((address, 53))
    while True:
        query, peer = listener.recvfrom(4096)
        try:
            listener.sendto(reply(known, query), peer)
        except (IndexError, struct.error, ValueError, OSError):
            pass        # not a question
