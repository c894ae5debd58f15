"""The scorer against figures worked out by hand, file by file."""

import json
from pathlib import Path

import pytest

from submission.lenient_reader import load_answers
from submission.score import RULES, score
from submission.truth import read_solutions

FOLDER = Path(__file__).resolve().parent.parent / "golden" / "scoring"
EXPECTED = json.loads((FOLDER / "expected.json").read_text())


def test_every_golden_file_is_expected():
    names = {path.stem for path in FOLDER.glob("*.json")} - {"truth", "expected"}
    assert names == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_golden(name):
    truth, sha256 = read_solutions(FOLDER / "truth.json")
    result = score(load_answers(FOLDER / f"{name}.json"), truth, sha256)
    for depth in (1, 2):
        solved = [result.rate(rule, depth).solved for rule in RULES]
        assert solved == pytest.approx(EXPECTED[name][f"pass@{depth}"])
        assert [result.rate(rule, depth).total for rule in RULES] == [7, 4, 4]
    odd = {kind: len(places) for kind, places in result.remarks.to_json().items() if places}
    assert odd == EXPECTED[name]["remarks"]
