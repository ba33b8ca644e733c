"""The small world that random configurations and probes share: a few names and addresses, so that they meet often."""
import model

# What each domain is for stands beside it; `zones` gives them their records.
OURS = ["lab.test", "dest.test"]                                # mydestination
RELAYED = ["relay.test", "backup.test"]                        # relay_domains
ALIASED = ["valias.test"]                                       # virtual_alias_domains
BOXED = ["vmbox.test"]                                          # virtual_mailbox_domains
FAR = ["far.test", "spam.test", "sub.far.test", "sub.spam.test", "deep.sub.spam.test", "sub.relay.test", "sub.lab.test",
       "own.test", "prim.test", "aonly.test", "cname.test", "Far.Test"]
ODD = ["gone.test", "sub.gone.test", "fail.test", "x.fail.test", "null.test", "nodata.test", "mxgone.test", "mxfail.test",
       "mxbad.test", "mxloop.test", "nsbad.test", "nsfail.test", "localhost", "single", "mail.lab.test",
       f"[{model.HOST_ADDRESS}]", "[10.0.0.1]", "[IPv6:2001:db8::1]", "[bad]", "192.0.2.1", "lab.test.", "a_b.test", "-a.test",
       "a..b.test", "bücher.test", "xn--bcher-kva.test", "wild.any.test"]

LOCAL_PARTS = ["alice", "bob", "carol", "dave", "root", "postmaster", "abuse", "nobody", "x", "alice+list", "carol+a+b", "Alice",
               "BOB", "double-bounce", "MAILER-DAEMON", "o'brien", "a.b", "mail-list", "bob-list", "owner-list"]
ODD_LOCAL_PARTS = ['"quo ted"', '"a@b"', '"alice"', "a%far.test", "a%lab.test", "far.test!x", "alice@far.test", "ünï", "a b", '"a\\"b"',
                   "alice.", ".alice", "a..b", "-dash", "+x", "a+", '""', "<x>", "a;b", "a,b", "a(c)b", "a:b", "a\\@b"]

ADDRESSES = ["192.0.2.1", "192.0.2.77", "203.0.113.7", "198.51.100.200", "10.0.0.1", "10.0.0.9", "10.1.2.3", "172.16.5.4", "127.0.0.1",
             model.HOST_ADDRESS, model.CLIENT_ADDRESS, "IPV6:2001:db8::1", "IPV6:2001:db8:0:1::5", "IPV6:::1"]
NETWORKS = ["10.0.0.0/24", "10.0.0.0/8", "192.0.2.0/24", "203.0.113.7", "127.0.0.0/8", "198.51.100.0/25", "172.16.0.0/12", "[2001:db8::]/64",
            "[::1]", "2001:db8::/32", "!10.0.0.9", model.CLIENT_ADDRESS, "192.0.2.77/32"]
CLIENT_NAMES = ["mx.far.test", "host.spam.test", "spam.test", "sub.spam.test", "dial-1-2.pool.test", "localhost", "mail.lab.test", "a.relay.test",
                "UPPER.Far.Test", "x.dest.test", "gone.test", "x.fail.test", "cname.test", "wild.any.test"]
HELO_NAMES = ["mx.far.test", "far.test", "spam.test", "host.spam.test", "mail.lab.test", "lab.test", "gone.test", "x.fail.test", "localhost", "single",
              "[192.0.2.1]", "[10.0.0.1]", "[IPv6:2001:db8::1]", "[bad]", "[]", "192.0.2.1", "a_b.test", "-a.test", "a..b.test", ".test", "test.", "null.test",
              "mxbad.test", "nodata.test", "cname.test", "bücher.test", "a b", "#", "far.test.", "UPPER.Far.Test", "1.2.3", "2001:db8::1", "[2001:db8::1]",
              "a" * 64 + ".test", "pc!x", "wild.any.test", "own.test"]
LISTS = ["bl.test", "bl2.test", "wl.test"]          # by address
NAME_LISTS = ["dbl.test", "dwl.test"]               # by domain
LOGINS = ["alice", "bob", "carol@lab.test", "alice@mail.lab.test"]


def zones(r):
    """Every zone, with what varies from batch to batch."""
    known = {}

    def zone(name, *records):
        known[name] = [f"{name} SOA ns.{name} hostmaster.{name} 1 3600 600 86400 60", f"{name} NS ns.{name}", f"ns.{name} A 192.0.2.53",
                       *(record.replace("@", name) for record in records)]

    zone("lab.test", "@ MX 10 mail.lab.test", f"mail.lab.test A {model.HOST_ADDRESS}", f"{model.CLIENT} A {model.CLIENT_ADDRESS}", "sub.lab.test A 192.0.2.9")
    zone("dest.test", "@ MX 10 mail.lab.test", "x.dest.test A 10.0.0.9")
    zone("relay.test", "@ MX 10 mx.relay.test", "mx.relay.test A 192.0.2.20", "sub.relay.test MX 5 mx.relay.test", "a.relay.test A 192.0.2.21")
    zone("valias.test", "@ MX 10 mail.lab.test")
    zone("vmbox.test", "@ MX 10 mail.lab.test")
    zone("far.test", "@ MX 10 mx.far.test", "@ MX 20 mx2.far.test", "mx.far.test A 192.0.2.1", "mx2.far.test A 192.0.2.77", "@ A 203.0.113.7",
         "upper.far.test A 192.0.2.1", "sub.far.test A 198.51.100.200")
    zone("spam.test", "@ MX 10 mx.spam.test", "@ A 203.0.113.7", "mx.spam.test A 203.0.113.7", "host.spam.test A 203.0.113.7", "sub.spam.test MX 1 mx.spam.test",
         "deep.sub.spam.test A 10.1.2.3")
    zone("own.test", f"@ MX {r.choice((5, 10))} mail.lab.test", "@ A 192.0.2.30")
    zone("backup.test", "@ MX 10 mx.prim.test", "@ MX 20 mail.lab.test")
    zone("prim.test", "@ MX 10 mx.prim.test", f"@ MX {r.choice((5, 10, 20))} mail.lab.test", f"mx.prim.test A {r.choice(('192.0.2.40', '198.51.100.7'))}")
    zone("aonly.test", "@ A 192.0.2.60")
    zone("cname.test", "@ CNAME far.test")
    known["cname.test"] = ["cname.test SOA ns.cname.test h.cname.test 1 3600 600 86400 60", "cname.test NS ns.far.test", "www.cname.test CNAME mx.far.test"]
    zone("null.test", "@ MX 0 .")
    zone("nodata.test", '@ TXT "nothing else"')
    zone("mxgone.test", "@ MX 10 mx.gone.test")
    zone("mxfail.test", "@ MX 10 mx.fail.test")
    zone("mxbad.test", "@ MX 10 mx.mxbad.test", f"mx.mxbad.test A {r.choice(('127.0.0.1', '10.0.0.1', '203.0.113.7'))}")
    zone("mxloop.test", "@ MX 10 loop.mxloop.test", "loop.mxloop.test CNAME mx.far.test")
    zone("nsbad.test", "@ A 192.0.2.61", "@ NS mx.spam.test")
    zone("nsfail.test", "@ A 192.0.2.62", "@ NS ns.fail.test")
    zone("any.test", "*.any.test A 192.0.2.63", "*.any.test MX 10 mx.far.test")
    zone("pool.test", "dial-1-2.pool.test A 192.0.2.77")
    zone("xn--bcher-kva.test", "@ A 192.0.2.64")
    known["fail.test"] = model.BROKEN
    listed = [address for address in ADDRESSES if not address.startswith("IPV6") and r.random() < 0.4]
    for name in LISTS:
        entries = []
        for address in listed:
            if r.random() < 0.6:
                back = ".".join(reversed(address.split(".")))
                entries.append(f"{back}.@ A 127.0.0.{r.choice((2, 3, 4, 10))}")
                if r.random() < 0.4:
                    entries.append(f"{back}.@ A 127.0.0.{r.choice((5, 11))}")
                if r.random() < 0.5:
                    entries.append(f'{back}.@ TXT "listed, see http://{name}/?ip={address}"')
        zone(name, *entries, "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.@ A 127.0.0.2")
    for name in NAME_LISTS:
        entries = [f"{each}.@ A 127.0.1.{r.choice((2, 3, 4))}" for each in ("spam.test", "far.test", "host.spam.test", "mx.far.test", "gone.test") if r.random() < 0.6]
        zone(name, *entries, '*.sub.@ A 127.0.1.2', 'spam.test.@ TXT "bad domain"')
    for network, names in (("2.0.192.in-addr.arpa", {"1": "mx.far.test"}),
                           ("137.168.192.in-addr.arpa", {"66": model.CLIENT, "5": model.HOST})):
        zone(network, *(f"{number}.@ PTR {name}" for number, name in names.items()))
    if r.random() < 0.2:
        known[r.choice(LISTS + NAME_LISTS)] = model.BROKEN
    return known
