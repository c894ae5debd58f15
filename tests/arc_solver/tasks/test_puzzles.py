"""Which row stands for which task under which view."""

import dataclasses

import numpy as np
import pytest

from arc_solver.tasks.puzzles import PuzzleMap, demonstrations
from arc_solver.tasks.task import Task
from augment.view import View
from tests.arc_solver.tiny import tasks

KINDS = ("rows", "composed", "none")


def built(listed: list[Task], kind: str = "rows", num_views: int = 4) -> PuzzleMap:
    return PuzzleMap.build(listed, kind, num_views, seed=0)


def test_rows_are_counted_through_from_one() -> None:
    puzzles = built(tasks(0))
    assert puzzles.starts.tolist() == [0, 4, 8, 12]
    assert puzzles.num_rows == 13
    assert [puzzles.rows(t).tolist() for t in range(3)] == [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]]


def test_composed_has_one_row_a_task_and_none_has_none() -> None:
    composed, none = built(tasks(0), "composed"), built(tasks(0), "none")
    assert (composed.num_rows, none.num_rows) == (4, 0)
    assert [composed.rows(t).tolist() for t in range(3)] == [[1] * 4, [2] * 4, [3] * 4]
    assert none.rows(1).tolist() == [0] * 4


@pytest.mark.parametrize("kind", KINDS)
def test_codes_say_row_dihedral_and_new_colors(kind: str) -> None:
    puzzles = built(tasks(0), kind)
    codes = puzzles.codes()
    assert codes.shape == (12, 12)
    assert codes.dtype == np.int32
    for task in range(3):
        for i, view in enumerate(range(puzzles.starts[task], puzzles.starts[task + 1])):
            shown = puzzles.views[view]
            assert codes[view].tolist() == [puzzles.rows(task)[i], shown.dihedral, *shown.colors]
        assert puzzles.views[int(puzzles.starts[task])] == View()


def test_a_task_is_known_by_its_demonstrations() -> None:
    listed = tasks(0)
    puzzles = built(listed)
    assert [puzzles.find(task) for task in listed] == [0, 1, 2]
    renamed = dataclasses.replace(listed[1], id="another", test=())
    assert puzzles.find(renamed) == 1
    shorter = dataclasses.replace(listed[1], train=listed[1].train[:1])
    assert puzzles.find(shorter) is None
    assert puzzles.find(dataclasses.replace(listed[1], train=listed[1].train[::-1])) is None
    assert puzzles.find(tasks(1)[0]) is None


def test_of_equal_tasks_the_first_is_found() -> None:
    listed = tasks(0)
    twin = dataclasses.replace(listed[1], id="twin")
    assert built([*listed, twin]).find(twin) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_names_company_and_tests_change_no_view(kind: str) -> None:
    listed = tasks(0)
    whole = built(listed, kind)
    renamed = [dataclasses.replace(task, id=f"x{task.id}", test=()) for task in listed]
    assert np.array_equal(built(renamed, kind).codes(), whole.codes())
    alone = built(listed[2:], kind)
    assert np.array_equal(alone.codes()[:, 1:], whole.codes()[8:, 1:])


def test_fewer_views_are_the_beginning_of_more() -> None:
    few, many = built(tasks(0)[:1], num_views=3), built(tasks(0)[:1], num_views=9)
    assert np.array_equal(few.codes(), many.codes()[:3])


def test_no_task_is_a_map_too() -> None:
    puzzles = built([])
    assert puzzles.num_rows == 1
    assert puzzles.codes().shape == (0, 12)
    assert puzzles.find(tasks(0)[0]) is None
    assert PuzzleMap("rows").num_rows == 1


def test_demonstrations_are_inputs_before_outputs() -> None:
    task = tasks(0)[0]
    wanted = [grid for pair in task.train for grid in (pair.input, pair.output)]
    assert all(a is b for a, b in zip(demonstrations(task), wanted, strict=True))
