"""A folder of another run is refused with the first differences, whatever differs; rows are never reset."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from arc_solver.checkpoints.file_format import CheckpointError, checkpoint_name
from arc_solver.checkpoints.weights import load, read_tensors, save
from arc_solver.config import ConfigError, ModelConfig, Preset, TrainConfig
from arc_solver.corpus.corpus import Corpus
from arc_solver.domains.arc.domain import ARC
from arc_solver.model.trm import Model
from arc_solver.storage.files import sha256_file
from arc_solver.tasks.puzzles import PuzzleMap
from arc_solver.tasks.task import Pair, Task
from arc_solver.training.loop import Hooks, Limits, run_steps
from arc_solver.training.run import RunOptions, train
from arc_solver.training.run_checkpoint import FREE_SETTINGS, resume, save_state, save_weights
from arc_solver.training.warm_start import start_from
from tests.arc_solver.tiny import MODEL, TRAIN, Run, preset, run, tasks
from tests.crash.payloads import Source, rewritten
from tests.tally import record, some

SHORT = dataclasses.replace(MODEL, cycles=1, latent_steps=1)
RECIPE = preset(SHORT, dataclasses.replace(TRAIN, steps=2))
TASKS = tuple(tasks(3, (3, 4)))
# Another value of each setting that is text, and of each number where one more or another half will not do.
OTHER: dict[str, Any] = {
    "mixers": ("position_mlp",),
    "length": 49,
    "width": 24,
    "num_heads": 4,
    "positions": "none",
    "embedding": "composed",
    "gradient": "last",
    "networks": 2,
    "kernel_size": 5,
    "row_width": 8,
    "domain": "sudoku",
    "optimizer": "muon",
    "schedule": "linear",
    "loss": "softmax",
    "curriculum": "depth",
    "canvas": "full",
    "precision": "bfloat16",
}
TOGETHER: dict[str, dict[str, Any]] = {"mixers": {"length": 49}}
# No recipe for ARC can have it: such a one is refused before it meets any folder.
OF_BOARDS = ("symbols", "maxima", "wall_token", "hint_weight")


def other(config: ModelConfig | TrainConfig, name: str) -> ModelConfig | TrainConfig:
    """The config with another value of one field."""
    value = getattr(config, name)
    if name in OTHER:
        new = OTHER[name]
    elif isinstance(value, bool):
        new = not value
    elif isinstance(value, int):
        new = value + 1
    elif isinstance(value, float):
        new = value / 2 + 0.03
    else:
        raise AssertionError(f"say in OTHER what else {name} may be")
    return dataclasses.replace(config, **{name: new}, **TOGETHER.get(name, {}))


def changed_recipes() -> dict[str, Preset]:
    """A recipe for each field of model and training that belongs to a run."""
    found = {}
    for part in ("model", "train"):
        config = getattr(RECIPE, part)
        for field in dataclasses.fields(config):
            if field.name not in (*FREE_SETTINGS, *OF_BOARDS):
                found[f"{part}.{field.name}"] = dataclasses.replace(
                    RECIPE, **{part: other(config, field.name)}
                )
    return found


def changed_tasks() -> dict[str, tuple[Task, ...]]:
    first, second = TASKS
    pair = first.train[0]
    cell = pair.input.copy()
    cell[0, 0] = (cell[0, 0] + 1) % 10
    turned = Pair(np.ascontiguousarray(pair.input.T), pair.output)
    assert first.test[0].output is not None
    hidden = dataclasses.replace(first.test[0], output=None)

    def with_pairs(*pairs: Pair) -> tuple[Task, ...]:
        return (dataclasses.replace(first, train=pairs), second)

    return {
        "another cell": with_pairs(Pair(cell, pair.output), *first.train[1:]),
        "another answer": with_pairs(Pair(pair.input, cell), *first.train[1:]),
        "a grid turned": with_pairs(turned, *first.train[1:]),
        "a pair less": with_pairs(*first.train[1:]),
        "a pair more": with_pairs(*first.train, pair),
        "pairs in another order": with_pairs(*reversed(first.train)),
        "another id": (dataclasses.replace(first, id="other"), second),
        "an answer less": (dataclasses.replace(first, test=(hidden,)), second),
        "a task less": (first,),
        "a task more": (*TASKS, dataclasses.replace(first, id="third", train=first.train[:1])),
        "tasks in another order": (second, first),
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("run")
    train(RECIPE, Corpus(ARC, TASKS), found, RunOptions(device="cpu"))
    return found


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def refusal(recipe: Preset, listed: tuple[Task, ...], folder: Path) -> str:
    """The line with which the folder is refused; it must be as before."""
    before = contents(folder)
    with pytest.raises((CheckpointError, ConfigError)) as caught:
        train(recipe, Corpus(ARC, listed), folder, RunOptions(device="cpu"))
    assert contents(folder) == before
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_every_setting_of_a_recipe(folder: Path) -> None:
    cases = some(list(changed_recipes().items()), "CONFIG", 12)
    wrong = {}
    for name, recipe in cases:
        line = refusal(recipe, TASKS, folder)
        # What is for another domain is refused before the folder is looked at.
        early = {"train.domain": "sudoku", "model.vocabulary": "ARC has 12 tokens"}.get(name)
        if f"{name} is " not in line and (early is None or early not in line):
            wrong[name] = line
    record(6, "settings of a recipe", len(cases), len(cases) - len(wrong))
    assert not wrong


def test_every_change_of_the_tasks(folder: Path) -> None:
    wrong = {}
    cases = changed_tasks()
    for name, listed in cases.items():
        line = refusal(RECIPE, listed, folder)
        if "the training data differ" not in line:
            wrong[name] = line
    record(6, "changes of the tasks", len(cases), len(cases) - len(wrong))
    assert not wrong


def test_free_settings_go_on(folder: Path) -> None:
    freed = dataclasses.replace(
        RECIPE, train=dataclasses.replace(RECIPE.train, save_every=7, keep=3, steps=3)
    )
    path = train(freed, Corpus(ARC, TASKS), folder, RunOptions(device="cpu"))
    assert read_tensors(path)[0]["step"] == 3


def test_a_run_whose_recipe_is_written_in_old_keys_goes_on(tmp_path: Path) -> None:
    train(RECIPE, Corpus(ARC, TASKS), tmp_path, RunOptions(device="cpu"))
    (path,) = tmp_path.glob("checkpoint-*")

    def older(_: object, metadata: dict[str, Any]) -> None:
        model = metadata["preset"]["model"]
        for key in ("mixers", "kernel_size", "hints"):
            del model[key]
        model |= {"mixer": "attention", "convolution": 0, "peers": False, "neighbours": False}

    path.write_bytes(rewritten(Source(path.read_bytes(), tmp_path), older))
    longer = dataclasses.replace(RECIPE, train=dataclasses.replace(RECIPE.train, steps=3))
    assert read_tensors(train(longer, Corpus(ARC, TASKS), tmp_path, RunOptions(device="cpu")))[0]["step"] == 3


@dataclasses.dataclass(frozen=True)
class Kept:
    """A run of one step and its checkpoint."""

    found: Run
    metadata: dict[str, Any]
    tensors: dict[str, Tensor]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    found = run(preset(SHORT))
    run_steps(found.state, found.preset.train, Limits(stop=lambda: found.state.step >= 1), Hooks())
    path = save_state(
        tmp_path_factory.mktemp("kept"), found.state, found.preset, found.puzzles, found.data, {}
    )
    metadata, tensors = read_tensors(path)
    own = {name: t for name, t in tensors.items() if not name.startswith("puzzles.")}
    return Kept(found, {key: metadata[key] for key in ("kind", "step", "seconds", "data")}, own)


def reshaped(tensors: dict[str, Tensor], name: str, how: str) -> dict[str, Tensor]:
    """The tensors with one that is longer, has another dimension, is missing, or has a companion."""
    found = dict(tensors)
    t = found.pop(name)
    if how == "longer":
        found[name] = torch.cat(
            [t.reshape(1) if t.dim() == 0 else t, t.reshape(1) if t.dim() == 0 else t[:1]]
        )
    elif how == "another dimension":
        found[name] = t[None]
    elif how == "a companion":
        found |= {name: t, f"{name}_2": t.clone()}
    return found


def test_every_tensor_of_another_shape(kept: Kept, tmp_path: Path) -> None:
    ways = ("longer", "another dimension", "missing", "a companion")
    cases = some([(name, how) for name in kept.tensors for how in ways], "SHAPE", 24)
    found, wrong = kept.found, {}
    before = {name: t.clone() for name, t in found.state.tensors().items()}
    path = tmp_path / checkpoint_name(1)
    for name, how in cases:
        save(path, reshaped(kept.tensors, name, how), found.preset, found.puzzles, kept.metadata)
        try:
            resume(tmp_path, found.state, found.preset, found.data, lambda text: pytest.fail(text))
            wrong[name, how] = "it was loaded"
        except CheckpointError as error:
            if name not in str(error) or "does not fit" not in str(error):
                wrong[name, how] = str(error)
        wrong |= {
            (name, other): how
            for other, t in found.state.tensors().items()
            if not torch.equal(t, before[other])
        }
    record(6, "shapes of tensors", len(cases), len(cases) - len(wrong))
    assert not wrong


def test_rows_that_start_afresh_are_announced(folder: Path, tmp_path: Path) -> None:
    said: list[str] = []
    options = RunOptions(init=folder / "final.safetensors", device="cpu", say=said.append)
    train(RECIPE, Corpus(ARC, TASKS[:1]), tmp_path / "fewer", options)
    train(RECIPE, Corpus(ARC, TASKS[::-1]), tmp_path / "turned", options)
    assert ["knows other puzzles" in line for line in said].count(True) == 2
    said.clear()
    train(RECIPE, Corpus(ARC, TASKS), tmp_path / "same", options)
    assert not any("other puzzles" in line for line in said)


def test_a_composed_prefix_begins_with_weights_of_one_row(tmp_path: Path) -> None:
    """The position of the task is theirs, those of symmetry and colors begin."""
    one_row = preset(dataclasses.replace(SHORT, prefix_length=1))
    found, path = run(one_row), tmp_path / "one.safetensors"
    save_weights(path, found.state, one_row, found.puzzles, {})
    composed = preset(dataclasses.replace(SHORT, embedding="composed"))
    puzzles = PuzzleMap.build(TASKS, "composed", 4, seed=0)
    begun, said = Model(composed.model, num_rows=puzzles.num_rows), list[str]()
    start_from(begun, composed, puzzles, path, said.append)
    theirs, state = load(path).model.state_dict(), begun.state_dict()
    rows = theirs.pop("puzzle.rows")
    torch.testing.assert_close(state["puzzle.rows"][1:], rows[1:].mean(dim=0).expand(len(TASKS), -1))
    assert all(torch.equal(state[name], t) for name, t in theirs.items())
    assert any("symmetry and colors" in line for line in said)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("positions", "none"),
        ("num_heads", 4),
        ("mixers", ("position_mlp",)),
        ("mixers", ("attention", "convolution")),
        ("num_latents", 2),
        ("prefix_length", 3),
    ],
)
def test_weights_that_would_mean_something_else_begin_no_run(
    name: str, value: Any, folder: Path, tmp_path: Path
) -> None:
    """No shape tells, but for the mixer's, and what the weights compute is another."""
    model = dataclasses.replace(SHORT, **{name: value}, **TOGETHER.get(name, {}))
    options = RunOptions(init=folder / "final.safetensors", device="cpu")
    with pytest.raises(CheckpointError) as caught:
        train(dataclasses.replace(RECIPE, model=model), Corpus(ARC, TASKS), tmp_path / "new", options)
    assert "\n" not in str(caught.value)
    field = "prefix" if name == "prefix_length" else name
    wanted = f"{field} is {value} here, {getattr(SHORT, name)} there"
    assert str(caught.value).startswith("final.safetensors: weights of another architecture (")
    assert wanted in str(caught.value)
    assert not (tmp_path / "new").exists()


def test_weights_for_another_domain_begin_no_run(tmp_path: Path) -> None:
    found = run(preset(SHORT))
    boards = dataclasses.replace(RECIPE, train=dataclasses.replace(RECIPE.train, domain="sudoku"))
    save_weights(tmp_path / "boards.safetensors", found.state, boards, found.puzzles, {})
    options = RunOptions(init=tmp_path / "boards.safetensors", device="cpu")
    with pytest.raises(CheckpointError, match="weights for sudoku, but these are ARC tasks"):
        train(RECIPE, Corpus(ARC, TASKS), tmp_path / "new", options)


def test_weights_of_another_depth_or_gradient_begin_a_run_with_a_remark(folder: Path, tmp_path: Path) -> None:
    said: list[str] = []
    options = RunOptions(init=folder / "final.safetensors", device="cpu", say=said.append)
    corpus = Corpus(ARC, TASKS)
    deeper = dataclasses.replace(SHORT, cycles=2, gradient="last")
    train(dataclasses.replace(RECIPE, model=deeper), corpus, tmp_path / "deeper", options)
    assert said == ["final.safetensors was trained at another depth: cycles is 2 here, 1 there"]


def test_weights_to_begin_with_have_no_part_in_a_run_that_goes_on(folder: Path, tmp_path: Path) -> None:
    """The same command resumes, even where the file is gone; the run remembers what it began with."""
    said: list[str] = []
    init, new = tmp_path / "init.safetensors", tmp_path / "new"
    init.write_bytes((folder / "final.safetensors").read_bytes())
    options = RunOptions(init=init, device="cpu", say=said.append)
    corpus = Corpus(ARC, TASKS, manifest=(("tasks.json", "1234"),))
    path = train(RECIPE, corpus, new, options)
    began = [["tasks.json", "1234"], ["init.safetensors (--init)", sha256_file(init)]]
    assert read_tensors(path)[0]["files"] == began
    assert said == []
    init.unlink()
    longer = dataclasses.replace(RECIPE, train=dataclasses.replace(RECIPE.train, steps=4))
    path = train(longer, corpus, new, options)
    assert said[0].startswith(f"{new} holds a run already")
    assert said[0].endswith(f"--init {init}")
    assert said[1:] == [f"resuming {new} at step 2"]
    assert read_tensors(path)[0]["files"] == began
