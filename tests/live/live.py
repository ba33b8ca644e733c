"""What the tests of live labs share: running relaylab, and the places that it tells of."""
import os, pathlib, re, subprocess, sys, tempfile

root = pathlib.Path(__file__).resolve().parents[2]
program = pathlib.Path(sys.argv[1]).resolve()
NOBODY = 65534


def check(claim, what):
    if not claim: sys.exit(f"FAILED: {what}")


def as_user(user):
    return {} if user is None else {"user": user, "group": user, "extra_groups": []}


def may_play(user):
    """Whether that user can reach the program and the scenarios at all."""
    test = ["test", "-x", program, "-a", "-r", root / "topologies/open-relay-chain.yaml"]
    return subprocess.run(test, **as_user(user)).returncode == 0


def play(scenario, out, *options, user=None):
    """A finished run: stderr has the places."""
    run = subprocess.run([program, "run", scenario, "--out", out, *options], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True, errors="replace", timeout=120, **as_user(user))
    check(run.returncode == 0, f"relaylab run {scenario} {' '.join(options)}: exit {run.returncode}\n{run.stdout}\n{run.stderr}")
    return run


def places(told):
    """{machine: (address, port of its port 25)}; the port is None for clients."""
    found = re.findall(r"^live: (\S+) \S+ (?:port 25 )?is (127\.\S+)(?: port (\d+))?$", told, re.M)
    check(found, f"no places in:\n{told}")
    return {name: (address, int(port) if port else None) for name, address, port in found}


def folder_for(user=None):
    folder = tempfile.TemporaryDirectory()
    if user is not None: os.chown(folder.name, user, user)
    return folder
