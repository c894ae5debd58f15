"""The parts of the notebook: what it finds, what it owes, what it repairs, which recipe it takes."""

import json
from pathlib import Path
from types import ModuleType

import pytest

from submission.document import id_fault
from submission.validation import validate
from tests.kaggle_bundle.conftest import load
from tests.kaggle_bundle.stage import POISON, make_tasks, owed_by

KNOWN = ["l4x4", "t4x2", "cpu-arc"]
GRID = [[1, 2], [3, 4]]


@pytest.fixture
def submit(script: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = load(script)
    monkeypatch.delenv("KAGGLE_IS_COMPETITION_RERUN", raising=False)
    monkeypatch.setitem(module.SETTING, "ROOTS", str(tmp_path / "input"))
    monkeypatch.setitem(module.SETTING, "WORKING", str(tmp_path / "working"))
    return module


def put(path: Path, text: str = "{}") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    "place",
    ["slug", "competitions/slug", "datasets/someone/slug", "models/x/pytorch/default/1", "slug/sub/folder"],
)
def test_inputs_are_found_in_every_layout(submit: ModuleType, tmp_path: Path, place: str) -> None:
    file = put(tmp_path / "input" / place / "a.json")
    assert submit.find("slug", "*.json") == [file]


def test_relative_folders_are_those_of_the_notebook(
    submit: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Commands run in the working folder, from where a relative name would lead elsewhere."""
    monkeypatch.chdir(tmp_path)
    file = put(tmp_path / "input" / "slug" / "a.json")
    monkeypatch.setitem(submit.SETTING, "ROOTS", "input")
    monkeypatch.setitem(submit.SETTING, "WORKING", "working")
    assert submit.find("slug", "a.json") == [file]
    assert submit.working() == tmp_path / "working"


def test_the_named_input_goes_before_another(submit: ModuleType, tmp_path: Path) -> None:
    put(tmp_path / "input" / "another" / "a.json")
    mine = put(tmp_path / "input" / "competitions" / "slug" / "a.json")
    assert submit.find("slug", "a.json") == [mine]


def test_nothing_found_is_said(submit: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert submit.find("slug", "a.json") == []
    assert "not found" in capsys.readouterr().out


@pytest.mark.parametrize("setting", ["", ":", " ", " : "])
def test_without_roots_the_usual_place_is_taken_and_that_is_said(
    submit: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    setting: str,
) -> None:
    assert submit.DEFAULTS["ROOTS"] == submit.MOUNT
    monkeypatch.setitem(submit.SETTING, "ROOTS", setting)
    monkeypatch.setattr(submit, "MOUNT", str(tmp_path / "input"))
    file = put(tmp_path / "input" / "arc-prize-2026" / submit.TEST_FILE, json.dumps(make_tasks(2, 2, "aa")))
    tests, owed = submit.begin(tmp_path / "working" / "submission.json")
    assert (tests, len(owed)) == (file, 2)
    said = [line for line in capsys.readouterr().out.splitlines() if "ROOTS" in line]
    assert len(said) == 1
    assert f"setting ROOTS={setting!r}" in said[0]
    assert submit.MOUNT in said[0]


@pytest.mark.parametrize("name", ["w[best].safetensors", "w[!a]?*.safetensors", "plain.safetensors"])
def test_named_weights_are_found_under_any_name(
    submit: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    folder = tmp_path / "input" / "arc-solver"
    put(folder / "another.safetensors")
    assert submit.weights() == folder / "another.safetensors"
    file = put(folder / name)
    monkeypatch.setitem(submit.SETTING, "WEIGHTS", name)
    assert submit.weights() == file
    monkeypatch.setitem(submit.SETTING, "WEIGHTS", "none")
    assert submit.weights() is None


@pytest.mark.parametrize("name", ["/kaggle/w.safetensors", "no-such.safetensors"])
def test_weights_that_are_not_there_cost_only_themselves(
    submit: ModuleType, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setitem(submit.SETTING, "WEIGHTS", name)
    assert submit.weights() is None


def test_the_fallback_is_complete_for_poisoned_tasks_too(submit: ModuleType, tmp_path: Path) -> None:
    tasks = make_tasks(2, 5, "aa") | POISON
    put(tmp_path / "input" / "arc-prize-2026" / submit.TEST_FILE, json.dumps(tasks))
    out = tmp_path / "working" / "submission.json"
    _, owed = submit.begin(out)
    assert owed == owed_by(tasks)
    assert {defect.task_id for defect in validate(out, owed)} == {name for name in POISON if id_fault(name)}


def test_the_sample_stands_in_for_unreadable_tasks(submit: ModuleType, tmp_path: Path) -> None:
    folder = tmp_path / "input" / "arc-prize-2026"
    put(folder / submit.TEST_FILE, "{ not json")
    put(folder / submit.SAMPLE_FILE, json.dumps({"a": [submit.BLANK] * 3, "b": [submit.BLANK]}))
    out = tmp_path / "working" / "submission.json"
    submit.begin(out)
    assert not validate(out, {"a": 3, "b": 1})


@pytest.mark.parametrize(
    "entry",
    [
        None,
        {"attempt_1": GRID},
        {"attempt_1": GRID, "attempt_2": []},
        {"attempt_1": GRID, "attempt_2": [[1], [1, 2]]},
        {"attempt_1": GRID, "attempt_2": [[10]]},
        {"attempt_1": GRID, "attempt_2": [[True]]},
        {"attempt_1": GRID, "attempt_2": [[1.0]]},
        {"attempt_1": GRID, "attempt_2": [[0] * 31]},
        {"attempt_1": GRID, "attempt_2": [[]]},
        {"attempt_1": GRID, "attempt_2": "12"},
    ],
)
def test_only_what_is_wrong_is_replaced(submit: ModuleType, tmp_path: Path, entry: object) -> None:
    good = {"attempt_1": GRID, "attempt_2": [[5]]}
    owed = {"a": 2, "b": 1, "c": 1}
    sound = submit.repaired({"a": [good, entry], "b": [good], "extra": [good]}, owed)
    assert sound == {"a": [good, submit.BLANK], "b": [good], "c": [submit.BLANK]}
    submit.write_whole(tmp_path / "out.json", sound)
    assert not validate(tmp_path / "out.json", owed)


def test_blanks_are_filled_from_the_second_try(submit: ModuleType) -> None:
    mine, other = ({"attempt_1": [[digit]], "attempt_2": [[0]]} for digit in (1, 2))
    answers, more = {"a": [mine, submit.BLANK]}, {"a": [other, other]}
    assert submit.completed(answers, more) == {"a": [mine, other]}
    assert submit.num_answered(answers) == 1


def test_a_rerun_is_told_by_hidden_tasks_or_by_kaggle(
    submit: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not submit.is_rerun({"a"}, {"a", "b"})
    assert submit.is_rerun({"a", "c"}, {"a", "b"})
    assert submit.is_rerun({"a"}, set())
    monkeypatch.setenv("KAGGLE_IS_COMPETITION_RERUN", "1")
    assert submit.is_rerun({"a"}, {"a", "b"})


@pytest.mark.parametrize(
    ("hidden", "minutes"),
    [(True, 12 * 60 - 10), (False, 8)],
)
def test_the_deadline_counts_from_the_start(
    submit: ModuleType, tmp_path: Path, hidden: bool, minutes: int
) -> None:
    tests = put(tmp_path / submit.TEST_FILE)
    put(tmp_path / submit.TRAINING_FILE, json.dumps({"a": {}, "b": {}}))
    end = submit.ending(tests, {"c": 1} if hidden else {"a": 1})
    assert end == submit.STARTED + 60 * minutes


@pytest.mark.parametrize(
    ("gpus", "options"),
    [
        (["NVIDIA L4"] * 4, ["--preset", "l4x4"]),
        (["Tesla T4", "Tesla T4"], ["--preset", "t4x2"]),
        (["NVIDIA L40S"], []),
        (["NVIDIA H100 80GB HBM3"], []),
        ([], ["--preset", "cpu-arc"]),
    ],
)
def test_the_recipe_follows_the_device(submit: ModuleType, gpus: list[str], options: list[str]) -> None:
    assert submit.recipe_options(gpus, KNOWN) == options


def test_a_p100_gets_no_bfloat16_and_no_compiler(submit: ModuleType) -> None:
    options = submit.recipe_options(["Tesla P100-PCIE-16GB"], KNOWN)
    assert options[:2] == ["--preset", "t4x2"]
    assert {"train.precision=float32", "train.compile=off"} <= set(options)
    assert submit.recipe_options(["Tesla P100-PCIE-16GB"], [*KNOWN, "p100"])[:2] == ["--preset", "p100"]


def test_an_unknown_preset_is_left_out_and_said(
    submit: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    assert submit.recipe_options(["NVIDIA L4"], ["cpu-arc"]) == []
    assert "l4x4" in capsys.readouterr().out


def test_a_command_that_hangs_is_ended(
    submit: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "working").mkdir()
    monkeypatch.setattr(submit, "GRACE_SECONDS", 0.2)
    hang = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
    assert submit.run([submit.sys.executable, "-c", hang], 1) == 124


def test_a_command_that_is_silent_is_spoken_for(
    submit: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "working").mkdir()
    monkeypatch.setattr(submit, "SILENT_SECONDS", 0.1)
    assert submit.run([submit.sys.executable, "-c", "import time; time.sleep(1)"], 60) == 0
    assert capsys.readouterr().out.count("still at work; it has 1.0 min left") >= 2


@pytest.mark.parametrize(
    ("setting", "found", "options"),
    [
        ({}, True, ["--checkpoint", "w", "--preset", "cpu-arc"]),
        ({"PRESET": "own"}, True, ["--checkpoint", "w"]),
        ({}, False, []),
        ({"WEIGHTS": "none"}, False, ["--preset", "cpu-arc"]),
    ],
)
def test_on_a_cpu_nothing_is_learned_from_nothing_unless_that_is_asked_for(
    submit: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    setting: dict[str, str],
    found: bool,
    options: list[str],
) -> None:
    for name, value in setting.items():
        monkeypatch.setitem(submit.SETTING, name, value)
    tried = []
    monkeypatch.setattr(submit, "gpu_names", list)
    monkeypatch.setattr(submit, "known_presets", lambda: KNOWN)
    monkeypatch.setattr(submit, "weights", lambda: "w" if found else None)
    monkeypatch.setattr(submit, "predict", lambda tests, out, end, given: tried.append(given) or 1)
    submit.answer(tmp_path, tmp_path / "submission.json", {"a": 1}, submit.time.monotonic() + 999)
    first, second = tried
    assert first == options
    assert second == ["--device", "cpu", *(options if "WEIGHTS" in setting else [])]


def test_a_failing_step_is_said_and_passed_over(
    submit: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    assert submit.attempt("dividing", lambda: 1 // 0, otherwise=7) == 7
    assert "FAILED: dividing: ZeroDivisionError" in capsys.readouterr().out
