"""Random SMTP dialogues: who the client is (by XCLIENT), and what it says."""
import names
from sessions import Sessions

CLIENT_FACTS = ["[UNAVAILABLE]", "[TEMPUNAVAIL]"]


class Probes(Sessions):
    def __init__(self, r, sasl, tls=False, xclient=True):
        self.r, self.sasl, self.tls, self.may_xclient = r, sasl, tls, xclient

    def dialogues(self, probes):
        """Dialogues of together so many probes. A probe is one try to send a message, or something else one says."""
        made, left = [], probes
        while left > 0:
            count = min(left, self.r.choice((1, 1, 1, 2, 3)))
            made.append([line for _ in range(count) for line in self.probe()] + ["QUIT"])
            left -= count
        return made

    def probe(self):
        r, lines = self.r, []
        if r.random() < (0.85 if self.may_xclient else 0.01):
            lines.append(self.xclient())
        if r.random() < 0.9:
            lines.append(f"{r.choice(('EHLO', 'EHLO', 'EHLO', 'HELO', 'helo', 'Ehlo'))} {r.choice(names.HELO_NAMES)}")
        if r.random() < (0.3 if self.tls else 0.01):
            lines += self.secure()
        if r.random() < (0.25 if self.sasl else 0.02):
            lines += self.login()
        for part, chance in ((self.other_lines, 0.12), (self.odd, 0.06), (self.forward, 0.04)):
            if r.random() < chance:
                lines += part()
        if r.random() < 0.06:
            lines += self.pipelined()
        else:
            lines.append(self.mail())
            lines += [self.rcpt() for _ in range(r.choice((1, 1, 1, 1, 2, 3)))]
        for part, chance in ((self.other_lines, 0.1), (self.odd, 0.03)):
            if r.random() < chance:
                lines += part()
        if r.random() < 0.3:
            lines.append("DATA")
            lines += self.message()
        elif r.random() < 0.06:
            lines += self.chunks()
        elif r.random() < 0.02:
            lines += self.smuggled()
        elif r.random() < 0.5:
            lines.append("RSET")
        return lines

    def xclient(self):
        r = self.r
        if r.random() < 0.03:
            return self.another_client()
        name = r.choice(names.CLIENT_NAMES + CLIENT_FACTS)
        facts = [f"ADDR={r.choice(names.ADDRESSES)}", f"NAME={name}"]
        if r.random() < 0.6:
            facts.append(f"REVERSE_NAME={r.choice((name, r.choice(names.CLIENT_NAMES + CLIENT_FACTS)))}")
        if r.random() < 0.1:
            facts.append(f"HELO={r.choice(('mx.far.test', 'spam.test', '[UNAVAILABLE]'))}")
        if r.random() < 0.1:
            facts.append(f"PROTO={r.choice(('SMTP', 'ESMTP'))}")
        if r.random() < (0.35 if self.sasl else 0.02):
            facts.append(f"LOGIN={r.choice(names.LOGINS)}")
        return "XCLIENT " + " ".join(facts)

    def address(self, domains):
        r = self.r
        local = r.choice(names.LOCAL_PARTS if r.random() < 0.85 else names.ODD_LOCAL_PARTS)
        if r.random() < 0.06:
            return local
        domain = r.choice(domains if r.random() < 0.85 else names.ODD)
        return f"{local}@{domain}"

    def path(self, address):
        r = self.r
        if r.random() < 0.88:
            return f"<{address}>"
        return r.choice((f" <{address}>", address, f"<@far.test:{address}>", f"<@a.test,@b.test:{address}>", f"<{address}", f"{address}>", f"<<{address}>>", f"<{address}> (a comment)",
                         f"Name <{address}>", "< >", "<", "", f"<{address}>x", f"<{address} >", f"<{address},x@far.test>", f'"{address}"', f"<{address}> <x@far.test>"))

    def mail(self):
        r = self.r
        if r.random() < 0.02:
            return r.choice(("MAIL", "MAIL FROM", "MAIL FROM:", "MAIL TO:<x@far.test>", "MAIL FROM <x@far.test>", "MAILFROM:<x@far.test>", "MAIL  FROM:<x@far.test>", "MAIL FROM : <x@far.test>"))
        address = "" if r.random() < 0.1 else self.address(names.FAR + names.OURS + names.FAR + names.RELAYED + names.ALIASED + names.BOXED)
        line = f"{r.choice(('MAIL FROM:', 'MAIL FROM:', 'MAIL FROM:', 'mail from:', 'Mail From:'))}{self.path(address)}"
        if r.random() < 0.2:
            line += " " + " ".join(r.choice(("SIZE=100", "SIZE=100000", "SIZE=99999999999", "SIZE=x", "SIZE=", "SIZE", "BODY=8BITMIME", "BODY=7bit", "BODY=x", "SMTPUTF8", "smtputf8", "SMTPUTF8=x",
                                             "RET=HDRS", "RET=full", "RET=x", "ENVID=abc", "ENVID=a+2Bb", "ENVID=a+b", "ENVID=", "AUTH=<>", "AUTH=x", "AUTH=alice@lab.test", "FOO", "FOO=bar", "REQUIRETLS",
                                             "XVERP", "XVERP=+="))
                                   for _ in range(r.choice((1, 1, 2))))
        return line

    def rcpt(self):
        r = self.r
        if r.random() < 0.02:
            return r.choice(("RCPT", "RCPT TO", "RCPT TO:", "RCPT FROM:<x@far.test>", "RCPT TO <x@far.test>", "RCPT TO : <x@far.test>"))
        address = "" if r.random() < 0.02 else self.address(names.OURS * 3 + names.RELAYED * 2 + names.ALIASED * 3 + names.BOXED * 3 + names.FAR)
        line = f"{r.choice(('RCPT TO:', 'RCPT TO:', 'RCPT TO:', 'rcpt to:'))}{self.path(address)}"
        if r.random() < 0.15:
            line += " " + " ".join(r.choice(("NOTIFY=NEVER", "NOTIFY=SUCCESS,FAILURE", "NOTIFY=never,success", "NOTIFY=", "NOTIFY=x", "NOTIFY=DELAY", "NOTIFY=SUCCESS,SUCCESS", "ORCPT=rfc822;alice@lab.test",
                                             "ORCPT=rfc822;a+2Bb@x", "ORCPT=x", "ORCPT=", "ORCPT=utf-8;x@y", "ORCPT=rfc822;a+b", "ORCPT=;x", "FOO", "FOO=bar", "SIZE=1"))
                                   for _ in range(r.choice((1, 1, 2))))
        return line

    def other_lines(self):
        return [self.other()]

    def other(self):
        r = self.r
        address = self.address(names.OURS + names.RELAYED + names.ALIASED + names.FAR)
        return r.choice((f"VRFY {address}", f"VRFY <{address}>", "VRFY", "VRFY alice", "VRFY a b", "EXPN list", "HELP", "HELP me", "NOOP", "NOOP x y", "RSET", "RSET x", "FROB", "frob x y", "ETRN relay.test",
                         "ETRN far.test", "ETRN", "ETRN @relay.test", "ETRN #x", "ETRN a b", "ETRN bad_name!", "ETRN [192.0.2.1]", "ETRN gone.test", "STARTTLS", "STARTTLS x", "EHLO", "HELO", "HELO a b", "EHLO other.test",
                         "HELO other.test", "DATA", "DATA x", "", " NOOP", "MAIL FROM:<second@far.test>", "RCPT TO:<alice@lab.test>", "Subject: hello", "GET / HTTP/1.0", "AUTH", "AUTH FOO", "AUTH PLAIN x y",
                         "XFORWARD NAME=x.test", "BDAT", "BDAT x", "QUIT x", "XCLIENT", "XCLIENT FOO=bar", "XCLIENT NAME=bad_name!", "XCLIENT ADDR=x", "XCLIENT PROTO=x", "XCLIENT LOGIN=x"))
