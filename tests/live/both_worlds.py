#!/usr/bin/python3
"""The same scenarios in virtual time and on real sockets: no difference, whoever plays them and whatever has their ports.

    both_worlds.py PROGRAM [SCENARIO...]     all that the tests have, where none is named
"""
import concurrent.futures, os, socket, subprocess, sys
from live import NOBODY, check, folder_for, may_play, places, play, root

FAST = "20"
compare = root / "tests/parity/compare.py"


def differences(virtual, real):
    done = subprocess.run([sys.executable, compare, virtual, real], stdout=subprocess.PIPE, text=True)
    return "" if done.returncode == 0 else done.stdout


def hold_against(virtual, scenario, why, user=None):
    """Plays live and compares; the places."""
    with folder_for(user) as folder:
        run = play(scenario, f"{folder}/live", "--live", "--speed", FAST, user=user)
        difference = differences(virtual, f"{folder}/live")
    check(not difference, f"{scenario}, live, {why}:\n{difference}")
    print(f"same: {scenario} {why}", flush=True)
    return places(run.stderr)


def in_every_way(scenario):
    with folder_for() as folder:
        virtual = f"{folder}/virtual"
        play(scenario, virtual)
        free = hold_against(virtual, scenario, "alone")
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            beside = [pool.submit(hold_against, virtual, scenario, "beside others") for _ in range(3)]
            for each in beside: each.result()
        address, port = next(place for place in free.values() if place[1])
        with socket.create_server((address, port)):
            moved = hold_against(virtual, scenario, f"with port {port} taken")
        check(all(place[1] != port for place in moved.values()), f"port {port} was taken, and used: {moved}")
        if os.getuid() == 0 and not may_play(NOBODY):
            print(f"not tried as nobody, who cannot read {root}")
        elif os.getuid() == 0:
            moved = hold_against(virtual, scenario, "as nobody", user=NOBODY)
            check(all(place[1] is None or place[1] >= 1024 for place in moved.values()), f"low ports for nobody: {moved}")


if __name__ == "__main__":
    if not compare.exists():
        print(f"skipped: {compare} is not there")
        sys.exit(77)
    scenarios = sys.argv[2:] or [root / "topologies/open-relay-chain.yaml", *sorted((root / "tests/parity/cases").glob("*-chain/scenario.yaml"))]
    for each in scenarios: in_every_way(each)
