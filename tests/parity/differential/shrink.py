"""A difference made small: what can be left out is left out, as long as the two sides still differ."""
import copy
import time

import model

AT_ONCE = 24            # candidates that are tried side by side, each a service of one batch
LIMIT_S = 180


def shrink(judge, batch, difference):
    """A batch of one service with one dialogue that still differs, as small as some minutes allow."""
    end = time.monotonic() + LIMIT_S
    half = end - LIMIT_S / 2            # the rest is for what the whole batch has
    number, which, *_ = difference
    service = copy.deepcopy(batch.services[number])
    service.dialogues = [service.dialogues[which]]
    best = batch.with_services([service])
    if not judge.differences(best):
        best.services[0].dialogues = batch.services[number].dialogues[:which + 1]       # it needs what came before
    progress = True
    while progress:
        progress = False
        for smaller in (shorter_dialogues, fewer_options, shorter_lists, shorter_files):
            while time.monotonic() < half and (found := first_that_differs(judge, best, smaller(best.services[0]))) is not None:
                best, progress = best.with_services([found]), True
    best = smaller_main(judge, best, end)
    used = str(best.services[0].options) + str(best.main) + str(list(best.services[0].files.values()))
    best.services[0].files = {name: text for name, text in best.services[0].files.items() if f"$lab_files/{name}" in used}
    return best


def first_that_differs(judge, batch, candidates):
    for begin in range(0, len(candidates), AT_ONCE):
        services = []
        for number, candidate in enumerate(candidates[begin:begin + AT_ONCE]):
            candidate.port = model.FIRST_PORT + number
            services.append(candidate)
        if differing := judge.differences(batch.with_services(services)):
            return services[differing[0][0]]
    return None


def changed(service, **what):
    other = copy.deepcopy(service)
    for name, value in what.items():
        setattr(other, name, value)
    return other


def shorter_dialogues(service):
    made = []
    for number, lines in enumerate(service.dialogues):
        others = service.dialogues[:number], service.dialogues[number + 1:]
        if len(service.dialogues) > 1:
            made.append(changed(service, dialogues=others[0] + others[1]))
        size = len(lines) // 2
        while size >= 1:
            made += [changed(service, dialogues=others[0] + [lines[:at] + lines[at + size:]] + others[1]) for at in range(0, len(lines), size)]
            size //= 2
    return made


def fewer_options(service):
    names, made, size = list(service.options), [], len(service.options) // 2
    while size >= 1:
        for at in range(0, len(names), size):
            gone = set(names[at:at + size])
            made.append(changed(service, options=with_classes({name: value for name, value in service.options.items() if name not in gone})))
        size //= 2
    return made


def with_classes(options):
    """A restriction class that is declared wants its definition, or smtpd(8) does not start."""
    if "smtpd_restriction_classes" in options:
        options["smtpd_restriction_classes"] = ", ".join(name for name in model.pieces(options["smtpd_restriction_classes"]) if name in options)
    return options


def shorter_lists(service):
    made = []
    for name, value in service.options.items():
        items = model.pieces(value)
        if len(items) > 1:
            made += [changed(service, options={**service.options, name: ", ".join(items[:at] + items[at + 1:])}) for at in range(len(items))]
    return made


def shorter_files(service):
    made = []
    for name, text in service.files.items():
        lines = text.splitlines(keepends=True)
        if len(lines) > 1:
            made += [changed(service, files={**service.files, name: "".join(lines[:at] + lines[at + 1:])}) for at in range(len(lines))]
    return made


def smaller_main(judge, batch, end):
    """main.cf and the zones are the batch's, so each candidate is a batch of its own."""
    kept = ("inet_interfaces", "smtpd_authorized_xclient_hosts")
    batch = without_some(judge, batch, "zones", list(batch.zones), end)
    batch = without_some(judge, batch, "main", [name for name in batch.main if name not in kept and not name.startswith("smtpd_")], end)
    batch = copy.deepcopy(batch)
    batch.files = {name: text for name, text in batch.files.items() if f"$lab_files/{name}" in str(batch.main)}
    for name, nothing in (("users_sasl", {}), ("tls", False)):
        candidate = copy.deepcopy(batch)
        setattr(candidate, name, nothing)
        if time.monotonic() < end and judge.differences(candidate):
            batch = candidate
    return batch


def without_some(judge, batch, part, names, end):
    """Without what can go of a part: all of it, or halves, or quarters, down to single entries."""
    size = len(names)
    while size >= 1:
        for at in range(0, len(names), size):
            gone = set(names[at:at + size])
            left = {name: value for name, value in getattr(batch, part).items() if name not in gone}
            if time.monotonic() >= end or len(left) == len(getattr(batch, part)):
                continue
            candidate = copy.deepcopy(batch)
            setattr(candidate, part, left)
            if judge.differences(candidate):
                batch = candidate
        size //= 2
    return batch
