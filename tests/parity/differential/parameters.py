"""Random values of smtpd(8)'s own parameters, beside its restriction lists."""
import model
import names

FOOTERS = ("\\c. See $client_address", "For help: $localtime_not", "Contact us about $sender to $recipient", "one\\nfour $server_name $helo_name", "${sender?{from $sender}:{no sender}}", "$$ $client_name")
RATES = ("smtpd_client_connection_rate_limit", "smtpd_client_message_rate_limit", "smtpd_client_recipient_rate_limit", "smtpd_client_auth_rate_limit")


def sasl(r):
    """What only a server with logins looks at."""
    return rows(r, (
        ("smtpd_sasl_security_options", 0.15, lambda: r.choice(("noanonymous", "noplaintext", "", "noanonymous, noplaintext", "noactive", "nodictionary noanonymous", "mutual_auth"))),
        ("smtpd_sasl_mechanism_filter", 0.1, lambda: r.choice(("plain", "!plain, static:all", "login, plain", "static:all", "!external, static:rest", "cram-md5"))),
        ("smtpd_sasl_local_domain", 0.08, lambda: r.choice(("", "lab.test", "$myhostname"))),
        ("smtpd_sasl_response_limit", 0.04, lambda: r.choice(("12288", "20000"))), ("smtpd_sasl_authenticated_header", 0.03, lambda: "yes")))


def tls(r):
    """What only a server with a certificate looks at."""
    return rows(r, (
        ("smtpd_tls_security_level", 0.4, lambda: r.choice(("may", "encrypt", "none", ""))), ("smtpd_tls_auth_only", 0.2, lambda: "yes"), ("smtpd_tls_ask_ccert", 0.1, lambda: "yes"),
        ("smtpd_tls_req_ccert", 0.05, lambda: "yes"), ("smtpd_enforce_tls", 0.06, lambda: "yes"), ("smtpd_use_tls", 0.06, lambda: r.choice(("yes", "no"))),
        ("smtpd_sasl_tls_security_options", 0.1, lambda: r.choice(("noanonymous", "noplaintext", "")))))


def rates(r):
    """Limits of a service that nobody says XCLIENT to: who may is not counted."""
    chosen = {name: str(r.randint(1, 8)) for name in RATES if r.random() < 0.35}
    if r.random() < 0.2:
        chosen["smtpd_client_event_limit_exceptions"] = r.choice(("", "static:all", model.CLIENT_ADDRESS, "!192.168.137.66, 192.168.0.0/16", "probe.lab.test", ".lab.test"))
    return chosen


def rows(r, of):
    return {name: make() for name, chance, make in of if r.random() < chance}


def others(r, tables):
    return rows(r, (
        ("mynetworks", 0.3, lambda: ", ".join(each for each in names.NETWORKS if r.random() < 0.3) or "127.0.0.0/8"),
        ("parent_domain_matches_subdomains", 0.1, lambda: r.choice(("", "smtpd_access_maps", "permit_mx_backup_networks", "smtpd_client_event_limit_exceptions, fast_flush_domains"))),
        ("smtpd_recipient_limit", 0.1, lambda: str(r.randint(1, 3))), ("smtpd_recipient_overshoot_limit", 0.04, lambda: r.choice(("1", "2"))),
        ("smtpd_hard_error_limit", 0.06, lambda: str(r.randint(1, 8))), ("smtpd_junk_command_limit", 0.06, lambda: str(r.randint(1, 8))),
        ("message_size_limit", 0.1, lambda: r.choice(("0", "300", "1000", "100000"))), ("line_length_limit", 0.03, lambda: r.choice(("512", "600"))), ("queue_minfree", 0.02, lambda: "4000000000000000"),
        ("smtpd_null_access_lookup_key", 0.05, lambda: r.choice(("null", "far.test", "alice@lab.test"))), ("smtpd_reject_footer", 0.08, lambda: r.choice(FOOTERS)),
        ("smtpd_reject_footer_maps", 0.05, lambda: r.choice(("regexp:", "pcre:")) + tables.file("/^550 5\\.1/ unknown, $client_name\n/^4(.)/ \\c, later $1\n/^5/ DUNNO\n")),
        ("default_rbl_reply", 0.1, lambda: r.choice(("$rbl_code Service refused; $rbl_class [$rbl_what] by $rbl_domain${rbl_reason?; $rbl_reason}", "450 4.7.9 $client listed in $rbl_domain",
                                                     "$rbl_code 5.7.8 $client_name $client_address $helo_name $sender $recipient $rbl_txt", "${rbl_reason:no reason} 550", "$rbl_code ${helo_name?{$helo_name}:{none}} $nonsense"))),
        ("rbl_reply_maps", 0.06, lambda: "inline:{{bl.test=550 5.7.7 $client on $rbl_domain}, {dbl.test=$rbl_code name $rbl_what}}"), ("maps_rbl_domains", 0.1, lambda: r.choice(("bl.test, bl2.test", "wl.test", ""))),
        ("smtpd_noop_commands", 0.08, lambda: "EXPN, FROB"), ("smtpd_forbidden_commands", 0.08, lambda: r.choice(("CONNECT GET", "NOOP, frob", "regexp:{{/^help/ x}}", "{CONNECT GET POST}", ""))),
        ("smtpd_discard_ehlo_keywords", 0.1, lambda: r.choice(("dsn", "dsn, size", "pipelining etrn", "smtputf8", "silent-discard, 8bitmime", "auth chunking", "xclient", "starttls", "nonsense", "enhancedstatuscodes vrfy"))),
        ("smtpd_discard_ehlo_keyword_address_maps", 0.05, lambda: r.choice(("inline:{{192.0.2.1=dsn}, {10.0.0.1=smtputf8 vrfy}}", f"inline:{{{model.CLIENT_ADDRESS}=chunking dsn}}", "cidr:{{192.168.0.0/16 auth starttls}}"))),
        ("smtpd_command_filter", 0.05, lambda: r.choice(("pcre:" + tables.file("/^(RCPT\\s+TO:\\S+)\\s+\\(.*\\)$/ $1\n/^FROB/ NOOP\n/^(HELO|EHLO)$/ $1 unnamed\n/^DATA (.*)/ VRFY $1\n"), "fail:down", "static:{NOOP}"[:6] + ":NOOP"))),
        ("permit_mx_backup_networks", 0.2, lambda: r.choice(("192.0.2.0/24", "198.51.100.0/24, !192.0.2.40", "0.0.0.0/0"))),
        ("fast_flush_domains", 0.2, lambda: r.choice(("", "relay.test, far.test", "$relay_domains", "static:all"))),
        ("smtpd_banner", 0.1, lambda: r.choice(("$myhostname ESMTP $mail_name ($mail_version)", "hello.test SMTP", "${myhostname?{$myhostname}:{none}} x  y"))),
        ("myhostname", 0.03, lambda: "other.lab.test"), ("mydestination", 0.04, lambda: "$myhostname, sub.lab.test"), ("relay_domains", 0.05, lambda: r.choice(("", "far.test", "hash:$lab_files/no-such-table"))),
        ("mail_name", 0.02, lambda: "Mailer"), ("myorigin", 0.02, lambda: "sub.lab.test"), ("double_bounce_sender", 0.05, lambda: "x"), ("recipient_delimiter", 0.1, lambda: r.choice(("+", "-", "", "+-"))),
        ("canonical_maps", 0.06, lambda: tables.recipient_map(names.FAR + names.OURS, lambda: "bob@lab.test")), ("recipient_canonical_maps", 0.06, lambda: tables.recipient_map(names.BOXED + names.RELAYED, lambda: "bob@lab.test")),
        ("sender_canonical_maps", 0.06, lambda: tables.recipient_map(names.OURS, lambda: "bob@lab.test")), ("virtual_alias_maps", 0.06, lambda: tables.recipient_map(names.ALIASED + names.RELAYED, lambda: "bob@lab.test")),
        ("virtual_mailbox_maps", 0.05, lambda: r.choice(("", "static:all", "fail:down"))), ("virtual_mailbox_domains", 0.03, lambda: "far.test"), ("virtual_alias_domains", 0.03, lambda: "far.test"),
        ("smtpd_expansion_filter", 0.03, lambda: "abcdefghijklmnopqrstuvwxyz"), ("unverified_sender_reject_code", 0.02, lambda: "550"), ("smtpd_sasl_exceptions_networks", 0.05, lambda: r.choice(("192.0.2.0/24", "$mynetworks", "static:all"))),
        ("smtpd_dns_reply_filter", 0.05, lambda: "regexp:" + tables.file("/^mx\\.far\\.test/ IGNORE\n/203\\.0\\.113\\.7/ IGNORE\n")), ("smtpd_log_access_permit_actions", 0.05, lambda: "static:all"),
        ("smtpd_peername_lookup", 0.04, lambda: "no"), ("smtpd_authorized_verp_clients", 0.05, lambda: r.choice(("static:all", "192.0.2.1, 10.0.0.0/8"))), ("verp_delimiter_filter", 0.02, lambda: "-=+x"),
        ("smtpd_authorized_xforward_hosts", 0.2, lambda: r.choice(("static:all", "192.0.2.0/24", "!10.0.0.1, 0.0.0.0/0"))),
        ("smtpd_forbid_bare_newline", 0.06, lambda: r.choice(("yes", "no"))), ("smtpd_forbid_bare_newline_exclusions", 0.04, lambda: ""), ("smtpd_forbid_bare_newline_reject_code", 0.03, lambda: r.choice(("554", "521"))),
        ("smtpd_forbid_unauth_pipelining", 0.06, lambda: "yes"), ("empty_address_default_transport_maps_lookup_key", 0.02, lambda: "x"),
        ("smtpd_policy_service_try_limit", 1, lambda: "1"), ("smtpd_policy_service_default_action", 0.05, lambda: r.choice(("DUNNO", "451 4.3.9 no policy", "REJECT no policy", "nonsense"))),
        ("smtpd_tls_security_level", 0.02, lambda: r.choice(("encrypt", "may"))), ("smtpd_per_record_deadline", 0.01, lambda: "yes")))
