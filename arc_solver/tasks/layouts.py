"""The layouts in which tasks are published, told apart by content and split into one entry per task."""

import codecs
import dataclasses
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from arc_solver.storage.json_reader import Document, Flaw, flaws, parse, read_bytes
from arc_solver.storage.text import LONE_SURROGATE, STDIN, DataError, label_of

TAKEN = (
    'tasks are JSON, {"train": [...], "test": [...]}; a Sudoku is digits with . for blanks, '
    "a maze # for walls, S, G and spaces"
)
_SUFFIXES = (".json.gz", ".json", ".gz")
_ID_KEYS = ("id", "name", "task_id")
_WRAPPERS = ("data", "task")  # keys under which a list of tasks may hold the task itself
_MAX_SPLITS = 3  # objects of tasks inside objects


@dataclass(frozen=True)
class Entry:
    """One unchecked task: its file, its id, and its JSON value or the error that kept it from being read.

    `bare`: a list of pairs without test inputs. `flawed`: the value may hold a Flaw.
    """

    label: str
    id: str
    value: object
    flawed: bool = False
    bare: bool = False

    def num_owed(self) -> int:
        """For how many test inputs an answer is owed, 1 if the value does not say.

        0 for an id that no UTF-8 file could hold.
        """
        if self.bare or LONE_SURROGATE.search(self.id):
            return 0
        value = _plain(self.value)
        test = _plain(value.get("test")) if isinstance(value, dict) else None
        return len(test) if isinstance(test, list) else 1


@dataclass(frozen=True)
class Stray:
    """A key or file among tasks that is not a task; `fault` is set if a strict reader refuses it."""

    name: str
    value: object = None
    fault: str = ""


def entries(source: str | Path) -> list[Entry | Stray]:
    """The unchecked content of a file, standard input ("-"), or a folder and its subfolders (by id).

    DataError if there is no task at all; an unreadable file of a folder is an entry.
    """
    if str(source) != STDIN and Path(source).is_dir():
        found = _folder_entries(Path(source))
    else:
        found = _deduplicated(_file_entries(source))
        if not any(isinstance(each, Entry) for each in found):
            raise DataError(next(each.fault for each in found if isinstance(each, Stray)))
    return found


def task_files(folder: Path) -> list[Path]:
    """Every JSON file in a folder and its subfolders, except hidden ones; DataError if unreadable."""

    def refuse(error: OSError) -> None:
        raise DataError(f"{label_of(folder)}: cannot be read: {error.strerror}") from error

    found: list[Path] = []
    for parent, inner, names in os.walk(folder, onerror=refuse):
        inner[:] = sorted(name for name in inner if name[0] != ".")
        found += [
            Path(parent, name) for name in names if name.lower().endswith(_SUFFIXES[:2]) and name[0] != "."
        ]
    return sorted(found)


def holds_a_task(path: Path) -> bool:
    """Whether a file of a folder is read as a task, well formed or not."""
    return any(isinstance(each, Entry) for each in _entries_of_one(path))


def solutions_beside(source: str | Path) -> Path | None:
    """The `x_solutions.json` beside `x_challenges.json`, or None."""
    path = Path(source)
    if "_challenges.json" not in path.name:
        return None
    beside = path.with_name(path.name.replace("_challenges.json", "_solutions.json"))
    return beside if beside.is_file() else None


def _folder_entries(folder: Path) -> list[Entry | Stray]:
    found = _deduplicated([each for path in task_files(folder) for each in _entries_of_one(path)])
    if not any(isinstance(each, Entry) for each in found):
        faults = [each.fault for each in found if isinstance(each, Stray) and each.fault]
        raise DataError(
            faults[0] if faults else f"{label_of(folder)}: no task files (<id>.json) in this folder"
        )
    return sorted(found, key=lambda each: (isinstance(each, Stray), getattr(each, "id", "")))


def _entries_of_one(path: Path) -> list[Entry | Stray]:
    """The task in a file of a folder, or a stray for anything else, a file of several tasks included."""
    stem = _stem(path)
    if not path.is_file():
        return [Stray(path.name, fault=f"{label_of(path)}: no regular file; take it away")]
    try:
        found = _file_entries(path)
    except DataError as error:
        return [Entry(label_of(path), stem, error)]
    tasks = [each for each in found if isinstance(each, Entry)]
    if len(tasks) == 1 and (tasks[0].id == stem or _is_whole(tasks[0].value)):
        return [*tasks]
    several = "several tasks in one file of a folder; give the file itself"
    return [Stray(path.name, fault=f"{label_of(path)}: {several}" if tasks else "")]


def _file_entries(source: str | Path) -> list[Entry | Stray]:
    """The content of a file, or a stray that says why it holds no task; DataError if it is not JSON."""
    document, label = _document(source), label_of(source)
    stem = "stdin" if str(source) == STDIN else _stem(Path(source))
    found = list(_cut(document.value, stem, label))
    if document.flawed:
        found = [_flawed(each, label) for each in found]
    if any(isinstance(each, Entry) for each in found):
        return found
    for where, text in flaws(document.value) if document.flawed else ():
        return [Stray(stem, fault=f"{label}: {where.lstrip('.')}: {text}" if where else f"{label}: {text}")]
    return [Stray(stem, fault=f"{label}: {_misfit(document.value)}")]


def _document(source: str | Path) -> Document:
    """The JSON of a source; of anything else DataError says what is taken."""
    data, label = read_bytes(source), label_of(source)
    try:
        return parse(data, label)
    except DataError as error:
        if data.removeprefix(codecs.BOM_UTF8).lstrip()[:1] in (b"", b"{", b"["):
            raise
        reason = str(error).removeprefix(f"{label}: ")
        no_text = f" ({reason})" if reason.startswith("not UTF-8") else ""
        raise DataError(f"{label}: neither tasks nor boards{no_text}; {TAKEN}") from error


def _flawed(each: Entry | Stray, label: str) -> Entry | Stray:
    """The same in a document with flaws somewhere: a strict reader refuses those in a stray too."""
    if isinstance(each, Entry):
        return dataclasses.replace(each, flawed=True)
    for where, text in flaws({each.name: each.value}):
        return dataclasses.replace(each, fault=f"{label}: {where.lstrip('.')}: {text}")
    return each


def _cut(value: object, name: str, label: str, depth: int = _MAX_SPLITS) -> Iterator[Entry | Stray]:
    """The tasks in a value called `name`: itself, the items of a list or an object, or of its splits."""
    if isinstance(value, list) and _is_list_of_tasks(value):
        for number, each in enumerate(value):
            yield from _of_list(each, f"{name}-{number}", label)
    elif isinstance(value, list) and _is_bare(value):
        yield Entry(label, name, value, bare=True)
    elif not isinstance(value, dict) or not value:
        yield Stray(name, value)
    elif _is_one_task(value):
        yield Entry(label, name, value)
    elif _holds_tasks(value, depth) or any(_has_task_key(_plain(each)) for each in value.values()):
        for key, each in value.items():
            task = _unwrapped(each)
            if _has_task_key(_plain(task)) and not _is_split(task):
                yield Entry(label, key, task)
            elif _holds_tasks(each, depth - 1):
                yield from _cut(each, key, label, depth - 1)
            else:
                yield Stray(key, each)
    else:
        yield Stray(name, value)


def _of_list(value: object, name: str, label: str) -> Iterator[Entry | Stray]:
    """An item of a list of tasks, which may hold its id."""
    task = _unwrapped(value)
    if not isinstance(value, dict) or not isinstance(task, dict) or not _has_task_key(task):
        yield Stray(name, value)
        return
    own = next((value[key] for key in _ID_KEYS if type(value.get(key)) in (str, int)), name)
    yield Entry(label, str(own), {key: each for key, each in task.items() if key not in _ID_KEYS})


def _deduplicated(found: list[Entry | Stray]) -> list[Entry | Stray]:
    """Each id once: equal tasks are merged; different ones, and two files side by side, are a fault."""
    kept: dict[str, Entry] = {}
    strays = []
    for each in found:
        if isinstance(each, Stray):
            strays.append(each)
            continue
        first = kept.setdefault(each.id, each)
        beside = first.label != each.label and Path(first.label).parent == Path(each.label).parent
        if first is each or (first.value == each.value and not beside):
            continue
        same = first.label == each.label
        text = "the id appears twice" if same else f"its id is that of {each.label} too; remove one"
        kept[each.id] = dataclasses.replace(first, value=Flaw(text, _plain(first.value)), flawed=True)
    return [*kept.values(), *strays]


def _unwrapped(value: object) -> object:
    """The value, or the task that it holds under "data" or "task"."""
    if isinstance(value, dict) and not _has_task_key(value):
        return next((value[key] for key in _WRAPPERS if _is_whole(value.get(key))), value)
    return value


def _is_one_task(value: dict[str, object]) -> bool:
    """Whether this is one task, not several of which one is called "train" or "test", nor a set's splits."""
    if not _has_task_key(value) or _is_split(value):
        return False
    if isinstance(value.get("train"), list) and isinstance(value.get("test"), list):
        return True
    return not any(_has_task_key(_plain(each)) for each in value.values())


def _is_split(value: object) -> bool:
    """Whether "train" or "test" of this object holds whole tasks, in a list or by id."""
    if not isinstance(value, dict):
        return False
    parts = [value.get(name) for name in ("train", "test")]
    held = [list(part.values()) if isinstance(part, dict) else part for part in parts]
    return any(map(_is_list_of_tasks, held)) and not any(map(_is_bare, parts))


def _is_list_of_tasks(value: object) -> bool:
    """Whether this is a list with whole tasks, and no pairs among them."""
    return (
        isinstance(value, list) and any(_is_whole(_unwrapped(each)) for each in value) and not _is_bare(value)
    )


def _holds_tasks(value: object, depth: int) -> bool:
    """Whether a list or object holds a whole task, at most `depth` objects deep."""
    if depth <= 0 or not isinstance(value, dict | list):
        return False
    if isinstance(value, list):
        return _is_list_of_tasks(value)
    return any(_is_whole(_unwrapped(each)) or _holds_tasks(each, depth - 1) for each in value.values())


def _misfit(value: object) -> str:
    """Why a value holds no task."""
    if not isinstance(value, dict | list):
        return f"{kind_of(value)}, expected an object of tasks"
    if not value:
        return "empty, expected tasks"
    if isinstance(value, list):
        return "a list without pairs, expected tasks"
    if all(isinstance(each, list) for each in value.values()):
        return "lists under ids, as in a solutions file; give the challenges file"
    return 'no task in it, expected objects with "train" and "test"'


def kind_of(value: object) -> str:
    """The JSON type of the value, for a message."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    kinds = {dict: "an object", list: "a list", str: "a text", int: "a number", float: "a number"}
    return kinds[type(value)]


def _has_task_key(value: object) -> bool:
    """Whether this is meant as a task, well formed or not.

    Lists of names under "train" and "test" are an index, and an object under "train" alone holds settings.
    """
    if not isinstance(value, dict):
        return False
    parts = [_plain(value[name]) for name in ("train", "test") if name in value]
    if len(parts) == 1 and isinstance(parts[0], dict):
        return False
    return bool(parts) and not any(map(_lists_names, parts))


def _is_whole(value: object) -> bool:
    """Whether this is a task beyond doubt: pairs under "train" or "test"."""
    return isinstance(value, dict) and any(_is_bare(_plain(value.get(name))) for name in ("train", "test"))


def _is_bare(value: object) -> bool:
    return isinstance(value, list) and any(
        isinstance(pair, dict) and ("input" in pair or "output" in pair) for pair in value
    )


def _lists_names(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, str) for each in value)


def _plain(value: object) -> object:
    return value.last if isinstance(value, Flaw) else value


def _stem(path: Path) -> str:
    for suffix in _SUFFIXES:
        if path.name.lower().endswith(suffix):
            return path.name[: -len(suffix)]
    return path.name
