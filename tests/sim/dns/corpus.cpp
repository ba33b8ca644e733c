#include "tests/sim/dns/corpus.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace sim::dns::corpus {
namespace {

const std::string soa = "@ IN SOA ns.ok.test. h 1 3600 600 86400 60\n@ IN NS ns.ok.test.\n";

std::string many_aliases() {
    std::string text;
    for (int i = 0; i < 30; ++i) text += fmt::format("k{} IN CNAME k{}\n", i, i + 1);
    return text + "k30 IN A 10.0.0.30\n";
}

}  // namespace

void sort_sets(std::vector<std::string>& rows) {
    const auto set_of = [](const std::string& row) {  // "owner TTL type"
        const auto type_ends = row.find(' ', row.find(' ', row.find(' ') + 1) + 1);
        return std::string_view(row).substr(0, type_ends);
    };
    for (auto begin = rows.begin(); begin != rows.end();) {
        const auto end =
            std::find_if(begin, rows.end(), [&](const auto& row) { return set_of(row) != set_of(*begin); });
        std::sort(begin, end);
        begin = end;
    }
}

std::string code_name(int code) {
    constexpr std::array<std::string_view, 6> names = {"NOERROR",  "FORMERR", "SERVFAIL",
                                                       "NXDOMAIN", "NOTIMP",  "REFUSED"};
    return code >= 0 && code < static_cast<int>(names.size()) ? std::string(names[static_cast<std::size_t>(code)])
                                                              : fmt::format("code {}", code);
}

const std::vector<zone_text>& zones() {
    static const std::vector<zone_text> all = {
        {".", ""},
        {"ok.test", "x IN A 1.1.1.1\n"},
        {"a.test", many_aliases() + R"(
@ IN MX 20 second
@ IN MX 10 Mail
mail IN A 10.0.0.1
c1 IN CNAME c2
c2 IN CNAME mail
loop IN CNAME loop2
loop2 IN CNAME loop
self IN CNAME self
out IN CNAME x.b.test.
outgone IN CNAME gone.b.test.
far IN CNAME x.nowhere.test.
tobroken IN CNAME x.broken.test.
tosub IN CNAME x.sub
dangling IN CNAME gone
totext IN CNAME text
tocut IN CNAME x.cut
text IN TXT "x" "y z" plain
x.y.z.w IN A 10.0.0.2
*.wild IN A 10.0.0.3
*.wild IN MX 5 mail
exact.wild IN TXT "no a"
deep.ent.wild IN TXT "q"
*.cw IN CNAME mail
*.cl IN CNAME x.cl
outside.test. IN A 10.9.9.9
dup IN A 10.0.0.9
DUP IN A 10.0.0.9
two 100 IN A 10.0.0.10
two 200 IN A 10.0.0.11
null IN MX 0 .
cut IN NS ns.cut
ns.cut IN A 10.0.0.55
_25._tcp.mail IN TLSA 3 1 1 abcdef
_submission._tcp IN SRV 1 2 587 mail
six IN AAAA 2001:DB8:0:0:0:0:0:1
host TYPE65280 \# 1 00
caa IN CAA 0 issue "ca.example"
$ORIGIN deep
one IN A 10.0.0.60
$TTL 1h30m
two ( IN
  A ) 10.0.0.61
  IN A 10.0.0.62
$origin er ; below deep
three IN A 10.0.0.63
$ORIGIN @
@ IN A 10.0.0.64
)"},
        {"b.test", "x IN A 10.0.1.1\nback IN CNAME mail.a.test.\n"},
        {"sub.a.test", "x IN A 10.2.2.2\n"},
        {"broken.test", "@ IN MX"},
        {"nottl.test", soa + "x 77 IN A 1.2.3.4\ny IN A 1.2.3.5\n"},
        {"lastttl.test",
         "@ 500 IN SOA ns.ok.test. h 1 3600 600 86400 60\n@ IN NS ns.ok.test.\nx IN A 1.1.1.1\n"
         "y 77 IN A 1.1.1.1\nz IN A 1.1.1.1\n"},
        {"negative.test", "$TTL 50\n@ 500 IN SOA ns.ok.test. h 1 3600 600 86400 600\n@ IN NS ns.ok.test.\n"},
        {"bigttl.test", "x 2147483648 IN A 1.1.1.1\n"},
        {"followed.test", " IN TXT \"of ns\"\n"},
    };
    return all;
}

const std::vector<asked>& questions() {
    static const std::vector<asked> all = {
        {"a.test", "MX", "NOERROR; a.test 300 MX 10 Mail.a.test; a.test 300 MX 20 second.a.test"},
        {"A.TEST", "MX", "NOERROR; a.test 300 MX 10 Mail.a.test; a.test 300 MX 20 second.a.test"},
        {"a.test", "A", "NOERROR; negative 60"},
        {"a.test", "NS", "NOERROR; a.test 300 NS ns.a.test"},
        {"a.test", "SOA", "NOERROR; a.test 300 SOA ns.a.test"},
        {"mail.a.test", "A", "NOERROR; mail.a.test 300 A 10.0.0.1"},
        {"c1.a.test", "A",
         "NOERROR; c1.a.test 300 CNAME c2.a.test; c2.a.test 300 CNAME mail.a.test; mail.a.test 300 A 10.0.0.1"},
        {"c1.a.test", "MX", "NOERROR; c1.a.test 300 CNAME c2.a.test; c2.a.test 300 CNAME mail.a.test; negative 60"},
        {"c1.a.test", "CNAME", "NOERROR; c1.a.test 300 CNAME c2.a.test"},
        {"loop.a.test", "MX", "SERVFAIL; loop.a.test 300 CNAME loop2.a.test; loop2.a.test 300 CNAME loop.a.test"},
        {"loop.a.test", "CNAME", "NOERROR; loop.a.test 300 CNAME loop2.a.test"},
        {"self.a.test", "A", "SERVFAIL; self.a.test 300 CNAME self.a.test"},
        {"out.a.test", "A", "NOERROR; out.a.test 300 CNAME x.b.test"},
        {"outgone.a.test", "A", "NOERROR; outgone.a.test 300 CNAME gone.b.test"},
        {"far.a.test", "A", "NOERROR; far.a.test 300 CNAME x.nowhere.test"},
        {"tobroken.a.test", "A", "SERVFAIL"},
        {"tosub.a.test", "A", "NOERROR; tosub.a.test 300 CNAME x.sub.a.test"},
        {"dangling.a.test", "A", "NXDOMAIN; dangling.a.test 300 CNAME gone.a.test; negative 60"},
        {"totext.a.test", "A", "NOERROR; totext.a.test 300 CNAME text.a.test; negative 60"},
        {"tocut.a.test", "A", "NOERROR; tocut.a.test 300 CNAME x.cut.a.test"},
        {"text.a.test", "TXT", "NOERROR; text.a.test 300 TXT \"x\"\"y z\"\"plain\""},
        {"y.z.w.a.test", "A", "NOERROR; negative 60"},
        {"w.a.test", "MX", "NOERROR; negative 60"},
        {"foo.wild.a.test", "A", "NOERROR; foo.wild.a.test 300 A 10.0.0.3"},
        {"FOO.wild.a.test", "MX", "NOERROR; foo.wild.a.test 300 MX 5 mail.a.test"},
        {"foo.wild.a.test", "TXT", "NOERROR; negative 60"},
        {"wild.a.test", "A", "NOERROR; negative 60"},
        {"exact.wild.a.test", "A", "NOERROR; negative 60"},
        {"b.exact.wild.a.test", "A", "NXDOMAIN; negative 60"},
        {"b.deep.ent.wild.a.test", "A", "NXDOMAIN; negative 60"},
        {"ent.wild.a.test", "A", "NOERROR; negative 60"},
        {"x.ent.wild.a.test", "A", "NXDOMAIN; negative 60"},
        {"u.v.wild.a.test", "A", "NOERROR; u.v.wild.a.test 300 A 10.0.0.3"},
        {"q.cw.a.test", "A", "NOERROR; q.cw.a.test 300 CNAME mail.a.test; mail.a.test 300 A 10.0.0.1"},
        {"q.cw.a.test", "MX", "NOERROR; q.cw.a.test 300 CNAME mail.a.test; negative 60"},
        {"q.cl.a.test", "A", "SERVFAIL; q.cl.a.test 300 CNAME x.cl.a.test; x.cl.a.test 300 CNAME x.cl.a.test"},
        {"x.cl.a.test", "A", "SERVFAIL; x.cl.a.test 300 CNAME x.cl.a.test"},
        {"*.wild.a.test", "A", "NOERROR; *.wild.a.test 300 A 10.0.0.3"},
        {"outside.test", "A", "NXDOMAIN; negative 60"},
        {"dup.a.test", "A", "NOERROR; dup.a.test 300 A 10.0.0.9"},
        {"two.a.test", "A", "NOERROR; two.a.test 100 A 10.0.0.10; two.a.test 100 A 10.0.0.11"},
        {"null.a.test", "MX", "NOERROR; null.a.test 300 MX 0 "},
        {"cut.a.test", "A", "NOERROR"},
        {"cut.a.test", "NS", "NOERROR"},
        {"x.cut.a.test", "A", "NOERROR"},
        {"ns.cut.a.test", "A", "NOERROR"},
        {"_25._tcp.mail.a.test", "TLSA", "NOERROR; _25._tcp.mail.a.test 300 TLSA 6 bytes"},
        {"_tcp.mail.a.test", "TLSA", "NOERROR; negative 60"},
        {"_submission._tcp.a.test", "SRV", "NOERROR; _submission._tcp.a.test 300 SRV 1 2 587 mail.a.test"},
        {"six.a.test", "AAAA", "NOERROR; six.a.test 300 AAAA 2001:db8::1"},
        {"six.a.test", "A", "NOERROR; negative 60"},
        {"host.a.test", "A", "NOERROR; negative 60"},
        {"caa.a.test", "TXT", "NOERROR; negative 60"},
        {"one.deep.a.test", "A", "NOERROR; one.deep.a.test 300 A 10.0.0.60"},
        {"two.deep.a.test", "A", "NOERROR; two.deep.a.test 5400 A 10.0.0.61; two.deep.a.test 5400 A 10.0.0.62"},
        {"three.er.deep.a.test", "A", "NOERROR; three.er.deep.a.test 5400 A 10.0.0.63"},
        {"er.deep.a.test", "A", "NOERROR; er.deep.a.test 5400 A 10.0.0.64"},
        {"deep.a.test", "A", "NOERROR; negative 60"},
        {"k0.a.test", "A",
         "SERVFAIL; k0.a.test 300 CNAME k1.a.test; k1.a.test 300 CNAME k2.a.test; k2.a.test 300 CNAME k3.a.test; "
         "k3.a.test 300 CNAME k4.a.test; k4.a.test 300 CNAME k5.a.test; k5.a.test 300 CNAME k6.a.test; k6.a.test 300 "
         "CNAME k7.a.test; k7.a.test 300 CNAME k8.a.test; k8.a.test 300 CNAME k9.a.test; k9.a.test 300 CNAME "
         "k10.a.test; k10.a.test 300 CNAME k11.a.test; k11.a.test 300 CNAME k12.a.test"},
        {"k18.a.test", "A",
         "SERVFAIL; k18.a.test 300 CNAME k19.a.test; k19.a.test 300 CNAME k20.a.test; k20.a.test 300 CNAME k21.a.test; "
         "k21.a.test 300 CNAME k22.a.test; k22.a.test 300 CNAME k23.a.test; k23.a.test 300 CNAME k24.a.test; "
         "k24.a.test 300 CNAME k25.a.test; k25.a.test 300 CNAME k26.a.test; k26.a.test 300 CNAME k27.a.test; "
         "k27.a.test 300 CNAME k28.a.test; k28.a.test 300 CNAME k29.a.test; k29.a.test 300 CNAME k30.a.test"},
        {"k19.a.test", "A",
         "NOERROR; k19.a.test 300 CNAME k20.a.test; k20.a.test 300 CNAME k21.a.test; k21.a.test 300 CNAME k22.a.test; "
         "k22.a.test 300 CNAME k23.a.test; k23.a.test 300 CNAME k24.a.test; k24.a.test 300 CNAME k25.a.test; "
         "k25.a.test 300 CNAME k26.a.test; k26.a.test 300 CNAME k27.a.test; k27.a.test 300 CNAME k28.a.test; "
         "k28.a.test 300 CNAME k29.a.test; k29.a.test 300 CNAME k30.a.test; k30.a.test 300 A 10.0.0.30"},
        {"k19.a.test", "MX",
         "NOERROR; k19.a.test 300 CNAME k20.a.test; k20.a.test 300 CNAME k21.a.test; k21.a.test 300 CNAME k22.a.test; "
         "k22.a.test 300 CNAME k23.a.test; k23.a.test 300 CNAME k24.a.test; k24.a.test 300 CNAME k25.a.test; "
         "k25.a.test 300 CNAME k26.a.test; k26.a.test 300 CNAME k27.a.test; k27.a.test 300 CNAME k28.a.test; "
         "k28.a.test 300 CNAME k29.a.test; k29.a.test 300 CNAME k30.a.test; negative 60"},
        {"k25.a.test", "A",
         "NOERROR; k25.a.test 300 CNAME k26.a.test; k26.a.test 300 CNAME k27.a.test; k27.a.test 300 CNAME k28.a.test; "
         "k28.a.test 300 CNAME k29.a.test; k29.a.test 300 CNAME k30.a.test; k30.a.test 300 A 10.0.0.30"},
        {"x.b.test", "A", "NOERROR; x.b.test 300 A 10.0.1.1"},
        {"back.b.test", "A", "NOERROR; back.b.test 300 CNAME mail.a.test"},
        {"x.sub.a.test", "A", "NOERROR; x.sub.a.test 300 A 10.2.2.2"},
        {"y.sub.a.test", "A", "NXDOMAIN; negative 60"},
        {"broken.test", "MX", "SERVFAIL"},
        {"x.broken.test", "A", "SERVFAIL"},
        {"nottl.test", "SOA", "NOERROR; nottl.test 60 SOA ns.ok.test"},
        {"x.nottl.test", "A", "NOERROR; x.nottl.test 77 A 1.2.3.4"},
        {"y.nottl.test", "A", "NOERROR; y.nottl.test 60 A 1.2.3.5"},
        {"gone.nottl.test", "A", "NXDOMAIN; negative 60"},
        {"x.lastttl.test", "A", "NOERROR; x.lastttl.test 500 A 1.1.1.1"},
        {"z.lastttl.test", "A", "NOERROR; z.lastttl.test 77 A 1.1.1.1"},
        {"gone.negative.test", "A", "NXDOMAIN; negative 500"},
        {"negative.test", "SOA", "NOERROR; negative.test 500 SOA ns.ok.test"},
        {"x.bigttl.test", "A", "NOERROR; x.bigttl.test 0 A 1.1.1.1"},
        {"ns.followed.test", "TXT", "NOERROR; ns.followed.test 300 TXT \"of ns\""},
        {"x.foreign.test", "A", "NXDOMAIN; negative 60"},
        {"nowhere", "MX", "NXDOMAIN; negative 60"},
        {".", "NS", "NOERROR; . 300 NS ns.root"},
        {"test", "A", "NXDOMAIN; negative 60"},
    };
    return all;
}

const std::vector<judged>& judgements() {
    static const std::vector<judged> all = {
        {"under", "bad_name IN A 1.1.1.1", false},
        {"undertxt", "_dmarc IN TXT \"v=DMARC1\"", true},
        {"undermx", "_mx IN MX 10 x", false},
        {"mxunder", "@ IN MX 10 bad_host", false},
        {"nsunder", "@ IN NS bad_ns\nbad_ns IN AAAA ::1", false},
        {"srvunder", "_s._tcp IN SRV 0 0 25 bad_host", false},
        {"cnameunder", "x IN CNAME bad_host", true},
        {"ptrunder", "x IN PTR bad_x", true},
        {"hyphen", "-x IN A 1.1.1.1", false},
        {"nsnoaddr", "@ IN NS ns2", false},
        {"nscname", "@ IN NS nsc\nnsc IN CNAME ns", false},
        {"nswild", "@ IN NS ns2.w\n*.w IN A 1.1.1.1", true},
        {"nscut", "sub IN NS ns.sub", true},
        {"srvgone", "_s._tcp IN SRV 0 0 25 gone", true},
        {"twocnames", "x IN CNAME a\nx IN CNAME b", false},
        {"samecname", "x IN CNAME a\nx IN CNAME A", true},
        {"cnameother", "x IN CNAME a\nx IN TXT \"t\"", false},
        {"othercname", "x IN TXT \"t\"\nx IN CNAME a", false},
        {"cnamensec", "x IN CNAME a\nx IN NSEC y A", true},
        {"cnamecaa", "x IN CNAME a\nx IN CAA 0 issue \"x\"", false},
        {"apexcname", "@ IN CNAME ns", false},
        {"mxaddress", "@ IN MX 10 1.2.3.4", true},
        {"mxaddressdot", "@ IN MX 10 1.2.3.4.", true},
        {"mxgone", "@ IN MX 10 gone", true},
        {"mxalias", "@ IN MX 10 x\nx IN CNAME ns", true},
        {"mxnull", "@ IN MX 0 .\n@ IN MX 10 ns", true},
        {"badip", "x IN A 1.2.3", false},
        {"bigip", "x IN A 256.2.3.4", false},
        {"zeroip", "x IN A 01.2.3.4", false},
        {"badip6", "x IN AAAA 12", false},
        {"chaos", "x CH A 1.2.3.4", false},
        {"unknown", "x IN MZ 10 y", false},
        {"noclass", "@ MX 10 ns", true},
        {"ttlbehind", "x IN 5 A 1.1.1.1", true},
        {"directive", "$FOO 1", false},
        {"hugettl", "x 99999999999 IN A 1.1.1.1", false},
        {"minusttl", "x -1 IN A 1.1.1.1", false},
        {"ttlword", "$TTL abc\n", false},
        {"longlabel", std::string(64, 'a') + " IN TXT x", false},
        {"emptylabel", "x..y IN A 1.1.1.1", false},
        {"bigpref", "@ IN MX 70000 x", false},
        {"wordpref", "@ IN MX ten y", false},
        {"parens", "x IN TXT ( \"a\"\n \"b\" )", true},
        {"openparen", "x IN TXT ( \"a\"", false},
        {"openquote", "x IN TXT \"a", false},
        {"leftover", "x IN A 1.1.1.1 2.2.2.2", false},
        {"text255", "x IN TXT \"" + std::string(255, 'a') + "\"", true},
        {"text256", "x IN TXT \"" + std::string(256, 'a') + "\"", false},
        {"twotexts", "x IN TXT \"" + std::string(255, 'a') + "\" \"b\"", true},
        {"wildns", "*.w IN NS ns.ok.test.", false},
        {"innerstar", "a.*.b IN A 1.1.1.1", false},
        {"spf", "@ IN SPF \"v=spf1\"", true},
        {"type65280", "x IN TYPE65280 \\# 1 00", true},
        {"owneronly", "x", false},
        {"classonly", "x IN", false},
        {"escaped", "a\\.b IN TXT \"x\\\"\\065\"", true},
        {"utf8", "x IN TXT \"caf\xc3\xa9\"", true},
        {"utf8name", "caf\xc3\xa9 IN TXT \"x\"", true},
        {"lowersoa", soa + "sub IN SOA a b 1 2 3 4 5", false},
        {"samesoa", "$TTL 300\n" + soa + soa, true},
        {"othersoa", "$TTL 300\n" + soa + "@ IN SOA ns.ok.test. h 2 3600 600 86400 60", false},
        {"soaword", "x IN A 1.1.1.1 ; SOA not", false},
        {"foreignsoa", "other.test. IN SOA a. b. 1 2 3 4 5\n", false},
        {"nons", "@ IN SOA ns.ok.test. h 1 3600 600 86400 60", false},
        {"nottlyet", "x IN A 1.1.1.1\n" + soa, false},
        {"foreign", "$ORIGIN foo.test.\nx IN A 1.1.1.1", true},
        {"crlf", "x IN A 1.1.1.1\r\ny IN A 1.1.1.2\r\n", true},
        {"semicolon", "x IN TXT a;b", true},
        {"tlsa", "_25._tcp.x IN TLSA 3 1 1 abcd", true},
    };
    return all;
}

}  // namespace sim::dns::corpus
