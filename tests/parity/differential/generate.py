"""Random batches: configurations of smtpd(8) and the dialogues that probe them.

A batch is a function of its seed and number alone, on any machine and Python.
"""
import random

import content
import model
import names
import parameters
from probes import Probes
from restrictions import Restrictions
from tables import Tables

SERVICES = 24
PROBES = 30             # for each service

BOOLEANS = ["smtpd_delay_reject", "smtpd_helo_required", "strict_rfc821_envelopes", "disable_vrfy_command", "smtpd_reject_unlisted_recipient",
            "smtpd_reject_unlisted_sender", "show_user_unknown_table_name", "soft_bounce", "smtputf8_enable", "strict_smtputf8",
            "allow_untrusted_routing", "smtpd_relay_before_recipient_restrictions", "broken_sasl_auth_clients", "smtpd_client_port_logging",
            "smtpd_sasl_auth_enable", "smtpd_log_access_permit_actions_"]
REJECT_CODES = ["access_map_reject_code", "access_map_defer_code", "defer_code", "reject_code", "invalid_hostname_reject_code", "non_fqdn_reject_code",
                "relay_domains_reject_code", "maps_rbl_reject_code", "multi_recipient_bounce_reject_code", "plaintext_reject_code",
                "unknown_address_reject_code", "unknown_client_reject_code", "unknown_hostname_reject_code", "unknown_local_recipient_reject_code",
                "unknown_relay_recipient_reject_code", "unknown_virtual_alias_reject_code", "unknown_virtual_mailbox_reject_code"]
TEMPFAIL_ACTIONS = ["unknown_address_tempfail_action", "unknown_helo_hostname_tempfail_action", "reject_tempfail_action"]
COMMON = {"smtpd_error_sleep_time": "0", "smtpd_hard_error_limit": "1000", "smtpd_soft_error_limit": "1000", "smtpd_junk_command_limit": "1000",
          "smtpd_client_connection_count_limit": "0", "smtpd_client_connection_rate_limit": "0", "in_flow_delay": "0", "inet_interfaces": model.HOST_ADDRESS,
          "smtpd_authorized_xclient_hosts": "static:all"}


def some(r, of, chance):
    return [each for each in of if r.random() < chance]


def main_cf(r, tables):
    """What the whole batch shares: what trivial-rewrite(8) and cleanup(8) read too."""
    ours = ["$myhostname", *names.OURS, *some(r, ["localhost", "localhost.$mydomain", "$mydomain"], 0.4)]
    main = {**COMMON, "mydestination": ", ".join(ours), "relay_domains": ", ".join(names.RELAYED), "virtual_alias_domains": ", ".join(names.ALIASED),
            "virtual_mailbox_domains": ", ".join(names.BOXED), "mynetworks": ", ".join(some(r, names.NETWORKS, 0.3) or ["127.0.0.0/8"]),
            "virtual_alias_maps": tables.recipient_map(names.ALIASED + names.OURS, lambda: f"{r.choice(('alice', 'bob'))}@vmbox.test"),
            "virtual_mailbox_maps": tables.recipient_map(names.BOXED), "virtual_transport": "discard:"}
    if r.random() < 0.5:
        main["recipient_delimiter"] = r.choice(("+", "-", "+-", "."))
    for name in ("append_at_myorigin", "append_dot_mydomain", "swap_bangpath", "allow_percent_hack", "allow_min_user", "resolve_dequoted_address",
                 "resolve_null_domain", "resolve_numeric_domain"):
        if r.random() < 0.2:
            main[name] = r.choice(("yes", "no"))
    if r.random() < 0.3:
        main["transport_maps"] = tables.recipient_map(names.FAR + names.RELAYED, lambda: r.choice(("discard:", "error:5.1.9 not here", "retry:4.1.9 later", "smtp:[192.0.2.1]", ":")))
    if r.random() < 0.3:
        main["parent_domain_matches_subdomains"] = r.choice(("", "relay_domains", "smtpd_access_maps", "mynetworks, permit_mx_backup_networks"))
    if r.random() < 0.15:
        del main["mynetworks"]
        main["mynetworks_style"] = r.choice(("host", "subnet", "class"))
    if r.random() < 0.2:
        main["relayhost"] = "[192.0.2.25]"
    return main


def without(value, classes):
    """A class's list without itself and those after it: real Postfix calls itself until its stack ends, and crashes."""
    return ", ".join(each for each in model.pieces(value) if each.removeprefix("warn_if_reject ") not in classes) or "permit_mynetworks"


def options(r, tables, classes):
    """The master.cf overrides of one service."""
    chosen = {}
    for name in BOOLEANS[:-1]:
        if r.random() < 0.15:
            chosen[name] = r.choice(("yes", "no"))
    for name in REJECT_CODES:
        if r.random() < 0.08:
            chosen[name] = r.choice(("450", "550", "554", "421", "521", "499", "571"))
    for name in TEMPFAIL_ACTIONS:
        if r.random() < 0.15:
            chosen[name] = r.choice(("defer", "defer_if_permit"))
    for name, domains in (("relay_recipient_maps", names.RELAYED + ["sub.relay.test"]), ("local_recipient_maps", names.OURS),
                          ("smtpd_sender_login_maps", names.OURS + names.FAR)):
        if r.random() < 0.3:
            value = (lambda: ", ".join(some(r, names.LOGINS, 0.4) or ["nobody"])) if "login" in name else (lambda: "x")
            chosen[name] = tables.recipient_map(domains, value)
    chosen.update(parameters.others(r, tables))
    if classes:
        chosen["smtpd_restriction_classes"] = ", ".join(classes)
    restrictions = Restrictions(r, tables, classes)
    for number, name in enumerate(classes):
        chosen[name] = without(restrictions.any_list(1, 3), classes[number:])
    chosen.update(restrictions.lists())
    return chosen


def service(r, number, sasl, tls):
    classes = [f"class{each}" for each in range(r.choice((0, 0, 1, 2)))]
    tables = Tables(r, f"s{number}t", classes)
    chosen = options(r, tables, classes)
    if sasl:
        chosen.update(parameters.sasl(r))
    if tls:
        chosen.update(parameters.tls(r))
    xclient = r.random() < 0.85
    if not xclient:
        chosen["smtpd_authorized_xclient_hosts"] = ""
        chosen.update(parameters.rates(r))
    port = model.FIRST_PORT + number
    probes = Probes(r, sasl and chosen.get("smtpd_sasl_auth_enable") != "no", tls, xclient)
    return model.Service(port, chosen, tables.files, probes.dialogues(PROBES))


def batch(seed, number, services=SERVICES):
    r = random.Random(f"{seed}/{number}")
    tables = Tables(r, "main")
    main = main_cf(r, tables)
    main.update(content.parameters(r, tables))
    sasl = {"alice": "secret", "bob": "secret"} if r.random() < 0.6 else {}
    made = model.Batch(f"differential-{seed}-{number}", main, tables.files, names.zones(r), [], users_sasl=sasl, tls=r.random() < 0.4)
    made.services = [service(r, each, bool(sasl), made.tls) for each in range(services)]
    return made
