"""Prediction as a whole: repeatable to the byte, blind to test outputs, complete."""

import dataclasses
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from arc_solver.checkpoints.weights import load, save
from arc_solver.inference.options import Listener, SolveOptions, Standing
from arc_solver.inference.solve import vote
from arc_solver.library import solve, write_submission
from arc_solver.model.trm import Model
from arc_solver.tasks.puzzles import PuzzleMap
from arc_solver.tasks.task import Pair, Task
from submission.vote import Query
from tests.arc_solver.tiny import MODEL, PREDICT, TRAIN, grid, lively, preset, tasks

SHORT = preset(dataclasses.replace(MODEL, cycles=1), TRAIN, PREDICT)

PROGRAM = """
import hashlib, sys
from pathlib import Path
from arc_solver.library import solve, write_submission
from tests.arc_solver.inference.test_solve import SHORT
from tests.arc_solver.tiny import tasks
listed = tasks(4, num_tests=2)
path = Path(sys.argv[1])
attempts = solve(listed, preset=SHORT, adapt_steps=3, seed=5)
write_submission(path, attempts, listed)
print(hashlib.sha256(path.read_bytes()).hexdigest())
"""


def submitted(path: Path, listed: list[Task], seed: int = 5, **options: object) -> bytes:
    attempts = solve(listed, preset=SHORT, adapt_steps=3, seed=seed, **options)
    write_submission(path, attempts, listed)
    return path.read_bytes()


def trained_checkpoint(path: Path, listed: list[Task]) -> Path:
    """A checkpoint that knows `listed`, of weights that are as good as trained: nothing in them is zero."""
    puzzles = PuzzleMap.build(listed, "rows", TRAIN.num_views, seed=0)
    model = lively(Model(SHORT.model, num_rows=puzzles.num_rows, seed=2))
    tensors = {f"average.{name}": t for name, t in model.state_dict().items()}
    save(path, tensors, SHORT, puzzles, {"kind": "weights"})
    return path


def with_outputs(listed: list[Task], seed: int) -> list[Task]:
    """The tasks with other test outputs, of sides that would need other canvases."""
    rng = np.random.default_rng(seed)
    return [
        dataclasses.replace(
            task,
            test=tuple(Pair(pair.input, grid(rng, *rng.integers(1, 31, 2).tolist())) for pair in task.test),
        )
        for task in listed
    ]


def shown(standing: Standing) -> list[object]:
    """Grids and votes of a query, best first."""
    return [(tally.grid.tolist(), tally.votes) for tally in standing.candidates]


def test_one_seed_gives_the_same_bytes_in_any_process(tmp_path: Path, repository: Path) -> None:
    # This process has a hash seed of its own, random unless the environment says otherwise.
    hash_seed = "1" if os.environ.get("PYTHONHASHSEED") != "1" else "2"
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(repository)}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path / "there.json")],
        env=environment,
        cwd=repository,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    here = submitted(tmp_path / "here.json", tasks(4, num_tests=2))
    assert done.stdout.strip() == hashlib.sha256(here).hexdigest()
    assert submitted(tmp_path / "other.json", tasks(4, num_tests=2), seed=6) != here


def test_test_outputs_are_never_used(tmp_path: Path) -> None:
    listed = tasks(4, num_tests=2)
    blind = submitted(tmp_path / "a.json", listed)
    assert submitted(tmp_path / "b.json", with_outputs(listed, 1)) == blind
    path = trained_checkpoint(tmp_path / "w.safetensors", listed[:2])
    known = submitted(tmp_path / "c.json", listed, checkpoint=path)
    assert submitted(tmp_path / "d.json", with_outputs(listed, 2), checkpoint=path) == known
    assert known != blind


def test_the_submission_is_complete(tmp_path: Path) -> None:
    listed = tasks(4, num_tests=2)
    found = json.loads(submitted(tmp_path / "a.json", listed))
    assert list(found) == [task.id for task in listed]
    assert all(len(answers) == 2 for answers in found.values())
    assert all(set(a) == {"attempt_1", "attempt_2"} for answers in found.values() for a in answers)


def test_known_tasks_are_answered_and_unknown_ones_learned(tmp_path: Path) -> None:
    listed = tasks(4, num_tests=1)
    path = trained_checkpoint(tmp_path / "w.safetensors", listed[1:2])
    said: list[str] = []
    options, listener = SolveOptions(preset=SHORT, adapt_steps=2), Listener(say=said.append)
    found = vote(listed, path, options, listener)
    assert any("known to the checkpoint: 1 of 3 tasks" in line for line in said)
    assert any("learning 2 tasks" in line and "checkpoint's weights" in line for line in said)
    assert all(standing.candidates[0].votes for standing in found.values())
    alone = vote(listed[1:2], path, options)
    query = Query(listed[1].id, 0)
    assert shown(found[query]) == shown(alone[query])


def test_without_adaptation_nothing_is_learned() -> None:
    said: list[str] = []
    vote(tasks(4), None, SolveOptions(preset=SHORT, adapt=False), Listener(say=said.append))
    assert said == []


def test_a_deadline_that_has_passed_gives_an_empty_box() -> None:
    attempts = solve(tasks(4), preset=SHORT, deadline=0.0)
    assert list(attempts.values()) == [[]] * 3


@pytest.mark.parametrize("setting", ["train.num_views=2", "num_latents=3"])
def test_settings_reach_the_run(setting: str) -> None:
    attempts = solve(tasks(4)[:1], preset=SHORT, settings=(setting,), adapt_steps=1, views=1, ages=1)
    assert len(attempts) == 1


def test_learning_one_by_one_makes_answers_independent_of_other_tasks(tmp_path: Path) -> None:
    listed = tasks(4)
    path = trained_checkpoint(tmp_path / "w.safetensors", tasks(9))
    options = {"preset": SHORT, "adapt_steps": 2, "adapt_each": True, "checkpoint": path}
    together = solve(listed, **options)
    for task in listed:
        alone = solve([task], **options)
        assert [g.tolist() for g in alone[Query(task.id, 0)]] == [
            g.tolist() for g in together[Query(task.id, 0)]
        ]


def test_the_first_share_of_learning_from_weights_trains_rows_alone(tmp_path: Path) -> None:
    path = trained_checkpoint(tmp_path / "w.safetensors", tasks(9))
    before = load(path).model.state_dict()
    changed = {}
    for share in ("0", "1"):
        options = SolveOptions(
            preset=SHORT, settings=(f"adapt_rows_share={share}",), adapt_steps=2, keep=tmp_path / share
        )
        vote(tasks(4), path, options)
        (kept,) = (tmp_path / share).glob("*/adapted.safetensors")
        after = load(kept).model.state_dict()
        changed[share] = {n for n, t in before.items() if n != "puzzle.rows" and not torch.equal(t, after[n])}
        assert load(kept).metadata["adapted_from"] == load(path).metadata["self"]
    assert changed["1"] == set()
    assert "head.weight" in changed["0"]


def test_what_was_learned_is_found_again(tmp_path: Path) -> None:
    said: list[str] = []
    options, listener = (
        SolveOptions(preset=SHORT, adapt_steps=3, keep=tmp_path / "kept"),
        Listener(said.append),
    )
    first = vote(tasks(4), None, options, listener)
    second = vote(tasks(4), None, options, listener)
    assert sum("going on with what was learned" in line for line in said) == 1
    assert {query: shown(found) for query, found in first.items()} == {
        query: shown(found) for query, found in second.items()
    }
