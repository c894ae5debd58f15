"""The commands as a user types them: exit codes, one-line errors, results on stdout, text on stderr."""

import html
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from arc_solver.checkpoints.shipped import find_weights
from arc_solver.corpus.named_tasks import read_named_softly
from tests.arc_solver.terminal import Terminal, attempts, challenges, solutions, write

COMMANDS = (
    *("train", "predict", "score", "validate", "report", "show", "watch"),
    *("merge", "info", "convert", "generate", "bench", "doctor"),
)
GOLDEN = Path(__file__).parents[2] / "golden" / "scoring"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, with tasks, solutions and a submission that solves the first two tasks."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "tasks.json", challenges())
    write(tmp_path / "solutions.json", solutions())
    answers = solutions() | {"task-2": [[[9]]]}
    write(tmp_path / "submission.json", attempts(answers))
    write(tmp_path / "faulty.json", {"task-0": challenges()["task-0"] | {"train": []}})
    write(tmp_path / "broken.json", 0).write_text('{"task-0": [')
    (tmp_path / "empty").mkdir()
    return tmp_path


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_helps_with_an_example(command: str, arc_solve: Terminal) -> None:
    outcome = arc_solve(command, "--help")
    assert outcome.code == 0
    assert f"Example: arc-solve {command}" in outcome.out


def test_help_lists_every_command_and_version_is_the_package(arc_solve: Terminal) -> None:
    helped = arc_solve("--help")
    assert helped.code == 0
    assert all(f"  {command} " in helped.out for command in COMMANDS)
    assert arc_solve("--version").out.startswith("arc-solve ")


def test_the_usual_ways_to_ask_for_help_and_version(arc_solve: Terminal, repository: Path) -> None:
    whole, of_one = arc_solve("--help").out, arc_solve("score", "--help").out
    assert arc_solve().out == arc_solve("-h").out == arc_solve("help").out == whole
    assert arc_solve("score", "-h").out == arc_solve("help", "score").out == of_one
    assert arc_solve("-V").out == arc_solve("--version").out
    command = [sys.executable, "-m", "arc_solver", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=repository, check=True)
    assert done.stdout == whole


def test_help_of_predict_is_grouped_and_names_what_one_types(arc_solve: Terminal) -> None:
    text = arc_solve("predict", "-h").out
    places = [text.index(f"{name}:") for name in ("What to answer", "How long", "How", "Where to", "More")]
    assert places[0] < places[1] < places[3] < places[4]
    assert "list[" not in text
    assert "--no-no-adapt" not in text
    assert "--no-quiet" not in text
    assert all(len(line) <= 80 for line in text.splitlines())


@pytest.mark.parametrize("command", COMMANDS)
def test_options_stand_in_groups_as_one_types_them(command: str, arc_solve: Terminal) -> None:
    text = arc_solve(command, "-h").out
    assert "\nWhere to:" in text
    assert "\nOptions:" not in text
    assert not re.search(r"list\[|--no-(?!adapt|color)| range>", text)
    assert all(len(line) <= 80 for line in text.split("\n  Example")[0].splitlines())


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("predict 00d62c", "00d62c1b"),
        ("watch arc1:ev", "arc1:evaluation"),
        ("predict --preset cpu-a", "cpu-arc"),
        ("watch --checkpoint sud", "sudoku"),
        ("train --set row_w", "row_weight_decay= row_width="),
        ("generate m", "maze"),
        ("info cpu-ma", "cpu-maze"),
        ("validate x --tasks mi", "mine/"),
        ("train --device c", "cpu cuda"),
        ("bench v", "vote"),
    ],
)
def test_values_are_completed(
    words: str,
    offered: str,
    arc_solve: Terminal,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    monkeypatch.setenv("_ARC_SOLVE_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", f"arc-solve {words}")
    monkeypatch.setenv("COMP_CWORD", str(len(words.split())))
    outcome = arc_solve()
    assert (outcome.code, outcome.out.split()) == (0, offered.split())


@pytest.mark.parametrize("source", ["00d62c1b", "synthetic:1:3", "arc1"])
def test_names_of_tasks_are_known_wherever_tasks_are_taken(
    source: str, arc_solve: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    tasks, _ = read_named_softly(source)
    right = {task.id: [pair.output.tolist() for pair in task.test] for task in tasks}
    write(tmp_path / "s.json", attempts(right))
    first = {"task": tasks[0].id, "index": 0, "grid": right[tasks[0].id][0], "weight": 1, "source": "x"}
    (tmp_path / "c.jsonl").write_text(json.dumps(first) + "\n")
    assert arc_solve("validate", "s.json", "--tasks", source).code == 0
    assert arc_solve("score", "s.json", "--solutions", source, "--json").json()["headline"]["value"] == 1
    assert arc_solve("report", "s.json", "--tasks", source, "--limit", "2").code == 0
    assert arc_solve("merge", "c.jsonl", "--tasks", source, "--out", "m.json").code == 0


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        *(("info cpu-arcc", "cpu-arc"), ("info sudok", "sudoku")),
        *(("predict 00d62c1b --checkpoint ark", "arc"), ("predict 00d62c1", "00d62c1b")),
        *(("predict arc3", "arc2"), ("show ARC1", "arc1"), ("watch arc-1", "arc1")),
        ("validate submission.json --tasks arc1:evaluatoin", "arc1:evaluation"),
        ("score submission.json --solutions arc3:training", "arc2:training"),
        ("report submission.json --tasks arc2:evalution", "arc2:evaluation"),
        ("merge a.jsonl --tasks synthetc:5 --out b.json", "synthetic:5"),
        ("train --data soduku --preset cpu-arc --out run", "'sudoku'"),
        ("train --data tasks.json --eval-data arc1:trianing --preset cpu-arc --out run", "arc1:training"),
    ],
)
def test_a_name_that_is_nearly_one_is_hinted_at(
    words: str, hint: str, arc_solve: Terminal, folder: Path
) -> None:
    outcome = arc_solve(*words.split())
    assert outcome.code == 3
    assert outcome.error_line().endswith(f"; did you mean {hint}?")


def test_a_submission_for_other_ids_is_told_from_a_wrong_one(arc_solve: Terminal, folder: Path) -> None:
    def said() -> bool:
        outcome = arc_solve("score", "submission.json", "--solutions", "solutions.json")
        assert outcome.code == 0
        return "is not in the solutions; did you mean task-0?" in outcome.out

    assert not said()
    for ids, expected in (
        (["task-0", "other"], False),
        (["task-0.copy"], True),
        (["task-00", "b", "c"], True),
    ):
        write(folder / "submission.json", attempts({task_id: [[[9]]] for task_id in ids}))
        assert said() == expected, ids


def test_a_preset_and_shipped_weights_are_described_by_name(arc_solve: Terminal) -> None:
    assert arc_solve("info", "cpu-arc", "--json").json()["name"] == "cpu-arc"
    assert arc_solve("info", "arc", "--json").code == 0
    assert arc_solve("info", "cpu-arx").code == 3


def test_the_folder_of_a_run_stands_for_its_last_weights(arc_solve: Terminal, folder: Path) -> None:
    run = folder / "run"
    run.mkdir()
    (run / "metrics.jsonl").write_text("{}\n")
    for bare in ("run", "empty"):
        for words in (
            f"info {bare}",
            f"predict 1234341221434..1 --checkpoint {bare}",
            f"watch 1234341221434..1 --checkpoint {bare}",
            f"train --data tasks.json --preset cpu-arc --out new --init {bare}",
        ):
            outcome = arc_solve(*words.split())
            assert (outcome.code, outcome.out) == (3, "")
            assert f"{bare}: a folder without checkpoints of a run" in outcome.error_line()
    shutil.copy(find_weights("arc"), run / "adapted.safetensors")
    assert arc_solve("info", "run").error_line().endswith("name a file, such as adapted.safetensors")
    for name in ("checkpoint-00000009", "checkpoint-00000010", "final"):
        shutil.copy(find_weights("sudoku"), run / f"{name}.safetensors")
        assert arc_solve("info", "run", "--json").json()["file"] == f"run/{name}.safetensors"
    watched = arc_solve("watch", "1234341221434..1", "--checkpoint", "run", "--pause", "0")
    assert watched.code == 0
    assert "run: taking final.safetensors" in watched.err


USAGE = {
    "no such command": "predct",
    "no option": "score submission.json",
    "unknown option": "predict --vews 3",
    "unlike any option": "--foo",
    "option without a value": "predict tasks.json --views",
    "not a number": "show tasks.json --limit x",
    "too small": "show tasks.json --limit 0",
    "one argument too many": "doctor now",
    "no source": "predict",
    "no such kind": "generate soduko --num 1",
    "unknown preset": "train --data tasks.json --preset cpu-arcc --out run",
    "zero cycles": "train --data tasks.json --preset cpu-arc --set cycles=0 --out run",
    "typo": "train --data tasks.json --preset cpu-arc --set lerning_rate=1 --out run",
    "no equals sign": "train --data tasks.json --preset cpu-arc --set steps --out run",
    "bad number": "train --data tasks.json --preset cpu-arc --set steps=x --out run",
    "bad duration": "predict --tasks tasks.json --time-limit 10",
    "no duration": "train --data tasks.json --preset cpu-arc --out run --time-limit 0s",
    "unknown task": "predict --tasks tasks.json --only task-9",
    "learnt from nothing": "merge a.jsonl --tasks tasks.json --rule learnt",
    "unknown rule": "merge a.jsonl --tasks tasks.json --rule best",
    "unknown section": "bench everything",
    "unknown kind": "generate chess --num 1 --out x.csv",
    "a maze's rating": "generate maze --num 1 --out x.csv --min-rating 1",
    "no side of a Sudoku": "generate sudoku --num 1 --out x.csv --side 5",
    "no side at all": "generate sudoku --num 1 --out x.csv --side 0",
    "no side of a maze": "generate maze --num 1 --out x.csv --side 3",
    "no side of tasks": "generate arc --num 1 --out x.json --side 31",
    "no blank": "generate sudoku --num 1 --out x.csv --min-givens 81",
    "too hard": "generate sudoku --side 4 --num 1 --out x.csv --min-rating 999",
    "floor over ceiling": "generate maze --num 1 --out x.csv --min-path 20 --max-path 10",
    "no device": "predict --tasks tasks.json --device toaster",
    "no picture": "watch --checkpoint c --tasks tasks.json --id task-0 --out x.mp4",
    "no such test": "watch --checkpoint c --tasks tasks.json --id task-0 --index 7",
    "nothing to report": "report",
    "nothing to show": "show tasks.json --id task-9",
    "a report over its input": "report submission.json --tasks tasks.json --out ./tasks.json",
    "a merge over its input": "merge a.jsonl --tasks tasks.json --out tasks.json",
}


@pytest.mark.parametrize("name", USAGE)
def test_usage_errors_exit_with_2_and_write_nothing(name: str, arc_solve: Terminal, folder: Path) -> None:
    before = sorted(folder.rglob("*"))
    outcome = arc_solve(*USAGE[name].split())
    assert outcome.code == 2, outcome.err
    assert outcome.out == ""
    assert outcome.error_line() == outcome.err.splitlines()[-1]
    assert "Usage:" not in outcome.err
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("no such command", "error: no such command 'predct'; did you mean 'predict'?"),
        ("unknown option", "error: no such option: --vews; did you mean --views?"),
        ("unlike any option", "no such option: --foo; see arc-solve -h"),
        ("not a number", "'--limit': "),
        ("no source", "error: say what to answer, for example"),
        ("no such kind", "'soduko': expected sudoku, maze or arc; did you mean 'sudoku'?"),
        ("no option", "missing option '--solutions'; see arc-solve score -h"),
        ("unknown preset", "did you mean 'cpu-arc'?"),
        ("zero cycles", "cycles=0: must be at least 1"),
        ("typo", "did you mean 'learning_rate'?"),
        ("bad number", "steps='x': expected int"),
        ("bad duration", "write 90s, 25m or 11h"),
        ("nothing to show", "--id 'task-9': no such task in tasks.json; did you mean task-"),
        ("a report over its input", "this is one of the inputs"),
        ("a merge over its input", "this is one of the inputs"),
    ],
)
def test_usage_errors_say_what_to_do(name: str, text: str, arc_solve: Terminal, folder: Path) -> None:
    assert text in " ".join(arc_solve(*USAGE[name].split()).err.split())


BAD_DATA = {
    "train: missing": "train --data none.json --preset cpu-arc --out run",
    "train: broken": "train --data broken.json --preset cpu-arc --out run",
    "train: folder without files": "train --data empty --preset cpu-arc --out run",
    "train: sudoku without a folder": "train --data sudoku --preset cpu-sudoku4 --out run",
    "predict: missing": "predict --tasks none.json --out new.json",
    "predict: broken": "predict --tasks broken.json --out new.json",
    "predict: folder without files": "predict --tasks empty --out new.json",
    "score: missing truth": "score submission.json --solutions none.json",
    "score: broken truth": "score submission.json --solutions broken.json",
    "validate: missing tasks": "validate submission.json --tasks none.json",
    "report: missing tasks": "report submission.json --tasks none.json",
    "report: no run": "report --run empty",
    "report: no task": "report submission.json --tasks faulty.json",
    "show: missing": "show none.json",
    "merge: missing candidates": "merge none.jsonl --tasks tasks.json --out new.json",
    "merge: bad candidates": "merge tasks.json --tasks tasks.json --out new.json",
    "convert: missing": "convert none.pt --out x.safetensors",
    "convert: name": "convert tasks.json --out x.pt",
    "generate: missing exclude": "generate maze --num 1 --out x.csv --exclude none.csv",
}


@pytest.mark.parametrize("name", BAD_DATA)
def test_bad_data_exit_with_3_in_one_line_and_write_nothing(
    name: str, arc_solve: Terminal, folder: Path
) -> None:
    before = sorted(folder.rglob("*"))
    outcome = arc_solve(*BAD_DATA[name].split())
    assert outcome.code == 3, outcome.err
    assert outcome.out == ""
    assert outcome.error_line()
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize("command", ["info", "watch"])
def test_a_file_that_is_no_checkpoint_is_refused(command: str, arc_solve: Terminal, folder: Path) -> None:
    options = ["--checkpoint", "tasks.json", "--tasks", "tasks.json", "--id", "task-0"]
    outcome = arc_solve(command, *(options if command == "watch" else ["tasks.json"]))
    assert outcome.code == 1
    assert "not a safetensors file" in outcome.error_line()


def test_debug_shows_the_traceback(arc_solve: Terminal, folder: Path) -> None:
    outcome = arc_solve("show", "none.json", "--debug")
    assert outcome.code == 3
    assert "Traceback" in outcome.err


@pytest.mark.parametrize("name", ["perfect", "missing_task", "one_of_three_outputs", "only_attempt_2"])
def test_score_of_the_golden_submissions(name: str, arc_solve: Terminal) -> None:
    expected = json.loads((GOLDEN / "expected.json").read_text())[name]
    outcome = arc_solve("score", GOLDEN / f"{name}.json", "--solutions", GOLDEN / "truth.json", "--json")
    assert (outcome.code, outcome.err) == (0, "")
    rules = outcome.json()["rules"]
    for depth in ("pass@1", "pass@2"):
        assert [rule[depth]["solved"] for rule in rules.values()] == pytest.approx(expected[depth])


def test_score_names_the_rules_and_what_is_missing(arc_solve: Terminal) -> None:
    outcome = arc_solve("score", GOLDEN / "missing_task.json", "--solutions", GOLDEN / "truth.json")
    assert (outcome.code, outcome.err) == (0, "")
    for text in ("Kaggle (per output)", "per task (mean)", "strict (whole task)", "missing task", "sha256"):
        assert text in outcome.out


def test_score_lists_tasks_and_can_score_what_was_handed_in(arc_solve: Terminal, folder: Path) -> None:
    outcome = arc_solve("score", "submission.json", "--solutions", "solutions.json", "--list")
    assert "solved (2): task-0 task-1" in outcome.out
    assert "missed (1): task-2" in outcome.out
    truth = {"a b": [[[1]]], "c": [[[2]]]}
    write(folder / "spaced.json", truth)
    spaced = arc_solve("score", "submission.json", "--solutions", "spaced.json", "--list")
    assert 'missed (2): "a b" c\n' in spaced.out
    write(folder / "part.json", attempts({"task-0": solutions()["task-0"]}))
    part = arc_solve(
        "score", "part.json", "--solutions", "solutions.json", "--only-submitted", "--json"
    ).json()
    assert (part["headline"]["value"], part["num_tasks"], part["only_submitted"]) == (1.0, 1, True)
    assert arc_solve("score", "part.json", "--solutions", "solutions.json", "--json").json()["num_tasks"] == 3


@pytest.mark.parametrize(
    ("common", "others", "said"),
    [(0, 1, "the task cannot be scored"), (0, 3, "none of the 3 tasks submitted"), (1, 3, "only 1 of the 4")],
)
def test_scores_of_none_one_and_many(
    common: int, others: int, said: str, arc_solve: Terminal, folder: Path
) -> None:
    ids = [f"task-{number}" for number in range(common)] + [f"x{number}" for number in range(others)]
    write(folder / "s.json", attempts({name: [[[9]]] for name in ids}))
    out = arc_solve("score", "s.json", "--solutions", "solutions.json", "--list").out
    assert said in out
    assert "\nsolved: no task\npartly solved: no task\nmissed (3): task-0" in out


def test_scores_of_boards_of_none_one_and_many(arc_solve: Terminal, folder: Path) -> None:
    for name, num in (("one", 1), ("three", 3)):
        make = ["generate", "sudoku", "--side", "4", "--num", str(num), "--out", f"{name}.csv"]
        assert arc_solve(*make).code == 0
    copied = folder / "copy.csv"
    copied.write_bytes((folder / "one.csv").read_bytes())
    out = arc_solve("score", "copy.csv", "--solutions", "one.csv").out
    assert "of 1 board\n" in out
    assert "these answers are the solutions themselves" in out
    some = arc_solve("score", "one.csv", "--solutions", "three.csv").out
    assert "of 3 boards\n" in some
    assert "without an answer: 2 of 3 boards" in some


def test_scores_by_canvas_where_the_truth_holds_the_inputs(arc_solve: Terminal, folder: Path) -> None:
    tasks = {
        name: {
            **task,
            "test": [{**pair, "output": grid} for pair, grid in zip(task["test"], grids, strict=True)],
        }
        for (name, task), grids in zip(challenges().items(), solutions().values(), strict=True)
    }
    wide = [[1] * 20]
    tasks["wide"] = {"train": [{"input": wide, "output": wide}], "test": [{"input": [[1]], "output": [[1]]}]}
    write(folder / "whole.json", tasks)
    total = sum(map(len, solutions().values()))
    lines = arc_solve("score", "submission.json", "--solutions", "whole.json").out.splitlines()
    solved = f"{total - 1}/{total}"
    first = f"canvas 7: 3 tasks, outputs solved on the first attempt {solved}, in two attempts {solved}"
    assert first in lines
    assert "canvas 21: 1 task, outputs solved on the first attempt 0/1, in two attempts 0/1" in lines
    known = arc_solve("score", "submission.json", "--solutions", "whole.json", "--json").json()["by_canvas"]
    assert (known["canvas 7"]["pass@2"]["total"], known["canvas 21"]["pass@2"]["solved"]) == (total, 0)
    assert "canvas" not in arc_solve("score", "submission.json", "--solutions", "solutions.json").out


def test_a_typed_sudoku_with_a_letter_names_it(arc_solve: Terminal, folder: Path) -> None:
    for command in ("predict", "watch"):
        outcome = arc_solve(command, "1..4..A....1....")
        assert (outcome.code, outcome.out) == (3, "")
        assert "cell 7 is 'A'" in outcome.error_line()
    assert "No such file" in arc_solve("predict", "my_tasks_2024.js").error_line()
    (folder / "empty.json").write_text("\n")
    assert arc_solve("predict", "empty.json").error_line() == "error: empty.json: empty"


def test_boards_are_not_scored_by_a_set_of_tasks(arc_solve: Terminal, folder: Path) -> None:
    (folder / "answers.csv").write_text("question,answer\n1234341221434321,1234341221434321\n")
    outcome = arc_solve("score", "answers.csv", "--solutions", "arc1:evaluation")
    assert (outcome.code, outcome.out) == (2, "")
    assert "answers.csv holds boards" in " ".join(outcome.err.split())
    for command in ("report", "validate"):
        outcome = arc_solve(command, "answers.csv", "--tasks", "tasks.json")
        assert (outcome.code, outcome.out) == (3, "")
        assert "answers.csv: boards, expected a submission" in outcome.error_line()


def test_scoring_nothing_is_refused(arc_solve: Terminal, folder: Path) -> None:
    write(folder / "part.json", attempts({"elsewhere": [[[1]]]}))
    outcome = arc_solve("score", "part.json", "--solutions", "solutions.json", "--only-submitted")
    assert (outcome.code, outcome.out) == (3, "")
    assert "answers no task that part.json holds" in outcome.error_line()


def test_validate_accepts_a_complete_submission(arc_solve: Terminal, folder: Path) -> None:
    outcome = arc_solve("validate", "submission.json", "--tasks", "tasks.json")
    assert (outcome.code, outcome.err) == (0, "")
    assert "valid, 3 tasks, 4 outputs" in outcome.out
    assert arc_solve("validate", "submission.json", "--tasks", "tasks.json", "--json").json()["valid"] is True


def test_validate_names_the_defects_and_exits_with_4(arc_solve: Terminal, folder: Path) -> None:
    write(folder / "bad.json", {"task-0": [{"attempt_1": [[10]], "attempt_2": [[0]]}], "task-9": []})
    outcome = arc_solve("validate", "bad.json", "--tasks", "tasks.json")
    assert (outcome.code, outcome.out) == (4, "")
    assert 'task "task-1": missing' in outcome.err
    assert "attempt_1" in outcome.err
    assert "defects" in outcome.error_line()
    told = arc_solve("validate", "bad.json", "--tasks", "tasks.json", "--json")
    assert told.code == 4
    assert len(told.json()["defects"]) == 4
    write(
        folder / "bad.json", attempts(solutions()) | {"task-2": [{"attempt_1": [[1]], "attempt_2": [[10]]}]}
    )
    single = arc_solve("validate", "bad.json", "--tasks", "tasks.json")
    assert single.err == (
        'error: bad.json: task "task-2" test 0 attempt_2: row 0 column 0: 10, expected an integer 0 to 9\n'
    )
    missing = arc_solve("validate", "none.json", "--tasks", "tasks.json")
    assert (missing.code, missing.err) == (3, "error: none.json: cannot be read: No such file or directory\n")
    assert arc_solve("score", "broken.json", "--solutions", "solutions.json").code == 4


def test_show_draws_attempts_and_marks_them(arc_solve: Terminal, folder: Path) -> None:
    write(folder / "x_challenges.json", challenges())
    write(folder / "x_solutions.json", solutions())
    answers = attempts(solutions())
    answers["task-0"][0]["attempt_2"] = "nonsense"
    write(folder / "s.json", answers)
    drawn = arc_solve("show", "x_challenges.json", "--id", "task-0", "--submission", "s.json", "--no-color")
    assert drawn.code == 0
    assert "attempt 1 right" in drawn.out
    assert "attempt 2 wrong" in drawn.out
    assert "no grid" in drawn.out
    plain = arc_solve("show", "tasks.json", "--limit", "2", "--no-color")
    assert "task-1" in plain.out
    assert "task-2" not in plain.out
    assert "attempt" not in plain.out


def test_show_tells_what_is_odd_about_the_attempts_drawn(arc_solve: Terminal, folder: Path) -> None:
    answers = attempts(solutions())
    answers["task-0"][0]["attempt_3"] = [[1]]
    write(folder / "s.json", answers)
    drawn = arc_solve("show", "tasks.json", "--id", "task-0", "--submission", "s.json", "--no-color")
    assert drawn.code == 0
    (line,) = drawn.err.splitlines()
    assert line.startswith(
        "warning: s.json: 1 output with attempts beyond the second (those count for pass@k"
    )
    assert line.endswith('task "task-0" test 0')


def test_cells_written_as_text_are_shown_where_that_is_asked_for(arc_solve: Terminal, folder: Path) -> None:
    text = json.dumps(challenges()).replace("[1,", '["1",')
    (folder / "texts.json").write_text(text)
    assert arc_solve("show", "texts.json").code == 3
    drawn = arc_solve("show", "texts.json", "--lenient", "--no-color")
    assert drawn.code == 0
    assert drawn.out == arc_solve("show", "tasks.json", "--no-color").out
    assert arc_solve("report", "submission.json", "--tasks", "texts.json", "--lenient").code == 0


def test_a_report_shows_what_can_be_read_and_counts_what_score_counts(
    arc_solve: Terminal, folder: Path
) -> None:
    tasks = challenges()
    tasks["task-1"]["train"] = []
    write(folder / "faulty.json", tasks)
    arguments = ["report", "submission.json", "--tasks", "faulty.json", "--solutions", "solutions.json"]
    outcome = arc_solve(*arguments, "--out", "page.html")
    assert (outcome.code, outcome.out) == (0, "page.html\n")
    assert outcome.err.count("\n") == 1
    assert 'warning: faulty.json: task "task-1"' in outcome.err
    page = (folder / "page.html").read_text()
    scored = arc_solve("score", "submission.json", "--solutions", "solutions.json")
    assert html.unescape(page).count(scored.out.strip()) == 1
    assert "3 of 4 outputs with two attempts" in page
    assert "not shown: faulty.json" in page
    assert "1 task of the truth is counted but not shown" in page
    again = arc_solve(*arguments, "--out", "page.html", "--only", "task-0")
    assert again.err == "wrote page.html (replaced the one there)\n"
    assert "1 of 1 output with two attempts" in (folder / "page.html").read_text()


def test_a_report_is_judged_by_the_solutions_that_were_given(arc_solve: Terminal, folder: Path) -> None:
    carried = challenges()
    for task_id, grids in solutions().items():
        for pair, grid in zip(carried[task_id]["test"], grids, strict=True):
            pair["output"] = grid
    write(folder / "carried.json", carried)
    write(folder / "part.json", {"task-0": [[[5]]], "task-2": solutions()["task-2"]})
    write(folder / "other.json", {"elsewhere": [[[5]]]})
    asked = ["report", "submission.json", "--tasks", "carried.json"]
    for more in (["--only", "task-1"], ["--only", "task-1", "--only", "task-2", "--limit", "1"]):
        outcome = arc_solve(*asked, "--solutions", "part.json", *more)
        assert outcome.code == 3
        assert "part.json: answers none of the tasks shown" in outcome.error_line()
    assert arc_solve(*asked, "--solutions", "other.json").code == 3
    assert not (folder / "report.html").exists()
    assert arc_solve(*asked, "--solutions", "part.json").code == 0
    page = (folder / "report.html").read_text()
    assert "0 of 2 outputs with two attempts" in page
    assert "1 task shown is without a known answer and not judged" in page
    assert arc_solve(*asked).code == 0
    assert "not judged" not in (folder / "report.html").read_text()


def test_the_curves_of_a_run_that_was_killed_in_the_middle_of_a_line(
    arc_solve: Terminal, folder: Path
) -> None:
    (folder / "run").mkdir()
    text = '{"step": 1, "loss": 3}\n{"step": 2, "lo\n{"step": 2, "loss": NaN, "exact": 0.5}\n'
    (folder / "run" / "metrics.jsonl").write_text(text)
    drawn = arc_solve("report", "--run", "run", "--out", "page.html")
    remark = "run/metrics.jsonl: skipped, no JSON object: 1 line, the first is line 2"
    assert (drawn.code, drawn.out, drawn.err) == (0, "page.html\n", f"warning: {remark}\n")
    page = (folder / "page.html").read_text()
    assert remark in page
    assert "2 records up to step 2" in page


def test_report_is_written_with_votes(arc_solve: Terminal, folder: Path) -> None:
    line = {"task": "task-0", "index": 0, "grid": solutions()["task-0"][0], "weight": 7, "source": "x"}
    told = {"votes": 1, "confidence": 0.75, "views": 9}
    lines = [line | told, line | {"task": "task-1", "grid": solutions()["task-1"][0]}]
    (folder / "c.jsonl").write_text("".join(json.dumps(each) + "\n" for each in lines))
    outcome = arc_solve(
        "report", "submission.json", "--tasks", "tasks.json", "--solutions", "solutions.json",
        "--candidates", "c.jsonl", "--out", "page.html",
    )  # fmt: skip
    assert (outcome.code, outcome.out, outcome.err) == (0, "page.html\n", "")
    page = (folder / "page.html").read_text()
    assert "<span>1 vote of 9 views, confidence 0.750</span>" in page
    assert "<span>weight 7</span>" in page
    assert "nan" not in page
    assert "task-2" in page


def test_doctor_and_presets_as_json(arc_solve: Terminal) -> None:
    facts = arc_solve("doctor", "--json").json()
    assert {"versions", "machine", "device", "kernels"} <= set(facts)
    assert "cpu-arc" in arc_solve("info", "--json").json()
    assert "cpu-arc" in arc_solve("info").out


def test_generated_puzzles_are_equal_for_equal_seeds(arc_solve: Terminal, folder: Path) -> None:
    make = ["generate", "sudoku", "--num", "5", "--side", "4", "--seed", "3"]
    outcome = arc_solve(*make, "--out", "a.csv")
    assert (outcome.code, outcome.out) == (0, "a.csv\n")
    assert "5 boards of side 4" in outcome.err
    arc_solve(*make, "--out", "b.csv", "--quiet")
    first = (folder / "a.csv").read_bytes()
    assert first == (folder / "b.csv").read_bytes()
    arc_solve(*make, "--out", "c.csv", "--exclude", "a.csv")
    other = {line.split(",")[1] for line in (folder / "c.csv").read_text().splitlines()[1:]}
    assert not other & {line.split(",")[1] for line in first.decode().splitlines()[1:]}


def test_easy_puzzles_are_asked_for_by_their_givens(arc_solve: Terminal, folder: Path) -> None:
    make = ["generate", "sudoku", "--num", "5", "--side", "6", "--out", "easy.csv"]
    assert arc_solve(*make, "--min-givens", "25").code == 0
    questions = [line.split(",")[1] for line in (folder / "easy.csv").read_text().splitlines()[1:]]
    assert [36 - question.count(".") - question.count("0") for question in questions] == [25] * 5
    assert arc_solve(*make, "--min-givens", "25", "--min-rating", "2").code == 2
    assert arc_solve("generate", "maze", "--num", "1", "--out", "m.csv", "--min-rating", "0").code == 2
    outcome = arc_solve(*make, "--min-givens", "36")
    assert outcome.code == 2
    assert "leave no blank" in outcome.err


def test_a_closed_pipe_ends_quietly(folder: Path, repository: Path) -> None:
    command = f"{sys.executable} -m arc_solver.cli show {folder}/tasks.json --no-color | true"
    done = subprocess.run(
        ["/bin/sh", "-c", command], cwd=repository, capture_output=True, text=True, check=False
    )
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr


@pytest.mark.parametrize(
    ("more", "text"),
    [(["--only", "task-O"], "did you mean task-"), (["--max-canvas", "2"], "the smallest is ")],
)
def test_a_choice_that_leaves_nothing_names_what_there_is(
    more: list[str], text: str, arc_solve: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.json").write_text(json.dumps(challenges()))
    outcome = arc_solve("predict", "x.json", *more)
    assert outcome.code == 2
    assert text in " ".join(outcome.err.split())
