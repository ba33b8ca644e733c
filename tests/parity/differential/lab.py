"""The lab's side: a batch is one `relaylab run` in virtual time, through the front door that any user has."""
import json
import pathlib
import shutil
import subprocess
import tempfile

import model

LIMIT_S = 600


def play(program, batch):
    """The dialogues of each service."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="differential-"))
    try:
        (folder / "batch.yaml").write_text(json.dumps(model.scenario(batch), ensure_ascii=False))
        done = subprocess.run([program, "run", folder / "batch.yaml", "--out", folder / "run", "--quiet"],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors="replace", timeout=LIMIT_S, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"relaylab: exit status {done.returncode}\n{done.stdout[-4000:]}")
        texts = sorted((folder / "run" / "dialogues").iterdir(), key=lambda path: int(path.stem))
        transcripts = iter([path.read_text(errors="surrogateescape").splitlines() for path in texts])
        return [[next(transcripts) for _ in service.dialogues] for service in batch.services]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
