"""Recorded batches: configurations, dialogues and what real Postfix answered, for machines without one.

One line of JSON for each batch, compressed: {"batch": ..., "truth": transcripts of each service}.
"""
import gzip
import json

import model


def write(path, records):
    with gzip.GzipFile(path, "wb", mtime=0) as out:
        for batch, truth in records:
            out.write((json.dumps({"batch": batch.as_json(), "truth": truth}, ensure_ascii=False, separators=(",", ":")) + "\n").encode())


def read(path):
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            yield model.from_json(record["batch"]), record["truth"]


def without(batch, truth, differences):
    """The batch and its truth without the dialogues that differ."""
    dropped = {(number, which) for number, which, *_ in differences}
    services, kept = [], []
    for number, (service, transcripts) in enumerate(zip(batch.services, truth)):
        keep = [which for which in range(len(service.dialogues)) if (number, which) not in dropped]
        services.append(model.Service(service.port, service.options, service.files, [service.dialogues[which] for which in keep]))
        kept.append([transcripts[which] for which in keep])
    return batch.with_services(services), kept


class Recording:
    """Takes the place of real Postfix for one recorded batch."""

    def __init__(self, truth):
        self.truth = truth

    def play(self, _):
        return self.truth
