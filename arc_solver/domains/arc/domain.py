"""ARC as a domain: its material is a tuple of tasks."""

from __future__ import annotations

import codecs
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from arc_solver.config import ConfigError, Groups, ModelConfig, PredictConfig, Preset
from arc_solver.domains.arc.examples import VOCABULARY, ArcQuestions, ArcTraining, task_side
from arc_solver.domains.arc.practice import ArcPractice
from arc_solver.domains.boards.board_set import BoardSet
from arc_solver.domains.protocols import (
    Block,
    Bytes,
    Faults,
    Flags,
    Look,
    Notice,
    Numbers,
    Questions,
    Reading,
    trained_on,
)
from arc_solver.domains.published_content import is_published, material_from_published
from arc_solver.storage.source import read_head
from arc_solver.storage.text import DataError, count
from arc_solver.tasks.arckit_sets import BUILTIN_NAMES
from arc_solver.tasks.puzzles import PuzzleMap, puzzles_of
from arc_solver.tasks.reader import read_tasks, read_tasks_softly, refuse_unreadable
from arc_solver.tasks.sealing import sealed
from arc_solver.tasks.sharding import cost, part_of
from arc_solver.tasks.task import Pair, Task, task_hash
from arc_solver.tasks.truth import carried_truth

Tasks = tuple[Task, ...]
NO_NOISE = "no noise was tried on tasks: say how much with --sigma"
NO_RULES = "guesses are taken back by rules, and those of a task are not known"
BAD_TASKS = "a bad task costs only itself, and a submission must name it"


@dataclass(frozen=True)
class ArcDomain:
    """Domain of tasks with demonstrations; see `domains.protocols`."""

    name: str = "arc"
    noun: str = "ARC tasks"
    attempts: int = 2
    learns: bool = True
    default_out: str = "submission.json"
    endings: tuple[str, ...] = (".json",)
    default_noise: float = 0.0
    default_election: str = "top_two"
    rules_decide: bool = False
    evaluated_views: int | None = None
    idle: Set[str] = frozenset({"choice", "hints"})
    training_file: str | None = None
    refused: Mapping[str, str] = field(default_factory=lambda: {"--skip-bad": BAD_TASKS})

    def recognizes(self, source: str, *, guess: bool = False) -> bool:
        del guess
        if is_published(source):
            return not isinstance(material_from_published(source), BoardSet)
        if source in BUILTIN_NAMES or Path(source).is_dir():
            return True
        start = read_head(source).removeprefix(codecs.BOM_UTF8).lstrip()[:2]
        # A list, but not "[Puzzle]"; an empty value says nothing.
        listed = start[:1] == b"[" and not start[1:].isalpha()
        return (start[:1] == b"{" or listed) and start not in (b"{}", b"[]")

    def read(self, source: str, reading: Reading, notice: Notice) -> tuple[Tasks, Faults]:
        if is_published(source):
            return tuple(_published_tasks(source)), {}
        tasks, faults = read_tasks_softly(source, lenient=reading.lenient, notice=notice)
        refuse_unreadable(tasks, faults)
        return tuple(tasks), faults

    def read_scored(
        self, source: str, solutions: Path | None, trained: Tasks, preset: Preset, notice: Notice
    ) -> Tasks:
        del preset
        tasks = tasks_of_source(source, solutions)
        truth = carried_truth(tasks)
        if not truth:
            where = "; --eval-solutions names the file that holds them" if solutions is None else ""
            raise DataError(f"{source}: the tasks carry no outputs to evaluate on{where}")
        if len(truth) < len(tasks):
            notice(
                f"{source}: not scored for lack of outputs: {len(tasks) - len(truth)} of {len(tasks)} tasks"
            )
        scored = tuple(task for task in tasks if task.id in truth)
        known = set(map(task_hash, trained))
        unknown = sum(task_hash(task) not in known for task in scored)
        if unknown == len(scored):
            raise DataError(
                f"{source}: of its {count(len(scored), 'task')} none is known to this run; "
                "--data must hold their demonstrations"
            )
        if unknown:
            which = f"{unknown} of {len(scored)} tasks"
            notice(f"{source}: unknown to this run, so counted as not solved: {which}")
        learned = {pair for task in trained for pair in (*task.train, *task.test) if pair.output is not None}
        asked = [pair for task in scored for pair in task.test]
        if num := sum(pair in learned for pair in asked):
            notice(trained_on(source, num, len(asked), "output"))
        return scored

    def for_training(self, material: Tasks, hidden: Sequence[Task], notice: Notice) -> Tasks:
        found = sealed(material, hidden)
        if line := found.line():
            notice(line)
        return tuple(dict.fromkeys(found.tasks))

    def join(self, parts: Sequence[Tasks]) -> Tasks:
        # Sets overlap (ARC-2 contains most of ARC-1): equal tasks count once.
        return tuple(dict.fromkeys(task for part in parts for task in part))

    def take(self, material: Tasks, places: Numbers | slice) -> Tasks:
        return material[places] if isinstance(places, slice) else tuple(material[p] for p in places.tolist())

    def part(self, material: Tasks, faults: Faults, number: int, num_parts: int) -> tuple[Tasks, Faults]:
        tasks, own = part_of(material, list(faults.values()), number, num_parts)
        return tuple(tasks), own

    def ids(self, material: Tasks) -> list[str]:
        return [task.id for task in material]

    def sides(self, material: Tasks) -> list[int]:
        return [task_side(task) for task in material]

    def side(self, material: Tasks) -> int:
        del material
        return 0

    def blocks(self, material: Tasks) -> Sequence[Block]:
        return [
            Block(task.id, np.array([place]), len(task.test), cost(task))
            for place, task in enumerate(material)
        ]

    def pack(self, material: Tasks) -> dict[str, Any]:
        packed = [
            {
                "id": task.id,
                "train": [[pair.input, pair.output] for pair in task.train],
                "test": [pair.input for pair in task.test],
            }
            for task in material
        ]
        return {"tasks": packed}

    def unpack(self, message: Mapping[str, Any]) -> Tasks:
        return tuple(
            Task(
                value["id"],
                tuple(Pair(_grid(question), _grid(answer)) for question, answer in value["train"]),
                tuple(Pair(_grid(question), None) for question in value["test"]),
            )
            for value in message["tasks"]
        )

    def check(self, model: ModelConfig, predict: PredictConfig | None = None) -> None:
        if model.cells_alone:
            alone = ",".join(model.mixers)
            raise ConfigError(f"mixers={alone} is for boards: cells of ARC could not see their task")
        if "group_sums" in model.mixers:
            self.groups(model.length)
        if model.vocabulary != VOCABULARY:
            raise ConfigError(f"vocabulary={model.vocabulary}: ARC has {VOCABULARY} tokens")
        if predict and predict.guess_after:
            raise ConfigError(f"guess_after={predict.guess_after}: {NO_RULES}")
        if predict and predict.rollouts > 1 and not predict.sigma:
            raise ConfigError(f"rollouts={predict.rollouts}: {NO_NOISE}")

    def groups(self, length: int) -> Groups:
        raise ConfigError("group_sums among mixers is for boards, this recipe is for arc")

    def fault(self, model: ModelConfig, material: Tasks) -> str | None:
        del model, material
        return None

    def training(self, material: Tasks, preset: Preset) -> tuple[ArcTraining, PuzzleMap]:
        puzzles = puzzles_of(material, preset.model.embedding, preset.train, preset.train.seed)
        examples = ArcTraining(material, puzzles, preset.train)
        lengths, length = [height * width for height, width in examples.canvases], preset.model.length
        if length and lengths != [length]:
            found = ", ".join(map(str, lengths))
            raise ConfigError(
                f"length={length}: these tasks lie on canvases of {found} tokens; "
                "a fixed length is for a single canvas of that many (canvas=full has 900)"
            )
        return examples, puzzles

    def numbers(self, material: Tasks, puzzles: PuzzleMap) -> Numbers:
        found = (puzzles.find(task) for task in material)
        return np.array([-1 if number is None else number for number in found], np.int64)

    def questions(
        self, material: Tasks, puzzles: PuzzleMap, numbers: Sequence[int], config: PredictConfig, canvas: str
    ) -> ArcQuestions:
        return ArcQuestions(material, numbers, puzzles, config, canvas)

    def practice(self, questions: Questions) -> ArcPractice:
        assert isinstance(questions, ArcQuestions)
        return ArcPractice(questions)

    def keeps_the_rules(self, material: Tasks, queries: Numbers, cells: Bytes) -> Flags:
        # Any grid may be an answer: finding the rules of a task is the puzzle.
        del material, cells
        return np.ones(len(queries), np.bool_)

    def counts(self, material: Tasks, answers: Sequence[Sequence[Bytes]]) -> dict[str, float]:
        truth = [pair.output for task in material for pair in task.test]
        solved = [
            [np.array_equal(grid, output) for grid in attempts if output is not None]
            for output, attempts in zip(truth, answers, strict=True)
        ]
        first = sum(any(each[:1]) for each in solved)
        return {"outputs": len(truth), "exact": sum(map(any, solved)), "pass_1": first}

    def look(self, side: int) -> Look | None:
        del side
        return None


def tasks_of_source(source: str, solutions: Path | None = None) -> list[Task]:
    """As `read_tasks`, but also from a published folder."""
    return _published_tasks(source) if is_published(source) else read_tasks(source, solutions=solutions)


def _published_tasks(source: str) -> list[Task]:
    """The tasks with test inputs."""
    found = material_from_published(source)
    if isinstance(found, BoardSet):
        raise DataError(f"{source}: boards, expected tasks")
    return [task for task in found if task.test]


def _grid(value: object) -> Bytes:
    return np.array(value, np.uint8)


ARC = ArcDomain()
