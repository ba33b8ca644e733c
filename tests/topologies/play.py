#!/usr/bin/python3
"""Play a ready topology twice: its expectations hold, and both runs are the same, byte for byte.

    play.py PROGRAM TOPOLOGY

Another seed must give other queue ids, or the comparison of the two runs would prove nothing.
"""
import pathlib
import subprocess
import sys
import tempfile


def play(program, topology, folder, *options):
    """What a run printed, and every file it left, by name."""
    folder.mkdir()
    done = subprocess.run([pathlib.Path(program).resolve(), "run", pathlib.Path(topology).resolve(), "--out", "run", "--db", "run.db",
                           "--pcap", "traffic.pcapng", *options], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=300, check=False)
    if done.returncode != 0:
        sys.exit(f"{(done.stdout + done.stderr).decode(errors='replace')}\nrelaylab: exit status {done.returncode}")
    files = {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
    return {"(standard output)": done.stdout, "(standard error)": done.stderr, **files}


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    program, topology = sys.argv[1:]
    with tempfile.TemporaryDirectory() as top:
        top = pathlib.Path(top)
        first, second = (play(program, topology, top / name) for name in ("first", "second"))
        different = [name for name in first.keys() | second.keys() if first.get(name) != second.get(name)]
        if different:
            sys.exit(f"two runs of {topology} differ in {', '.join(sorted(different))}")
        if not any(name.endswith("/maillog") for name in first) or b"== expectations" not in first["(standard output)"]:
            sys.exit(f"{topology}: no maillog, or nothing is expected of it")
        other = play(program, topology, top / "other", "--seed", "4711")
        if other["(standard output)"] == first["(standard output)"]:
            sys.exit(f"{topology}: --seed changes nothing")
    print(f"{len(first)} outputs the same twice")


main()
