"""Published checkpoints become ours without a change of what they answer; anything else is refused."""

import json
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch

from arc_solver.checkpoints.convert.convert import Choices, ConvertError, convert_file
from arc_solver.checkpoints.convert.identifiers import read_identifiers
from arc_solver.checkpoints.convert.layout import adopt
from arc_solver.checkpoints.convert.opener import open_foreign
from arc_solver.checkpoints.convert.published_config import PublishedConfig
from arc_solver.checkpoints.weights import load
from arc_solver.model.trm import Model
from augment.view import View
from tests.arc_solver.checkpoints.convert.published_model import (
    VOCABULARY,
    Published,
    State,
    state_dict,
)
from tests.arc_solver.tiny import tasks as random_tasks

SIDE = 3
LENGTH = SIDE * SIDE
SEED = 11
# kind of published model, prefix positions, cycles, latent steps
KINDS = [("trm", 4, 3, 2), ("mlp", 4, 2, 3), ("learned", 4, 2, 2), ("hrm", 1, 2, 2)]
IDENTIFIERS = ["<blank>", "b", "a|||t3|||0213456789", "a", "b|||t6|||0987654321"]


def saved(state: Any, folder: Path) -> Path:
    path = folder / "step_1.pt"
    torch.save(state, path)
    return path


def trm(prefix: int = 4) -> State:
    return state_dict("trm", torch.Generator().manual_seed(SEED), length=LENGTH, prefix=prefix)


def imported(state: State, choices: Choices) -> Model:
    """Our model of a published state dict, without files."""
    adopted = adopt(state, choices, "step_1.pt", PublishedConfig())
    model = Model(adopted.config, num_rows=5)
    model.load_state_dict(adopted.state)
    return model.eval()


@pytest.mark.parametrize(("kind", "prefix", "cycles", "latent_steps"), KINDS)
def test_logits_are_those_of_the_published_model(
    kind: str, prefix: int, cycles: int, latent_steps: int
) -> None:
    rng = torch.Generator().manual_seed(SEED)
    state = state_dict(kind, rng, length=LENGTH, prefix=prefix)
    ours = imported(state, Choices(heads=2, prefix=prefix, cycles=cycles, latent_steps=latent_steps))
    reference = Published(state, prefix, cycles, latent_steps)
    tokens = torch.randint(0, VOCABULARY, (5, LENGTH), generator=rng, dtype=torch.uint8)
    codes = torch.zeros(5, 12, dtype=torch.int32)
    codes[:, 0] = torch.arange(5)
    carry = ours.first_carry(5, prefix + LENGTH)
    states: list[tuple[Any, Any]] = [(None, None)] * 5
    # Random weights amplify the last bit from age to age.
    for tolerance in (1e-5, 2e-3):
        output = ours(tokens, codes, carry, (SIDE, SIDE))
        carry = output.carry
        for row in range(5):
            logits, halts, high, low = reference.forward(tokens[row].long(), row, *states[row])
            states[row] = (high, low)
            torch.testing.assert_close(output.logits[row], logits, rtol=tolerance, atol=tolerance)
            found = output.halt[row] if kind == "hrm" else output.halt[row : row + 1]
            torch.testing.assert_close(found, halts[: len(found)], rtol=tolerance, atol=tolerance)


def test_a_file_is_imported_with_the_rows_of_its_identifiers(tmp_path: Path) -> None:
    first, second = random_tasks(SEED, (3, 4))
    names, out = tmp_path / "identifiers.json", tmp_path / "x.safetensors"
    entries = [
        "<blank>",
        f"{first.id}|||t7|||1023456789",
        first.id,
        second.id,
        f"{second.id}|||t1|||0123456798",
    ]
    names.write_text(json.dumps(entries))
    facts = convert_file(saved(trm(), tmp_path), out, names, Choices(heads=2, prefix=4))
    assert (facts["tasks"], facts["rows"], facts["kind"]) == (2, 5, "TRM")
    loaded = load(out)
    assert loaded.preset.train.canvas == "full"
    assert [loaded.puzzles.find(task) for task in (first, second)] == [0, 1]
    assert loaded.puzzles.find(random_tasks(SEED, (3, 4, 5))[2]) is None
    assert [loaded.puzzles.views[i] for i in range(4)] == [
        View(),
        View(7, (1, 0, 2, 3, 4, 5, 6, 7, 8, 9)),
        View(),
        View(1, (0, 1, 2, 3, 4, 5, 6, 7, 9, 8)),
    ]
    expected = imported(trm(), Choices(heads=2, prefix=4)).state_dict()
    expected["puzzle.rows"] = expected["puzzle.rows"][[0, 2, 1, 3, 4]]
    for name, tensor in loaded.model.state_dict().items():
        torch.testing.assert_close(tensor, expected[name], rtol=0, atol=0)


def test_without_identifiers_only_the_blank_row_is_kept(tmp_path: Path) -> None:
    state = state_dict("hrm", torch.Generator().manual_seed(SEED), prefix=1)
    out = tmp_path / "x.safetensors"
    facts = convert_file(saved(state, tmp_path), out, None, Choices(heads=2))
    assert (facts["tasks"], facts["rows"], facts["kind"]) == (0, 1, "HRM")
    assert load(out).model.puzzle.rows.shape[0] == 1


@pytest.mark.parametrize(
    ("kind", "vocabulary", "wanted"),
    [
        *(("trm", 12, (3, 4)), ("trm", 6, (3, 4)), ("trm", 11, (3, 6))),
        *(("mlp", 11, (3, 6)), ("mlp", 6, (3, 6)), ("hrm", 11, (2, 2)), ("hrm", 12, (2, 2))),
    ],
)
def test_depth_is_the_published_one_and_said(
    kind: str, vocabulary: int, wanted: tuple[int, int], tmp_path: Path
) -> None:
    rng = torch.Generator().manual_seed(SEED)
    path = saved(state_dict(kind, rng, length=LENGTH, vocabulary=vocabulary), tmp_path)
    facts = convert_file(path, tmp_path / "x.safetensors", None, Choices(heads=2, prefix=4))
    assert (facts["cycles"], facts["latent_steps"]) == wanted
    assert facts["assumed"] == f"--cycles {wanted[0]} --latent-steps {wanted[1]}"
    model = load(tmp_path / "x.safetensors").preset.model
    assert (model.cycles, model.latent_steps) == wanted


def test_a_depth_that_is_given_is_not_assumed(tmp_path: Path) -> None:
    facts = convert_file(saved(trm(), tmp_path), tmp_path / "x.safetensors", None, Choices(2, 4, 2, 7))
    assert (facts["cycles"], facts["latent_steps"], facts["assumed"]) == (2, 7, "nothing")


class Payload:
    """Writes a file when it is unpickled without care."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return (Path.touch, (self.mark,))


def hostile(kind: str, mark: Path) -> Any:
    state: dict[str, Any] = trm()
    return {
        "object": Payload(mark),
        "value": state | {"x": Payload(mark)},
        "key": {Payload(mark): torch.zeros(1)},
        "list": [1, 2],
        "empty": {},
        "number": state | {"step": 5},
        "sparse": state | {"s": torch.zeros(2, 2).to_sparse()},
        "meta": state | {"m": torch.zeros(1, device="meta")},
        "huge": state | {"h": torch.zeros(1).expand(1 << 40)},
    }[kind]


@pytest.mark.parametrize(
    "kind", ["object", "value", "key", "list", "empty", "number", "sparse", "meta", "huge", "pickle", "text"]
)
def test_hostile_files_are_refused_and_nothing_runs(kind: str, tmp_path: Path) -> None:
    path, mark, plain = tmp_path / "bad.pt", tmp_path / "executed", tmp_path / "plain.safetensors"
    if kind == "pickle":
        path.write_bytes(pickle.dumps(Payload(mark)))
    elif kind == "text":
        path.write_text("not a checkpoint")
    else:
        torch.save(hostile(kind, mark), path)
    reason = open_foreign(path, plain, 1 << 30)
    assert reason
    assert "\n" not in reason
    assert not mark.exists()
    assert not plain.exists()


def test_the_payload_would_run_without_care(tmp_path: Path) -> None:
    pickle.loads(pickle.dumps(Payload(tmp_path / "executed")))
    assert (tmp_path / "executed").exists()


@pytest.mark.parametrize(
    ("name", "text"), [("payload.pt", "holds more than tensors"), ("none.pt", "No such file")]
)
def test_a_refusal_reaches_the_caller_as_one_line(name: str, text: str, tmp_path: Path) -> None:
    torch.save(Payload(tmp_path / "executed"), tmp_path / "payload.pt")
    with pytest.raises(ConvertError, match=text) as caught:
        convert_file(tmp_path / name, tmp_path / "x.safetensors", None, Choices())
    assert "\n" not in str(caught.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["payload.pt"]


def changed(change: str) -> State:
    state = trm()
    inner = "_orig_mod.model.inner."
    if change == "missing":
        del state[f"{inner}L_level.layers.1.mlp.down_proj.weight"]
    elif change == "unexpected":
        state[f"{inner}extra.weight"] = torch.zeros(1)
    elif change == "dimensions":
        state[f"{inner}H_init"] = torch.zeros(2, 2)
    elif change == "integers":
        state[f"{inner}lm_head.weight"] = state[f"{inner}lm_head.weight"].long()
    elif change == "shape":
        state[f"{inner}lm_head.weight"] = torch.zeros(12, 31)
    elif change == "inner":
        state[f"{inner}L_level.layers.1.mlp.down_proj.weight"] = torch.zeros(32, 7)
    return state


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ("missing", "missing L_level.layers.1.mlp.down_proj.weight"),
        ("unexpected", "unexpected extra.weight"),
        ("dimensions", r"H_init is \(2, 2\)"),
        ("integers", "lm_head.weight is .* int64"),
        ("shape", r"head.weight has shape \(12, 31\), expected \(12, 32\)"),
        ("inner", r"latent_blocks.1.feed_forward.down.weight has shape \(32, 7\)"),
    ],
)
def test_another_layout_is_refused_by_its_first_difference(change: str, text: str) -> None:
    with pytest.raises(ConvertError, match=text):
        adopt(changed(change), Choices(heads=2), "step_1.pt", PublishedConfig())


@pytest.mark.parametrize(
    ("entries", "text"),
    [
        (IDENTIFIERS[:3], "3 entries for 5 rows"),
        (["<blank>", "a|||t8|||0123456789", "a", "b", "c"], "entry 1: .*expected id"),
        (["<blank>", "a|||t1|||0123456788", "a", "b", "c"], "expected each digit once"),
        (["<blank>", "a|||t1|||0123456789", "d", "b", "c"], "'a' has no entry without"),
        (["<blank>", 5, "d", "b", "c"], "entry 1 is int"),
        ({"a": 1}, "expected a list"),
    ],
)
def test_bad_identifiers_are_refused(entries: Any, text: str, tmp_path: Path) -> None:
    names = tmp_path / "identifiers.json"
    names.write_text(json.dumps(entries))
    with pytest.raises(ConvertError, match=text):
        read_identifiers(names, 5)
