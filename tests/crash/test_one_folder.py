"""Two runs in one folder: one wins, the other leaves within a second and names the owner.

The second is one of its processor: what other programs take of the machine is not its fault.
"""

from pathlib import Path

from tests.crash.forkserver import Forkserver, train_command
from tests.crash.journal import Journal
from tests.crash.scene import FINAL_NAME, Whole, defects, differences, tensors
from tests.tally import count, record

NUM_PAIRS = count("PAIR", 2)
SECONDS = 1.0


def raced(server: Forkserver, whole: Whole, folder: Path) -> list[str]:
    """Two starts at once: what was not as promised."""
    argv, pids = train_command(whole.tasks, folder / "run"), []
    for number in (0, 1):
        Journal(folder / f"journal-{number}")
        pids.append(
            server.start(folder / f"log-{number}", argv=argv, journal=str(folder / f"journal-{number}"))
        )
    codes = [server.wait(pid) for pid in pids]
    texts = [(folder / f"log-{number}").read_text() for number in (0, 1)]
    if sorted(codes) != [0, 1]:
        return [f"exits {codes}: {texts}"]
    loser = codes.index(1)
    journal = Journal(folder / f"journal-{loser}")
    faults = defects(folder / "run") + differences(tensors(folder / "run" / FINAL_NAME), whole.weights)
    lines = [line for line in texts[loser].splitlines() if line.startswith("error: ")]
    if len(lines) != 1 or f"in use by process {pids[1 - loser]};" not in lines[0]:
        faults.append(f"process {pids[1 - loser]} owns the folder, said was {texts[loser]!r}")
    if journal["steps"]:
        faults.append("the loser has trained")
    if (seconds := journal["processor_nanoseconds"] / 1e9) > SECONDS:
        faults.append(f"the loser took {seconds:.1f} s")
    return faults


def test_one_of_two_wins(forkserver: Forkserver, whole: Whole, tmp_path: Path) -> None:
    faults = []
    for number in range(NUM_PAIRS):
        (folder := tmp_path / str(number)).mkdir()
        faults += [f"pair {number}: {fault}" for fault in raced(forkserver, whole, folder)]
    record(16, "pairs of runs", NUM_PAIRS, NUM_PAIRS - len({fault.split(":")[0] for fault in faults}))
    assert not faults
