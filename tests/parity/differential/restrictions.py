"""Random restriction lists, as SMTPD_ACCESS_README and postconf(5) name what may stand in them."""
import names

ANY = ["permit", "reject", "defer", "defer_if_permit", "defer_if_reject", "reject_multi_recipient_bounce", "reject_plaintext_session", "reject_unauth_pipelining"]
CLIENT = ["permit_mynetworks", "permit_mynetworks", "permit_sasl_authenticated", "permit_inet_interfaces", "permit_naked_ip_address", "reject_unknown_client_hostname",
          "reject_unknown_client", "reject_unknown_reverse_client_hostname", "reject_unknown_forward_client_hostname", "permit_tls_clientcerts", "permit_tls_all_clientcerts"]
HELO = ["reject_invalid_helo_hostname", "reject_non_fqdn_helo_hostname", "reject_unknown_helo_hostname", "reject_invalid_hostname", "reject_non_fqdn_hostname",
        "reject_unknown_hostname"]
SENDER = ["reject_non_fqdn_sender", "reject_unknown_sender_domain", "reject_unlisted_sender", "reject_authenticated_sender_login_mismatch",
          "reject_known_sender_login_mismatch", "reject_sender_login_mismatch", "reject_unauthenticated_sender_login_mismatch"]
RECIPIENT = ["permit_auth_destination", "permit_mx_backup", "reject_non_fqdn_recipient", "reject_unauth_destination", "defer_unauth_destination",
             "reject_unknown_recipient_domain", "reject_unlisted_recipient"]
TABLES = {"client": ["check_client_access", "check_reverse_client_hostname_access", "check_client_a_access", "check_client_mx_access", "check_client_ns_access",
                     "check_reverse_client_hostname_a_access", "check_reverse_client_hostname_mx_access", "check_reverse_client_hostname_ns_access"],
          "helo": ["check_helo_access", "check_helo_access", "check_helo_a_access", "check_helo_mx_access", "check_helo_ns_access"],
          "sender": ["check_sender_access", "check_sender_access", "check_sender_a_access", "check_sender_mx_access", "check_sender_ns_access", "check_sasl_access"],
          "recipient": ["check_recipient_access", "check_recipient_access", "check_recipient_a_access", "check_recipient_mx_access", "check_recipient_ns_access"]}
BY_ADDRESS = ["reject_rbl_client", "permit_dnswl_client"]
BY_NAME = ["reject_rhsbl_client", "reject_rhsbl_reverse_client", "reject_rhsbl_helo", "reject_rhsbl_sender", "reject_rhsbl_recipient", "permit_rhswl_client"]


class Restrictions:
    def __init__(self, r, tables, classes):
        self.r, self.tables, self.classes = r, tables, classes

    def dns_list(self, of):
        r = self.r
        return r.choice(of) + r.choice(("", "", "=127.0.0.2", "=127.0.[0..1].[2..4;10]", "=127.0.1.[2;3]", "=127.0.0.300"[:11]))

    def table_of(self, name):
        what = "client" if name.startswith(("check_client_access", "check_reverse_client_hostname_access")) or "_a_" in name else \
            "address" if name in ("check_sender_access", "check_recipient_access", "check_sasl_access") else self.r.choice(("domain", "domain", "client"))
        return self.tables.access(what)

    def one(self, stage):
        """A restriction that makes sense at this stage, or at times any."""
        r = self.r
        stages = ["client", "helo", "sender", "recipient"]
        if r.random() < 0.85:
            stages = stages[:stages.index(stage) + 1]
            stage = r.choice((stage, stage, stage, r.choice(stages)))
        else:
            stage = r.choice(stages)
        roll = r.random()
        if roll < 0.08:
            name = r.choice(ANY)
        elif roll < 0.5:
            name = r.choice(TABLES[stage])
            name = f"{name} {self.table_of(name)}"
        elif roll < 0.58:
            name = r.choice(BY_ADDRESS)
            name = f"{name} {self.dns_list(names.LISTS)}"
        elif roll < 0.66:
            name = r.choice(BY_NAME)
            name = f"{name} {self.dns_list(names.NAME_LISTS)}"
        elif roll < 0.69 and self.classes:
            name = r.choice(self.classes)
        elif roll < 0.70:
            name = r.choice(("no_such_restriction", "permit_mynetwork", "OK", "550", "DUNNO"))
        elif roll < 0.71:
            name = self.tables.table_file("domain", self.tables.action)         # a bare table, the old way
        else:
            name = r.choice({"client": CLIENT, "helo": HELO, "sender": SENDER, "recipient": RECIPIENT}[stage])
        return f"warn_if_reject {name}" if r.random() < 0.05 else name

    def of(self, stage, least, most):
        return ", ".join(self.one(stage) for _ in range(self.r.randint(least, most)))

    def any_list(self, least, most):
        return self.of(self.r.choice(("client", "helo", "sender", "recipient")), least, most)

    def lists(self):
        r, chosen = self.r, {}
        for name, stage, chance in (("smtpd_client_restrictions", "client", 0.5), ("smtpd_helo_restrictions", "helo", 0.5), ("smtpd_sender_restrictions", "sender", 0.5),
                                    ("smtpd_recipient_restrictions", "recipient", 0.6), ("smtpd_data_restrictions", "recipient", 0.25),
                                    ("smtpd_end_of_data_restrictions", "recipient", 0.15), ("smtpd_etrn_restrictions", "client", 0.25)):
            if r.random() < chance:
                chosen[name] = self.of(stage, 1, 4)
        if r.random() < 0.5:        # smtpd(8) does not start without something that works at the end
            least = self.of("recipient", 0, 2)
            chosen["smtpd_relay_restrictions"] = (least + ", " if least else "") + r.choice(("reject_unauth_destination", "defer_unauth_destination", "reject", "permit_mynetworks, reject_unauth_destination"))
        return chosen
