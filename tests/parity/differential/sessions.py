"""Random parts of a dialogue beyond envelopes: logins, TLS, chunks, content, forwarded facts, pipelining and odd bytes."""
import base64

import model
import names

PLAIN = ["\0alice\0secret", "\0alice\0wrong", "\0nobody\0secret", "\0alice@mail.lab.test\0secret", "alice\0alice\0secret", "bob\0alice\0secret",
         "alice\0secret", "\0alice", "", "\0\0", "\0bob\0secret", "\0alice@other.test\0secret", "x" * 400]
GARBAGE = ["*", "", "=", "!!!", "AAAA", "YWxpY2U=", "YWxpY2U", "Ym9i", "c2VjcmV0", "d3Jvbmc=", "YWxpY2UgMDEyMzQ1Njc4OWFiY2RlZg==", "QUIT", "A" * 300]
BODIES = [["text " * 20], ["text"] * 3, ["caf\u00e9 \u00fcn\u00ef"], ["buy spam now"], ["."[:0] + "..", "..dot", "...."], ["x" * 1200], ["From someone"], [""], []]
HEADERS = ["Subject: hello", "Subject: probe", "Subject: buy spam", "From: <x@far.test>", "To: alice@lab.test", "X-Tag: yes", "X-Spam: very", "Received: from a by b; x",
           "Date: Fri, 20 Nov 2026 09:00:00 +0000", "Subject: \u00fcn\u00ef", "X-Long: " + "y" * 300, "X-Folded: one\n two\n\tthree", "Bad header", "X-Empty:", ": none", "To: <a@b", "Cc: x@far.test, y",
           "Content-Transfer-Encoding: 8bit", "Delivered-To: alice@lab.test", "Return-Path: <x@y>", "From x@far.test Fri Nov 20", ">From x", "MIME-Version: 1.0"]
MULTIPART = ["MIME-Version: 1.0", 'Content-Type: multipart/mixed; boundary="cut"', "", "--cut", "Content-Type: text/plain", "", "part", "--cut", "Content-Type: message/rfc822", "", "Subject: spam inside", "", "x", "--cut--"]
ENCODED = [["Content-Type: message/rfc822", "Content-Transfer-Encoding: base64", "", "Subject: x"], ["Content-Type: multipart/mixed; boundary=b", "Content-Transfer-Encoding: quoted-printable", "", "--b", "", "x"],
           ["Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 7bit", "", "caf\u00e9"], ["Content-Type: application/x; name=evil.exe", "", "x"]]
ODD_LINES = ["NOOP " + "x" * 3000, "EHLO " + "h" * 300, "RCPT TO:<" + "a" * 300 + "@lab.test>", "MAIL FROM:<" + "a" * 70 + "@far.test>", "MAIL FROM:<x@far.test>SIZE=100", "MAIL FROM:<x@far.test>  SIZE=100",
             "MAIL FROM:<x@far.test>\tSIZE=100", "RSET  ", "DATA  ", "NOOP ", "noop\tx", "QUIT ", "EHLO\tx.test", "MAIL\tFROM:<x@far.test>", "RCPT TO:<alice@lab.test> NOTIFY=NEVER  ORCPT=rfc822;x",
             "RCPT TO:<\"alice bob\"@lab.test>", "RCPT TO:<alice@lab.test> <bob@lab.test>", "RCPT TO:(a) alice@lab.test", "RCPT TO:alice@lab.test (a)", "MAIL FROM:\"x\"@far.test", "RCPT TO:<\"a>b\"@lab.test>",
             "MAIL FROM:<x@far.test> body=8bitmime ret=full envid=x", "Received: x", "X-Y: z", "CONNECT a:1", "POST / HTTP/1.1", "\"quoted\" x", "<x>", "@", "MAIL FROM:<x@[127.0.0.1]>", "MAIL FROM:<x@127.0.0.1>",
             "RCPT TO:<alice@[192.168.137.5]>", "RCPT TO:<@lab.test>", "RCPT TO:<alice@>", "MAIL FROM:<@far.test:x@far.test>", "RCPT TO:<alice@lab.test:x>", "VRFY alice@lab.test SMTPUTF8", "VRFY \u00fcn\u00ef",
             "EXPN", "HELP", "SEND FROM:<x@far.test>", "TURN", "XVERP", "ETRN " + "d" * 80 + ".test", "HELO " + "a." * 130 + "test"]
RAW = ["HELO a\\x00b\\r\\n", "HELO \\xff\\xfe\\r\\n", "NOOP\\n", "NOOP\\r\\r\\n", "MAIL FROM:<\\xfcn@far.test>\\r\\n", "NOOP\\r\\nNOOP\\r\\n", "EHLO x.test\\r\\nNOOP\\r\\n", "\\x80\\r\\n", "VRFY a\\tb\\r\\n", "RSET\\r\\nVRFY alice\\r\\nRSET\\r\\n",
       "RCPT TO:<\\x01@lab.test>\\r\\n", "NOOP \\xc3\\r\\n", "HELO x\\r\\nMAIL FROM:<x@far.test>\\r\\n"]
XFORWARD = ["NAME=x.test", "NAME=[UNAVAILABLE]", "ADDR=192.0.2.1", "ADDR=[UNAVAILABLE]", "ADDR=x", "ADDR=IPV6:2001:db8::1", "PROTO=SMTP", "PROTO=x", "HELO=mx.far.test", "HELO=a+20b", "SOURCE=LOCAL", "SOURCE=REMOTE",
            "SOURCE=x", "PORT=25", "PORT=x", "PORT=99999", "IDENT=abc", "IDENT=a+2Bb", "FOO=x", "NAME", "NAME=", "NAME=bad_name!", "NAME=a+zz", "PROTO=" + "p" * 70, "IDENT=[TEMPUNAVAIL]"]


def coded(text):
    return base64.b64encode(text.encode()).decode()


class Sessions:
    """What `Probes` mixes into its dialogues."""

    def login(self):
        r = self.r
        kind = r.choice(("plain", "plain", "plain", "plain later", "login", "login at once", "cram", "scram", "odd"))
        if kind == "plain":
            return [f"{r.choice(('AUTH', 'auth'))} {r.choice(('PLAIN', 'PLAIN', 'plain'))} {coded(r.choice(PLAIN[:2] * 4 + PLAIN)) or '='}"]
        if kind == "plain later":
            return ["AUTH PLAIN", r.choice((coded(r.choice(PLAIN)), coded(PLAIN[0]), r.choice(GARBAGE)))]
        if kind == "login":
            return ["AUTH LOGIN", r.choice((coded("alice"), coded("alice"), r.choice(GARBAGE))), r.choice((coded("secret"), coded("secret"), r.choice(GARBAGE)))]
        if kind == "login at once":
            return [f"AUTH LOGIN {r.choice((coded('alice'), r.choice(GARBAGE)))}", r.choice((coded("secret"), r.choice(GARBAGE)))]
        if kind == "cram":
            return ["AUTH CRAM-MD5", r.choice((coded("alice 0123456789abcdef0123456789abcdef"), coded("nobody x"), coded("alice"), r.choice(GARBAGE)))]
        if kind == "scram":
            return ["AUTH SCRAM-SHA-256", r.choice((coded("n,,n=alice,r=abc"), coded("n,,n=nobody,r=abc"), r.choice(GARBAGE))), "*"]
        return [r.choice(("AUTH GSSAPI", "AUTH ANONYMOUS", "AUTH EXTERNAL =", "AUTH DIGEST-MD5", "AUTH PLAIN a b", "AUTH =", "AUTH PLAIN *", "AUTH CRAM-MD5 x", "AUTH  PLAIN", "AUTH <x>", "AUTH " + "m" * 60))]

    def secure(self):
        return ["STARTTLS", f"EHLO {self.r.choice(names.HELO_NAMES)}"]

    def forward(self):
        r = self.r
        return ["XFORWARD " + " ".join(r.choice(XFORWARD) for _ in range(r.randint(1, 3)))]

    def odd(self):
        r = self.r
        if r.random() < 0.25:
            return [{"raw": r.choice(RAW)}]
        return [r.choice(ODD_LINES)]

    def chunks(self):
        """BDAT with its bytes, as raw text: a chunk has no line of its own to be answered."""
        r, made = self.r, []
        for last in [False] * r.choice((0, 0, 0, 1, 2)) + [True]:
            body = r.choice(("Subject: x\\r\\n\\r\\ntext\\r\\n", "Subject: spam\\r\\n\\r\\n", "one\\ntwo\\n", "no end", ".\\r\\n", "", "x" * 200 + "\\r\\n"))
            size = len(body.replace("\\r", "\r").replace("\\n", "\n"))
            end = r.choice((" LAST", " LAST", " last", " LAST x", " first")) if last and r.random() < 0.2 else " LAST" if last else ""
            made.append({"raw": f"BDAT {size}{end}\\r\\n{body}"})
        if r.random() < 0.05:
            made.append(r.choice(({"raw": "BDAT 99999999\\r\\n"}, {"raw": "BDAT -1\\r\\n"}, {"raw": "BDAT 0\\r\\n"}, {"raw": "BDAT 0 LAST\\r\\n"}))
                        if r.random() < 0.7 else "DATA")
        return made

    def message(self):
        """Content as lines, to the dot."""
        r = self.r
        if r.random() < 0.12:
            lines = MULTIPART if r.random() < 0.5 else r.choice(ENCODED)
        else:
            headers = [r.choice(HEADERS) for _ in range(r.choice((0, 1, 1, 2, 4)))]
            if r.random() < 0.03:
                headers += ["Received: from a by b; x"] * r.choice((5, 60))
            lines = [*headers, *([""] if r.random() < 0.9 else []), *r.choice(BODIES)]
            if r.random() < 0.05:
                lines = [*lines, *["text " * 20] * 30]
        return [each for line in lines for each in line.split("\n")] + ["."]

    def smuggled(self):
        """A message in one write, with line ends that no client should send."""
        r = self.r
        end = r.choice(("\\n.\\n", "\\r\\n.\\n", "\\n.\\r\\n", "\\r.\\r\\n", "\\r\\n.\\r\\n"))
        return [{"raw": f"DATA\\r\\nSubject: x\\r\\n\\r\\ntext{end}"}, {"raw": "\\r\\n.\\r\\n"}]

    def pipelined(self):
        """A transaction in one write."""
        r = self.r
        group = [self.mail(), *(self.rcpt() for _ in range(r.choice((1, 2))))]
        group = [line for line in group if isinstance(line, str)]
        if r.random() < 0.3:
            group.insert(r.randint(0, len(group)), r.choice(("RSET", "NOOP", "VRFY alice", "HELO x.test", "ETRN far.test")))
        return [{"group": group}]

    def another_client(self):
        """An XCLIENT with what is rare in one."""
        return "XCLIENT " + " ".join(self.r.choice(("PORT=25", "PORT=x", "PORT=70000", "DESTADDR=10.0.0.1", "DESTADDR=x", "DESTPORT=25", "DESTPORT=x", "NAME=a+2Eb.test", "NAME=a+zz", "ADDR=[UNAVAILABLE]",
                                                    f"ADDR={model.CLIENT_ADDRESS}", "LOGIN=[UNAVAILABLE]", "LOGIN=a+20b", "HELO=a+20b", "HELO=", "REVERSE_NAME=", "PROTO=", "ADDR=IPV6:x", "ADDR=1.2.3",
                                                    "name=x.test", "NAME=x.test=y")) for _ in range(self.r.choice((1, 1, 2))))
