"""The long runs that want a GPU, as data: which commands, in which order, and what they should cost.

A program is a list of stages, each one command of `arc-solve`. `gpu_pieces` runs them in pieces, `gpu_page`
writes them down in docs/gpu.md.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field

from arc_solver.config import ConfigError, Preset
from arc_solver.flops import forward_flops, step_flops
from arc_solver.presets import find_preset

# Share of the outputs of an evaluation that one command answers, so that it fits into a piece.
ARC_PARTS = 4
LEARNING_STEPS = 10_000
ROLLOUTS = 16
# Cells of a canvas -> tasks (of training) or outputs (to answer): ARC-1 and ConceptARC, ARC-2 and ConceptARC.
ARC_TASKS = {
    "arc1": {49: 65, 121: 230, 256: 270, 441: 205, 676: 85, 900: 105},
    "arc2": {49: 71, 121: 271, 256: 316, 441: 301, 676: 124, 900: 197},
}
ARC_OUTPUTS = {
    "arc1": {49: 16, 121: 73, 256: 120, 441: 94, 676: 41, 900: 75},
    "arc2": {121: 4, 256: 10, 441: 38, 676: 26, 900: 89},
}
BOARD_CELLS = {"sudoku": 81, "maze": 900}


@dataclass(frozen=True)
class Stage:
    """One command: words after `arc-solve` with {data} and {out} in them, and the file below {out} it leaves.

    `ends` says what ends it with a piece: "sitting" and "limit" are told to the command, "signal" stops it,
    "" is for what takes seconds; "limit" is given a whole piece. `flops` is what it computes on a GPU.
    """

    name: str
    words: tuple[str, ...]
    leaves: str
    ends: str
    flops: float = 0.0

    @property
    def trains(self) -> bool:
        """Whether several processes share the work, by torchrun."""
        return self.ends == "sitting"


@dataclass(frozen=True)
class Program:
    """What one target of the Makefile does. `needs` are the files of {data} that it reads."""

    name: str
    about: str
    preset: str
    needs: tuple[str, ...]
    stages: tuple[Stage, ...]


@dataclass(frozen=True)
class Place:
    """Where a program runs: folders, number of GPUs, and more words for stages that compute."""

    data: str = "data"
    out: str = "runs/gpu"
    gpus: int = 1
    device: tuple[str, ...] = ()  # for training and answering alike
    settings: tuple[str, ...] = field(default=())  # for training; what it sets goes into the weights

    def folder(self, program: Program) -> str:
        """Where a program leaves its files."""
        return f"{self.out}/{program.name}"

    def command(self, program: Program, stage: Stage, piece: str | None) -> list[str]:
        """The words after `arc-solve` of a stage that has `piece` of time (9m), or all there is."""
        names = {"data": self.data, "out": self.folder(program)}
        words = [word.format(**names) for word in stage.words]
        if stage.trains:
            words += [part for setting in self.settings for part in ("--set", setting)]
        if stage.ends:
            words += self.device
        if piece and stage.ends in ("sitting", "limit"):
            words += ["--sitting" if stage.trains else "--time-limit", piece]
        return words


def _training(preset: str, data: str, domain: str, save_every: int) -> Stage:
    recipe = find_preset(preset)
    rows = (
        {BOARD_CELLS[domain]: recipe.train.batch_size} if domain in BOARD_CELLS else arc_rows(recipe, domain)
    )
    folder = () if ":" in data else ("--data-dir", "{data}")
    words = ("train", "--data", data, *folder, "--preset", preset, "--out", "{out}/run")
    return Stage(
        "train",
        (*words, "--set", f"save_every={save_every}", "--json"),
        "run/final.safetensors",
        "sitting",
        recipe.train.steps * step_flops(recipe.model, rows),
    )


def arc_rows(recipe: Preset, name: str) -> dict[int, float]:
    """Cells of a canvas -> rows in flight there, in proportion to the tasks of a set."""
    tasks = ARC_TASKS[name]
    return {cells: recipe.train.batch_size * num / sum(tasks.values()) for cells, num in tasks.items()}


def _board_answers(
    recipe: Preset, domain: str, tests: str, num: int, words: Sequence[str], chains: int
) -> Stage:
    """Answering every board; `flops` counts all ages, of which halting saves most."""
    name = "answers" if chains == 1 else "rollouts"
    command = ("predict", "--tasks", "{data}/" + tests, "--checkpoint", "{out}/run/final.safetensors")
    flops = num * chains * recipe.predict.ages * forward_flops(recipe.model, BOARD_CELLS[domain])
    leaves = f"{name}.csv"
    return Stage(name, (*command, *words, "--out", "{out}/" + leaves, "--json"), leaves, "limit", flops)


def _boards(name: str, domain: str, about: str, train: str, tests: str, num: int) -> Program:
    recipe = find_preset(name)
    chains = ("--rollouts", str(ROLLOUTS))
    stages = (
        _training(name, domain, domain, 200),
        _board_answers(recipe, domain, tests, num, (), 1),
        _board_answers(recipe, domain, tests, num, chains, ROLLOUTS),
    )
    return Program("sudoku" if name == "sudoku-mlp" else name, about, name, (train, tests), stages)


def arc_answer_flops(recipe: Preset, name: str) -> float:
    """All views and ages of all outputs of an evaluation set."""
    forwards = recipe.predict.views * recipe.predict.ages
    return forwards * sum(num * forward_flops(recipe.model, c) for c, num in ARC_OUTPUTS[name].items())


def _scoring(tasks: str, solutions: str) -> tuple[Stage, ...]:
    report = ("report", "{out}/submission.json", "--tasks", tasks, "--solutions", solutions)
    return (
        Stage("score", ("score", "{out}/submission.json", "--solutions", solutions, "--json"), "", ""),
        Stage("report", (*report, "--out", "{out}/report.html"), "report.html", ""),
    )


def arc_program(name: str, about: str, num_parts: int = ARC_PARTS) -> Program:
    """The published protocol: demonstrations of the evaluation tasks are trained on, then all is answered.

    One command answers each of `num_parts` parts, which are joined.
    """
    recipe = find_preset(name)
    tasks, solutions = (
        f"{{data}}/{name}_evaluation_challenges.json",
        f"{{data}}/{name}_evaluation_solutions.json",
    )
    weights = ("--checkpoint", "{out}/run/final.safetensors")
    share = arc_answer_flops(recipe, name) / num_parts
    parts = tuple(
        Stage(
            f"answers-{i}",
            (
                *("predict", "--tasks", tasks, *weights, "--shard", f"{i}/{num_parts}"),
                *("--out", f"{{out}}/part-{i}.json", "--candidates", f"{{out}}/part-{i}.jsonl", "--json"),
            ),
            f"part-{i}.jsonl",
            "limit",
            share,
        )
        for i in range(1, num_parts + 1)
    )
    lists = [f"{{out}}/part-{i}.jsonl" for i in range(1, num_parts + 1)]
    joining = ("merge", *lists, "--tasks", tasks, "--out", "{out}/submission.json")
    needs = tuple(
        f"{name}_{part}_{kind}.json"
        for part in ("training", "evaluation")
        for kind in ("challenges", "solutions")
    )
    stages = (
        _training(name, name, name, 500),
        *parts,
        Stage("merge", joining, "submission.json", ""),
        *_scoring(tasks, solutions),
    )
    return Program(name, about, name, needs, stages)


def _unseen(name: str, about: str) -> Program:
    """As on a hidden set: trained on the training set, then test-time training on the evaluation tasks."""
    recipe = find_preset(name)
    tasks, solutions = (
        f"{{data}}/{name}_evaluation_challenges.json",
        f"{{data}}/{name}_evaluation_solutions.json",
    )
    outputs = ARC_OUTPUTS[name]
    batch = recipe.train.batch_size
    rows = {cells: batch * num / sum(outputs.values()) for cells, num in outputs.items()}
    learning = LEARNING_STEPS * step_flops(recipe.model, rows)
    learn = (
        *("predict", "--tasks", tasks, "--checkpoint", "{out}/run/final.safetensors"),
        *("--adapt-steps", str(LEARNING_STEPS), "--keep", "{out}/learnt"),
        *("--out", "{out}/submission.json", "--candidates", "{out}/candidates.jsonl", "--json"),
    )
    stages = (
        _training(name, f"{name}:training", name, 500),
        Stage("learn", learn, "submission.json", "signal", learning + arc_answer_flops(recipe, name)),
        *_scoring(tasks, solutions),
    )
    needs = tuple(f"{name}_evaluation_{kind}.json" for kind in ("challenges", "solutions"))
    return Program(f"{name}-unseen", about, name, needs, stages)


SUDOKU_FILES = ("sudoku_extreme_1k_train.csv", "sudoku_extreme_test_10k.csv", 10_000)
MAZE_FILES = ("maze_hard_1k_train.csv", "maze_hard_test_500.csv", 500)
PROGRAMS: dict[str, Program] = {
    program.name: program
    for program in (
        _boards("sudoku-mlp", "sudoku", "Sudoku-Extreme, the network without attention", *SUDOKU_FILES),
        _boards("sudoku-att", "sudoku", "Sudoku-Extreme, the network with attention", *SUDOKU_FILES),
        _boards("maze", "maze", "Maze-Hard", *MAZE_FILES),
        arc_program("arc1", "ARC-AGI-1 as published: demonstrations of the evaluation set are trained on"),
        arc_program("arc2", "ARC-AGI-2 as published: demonstrations of the evaluation set are trained on"),
        _unseen("arc1", "ARC-AGI-1 as a hidden set: test-time training on the evaluation tasks"),
        _unseen("arc2", "ARC-AGI-2 as a hidden set: test-time training on the evaluation tasks"),
    )
}


def find_program(name: str) -> Program:
    """The program of that name; ConfigError suggests the near one."""
    if name not in PROGRAMS:
        near = difflib.get_close_matches(name, PROGRAMS, 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ConfigError(f"no program {name!r}{hint}; known: {', '.join(PROGRAMS)}")
    return PROGRAMS[name]
