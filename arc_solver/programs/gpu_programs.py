"""The long runs that want a GPU, as data: which commands, in which order, and what they should cost.

A program is a list of stages, each one command of `arc-solve`. `gpu_pieces` runs them in pieces, `gpu_page`
writes them down in docs/gpu.md.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field

from arc_solver.config import ConfigError, Preset
from arc_solver.corpus.set_sizes import ARC_OUTPUTS, ARC_TASKS, BOARD_CELLS
from arc_solver.model.flops import forward_flops, step_flops
from arc_solver.presets import find_preset

# An evaluation is learnt and answered in so many parts, boards in so many where chains make it long: each of
# them fits into a piece.
ARC_PARTS = 4
ROLLOUT_PARTS = 4
LEARNING_STEPS = 10_000  # for a whole evaluation; a part of the tasks gets that part of the steps
ROLLOUTS = 16


@dataclass(frozen=True)
class Stage:
    """One command: words after `arc-solve` with {data} and {out} in them, and the file below {out} it leaves.

    `ends` says what ends it with a piece: "sitting" and "limit" are told to the command, "signal" stops it,
    "" is for what takes seconds; "limit" is given a whole piece. `flops` is what training computes on a GPU,
    `answer_flops` what answering does. `adapt_steps` are shared out among the workers, one per GPU.
    """

    name: str
    words: tuple[str, ...]
    leaves: str
    ends: str
    flops: float = 0.0
    answer_flops: float = 0.0
    adapt_steps: int = 0

    @property
    def trains(self) -> bool:
        """Whether several processes share every step, by torchrun."""
        return self.ends == "sitting"

    def needs(self, other: Stage) -> bool:
        """Whether it reads what an earlier stage leaves: parts do not read each other."""
        return other.trains or not self.ends


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
        if stage.adapt_steps:
            words += ["--adapt-steps", str(max(1, stage.adapt_steps // self.gpus))]
        if stage.ends and not stage.trains:
            words += ["--workers", str(self.gpus)]
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
        recipe.train.steps * step_flops(recipe.model, rows, ages=recipe.train.gradient_ages),
    )


def arc_rows(recipe: Preset, name: str) -> dict[int, float]:
    """Cells of a canvas -> rows in flight there, in proportion to the tasks of a set."""
    tasks = ARC_TASKS[name]
    return {cells: recipe.train.batch_size * num / sum(tasks.values()) for cells, num in tasks.items()}


def _board_answers(
    recipe: Preset, domain: str, tests: str, num: int, chains: int, num_parts: int
) -> tuple[Stage, ...]:
    """Answering every board, in parts; the operations count all ages, of which halting saves most."""
    name = "answers" if chains == 1 else "rollouts"
    command = ("predict", "--tasks", "{data}/" + tests, "--checkpoint", "{out}/run/final.safetensors")
    command += () if chains == 1 else ("--rollouts", str(chains))
    flops = num * chains * recipe.predict.ages * forward_flops(recipe.model, BOARD_CELLS[domain]) / num_parts
    if num_parts == 1:
        words = (*command, "--out", f"{{out}}/{name}.csv", "--json")
        return (Stage(name, words, f"{name}.csv", "limit", answer_flops=flops),)
    return tuple(
        Stage(
            f"{name}-{i}",
            (*command, "--shard", f"{i}/{num_parts}", "--out", f"{{out}}/{name}-{i}.csv", "--json"),
            f"{name}-{i}.csv",
            "limit",
            answer_flops=flops,
        )
        for i in range(1, num_parts + 1)
    )


def boards_program(
    name: str, domain: str, about: str, train: str, tests: str, num: int, num_parts: int = ROLLOUT_PARTS
) -> Program:
    """Training, one chain for every board, then many chains in `num_parts` parts."""
    recipe = find_preset(name)
    stages = (
        _training(name, domain, domain, 200),
        *_board_answers(recipe, domain, tests, num, 1, 1),
        *_board_answers(recipe, domain, tests, num, ROLLOUTS, num_parts),
    )
    return Program("sudoku" if name == "sudoku-mlp" else name, about, name, (train, tests), stages)


def arc_answer_flops(recipe: Preset, name: str) -> float:
    """All views and ages of all outputs of an evaluation set."""
    forwards = recipe.predict.views * recipe.predict.ages
    return forwards * sum(num * forward_flops(recipe.model, c) for c, num in ARC_OUTPUTS[name].items())


def _arc_parts(name: str, num_parts: int, learning: float = 0.0) -> tuple[Stage, ...]:
    """Stages that answer the parts of an evaluation set, join and score them.

    With `learning`, the operations of LEARNING_STEPS, every part is learnt before it is answered.
    """
    tasks, solutions = (
        f"{{data}}/{name}_evaluation_challenges.json",
        f"{{data}}/{name}_evaluation_solutions.json",
    )
    share = arc_answer_flops(find_preset(name), name) / num_parts
    kind, ends = ("learn", "signal") if learning else ("answers", "limit")
    parts = tuple(
        Stage(
            f"{kind}-{i}",
            (
                *("predict", "--tasks", tasks, "--checkpoint", "{out}/run/final.safetensors"),
                *("--shard", f"{i}/{num_parts}", *(("--keep", f"{{out}}/learnt-{i}") if learning else ())),
                *("--out", f"{{out}}/part-{i}.json", "--candidates", f"{{out}}/part-{i}.jsonl", "--json"),
            ),
            f"part-{i}.jsonl",
            ends,
            learning / num_parts,
            share,
            max(1, LEARNING_STEPS // num_parts) if learning else 0,
        )
        for i in range(1, num_parts + 1)
    )
    lists = [f"{{out}}/part-{i}.jsonl" for i in range(1, num_parts + 1)]
    joining = ("merge", *lists, "--tasks", tasks, "--out", "{out}/submission.json")
    report = ("report", "{out}/submission.json", "--tasks", tasks, "--solutions", solutions)
    return (
        *parts,
        Stage("merge", joining, "submission.json", ""),
        Stage("score", ("score", "{out}/submission.json", "--solutions", solutions, "--json"), "", ""),
        Stage("report", (*report, "--out", "{out}/report.html"), "report.html", ""),
    )


def arc_program(name: str, about: str, num_parts: int = ARC_PARTS) -> Program:
    """The published protocol: demonstrations of the evaluation tasks are trained on, then all is answered."""
    needs = tuple(
        f"{name}_{part}_{kind}.json"
        for part in ("training", "evaluation")
        for kind in ("challenges", "solutions")
    )
    return Program(name, about, name, needs, (_training(name, name, name, 500), *_arc_parts(name, num_parts)))


def unseen_program(name: str, about: str, num_parts: int = ARC_PARTS) -> Program:
    """As on a hidden set: trained on the training set, then test-time training on the evaluation tasks."""
    recipe = find_preset(name)
    outputs = ARC_OUTPUTS[name]
    batch = recipe.train.batch_size
    rows = {cells: batch * num / sum(outputs.values()) for cells, num in outputs.items()}
    learning = LEARNING_STEPS * step_flops(recipe.model, rows)
    stages = (_training(name, f"{name}:training", name, 500), *_arc_parts(name, num_parts, learning))
    needs = tuple(f"{name}_evaluation_{kind}.json" for kind in ("challenges", "solutions"))
    return Program(f"{name}-unseen", about, name, needs, stages)


SUDOKU_FILES = ("sudoku_extreme_1k_train.csv", "sudoku_extreme_test_10k.csv", 10_000)
MAZE_FILES = ("maze_hard_1k_train.csv", "maze_hard_test_500.csv", 500)
PROGRAMS: dict[str, Program] = {
    program.name: program
    for program in (
        boards_program(
            "sudoku-mlp", "sudoku", "Sudoku-Extreme, the network without attention", *SUDOKU_FILES
        ),
        boards_program("sudoku-att", "sudoku", "Sudoku-Extreme, the network with attention", *SUDOKU_FILES),
        boards_program("maze", "maze", "Maze-Hard", *MAZE_FILES, 1),
        arc_program("arc1", "ARC-AGI-1 as published: demonstrations of the evaluation set are trained on"),
        arc_program("arc2", "ARC-AGI-2 as published: demonstrations of the evaluation set are trained on"),
        unseen_program("arc1", "ARC-AGI-1 as a hidden set: test-time training on the evaluation tasks"),
        unseen_program("arc2", "ARC-AGI-2 as a hidden set: test-time training on the evaluation tasks"),
    )
}


def find_program(name: str) -> Program:
    """The program of that name; ConfigError suggests the near one."""
    if name not in PROGRAMS:
        near = difflib.get_close_matches(name, PROGRAMS, 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ConfigError(f"no program {name!r}{hint}; known: {', '.join(PROGRAMS)}")
    return PROGRAMS[name]
