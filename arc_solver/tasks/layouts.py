"""The layouts in which tasks are published, told apart by their content and cut into one entry a task."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from arc_solver.storage.json_reader import Document, Flaw, flaws, read_document
from arc_solver.storage.text import LONE_SURROGATE, STDIN, DataError, label_of

_SUFFIXES = (".json.gz", ".json", ".gz")


@dataclass(frozen=True)
class Entry:
    """One task before it is checked: its file, its id, and its JSON value or what kept it from being read.

    `bare` marks a list of pairs without test inputs; `flawed` that the value may hold a Flaw.
    """

    label: str
    id: str
    value: object
    flawed: bool = False
    bare: bool = False

    def is_recognisable(self) -> bool:
        """Whether this is meant as a task at all, well formed or not."""
        return self.bare or _has_task_key(_plain(self.value))

    def num_owed(self) -> int:
        """For how many test inputs an answer is owed, as far as the value tells; 1 where it does not.

        0 for an id that no UTF-8 file could hold.
        """
        if self.bare or LONE_SURROGATE.search(self.id):
            return 0
        value = _plain(self.value)
        test = _plain(value.get("test")) if isinstance(value, dict) else None
        return len(test) if isinstance(test, list) else 1


def entries(source: str | Path) -> Iterator[Entry]:
    """The tasks of a file, of standard input ("-") or of a folder of `<id>.json` (sorted by id), unchecked.

    Raises DataError for a file that is none of the layouts; in a folder that is the entry's value instead.
    """
    if str(source) != STDIN and Path(source).is_dir():
        yield from _folder_entries(Path(source))
    else:
        yield from _file_entries(source)


def solutions_beside(source: str | Path) -> Path | None:
    """The `x_solutions.json` that lies beside `x_challenges.json`, or None."""
    path = Path(source)
    if "_challenges.json" not in path.name:
        return None
    beside = path.with_name(path.name.replace("_challenges.json", "_solutions.json"))
    return beside if beside.is_file() else None


def _folder_entries(folder: Path) -> Iterator[Entry]:
    paths: dict[str, list[Path]] = {}
    try:
        for path in sorted(folder.iterdir()):
            if path.name.endswith((".json", ".json.gz")) and path.name[0] != "." and path.is_file():
                paths.setdefault(_stem(path), []).append(path)
    except OSError as error:
        raise DataError(f"{label_of(folder)}: cannot be read: {error.strerror}") from error
    if not paths:
        raise DataError(f"{label_of(folder)}: no task files (<id>.json) in this folder")
    for stem, same in sorted(paths.items()):
        label = label_of(same[0])
        if len(same) > 1:
            yield Entry(label, stem, DataError(f"{label}: the same task as {same[1].name}; remove one"))
            continue
        try:
            found = list(_file_entries(same[0]))
            if [entry.id for entry in found] != [stem]:
                raise DataError(f"{label}: several tasks in one file of a folder; give the file itself")
        except DataError as error:
            found = [Entry(label, stem, error)]
        yield from found


def _file_entries(source: str | Path) -> Iterator[Entry]:
    document, label = read_document(source), label_of(source)
    stem = "stdin" if str(source) == STDIN else _stem(Path(source))
    value, flawed = document.value, document.flawed
    if isinstance(value, list) and any(isinstance(pair, dict) for pair in value):
        yield Entry(label, stem, value, flawed, bare=True)
    elif isinstance(value, dict) and _is_one_task(value):
        yield Entry(label, stem, value, flawed)
    elif isinstance(value, dict) and value and not all(isinstance(each, list) for each in value.values()):
        for key, each in value.items():
            yield Entry(label, key, each, flawed)
    else:
        raise DataError(f"{label}: {_misfit(document)}")


def _is_one_task(value: dict[str, object]) -> bool:
    """One task, not several of which one is called "train" or "test"."""
    if isinstance(value.get("train"), list) and isinstance(value.get("test"), list):
        return True
    return _has_task_key(value) and not any(_has_task_key(_plain(each)) for each in value.values())


def _misfit(document: Document) -> str:
    """Why the document is none of the layouts."""
    for where, text in flaws(document.value) if document.flawed else ():
        return f"{where.lstrip('.')}: {text}" if where else text
    if not isinstance(document.value, dict | list):
        return f"{kind_of(document.value)}, expected an object of tasks"
    if not document.value:
        return "empty, expected tasks"
    if isinstance(document.value, dict):
        return "lists under ids, as in a solutions file; give the challenges file"
    return "a list without pairs, expected tasks"


def kind_of(value: object) -> str:
    """What JSON calls the value, for a message."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    kinds = {dict: "an object", list: "a list", str: "a text", int: "a number", float: "a number"}
    return kinds[type(value)]


def _has_task_key(value: object) -> bool:
    return isinstance(value, dict) and ("train" in value or "test" in value)


def _plain(value: object) -> object:
    return value.last if isinstance(value, Flaw) else value


def _stem(path: Path) -> str:
    for suffix in _SUFFIXES:
        if path.name.endswith(suffix):
            return path.name.removesuffix(suffix)
    return path.name
