"""The long runs: what the page says of them, their pieces, a rehearsal of each through the command line."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from arc_solver.checkpoints.file_format import checkpoints
from arc_solver.config import ConfigError
from arc_solver.corpus.set_sizes import ARC_OUTPUTS
from arc_solver.prediction import deadlines
from arc_solver.presets import PRESETS
from arc_solver.programs import gpu_programs
from arc_solver.programs.gpu_page import cost_table, duration, hours, renewed
from arc_solver.programs.gpu_programs import PROGRAMS, Place, Program, Stage, arc_program, find_program
from arc_solver.programs.run_in_pieces import (
    LOG_NAME,
    Done,
    read_log,
    run_command,
    run_piece,
    seconds_of,
    totals,
)
from arc_solver.storage.files import FolderInUse, lock_folder
from arc_solver.storage.text import DataError
from tests.arc_solver.terminal import Terminal, challenges, solutions, write

TINY = (
    *("width=16", "num_heads=2", "rounding=8", "num_layers=1", "cycles=1", "latent_steps=1"),
    *("prefix_length=2", "train.batch_size=2", "predict.batch_size=8", "num_views=2", "views=2", "ages=1"),
    *("warmup_steps=0", "train.compile=off"),
)
DEVICE = ("--device", "cpu", "--threads", "1")


def test_the_page_says_what_the_programs_do(repository: Path) -> None:
    page = (repository / "docs" / "gpu.md").read_text(encoding="utf-8")
    assert page == renewed(page), "run: python -m arc_solver.programs.gpu_page"


def test_every_program_has_a_target(repository: Path) -> None:
    makefile = (repository / "Makefile").read_text(encoding="utf-8")
    targets = set(
        re.findall(r"^gpu-([a-z0-9-]+): \$\(STAMP\) ## .*\n\t\$\(PROGRAM\)$", makefile, re.MULTILINE)
    )
    assert targets == set(PROGRAMS)


def test_costs_follow_from_operations() -> None:
    train = find_program("sudoku").stages[0]
    preset = PRESETS["sudoku-mlp"]
    assert train.flops > 1e15
    assert hours(train, 1e15, 8) == pytest.approx(hours(train, 1e15, 1) / 7.2)
    answers = find_program("sudoku").stages[1]
    assert hours(answers, 1e15, 8) == pytest.approx(hours(answers, 1e15, 1) / 8)
    learn = find_program("arc1-unseen").stages[1]
    assert hours(learn, 1e15, 1) == pytest.approx(
        (learn.flops / 0.4 + learn.answer_flops / 0.2) / 1e15 / 3600
    )
    assert hours(learn, 1e15, 8) == pytest.approx(hours(learn, 1e15, 1) / 8)  # no gradients are exchanged
    assert find_program("sudoku").preset == preset.name
    assert len(cost_table()) == 2 + sum(
        len({stage.name.split("-")[0] for stage in program.stages if stage.flops or stage.answer_flops})
        for program in PROGRAMS.values()
    )
    assert (duration(2.04), duration(0.5), duration(1e-5)) == ("2.0 h", "30.0 min", "0.1 min")


def test_the_sets_have_their_published_numbers_of_outputs() -> None:
    assert {name: sum(mix.values()) for name, mix in ARC_OUTPUTS.items()} == {"arc1": 419, "arc2": 167}


# pieces


class Puppet:
    """Runs nothing: stages end as told and leave their file where that is 0 and they are not cut off."""

    def __init__(self, folder: Path, *ends: tuple[int, bool]) -> None:
        self.folder, self.ends, self.asked = folder, list(ends), []
        self.now = 0.0

    def __call__(self, words: list[str], stage: Stage, place: Place, seconds: float | None) -> Done:
        self.asked.append((stage.name, words[-1]))
        code, leaves = self.ends.pop(0) if self.ends else (0, True)
        if leaves and stage.leaves:
            (self.folder / stage.leaves).write_text("x")
        self.now += 500
        return Done(code, json.dumps({"unanswered": 0}), 500.0)


PLAYED = Program(
    "played",
    "for tests",
    "none",
    ("needed.txt",),
    (
        Stage("train", ("train", "{data}"), "weights", "sitting"),
        Stage("answers", ("predict", "{out}"), "answers", "limit"),
        Stage("learn", ("learn",), "learnt", "signal"),
        Stage("score", ("score",), "score", ""),
    ),
)


@pytest.fixture
def stage_door(tmp_path: Path) -> Place:
    (tmp_path / "needed.txt").write_text("")
    return Place(str(tmp_path), str(tmp_path / "out"))


def piece(puppet: Puppet, place: Place, length: str | None) -> int:
    return run_piece(PLAYED, place, length, puppet, say=lambda _: None, clock=lambda: puppet.now)


def test_pieces_go_on_until_all_is_done(stage_door: Place) -> None:
    folder = Path(stage_door.folder(PLAYED))
    puppet = Puppet(folder, (0, False), (0, True), (0, True), (143, False), (0, True))
    seen = []
    for _ in range(5):
        assert piece(puppet, stage_door, "9m") == 0
        seen.append([name for name, _ in puppet.asked])
        puppet.asked.clear()
    # Answers get a piece of their own; what was stopped by the end of its piece is run again.
    assert seen == [["train"], ["train"], ["answers"], ["learn"], ["learn", "score"]]
    assert piece(puppet, stage_door, "9m") == 0
    assert not puppet.asked
    log = read_log(folder / LOG_NAME)
    assert [entry["done"] for entry in log] == [False, True, True, False, True, True]
    assert sum(entry["seconds"] for entry in log) == 6 * 500


def test_times_are_given_as_the_stage_takes_them(stage_door: Place) -> None:
    puppet = Puppet(Path(stage_door.folder(PLAYED)))
    assert piece(puppet, stage_door, "10m") == 0
    assert puppet.asked == [("train", "600s")]
    puppet.asked.clear()
    assert piece(puppet, stage_door, None) == 0
    assert puppet.asked == [("answers", "1"), ("learn", "1"), ("score", "score")]  # one worker, no time


def test_a_failure_ends_the_piece_with_its_code(stage_door: Place) -> None:
    folder = Path(stage_door.folder(PLAYED))
    for code, wanted in ((3, 3), (-9, 137)):
        puppet = Puppet(folder, (code, True))
        assert piece(puppet, stage_door, None) == wanted
        assert len(puppet.asked) == 1


def test_what_was_done_but_is_gone_is_done_again(stage_door: Place) -> None:
    folder = Path(stage_door.folder(PLAYED))
    puppet = Puppet(folder)
    piece(puppet, stage_door, None)
    with (folder / LOG_NAME).open("a") as log:
        log.write('{"stage": "tr')  # cut short by a crash
    (folder / "answers").unlink()
    puppet.asked.clear()
    piece(puppet, stage_door, None)
    # What was scored came from the answers that are gone; what is learnt does not read them.
    assert [name for name, _ in puppet.asked] == ["answers", "score"]
    puppet.asked.clear()
    piece(puppet, stage_door, None)
    assert not puppet.asked
    (folder / "weights").unlink()
    piece(puppet, stage_door, None)
    assert [name for name, _ in puppet.asked] == ["train", "answers", "learn", "score"]


def test_parts_that_were_cut_short_come_into_the_score(stage_door: Place) -> None:
    program = arc_program("arc1", "for tests", 2)
    folder = Path(stage_door.folder(program))
    (folder / "run").mkdir(parents=True)
    for name in program.needs:
        (Path(stage_door.data) / name).write_text("")
    puppet = Puppet(folder)

    def run() -> list[str]:
        puppet.asked.clear()
        assert run_piece(program, stage_door, None, puppet, say=lambda _: None) == 0
        return [name for name, _ in puppet.asked]

    assert run() == ["train", "answers-1", "answers-2", "merge", "score", "report"]
    assert run() == []
    (folder / "part-2.jsonl").unlink()
    assert run() == ["answers-2", "merge", "score", "report"]
    assert run() == []


@pytest.mark.parametrize("crash", [False, True])
def test_a_stage_that_breaks_off_when_it_is_run_again_is_not_done(stage_door: Place, crash: bool) -> None:
    folder = Path(stage_door.folder(PLAYED))
    puppet = Puppet(folder)
    piece(puppet, stage_door, None)
    (folder / "answers").unlink()

    def broken(words: list[str], stage: Stage, place: Place, seconds: float | None) -> Done:
        (folder / stage.leaves).write_text("half of it")
        if crash:
            raise KeyboardInterrupt
        return Done(143, "", 1.0)

    with pytest.raises(KeyboardInterrupt) if crash else contextlib.nullcontext():
        run_piece(PLAYED, stage_door, None, broken, say=lambda _: None)
    puppet.asked.clear()
    piece(puppet, stage_door, None)
    assert [name for name, _ in puppet.asked] == ["answers", "score"]


def test_parts_of_boards_are_added_up(tmp_path: Path) -> None:
    program, log = find_program("sudoku"), tmp_path / LOG_NAME
    entries = [("answers", 10, 0.7), ("rollouts-1", 6, 0.5), ("rollouts-2", 4, 0.25), ("rollouts-2", 4, 1.0)]
    lines = [
        json.dumps({"stage": name, "done": True, "facts": {"boards": num, "exact": share}})
        for name, num, share in entries
    ]
    log.write_text("\n".join([*lines, json.dumps({"stage": "train", "done": True, "facts": None})]))
    assert totals(program, log) == [
        "answers: 7 of 10 boards exact (70.0 %)",
        "rollouts: 7 of 10 boards exact (70.0 %)",
    ]


def test_the_work_is_shared_by_the_cards() -> None:
    learn = find_program("arc1-unseen").stages[2]
    assert learn.name == "learn-2"
    for gpus, steps in ((1, "2500"), (8, "312")):
        words = Place(gpus=gpus).command(find_program("arc1-unseen"), learn, None)
        assert words[words.index("--adapt-steps") + 1] == steps
        assert words[words.index("--workers") + 1] == str(gpus)
        assert words[words.index("--shard") + 1] == "2/4"
        assert "runs/gpu/arc1-unseen/learnt-2" in words
    train = Place(gpus=8).command(find_program("arc1"), find_program("arc1").stages[0], None)
    assert "--workers" not in train  # its processes are started by torchrun


def test_missing_data_and_wrong_names_are_one_line(tmp_path: Path) -> None:
    place = Place(str(tmp_path), str(tmp_path / "out"))
    with pytest.raises(DataError, match=r"no needed\.txt, which played needs"):
        run_piece(PLAYED, place, None, Puppet(tmp_path))
    assert not (tmp_path / "out").exists()
    with pytest.raises(ConfigError, match="did you mean 'sudoku'"):
        find_program("sodoku")
    for wrong in ("9", "m", "0m", "1.5m", "-1s", "9 m"):
        with pytest.raises(ConfigError, match="write 540s, 9m or 2h"):
            seconds_of(wrong)
    assert [seconds_of(text) for text in ("90s", "9m", "2h")] == [90, 540, 7200]


# rehearsals


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Tiny files under the names of the real ones."""
    folder = tmp_path / "data"
    folder.mkdir()
    row, column = np.indices((9, 9))
    solved = (3 * (row % 3) + row // 3 + column) % 9
    boards = ["source,question,answer,rating"]
    for shift in range(4):
        answer = "".join(str(1 + (digit + shift) % 9) for digit in solved.flatten())
        boards.append(f"made,{answer[:70]}{'.' * 11},{answer},0")
    corridor, solution = (
        "S    " + "#### " + "     " + " ####" + "    G",
        "Soooo" + "####o" + "ooooo" + "o####" + "ooooG",
    )
    mazes = ["source,question,answer,rating", *[f"made,{corridor},{solution},9"] * 3]
    for part in ("1k_train", "test_10k"):
        (folder / f"sudoku_extreme_{part}.csv").write_text("\n".join(boards) + "\n")
    for part in ("1k_train", "test_500"):
        (folder / f"maze_hard_{part}.csv").write_text("\n".join(mazes) + "\n")
    for name in ("arc1", "arc2"):
        for part, num in (("training", 2), ("evaluation", 3)):
            write(folder / f"{name}_{part}_challenges.json", renamed(challenges(num), part))
            write(folder / f"{name}_{part}_solutions.json", renamed(solutions(num), part))
    return folder


def renamed(tasks: dict[str, Any], part: str) -> dict[str, Any]:
    return {f"{part}-{name}": task for name, task in tasks.items()}


def place_of(data: Path, *settings: str, gpus: int = 1) -> Place:
    return Place(str(data), str(data.parent / "out"), gpus, DEVICE, (*TINY, *settings))


def rehearse(
    program: Program, place: Place, arc_solve: Terminal, length: str | None = None
) -> list[dict[str, Any]]:
    """Run a program, all but what starts workers in this process; what its log says."""

    def run(words: list[str], stage: Stage, place: Place, seconds: float | None) -> Done:
        if "--candidates" in words:
            return run_command(words, stage, place, seconds)
        outcome = arc_solve(*words)
        assert outcome.code == 0, outcome.err
        return Done(outcome.code, outcome.out.splitlines()[-1], 1.0)

    assert run_piece(program, place, length, run, say=lambda _: None) == 0
    return read_log(Path(place.folder(program), LOG_NAME))


def wait_until_free(folder: Path) -> None:
    """A killed trainer holds its lock until the system has taken it down."""
    for _ in range(1200):
        try:
            with lock_folder(folder):
                return
        except FolderInUse:
            time.sleep(0.05)
    pytest.fail(f"{folder} is still locked a minute after the kill")


@pytest.fixture
def killed(data: Path) -> tuple[Path, int]:
    """The folder of a Sudoku run that was killed while it trained, and the step of its last checkpoint."""
    place = place_of(data)
    words = ["--data", place.data, "--out", place.out, "--device", "cpu"]
    settings = [part for each in (*TINY, "steps=1000000", "save_every=1") for part in ("--set", each)]
    process = subprocess.Popen(
        [sys.executable, "-m", "arc_solver.programs.run_in_pieces", "sudoku", *words, *settings],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    run = Path(place.folder(find_program("sudoku")), "run")
    while process.poll() is None and len(checkpoints(run) if run.is_dir() else ()) < 2:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    wait_until_free(run)
    return run, max(int(re.findall(r"\d+", path.stem)[-1]) for path in checkpoints(run))


def test_a_killed_sudoku_program_goes_on_in_pieces(
    killed: tuple[Path, int], data: Path, arc_solve: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, step = killed
    place = place_of(data, f"steps={step + 3}", "save_every=1")
    program = find_program("sudoku")
    # A process as old as its sitting: it goes on from the checkpoint, does no step and saves.
    monkeypatch.setattr(deadlines, "process_start", lambda: time.monotonic() - 60)
    first = rehearse(program, place, arc_solve, "60s")
    assert [(entry["stage"], entry["exit"], entry["done"]) for entry in first] == [("train", 0, False)]
    assert first[0]["facts"]["complete"] is False
    assert Path(first[0]["facts"]["weights"]).parent == run
    monkeypatch.undo()
    arc_solve.monkeypatch.setattr(deadlines, "process_start", time.monotonic)
    log = rehearse(program, place, arc_solve)
    assert [entry["stage"] for entry in log if entry["done"]] == [stage.name for stage in program.stages]
    assert [entry["facts"]["boards"] for entry in log[2:]] == [4, 1, 1, 1, 1]
    assert all(entry["facts"]["exact"] >= 0 for entry in log[2:])
    assert rehearse(program, place, arc_solve) == log
    assert json.loads((run / "metrics.jsonl").read_text().splitlines()[-1])["step"] == step + 3


def test_the_maze_program(data: Path, arc_solve: Terminal) -> None:
    log = rehearse(find_program("maze"), place_of(data, "steps=2"), arc_solve)
    assert [(entry["stage"], entry["done"]) for entry in log] == [
        ("train", True),
        ("answers", True),
        ("rollouts", True),
    ]


def test_an_arc_program(data: Path, arc_solve: Terminal) -> None:
    program = arc_program("arc1", "in one part", 1)
    log = rehearse(program, place_of(data, "steps=2"), arc_solve)
    assert [entry["stage"] for entry in log] == ["train", "answers-1", "merge", "score", "report"]
    assert all(entry["done"] for entry in log)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(PROGRAMS) - {"sudoku", "maze"}))
def test_every_program_as_it_is_written(
    name: str, data: Path, arc_solve: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = find_program(name)
    if name.endswith("-unseen"):
        monkeypatch.setattr(gpu_programs, "LEARNING_STEPS", 2)
        program = gpu_programs.unseen_program(name.removesuffix("-unseen"), "in short")
    log = rehearse(program, place_of(data, "steps=2"), arc_solve)
    assert [entry["stage"] for entry in log] == [stage.name for stage in program.stages]
    assert all(entry["done"] for entry in log)


@pytest.mark.slow
def test_two_processes_share_the_training_of_a_sitting(data: Path) -> None:
    program = find_program("sudoku-att")
    place = place_of(data, "steps=1000000", gpus=2)
    # The process starts, reads and compiles within its sitting.
    assert run_piece(program, place, "40s", run_command, say=lambda _: None) == 0
    (entry,) = read_log(Path(place.folder(program), LOG_NAME))
    assert (entry["exit"], entry["done"]) == (0, False)
    again = place_of(data, "steps=1", gpus=2)
    assert run_piece(program, again, None, run_command, say=lambda _: None) == 0
    assert read_log(Path(place.folder(program), LOG_NAME))[1]["done"]
