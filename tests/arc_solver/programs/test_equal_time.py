"""The development set holds training tasks alone, and cells are measured once."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from arc_solver.checkpoints.shipped import FOLDER
from arc_solver.domains.arc.examples import task_side
from arc_solver.programs import equal_time
from arc_solver.programs.development_set import LIST, WANTED, development_tasks, listing
from arc_solver.tasks.sealing import sealed
from arc_solver.tasks.task import Task


def test_the_list_is_what_the_rule_gives() -> None:
    assert LIST.read_text() == listing()


def test_no_answer_of_an_evaluation_task_is_among_them() -> None:
    tasks = development_tasks()
    assert sealed(tasks).num_answers == 0
    assert sum(len(task.test) for task in tasks) == sum(WANTED.values()) >= 100
    assert {task_side(task) for task in tasks} == set(WANTED)
    assert len({(task.id, task_side(task)) for task in tasks}) == len(tasks)
    small = development_tasks(7)
    assert sum(len(task.test) for task in small) == WANTED[7]
    assert all(pair.output is not None for task in tasks for pair in task.test)


def test_every_cell_is_measured_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, int]] = []

    def learn(tasks: list[Task], recipe, loaded, seconds: float) -> dict[str, int]:  # type: ignore[no-untyped-def]
        assert (seconds, loaded, len(tasks)) == (3.0, None, 7)
        asked.append((recipe.model.width, recipe.train.seed))
        return {"solved": len(asked)}

    monkeypatch.setattr(equal_time, "measured", learn)
    words = ["--seconds", "3", "--most-side", "7", "--every", "3", "--out", str(tmp_path / "cells.jsonl")]
    words += ["--variant", "", "--variant", "width=64 num_heads=2"]
    equal_time.main([*words, "--seeds", "0"])
    assert asked == [(128, 0), (64, 0)]
    equal_time.main([*words, "--seeds", "0", "1"])
    assert asked[2:] == [(128, 1), (64, 1)]
    cells = [json.loads(line) for line in (tmp_path / "cells.jsonl").read_text().splitlines()]
    assert [cell["solved"] for cell in cells] == [1, 2, 3, 4]
    with (tmp_path / "cells.jsonl").open("a") as file:
        file.write('{"variant": "wid')
    equal_time.main([*words, "--seeds", "0", "1"])
    assert len(asked) == 4
    equal_time.main([*words, "--seeds", "0", "--preset", "arc1"])
    assert [width for width, _ in asked[4:]] == [512, 64]
    assert [(cell["variant"], cell["seed"]) for cell in cells[:2]] == [("", 0), ("width=64 num_heads=2", 0)]


def test_a_cell_learns_and_answers(tmp_path: Path) -> None:
    out = tmp_path / "cells.jsonl"
    words = ["--seconds", "0.2", "--most-side", "7", "--every", "10", "--out", str(out)]
    equal_time.main([*words, "--variant", "width=16 num_heads=2 num_views=1 views=1 batch_size=4"])
    (cell,) = [json.loads(line) for line in out.read_text().splitlines()]
    assert cell["outputs"] >= cell["solved"] >= cell["solved_at_once"] >= 0
    assert cell["steps"] >= 0
    assert cell["learning_s"] > 0


def test_groups_of_other_tasks_learn_from_weights_as_a_prediction_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Groups share the seconds by cost; rows come first, and colors stay where the recipe says so."""
    heard: list[tuple[int, float | None, float, bool]] = []
    real = equal_time.adapt

    def adapt(model, puzzles, tasks, train, limits, device, **more):  # type: ignore[no-untyped-def]
        recolored = bool((puzzles.views.colors != np.arange(10)).any())
        heard.append((len(tasks), limits.time_limit, train.rows_only_share, recolored))
        return real(model, puzzles, tasks, dataclasses.replace(train, steps=1), limits, device, **more)

    monkeypatch.setattr(equal_time, "adapt", adapt)
    words = ["--seconds", "3", "--most-side", "7", "--every", "15", "--out", str(tmp_path / "cells.jsonl")]
    words += ["--tasks", "arc1:training", "--groups", "2", "--weights", str(FOLDER / "arc.safetensors")]
    equal_time.main([*words, "--variant", "num_views=2 views=2 permute_colors=false"])
    equal_time.main([*words, "--variant", "num_views=9 views=1"])
    (cell, _) = [json.loads(line) for line in (tmp_path / "cells.jsonl").read_text().splitlines()]
    assert [num for num, *_ in heard] == [2, 2, 2, 2]
    assert sum(seconds for _, seconds, *_ in heard[:2]) == pytest.approx(3)
    assert [share for _, _, share, _ in heard] == [0.25] * 4
    assert [recolored for *_, recolored in heard] == [False, False, True, True]
    assert (cell["groups"], cell["tasks"], cell["steps"], len(cell["cell_loss"])) == (2, 4, 2, 2)
