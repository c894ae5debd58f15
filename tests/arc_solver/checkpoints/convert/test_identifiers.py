"""The list of puzzles in both published forms, and all rows of a full table."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from arc_solver.checkpoints.convert.convert import Choices, ConvertError, convert_file
from arc_solver.checkpoints.convert.identifiers import read_identifiers
from arc_solver.checkpoints.weights import load
from arc_solver.domains.arc.domain import ARC
from augment.view import View
from tests.arc_solver.checkpoints.convert.published_model import state_dict
from tests.arc_solver.tiny import tasks

FORMS = {"TRM": "{}|||t{}|||{}", "HRM": "{}_t{}_{}"}
VIEWS = [("a", 3, "0213456789"), ("b", 6, "0987654321")]


def listed(folder: Path, *names: str) -> Path:
    path = folder / "identifiers.json"
    path.write_text(json.dumps(["<blank>", *names]))
    return path


@pytest.mark.parametrize("form", FORMS)
def test_both_forms_are_the_same_list(form: str, tmp_path: Path) -> None:
    (turned, flipped) = (FORMS[form].format(*view) for view in VIEWS)
    puzzles, order = read_identifiers(listed(tmp_path, "b", turned, "a", flipped), 5)
    assert (puzzles.ids, order.tolist(), puzzles.starts.tolist()) == (("b", "a"), [0, 1, 4, 3, 2], [0, 2, 4])
    assert [puzzles.views[i] for i in range(4)] == [
        View(),
        View(6, (0, 9, 8, 7, 6, 5, 4, 3, 2, 1)),
        View(),
        View(3, (0, 2, 1, 3, 4, 5, 6, 7, 8, 9)),
    ]


def test_views_without_their_task_are_refused(tmp_path: Path) -> None:
    for form in FORMS.values():
        path = listed(tmp_path, form.format("a", 1, "0213456789"), "b")
        with pytest.raises(ConvertError, match="'a' has no entry without"):
            read_identifiers(path, 3)


@pytest.mark.parametrize(
    ("names", "rows", "text"),
    [
        (["a", "a_t9_0213456789"], 3, "expected id_t<0..7>_<ten digits>"),
        (["a", "a_t1_0223456789"], 3, "expected each digit once"),
        (["a" * 300], 2, "300 characters, expected at most 256"),
        (["a"], 3, "2 entries for 3 rows"),
    ],
)
def test_a_wrong_list_is_one_line(names: list[str], rows: int, text: str, tmp_path: Path) -> None:
    with pytest.raises(ConvertError, match=text) as caught:
        read_identifiers(listed(tmp_path, *names), rows)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("form", FORMS)
def test_all_1001_rows_of_a_task_vote(form: str, tmp_path: Path) -> None:
    """The identity and a thousand views, as the published builders list them."""
    rng = np.random.default_rng(1)
    task = tasks(1, (3,), num_tests=2)[0]
    drawn = [(int(rng.integers(8)), (0, *(1 + rng.permutation(9)).tolist())) for _ in range(1000)]
    names = [FORMS[form].format(task.id, k, "".join(map(str, colors))) for k, colors in drawn]
    kind, prefix = ("hrm", 1) if form == "HRM" else ("trm", 4)
    state = state_dict(kind, torch.Generator().manual_seed(1), num_rows=1002, prefix=prefix)
    torch.save(state, tmp_path / "step_1.pt")
    out = tmp_path / "x.safetensors"
    choices = Choices(heads=2, prefix=prefix)
    facts = convert_file(tmp_path / "step_1.pt", out, listed(tmp_path, task.id, *names), choices)
    assert (facts["tasks"], facts["rows"]) == (1, 1002)
    loaded = load(out)
    assert loaded.puzzles.find(task) == 0
    questions = ARC.questions((task,), loaded.puzzles, [0], loaded.preset.predict, "full")
    assert questions.owed.sum() == 2 * 1001
    assert [loaded.puzzles.views[i] for i in (1, 1000)] == [View(*drawn[0]), View(*drawn[-1])]
