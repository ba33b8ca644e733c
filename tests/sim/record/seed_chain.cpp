#include "tests/sim/record/seed_chain.hpp"

namespace sim::record::samples {
namespace {

namespace log = mta::maillog;

constexpr std::array counts = {log::command_count{"ehlo", 2, 2}, log::command_count{"starttls", 1, 1},
                               log::command_count{"mail", 1, 1}, log::command_count{"rcpt", 1, 1},
                               log::command_count{"data", 1, 1}, log::command_count{"quit", 1, 1}};
constexpr std::string_view sender = "zibiten@york.cc", recipient = "kimchen@york.cc";
constexpr std::string_view message_id = "<20240923A9@smtp.6circles.cc>";
constexpr std::string_view ohio_relay = "mail.ohio.cc[192.168.137.9]:25", york_relay = "mail.york.cc[192.168.137.5]:25";

void start(const speaker& say, std::int64_t when, int script, int master) {
    say(when, "postfix/postfix-script", script, "", log::system_started{"3.7.11", "/etc/postfix", true});
    say(when, "postfix/master", master, "", log::system_started{"3.7.11", "/etc/postfix", false});
}

}  // namespace

void play_seed_chain(const sink& to) {
    const speaker smtp(to, std::string(smtp_host)), ohio(to, std::string(ohio_host)), york(to, std::string(york_host));
    start(smtp, -900'000, 4414, 4416);
    start(ohio, -500'000, 4543, 4545);
    start(york, 100'000, 4672, 4674);

    // The laptop submits to smtp.6circles.cc, whose filter gives the message back through sendmail(1).
    const log::peer laptop{"laptop.6circles.cc", "192.168.137.10"};
    smtp(740'000, "postfix/smtpd", 4679, "", log::connected{laptop}, 1);
    smtp(745'000, "postfix/smtpd", 4679, "", log::command{false, "EHLO laptop.6circles.cc", "250 CHUNKING"}, 1);
    smtp(760'000, "postfix/smtpd", 4679, "", tls(false, "laptop.6circles.cc[192.168.137.10]"), 1);
    smtp(784'000, "postfix/smtpd", 4679, "BF807A725F1", log::client_assigned{laptop, ""}, 1);
    smtp(830'000, "postfix/cleanup", 4683, "BF807A725F1", log::message_id_seen{message_id, false});
    smtp(834'000, "postfix/qmgr", 4418, "BF807A725F1", log::became_active{sender, 326, 1});
    smtp(840'000, "postfix/smtpd", 4679, "", log::disconnected{laptop, counts}, 1);
    smtp(882'000, "postfix/pickup", 4417, "D7680A721F5", log::picked_up{65534, sender, ""});
    smtp(883'000, "postfix/cleanup", 4683, "D7680A721F5", log::message_id_seen{message_id, false});
    smtp(884'000, "postfix/qmgr", 4418, "D7680A721F5", log::became_active{sender, 461, 1});
    smtp(894'000, "postfix/pipe", 4684, "BF807A725F1",
         delivery({recipient,
                   "spamassassin",
                   {784'000, 834'000, 834'000, 834'000, 894'000},
                   "delivered via spamassassin service"}));
    smtp(894'000, "postfix/qmgr", 4418, "BF807A725F1", log::removed{});

    // smtp.6circles.cc hands on to the open relay.
    const log::peer smtp_client{smtp_host, "192.168.137.2"};
    ohio(905'000, "postfix/smtpd", 4689, "", log::connected{smtp_client}, 2);
    ohio(914'000, "postfix/smtpd", 4689, "", tls(false, "smtp.6circles.cc[192.168.137.2]"), 2);
    smtp(915'000, "postfix/smtp", 4688, "D7680A721F5", tls(true, ohio_relay), 2);
    ohio(925'000, "postfix/smtpd", 4689, "E2180A72621", log::client_assigned{smtp_client, ""}, 2);
    ohio(928'000, "postfix/cleanup", 4693, "E2180A72621", log::message_id_seen{message_id, false});
    smtp(930'000, "postfix/smtp", 4688, "D7680A721F5",
         delivery({recipient,
                   ohio_relay,
                   {882'000, 884'000, 894'000, 916'000, 930'000},
                   "250 2.0.0 Ok: queued as E2180A72621"}),
         2);
    smtp(930'000, "postfix/qmgr", 4418, "D7680A721F5", log::removed{});
    ohio(931'000, "postfix/qmgr", 4547, "E2180A72621", log::became_active{sender, 647, 1});
    ohio(932'000, "postfix/smtpd", 4689, "", log::disconnected{smtp_client, counts}, 2);

    // The relay finds the MX.
    const log::peer ohio_client{ohio_host, "192.168.137.9"};
    york(950'000, "postfix/smtpd", 4695, "", log::connected{ohio_client}, 3);
    york(960'000, "postfix/smtpd", 4695, "", tls(false, "mail.ohio.cc[192.168.137.9]"), 3);
    ohio(961'000, "postfix/smtp", 4694, "E2180A72621", tls(true, york_relay), 3);
    york(973'000, "postfix/smtpd", 4695, "ED796A72631", log::client_assigned{ohio_client, ""}, 3);
    york(975'000, "postfix/cleanup", 4700, "ED796A72631", log::message_id_seen{message_id, false});
    ohio(976'000, "postfix/smtp", 4694, "E2180A72621",
         delivery({recipient,
                   york_relay,
                   {925'000, 931'000, 939'000, 966'000, 976'000},
                   "250 2.0.0 Ok: queued as ED796A72631"}),
         3);
    ohio(976'000, "postfix/qmgr", 4547, "E2180A72621", log::removed{});
    york(979'000, "postfix/qmgr", 4676, "ED796A72631", log::became_active{sender, 825, 1});
    york(980'000, "postfix/smtpd", 4695, "", log::disconnected{ohio_client, counts}, 3);
    york(983'000, "postfix/local", 4701, "ED796A72631",
         delivery({recipient, "local", {973'000, 979'000, 981'000, 981'000, 983'000}, "delivered to mailbox"}));
    york(983'000, "postfix/qmgr", 4676, "ED796A72631", log::removed{});
}

std::string_view seed_chain_log(std::string_view host) {
    constexpr std::string_view smtp =
        R"log(Nov 20 14:28:05 smtp postfix/postfix-script[4414]: starting the Postfix mail system
Nov 20 14:28:05 smtp postfix/master[4416]: daemon started -- version 3.7.11, configuration /etc/postfix
Nov 20 14:28:06 smtp postfix/smtpd[4679]: connect from laptop.6circles.cc[192.168.137.10]
Nov 20 14:28:06 smtp postfix/smtpd[4679]: BF807A725F1: client=laptop.6circles.cc[192.168.137.10]
Nov 20 14:28:06 smtp postfix/cleanup[4683]: BF807A725F1: message-id=<20240923A9@smtp.6circles.cc>
Nov 20 14:28:06 smtp postfix/qmgr[4418]: BF807A725F1: from=<zibiten@york.cc>, size=326, nrcpt=1 (queue active)
Nov 20 14:28:06 smtp postfix/smtpd[4679]: disconnect from laptop.6circles.cc[192.168.137.10] ehlo=2 starttls=1 mail=1 rcpt=1 data=1 quit=1 commands=7
Nov 20 14:28:06 smtp postfix/pickup[4417]: D7680A721F5: uid=65534 from=<zibiten@york.cc>
Nov 20 14:28:06 smtp postfix/cleanup[4683]: D7680A721F5: message-id=<20240923A9@smtp.6circles.cc>
Nov 20 14:28:06 smtp postfix/qmgr[4418]: D7680A721F5: from=<zibiten@york.cc>, size=461, nrcpt=1 (queue active)
Nov 20 14:28:06 smtp postfix/pipe[4684]: BF807A725F1: to=<kimchen@york.cc>, relay=spamassassin, delay=0.11, delays=0.05/0/0/0.06, dsn=2.0.0, status=sent (delivered via spamassassin service)
Nov 20 14:28:06 smtp postfix/qmgr[4418]: BF807A725F1: removed
Nov 20 14:28:06 smtp postfix/smtp[4688]: D7680A721F5: to=<kimchen@york.cc>, relay=mail.ohio.cc[192.168.137.9]:25, delay=0.05, delays=0/0.01/0.02/0.01, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as E2180A72621)
Nov 20 14:28:06 smtp postfix/qmgr[4418]: D7680A721F5: removed
)log";
    constexpr std::string_view ohio =
        R"log(Nov 20 14:28:05 mail postfix/postfix-script[4543]: starting the Postfix mail system
Nov 20 14:28:05 mail postfix/master[4545]: daemon started -- version 3.7.11, configuration /etc/postfix
Nov 20 14:28:06 mail postfix/smtpd[4689]: connect from smtp.6circles.cc[192.168.137.2]
Nov 20 14:28:06 mail postfix/smtpd[4689]: E2180A72621: client=smtp.6circles.cc[192.168.137.2]
Nov 20 14:28:06 mail postfix/cleanup[4693]: E2180A72621: message-id=<20240923A9@smtp.6circles.cc>
Nov 20 14:28:06 mail postfix/qmgr[4547]: E2180A72621: from=<zibiten@york.cc>, size=647, nrcpt=1 (queue active)
Nov 20 14:28:06 mail postfix/smtpd[4689]: disconnect from smtp.6circles.cc[192.168.137.2] ehlo=2 starttls=1 mail=1 rcpt=1 data=1 quit=1 commands=7
Nov 20 14:28:06 mail postfix/smtp[4694]: E2180A72621: to=<kimchen@york.cc>, relay=mail.york.cc[192.168.137.5]:25, delay=0.05, delays=0.01/0.01/0.03/0.01, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as ED796A72631)
Nov 20 14:28:06 mail postfix/qmgr[4547]: E2180A72621: removed
)log";
    constexpr std::string_view york =
        R"log(Nov 20 14:28:06 mail postfix/postfix-script[4672]: starting the Postfix mail system
Nov 20 14:28:06 mail postfix/master[4674]: daemon started -- version 3.7.11, configuration /etc/postfix
Nov 20 14:28:06 mail postfix/smtpd[4695]: connect from mail.ohio.cc[192.168.137.9]
Nov 20 14:28:06 mail postfix/smtpd[4695]: ED796A72631: client=mail.ohio.cc[192.168.137.9]
Nov 20 14:28:06 mail postfix/cleanup[4700]: ED796A72631: message-id=<20240923A9@smtp.6circles.cc>
Nov 20 14:28:06 mail postfix/qmgr[4676]: ED796A72631: from=<zibiten@york.cc>, size=825, nrcpt=1 (queue active)
Nov 20 14:28:06 mail postfix/smtpd[4695]: disconnect from mail.ohio.cc[192.168.137.9] ehlo=2 starttls=1 mail=1 rcpt=1 data=1 quit=1 commands=7
Nov 20 14:28:06 mail postfix/local[4701]: ED796A72631: to=<kimchen@york.cc>, relay=local, delay=0.01, delays=0.01/0/0/0, dsn=2.0.0, status=sent (delivered to mailbox)
Nov 20 14:28:06 mail postfix/qmgr[4676]: ED796A72631: removed
)log";
    return host == smtp_host ? smtp : host == ohio_host ? ohio : york;
}

const std::string_view delivered_message = R"mail(From zibiten@york.cc  Fri Nov 20 14:28:06 2026
Return-Path: <zibiten@york.cc>
X-Original-To: kimchen@york.cc
Delivered-To: kimchen@york.cc
Received: from mail.ohio.cc (mail.ohio.cc [192.168.137.9])
	by mail.york.cc (Postfix) with ESMTPS id ED796A72631
	for <kimchen@york.cc>; Fri, 20 Nov 2026 14:28:06 +0000 (UTC)
Received: from smtp.6circles.cc (smtp.6circles.cc [192.168.137.2])
	by mail.ohio.cc (Postfix) with ESMTPS id E2180A72621
	for <kimchen@york.cc>; Fri, 20 Nov 2026 14:28:06 +0000 (UTC)
Received: by smtp.6circles.cc (Postfix, from userid 65534)
	id D7680A721F5; Fri, 20 Nov 2026 14:28:06 +0000 (UTC)
X-Spam-Status: No
Received: from laptop.6circles.cc (laptop.6circles.cc [192.168.137.10])
	by smtp.6circles.cc (Postfix) with ESMTPS id BF807A725F1
	for <kimchen@york.cc>; Fri, 20 Nov 2026 14:28:06 +0000 (UTC)
From: zibiten@york.cc
To: kimchen@york.cc
Subject: lunch
Message-Id: <20240923A9@smtp.6circles.cc>

Noon at the usual place?

)mail";

}  // namespace sim::record::samples
