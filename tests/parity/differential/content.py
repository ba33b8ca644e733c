"""Random parameters of cleanup(8), which has its say when the message ends."""
import names

ACTIONS = ("REJECT", "REJECT 5.7.9 no spam", "REJECT 4.7.1 later", "REJECT not here", "DISCARD", "HOLD", "WARN look", "IGNORE", "PREPEND X-Seen: yes", "REPLACE Subject: hello", "FILTER discard:x", "REDIRECT bob@lab.test",
           "DUNNO", "INFO noted", "STRIP", "BCC bob@lab.test", "nonsense", "450 4.7.1 x", "DEFER")
HEADER_KEYS = ("/^Subject: .*spam/", "/^X-Tag:/", "/^Received:/", "/^Subject:/", "/^From: <x/", "!/^[A-Z]/", "/evil\\.exe/", "/^X-Folded:.*two/", "/^Content-Type: message/", "/^Subject: (.*)$/")
BODY_KEYS = ("/spam/", "/^text/", "/^\\.dot/", "/caf/", "/^From /", "/^$/")


def checks(r, tables, keys):
    lines = [f"{r.choice(keys)} {r.choice(ACTIONS)}" for _ in range(r.randint(1, 3))]
    if r.random() < 0.2:
        lines = [f"if {r.choice(keys).removeprefix('!')}", *lines, "endif"]
    return f"{r.choice(('pcre', 'regexp'))}:{tables.file(chr(10).join(lines) + chr(10))}"


def parameters(r, tables):
    chosen = {}
    for name, keys, chance in (("header_checks", HEADER_KEYS, 0.4), ("body_checks", BODY_KEYS, 0.3), ("mime_header_checks", HEADER_KEYS, 0.15), ("nested_header_checks", HEADER_KEYS, 0.15)):
        if r.random() < chance:
            chosen[name] = checks(r, tables, keys)
    for name in ("strict_7bit_headers", "strict_8bitmime", "strict_8bitmime_body", "strict_mime_encoding_domain", "disable_mime_input_processing", "detect_8bit_encoding_header", "enable_original_recipient"):
        if r.random() < 0.12:
            chosen[name] = r.choice(("yes", "yes", "no"))
    for name, values in (("header_size_limit", ("40", "200", "102400")), ("hopcount_limit", ("3", "50")), ("mime_nesting_limit", ("1", "100")), ("body_checks_size_limit", ("10", "51200")), ("virtual_alias_expansion_limit", ("1", "2")),
                         ("virtual_alias_recursion_limit", ("1", "2")), ("virtual_alias_address_length_limit", ("10", "1000")), ("header_address_token_limit", ("5", "10240")), ("message_reject_characters", ("\\0", "\\003y")),
                         ("message_strip_characters", ("\\0", "x")), ("always_bcc", ("bob@lab.test", "nobody@far.test")), ("undisclosed_recipients_header", ("To: nobody", ""))):
        if r.random() < 0.08:
            chosen[name] = r.choice(values)
    for name, domains in (("recipient_canonical_maps", names.OURS), ("sender_canonical_maps", names.FAR), ("sender_bcc_maps", names.FAR), ("recipient_bcc_maps", names.OURS)):
        if r.random() < 0.08:
            chosen[name] = r.choice((tables.recipient_map(domains, lambda: "bob@lab.test"), "fail:down"))
    return chosen
