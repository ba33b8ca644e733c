"""Random lookup tables: access(5) and map entries in the forms that each table type has."""
import names


class Tables:
    """Makes tables for one service (or one batch's main.cf); their files gather in `files`."""

    def __init__(self, r, prefix, classes=()):
        self.r, self.prefix, self.classes, self.files = r, prefix, classes, {}

    def file(self, text):
        name = f"{self.prefix}{len(self.files)}"
        self.files[name] = text
        return f"$lab_files/{name}"

    # -- keys -----------------------------------------------------------------------------------------------------------
    def domain_key(self):
        r = self.r
        name = r.choice(names.OURS + names.RELAYED + names.ALIASED + names.BOXED + names.FAR * 2 + names.ODD)
        return r.choice((name, name, name, "." + name, "test", ".test", name.split(".", 1)[-1], "<>"))

    def address_key(self):
        r = self.r
        local = r.choice(names.LOCAL_PARTS)
        return r.choice((self.domain_key(), f"{local}@", f"{local}@{r.choice(names.OURS + names.RELAYED + names.ALIASED + names.BOXED + names.FAR)}",
                         f"alice@{r.choice(names.OURS + names.FAR)}", "<>", "@lab.test", local))

    def client_key(self):
        r = self.r
        address = r.choice(names.ADDRESSES).removeprefix("IPV6:")
        parts = address.split(".")
        return r.choice((address, r.choice(names.CLIENT_NAMES), "." + r.choice(names.CLIENT_NAMES), ".".join(parts[:r.randint(1, 3)]), "test", "spam.test", ".spam.test",
                         "unknown", "2001:db8", "2001:db8:0:1", "2001"))

    def key(self, what):
        return {"client": self.client_key, "address": self.address_key, "domain": self.domain_key}[what]()

    # -- values ---------------------------------------------------------------------------------------------------------
    def text(self):
        return self.r.choice(("go away", "", "5.7.9 not you", "4.3.9 later", "see http://x.test/ for more", "5.1.8  two  spaces", "Text, with a comma", "2.0.0 fine", "5.7",
                              "x" * 60))        # never a status alone: Postfix then reads on behind the end

    def action(self):
        r = self.r
        return r.choice((
            "OK", "OK", "REJECT", "REJECT", f"REJECT {self.text()}", "DUNNO", "DUNNO", f"{r.choice((450, 451, 421, 471, 554, 550, 521, 599, 400, 500))} {self.text()}",
            f"{r.choice((550, 450, 554, 220, 354, 600, 99, 1234))}", f"DEFER {self.text()}", "DEFER", f"DEFER_IF_PERMIT {self.text()}", f"DEFER_IF_REJECT {self.text()}",
            "DEFER_IF_PERMIT", "DEFER_IF_REJECT", f"WARN {self.text()}", "INFO note", "HOLD", "HOLD kept", "DISCARD", "DISCARD gone", "FILTER discard:x", "FILTER nonsense",
            "REDIRECT bob@lab.test", "REDIRECT nobody", "BCC bob@lab.test", "BCC nobody", "PREPEND X-Tag: yes", "PREPEND nonsense", "reject", "ok", "Dunno", "permit",
            "reject_unauth_destination", "permit_mynetworks, reject", "reject_unknown_sender_domain", "reject_non_fqdn_recipient reject_invalid_helo_hostname",
            "permit_mynetworks permit_sasl_authenticated defer", "This is prose", "nonsense", "relay", "reject_unauth_pipelining", "warn_if_reject reject",
            "check_sender_access static:OK", "reject_rbl_client bl.test", "OK text", "ENCRYPT", "", "5xx no", "STRIP", "reject_unlisted_recipient",
            *self.classes, *self.classes))

    def pattern_key(self, what):
        r = self.r
        return r.choice({"client": ("/spam/", "/^192\\.0\\.2\\./", "/unknown/", "/\\.test$$/", "/^mx\\./", "/2001:/"),
                         "address": ("/@spam\\.test$$/", "/^alice/", "/far/", "/^$$/", "/@/", "/^<>$$/", "/\\+/", "/^(.*)@relay/", "!/lab/"),
                         "domain": ("/spam/", "/^mx/", "/\\.test$$/", "/far|gone/", "!/test/", "/^\\[/")}[what])

    def cidr_key(self):
        return self.r.choice(("192.0.2.0/24", "192.0.2.1", "10.0.0.0/8", "203.0.113.7/32", "0.0.0.0/0", "2001:db8::/32", "::/0", "!10.0.0.0/8", "127.0.0.0/8",
                              "198.51.100.0/24", "172.16.0.0/12", "[2001:db8::1]"))

    # -- tables ---------------------------------------------------------------------------------------------------------
    def inline(self, kind, rules, glue="="):
        return f"{kind}:{{{', '.join('{' + key + glue + value + '}' for key, value in rules)}}}"

    def table(self, what, value):
        """A table of some type, whose entries have keys of a kind and values that `value()` makes."""
        r = self.r
        kind = r.choice(("hash",) * 5 + ("texthash", "texthash", "inline", "inline", "pcre", "regexp", "cidr", "static", "unionmap", "pipemap", "missing", "fail", "btree")
                        if what == "client" or r.random() < 0.9 else ("hash",))
        if kind == "cidr" and what == "address":
            kind = "hash"
        if kind in ("hash", "btree", "texthash"):
            entries = {self.key(what).lower(): value() for _ in range(r.randint(1, 12))}
            lines = [f"{key}  {each}" for key, each in entries.items() if each and not any(c in key for c in ' "')]
            return f"{kind}:{self.file(chr(10).join(lines) + chr(10))}"
        if kind == "inline":
            entries = {self.key(what).lower(): value() for _ in range(r.randint(1, 5))}
            rules = [(key, each) for key, each in entries.items() if each and "=" not in each + key]
            return self.inline("inline", rules) if rules else "static:DUNNO"
        if kind in ("pcre", "regexp"):
            lines = [f"{self.pattern_key(what).replace('$$', '$')}  {value()}" for _ in range(r.randint(1, 4))]
            lines = [line for line in lines if not line.endswith("  ")]
            return f"{kind}:{self.file(chr(10).join(lines) + chr(10))}"
        if kind == "cidr":
            lines = [f"{self.cidr_key()}  {value()}" for _ in range(r.randint(1, 4))]
            lines = [line for line in lines if not line.endswith("  ")]
            return f"cidr:{self.file(chr(10).join(lines) + chr(10))}"
        if kind == "static":
            each = value()
            return f"static:{{{each}}}" if each else "static:DUNNO"
        if kind == "unionmap":
            return f"unionmap:{{{self.table_file(what, value)}, {self.table_file(what, value)}}}"
        if kind == "pipemap":
            return f"pipemap:{{{self.table_file(what, value)}, static:{{{value() or 'DUNNO'}}}}}"
        if kind == "missing":
            return self.table_file(what, value) if r.random() < 0.7 else "hash:$lab_files/no-such-table"
        return self.table_file(what, value) if r.random() < 0.7 else "fail:down"

    def table_file(self, what, value):
        entries = {self.key(what).lower(): value() for _ in range(self.r.randint(1, 6))}
        lines = [f"{key}  {each}" for key, each in entries.items() if each and not any(c in key for c in ' "')]
        return f"texthash:{self.file(chr(10).join(lines) + chr(10))}"

    def access(self, what):
        return self.table(what, self.action)

    # -- maps of addresses ------------------------------------------------------------------------------------------------
    def map_key(self, domains):
        r = self.r
        local = r.choice(names.LOCAL_PARTS).lower()
        domain = r.choice(domains)
        return r.choice((f"{local}@{domain}", f"{local}@{domain}", local, f"@{domain}", f"{local}@", domain))

    def recipient_map(self, domains, value=lambda: "x", most=8):
        entries = {self.map_key(domains): value() for _ in range(self.r.randint(1, most))}
        if self.r.random() < 0.8:
            lines = [f"{key}  {each}" for key, each in entries.items()]
            return f"hash:{self.file(chr(10).join(lines) + chr(10))}"
        return self.inline("inline", entries.items())

    def target(self):
        r = self.r
        local = r.choice(names.LOCAL_PARTS)
        return r.choice((f"{local}@{r.choice(names.OURS + names.FAR + names.BOXED)}", local, f"{local}@lab.test"))
