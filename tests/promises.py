"""What docs/reliability.md promises, row by row, and the tests that try it with their counts."""

from dataclasses import dataclass, field
from pathlib import PurePosixPath


@dataclass(frozen=True)
class Row:
    """A promise: what goes wrong, what holds nevertheless, and how many tries are the least to say so.

    The tries are by what is tried, in the words of the tally: a row may rest on several, each with its own.
    """

    fault: str
    promise: str
    least: dict[str, int]


@dataclass(frozen=True)
class Job:
    """One run of pytest, and the rows that its tests tell of."""

    rows: tuple[int, ...]
    tests: tuple[str, ...]
    counts: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The names of its files, and of the tests where these are named."""
        return "-".join(PurePosixPath(test).name.replace(".py", "").replace("::", ".") for test in self.tests)


ROWS = {
    1: Row(
        "SIGKILL at any instant of training",
        "the next start resumes from the newest intact checkpoint and ends bit for bit like a run that "
        "was not killed; at most one interval is lost, no temporary file remains",
        {"kills": 200, "kills within a save": 100},
    ),
    2: Row(
        "SIGKILL at every system call of a save",
        "the old checkpoint or the new one, never another",
        {"calls of the writer": 10, "states after a power cut, in a model of the disk": 25},
    ),
    3: Row(
        "SIGTERM, SIGINT",
        "the step is finished and saved, exit 143 or 130 within 10 s; a second signal ends the run at once",
        {
            "signals at random times": 50,
            "second signals": 12,
            "signals in the first seconds of the program": 12,
        },
    ),
    4: Row(
        "disk full, I/O error",
        "old files stay intact, nothing is left lying about, one line with the bytes needed and available",
        {"writes that fail": 50, "other calls that fail": 50},
    ),
    5: Row(
        "a checkpoint truncated, corrupted or from elsewhere",
        "detected before a tensor is used; a restart takes the previous one with one warning, a file that "
        "was named is refused",
        {"damaged files": 2000, "damaged headers": 10_000},
    ),
    6: Row(
        "another shape, recipe or other tasks",
        "refused with the first differences; rows are never reset silently",
        {"settings of a recipe": 40, "changes of the tasks": 10, "shapes of tensors": 250},
    ),
    7: Row(
        "NaN or infinity in loss, gradient, weight",
        "reaches no weight, optimizer, average or file; the exit names step and quantity",
        {"injections": 180},
    ),
    8: Row(
        "out of memory in a prediction",
        "batches are halved and the same rows tried again; a row that does not fit gets a fallback",
        {"limits of memory": 20},
    ),
    9: Row(
        "a worker is killed, crashes, hangs or sends nonsense",
        "the supervisor answers with what it has",
        {"workers that die or babble": 80, "workers that hang": 20},
    ),
    10: Row(
        "a time limit",
        "a valid, complete submission before it expires; a reader never sees an invalid file",
        {"random time limits, three seeds of tasks": 60},
    ),
    11: Row(
        "the supervisor is killed",
        "the last file is valid and complete",
        {
            "SIGKILLs of the supervisor": 100,
            "SIGTERMs of the supervisor": 10,
            "SIGINTs of the supervisor": 10,
        },
    ),
    12: Row(
        "malformed input",
        "read, or refused in one line that names the place, as an independent check judges",
        {
            "damaged task files": 100_000,
            "damaged puzzles": 10_000,
            "damaged candidates": 10_000,
            "damaged solutions": 10_000,
        },
    ),
    13: Row(
        "one hostile task among many",
        "the answers to the others stay the same, byte for byte",
        {"kinds of fault read": 50, "predictions with one of them": 50},
    ),
    14: Row(
        "a hostile checkpoint",
        "nothing in it is executed, one line refuses it; only `convert` opens a .pt, weights only, in a "
        "child process",
        {"payloads, each through every command": 20},
    ),
    15: Row(
        "hostile ids and markup",
        "nothing is written outside the folder; inert in HTML and terminal",
        {"hostile ids": 500, "markup in a page": 100},
    ),
    16: Row(
        "two runs in one folder",
        "one wins, the other exits within a second and names the owner's process",
        {"pairs of runs": 50},
    ),
    17: Row(
        "a hostile or partial submission to the scorer",
        "the truth decides what counts",
        {"random submissions": 1000, "damaged submissions": 10_000},
    ),
    18: Row("the same seed", "the same bytes, for any hash seed", {"pairs of runs": 5}),
    19: Row(
        "standard output or error closed, full, broken, hung up or stalled",
        "prediction, training and generation continue and keep their results; only the line is lost",
        {"ways to lose a line, each with predict, train and generate": 21},
    ),
    20: Row(
        "no home, no entry in the password file, no cache, an unusual umask, long names",
        "the same answers as in a normal environment",
        {"surroundings": 8},
    ),
    21: Row(
        "input that unpacks, streams or builds into far more than its size, or never arrives",
        "one line, exit 3, under 1 GB",
        {
            "floods of tasks, boards, submissions, candidates, weights": 16,
            "bombs in checkpoints and published folders": 15,
        },
    ),
    22: Row(
        "SIGKILL of a program that has started others",
        "none of them is alive 5 s later, no temporary folder remains",
        {
            "SIGKILLs of a program that is drawing": 20,
            "kills of convert": 20,
            "SIGKILLs of a program that is predicting": 20,
        },
    ),
    23: Row(
        "an error that comes late",
        "an answered file of an earlier run stays as it was; of two runs into one file one wins and the "
        "other exits",
        {"errors, each over an answered file": 9, "pairs of predictions into one file": 10},
    ),
}
ALL = "1000000"  # of what can be counted out
COMMAND = "tests/faults/test_command.py"
JOBS = (
    Job((10,), (f"{COMMAND}::test_a_time_limit_is_kept",), {"TIME_LIMIT": "60"}),
    Job((11,), (f"{COMMAND}::test_a_signal_leaves_a_valid_file_and_no_worker",), {"SUPERVISOR": "100"}),
    Job((4,), ("tests/crash/test_full_disk.py",), {"DISK": ALL}),
    Job((12,), ("tests/fuzz/test_task_fuzz.py",), {"FUZZ": "100000"}),
    Job((1,), ("tests/crash/test_kills.py",), {"KILL": "200"}),
    Job((2,), ("tests/crash/test_save_points.py",), {"SAVE_POINT": ALL, "SYSTEM_CALL": ALL}),
    Job((2,), ("tests/crash/test_power_cut.py",)),
    Job((3,), ("tests/crash/test_signals.py",), {"SIGNAL": "50", "SECOND_SIGNAL": "12"}),
    Job((3,), ("tests/crash/test_start.py",), {"START": "12"}),
    Job((5,), ("tests/faults/test_damaged_checkpoints.py",), {"DAMAGE": "2000"}),
    Job((5,), ("tests/fuzz/test_header_fuzz.py",), {"FUZZ": "10000"}),
    Job((6,), ("tests/faults/test_other_runs.py",), {"CONFIG": ALL, "SHAPE": ALL}),
    Job((7,), ("tests/faults/test_not_finite.py",), {"NOT_FINITE": "180"}),
    Job((8,), ("tests/faults/test_memory.py",), {"FAULT": "10"}),
    Job((9,), ("tests/faults/test_workers.py",), {"FAULT": "10"}),
    Job((12,), ("tests/fuzz/test_csv_fuzz.py",), {"FUZZ": "10000"}),
    Job((12, 17), ("tests/fuzz/test_file_fuzz.py",), {"FUZZ": "10000"}),
    Job((13,), ("tests/fuzz/test_one_hostile_task.py",), {"FUZZ": "1000"}),
    Job((14,), ("tests/crash/test_hostile_checkpoints.py",), {"PAYLOAD": ALL}),
    Job((15,), ("tests/fuzz/test_hostile_ids.py",), {"FUZZ": "500"}),
    Job((16,), ("tests/crash/test_one_folder.py",), {"PAIR": "50"}),
    Job((17,), ("tests/submission/test_score_naive.py",)),
    Job((18,), ("tests/fuzz/test_same_seed.py",), {"FUZZ": "5"}),
    Job((19,), ("tests/faults/test_streams.py",), {"STREAM": ALL}),
    Job((20,), ("tests/faults/test_surroundings.py",), {"SURROUNDING": ALL}),
    Job((21,), ("tests/fuzz/test_bombs.py",), {"BOMB": ALL}),
    Job((21,), ("tests/fuzz/test_floods.py",), {"BOMB": ALL}),
    Job((22,), ("tests/crash/test_orphans.py",), {"ORPHAN": "20"}),
    Job((22,), ("tests/crash/test_killed_parents.py",), {"ORPHAN": "20"}),
    Job((23,), ("tests/faults/test_earlier_files.py",), {"LATE": ALL, "PREDICTIONS": "10"}),
)
