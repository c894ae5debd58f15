"""The page says what the scorer says, whatever the ids and answers hold, and asks nothing of the network."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from arc_solver.report.style import palette_style
from arc_solver.report.submission_page import build_report
from arc_solver.tasks.task import Pair, Task
from submission.score import score
from submission.support import Support
from submission.truth import TruthError
from submission.vote import Query
from tests.arc_solver.markup import attribute_names, read, tags
from tests.fuzz.hostile import MARKUP


def random_tasks(rng: np.random.Generator, num: int, high: int = 6) -> tuple[list[Task], dict[str, list]]:
    def grid() -> np.ndarray:
        # Blocks of color, as in real tasks, not noise.
        small = rng.integers(0, 10, rng.integers(1, high, 2), np.uint8)
        return np.repeat(np.repeat(small, rng.integers(1, 3), 0), rng.integers(1, 3), 1)

    tasks, truth = [], {}
    for number in range(num):
        train = tuple(Pair(grid(), grid()) for _ in range(rng.integers(1, 4)))
        test = tuple(Pair(grid(), None) for _ in range(rng.integers(1, 4)))
        tasks.append(Task(f"{number:08x}", train, test))
        truth[f"{number:08x}"] = [grid().tolist() for _ in test]
    return tasks, truth


HOSTILE = (None, 3, "grid", True, [], [[]], [[1, 2], [3]], [[10]], [[True]], [[1.0]], {}, [[0] * 31], [["1"]])


def random_submission(rng: np.random.Generator, truth: dict[str, list]) -> dict[str, object]:
    def attempt(output: list) -> object:
        kind = rng.integers(5)
        if kind < 2:
            return output
        near = np.array(output)
        near[tuple(rng.integers(0, near.shape))] = rng.integers(0, 10)
        return [near.tolist(), [[0]], HOSTILE[rng.integers(len(HOSTILE))]][kind - 2]

    submission: dict[str, object] = {"not a task": [{"attempt_1": [[1]], "attempt_2": [[2]]}]}
    for task_id, outputs in truth.items():
        entries: list[object] = [{"attempt_1": attempt(o), "attempt_2": attempt(o)} for o in outputs]
        kind = rng.integers(12)
        if kind == 0:
            continue
        if kind == 1:
            entries = entries[:-1]
        elif kind == 2:
            entries[0] = HOSTILE[rng.integers(len(HOSTILE))]
        elif kind == 3:
            entries[0] = {"attempt_2": outputs[0]}
        elif kind == 4:
            entries.append({"attempt_1": [[1]], "attempt_2": [[1]]})
        submission[task_id] = HOSTILE[rng.integers(len(HOSTILE))] if kind == 5 else entries
    return submission


@pytest.mark.parametrize("seed", range(8))
def test_counts_equal_the_score(seed: int) -> None:
    rng = np.random.default_rng(seed)
    tasks, truth = random_tasks(rng, 40)
    submission = random_submission(rng, truth)
    result = score(submission, truth, "")
    page = read(build_report(tasks, submission, truth=truth))
    articles = page.every("article")
    told = {
        kind: [a.every("h2")[0].every("a")[0].content() for a in articles if kind in a.classes()]
        for kind in ("solved", "partly", "missed")
    }
    assert told == result.tasks(), f"seed {seed}"
    labels = {label.every("input")[0].attributes["id"]: label for label in page.every("label")}
    for kind, ids in result.tasks().items():
        assert labels[f"show-{kind}"].every("b")[0].content() == str(len(ids))
        assert sum(kind in link.classes() for link in page.every("nav")[0].every("a")) == len(ids)
    for tile, rule in zip(page.every("section"), ("per_output", "per_task", "strict"), strict=True):
        rate = result.rate(rule)
        assert tile.every("strong")[0].content() == f"{100 * rate.value:.2f} %", f"seed {seed}"
        assert f"{rate.solved:.6g} of {rate.total}" in tile.content()


def example() -> tuple[list[Task], dict[str, list], dict[str, object]]:
    grid = np.array([[1, 2, 0], [3, 4, 0]], np.uint8)
    pair = Pair(grid, grid)
    tasks = [Task(name, (pair,), (Pair(grid, None),)) for name in ("solved", "near", "far", "shape", "bad")]
    truth = {task.id: [grid.tolist()] for task in tasks}
    wrong = [[1, 2, 0], [3, 4, 5]]
    far = [[9, 9, 9], [9, 9, 9]]
    answers = {
        "solved": (wrong, truth["solved"][0]),
        "near": (far, wrong),
        "far": (far, far),
        "shape": ([[0]], [[1]]),
        "bad": ([[1], [2, 3]], [[7]]),
    }
    submission = {name: [{"attempt_1": a, "attempt_2": b}] for name, (a, b) in answers.items()}
    return tasks, truth, submission


def test_near_misses_and_defects_have_their_filters() -> None:
    tasks, truth, submission = example()
    text = build_report(tasks, submission, truth=truth)
    page = read(text)
    kinds = {article.attributes["id"]: article.classes() for article in page.every("article")}
    assert kinds == {
        "task-solved": {"solved"},
        "task-near": {"missed", "near3", "near10", "near30"},
        "task-far": {"missed", "near10", "near30"},
        "task-shape": {"missed"},
        "task-bad": {"missed", "malformed"},
    }
    nearest = {
        a.attributes["id"]: int(a.attributes["style"].rpartition(":")[2]) for a in page.every("article")
    }
    assert nearest["task-near"] == 1
    assert nearest["task-far"] == 6
    assert nearest["task-shape"] > 900
    (bad,) = [article for article in page.every("article") if "malformed" in article.classes()]
    assert "row 1" in bad.every("ul")[0].content()
    assert "no grid" in bad.content()
    assert all(f":root:has(#show-near{n}:checked) article{{order:var(--n)}}" in text for n in (3, 10, 30))
    for name in {name for classes in kinds.values() for name in classes}:
        assert f":root:has(#show-{name}:checked) :is(article,.wall a):not(.{name}){{display:none}}" in text


@pytest.mark.parametrize(("wrong", "near"), [(3, {3, 10, 30}), (4, {10, 30}), (30, {30}), (31, set())])
def test_near_misses_include_their_limit(wrong: int, near: set[int]) -> None:
    grid = np.zeros((6, 6), np.uint8)
    answer = np.where(np.arange(36).reshape(6, 6) < wrong, 5, 0).tolist()
    task = Task("t", (Pair(grid, grid),), (Pair(grid, None),))
    page = read(build_report([task], {"t": [{"attempt_1": [[0]], "attempt_2": answer}]}, truth={"t": [grid]}))
    assert page.every("article")[0].classes() == {"missed", *(f"near{limit}" for limit in near)}


@pytest.mark.parametrize(
    ("entries", "defect"),
    [
        ([{"attempt_1": [[1]]}], "test 0 attempt_2: missing"),
        ([{"attempt_1": [], "attempt_2": [[1]]}], "test 0 attempt_1: empty"),
        ([], "test 0: no entry"),
        ([{"attempt_1": [[1]], "attempt_2": [[2]]}, {}], "2 entries for 1 output"),
        (7, "expected a list with one entry per test"),
    ],
)
def test_defects_are_named(entries: object, defect: str) -> None:
    grid = np.zeros((1, 1), np.uint8)
    task = Task("t", (Pair(grid, grid),), (Pair(grid, None),))
    page = read(build_report([task], {"t": entries}, truth={"t": [grid]}))
    assert defect in page.every("article")[0].every("ul")[0].content()


def test_wrong_cells_are_outlined_only_where_shapes_agree() -> None:
    tasks, truth, submission = example()
    page = read(build_report(tasks, submission, truth=truth))
    masks = {
        a.attributes["id"]: [p for p in a.every("path") if p.attributes["class"] == "x"]
        for a in page.every("article")
    }
    counts = {name: len(paths) for name, paths in masks.items()}
    assert counts == {"task-solved": 1, "task-near": 2, "task-far": 2, "task-shape": 0, "task-bad": 0}
    assert masks["task-solved"][0].attributes["d"] == "M0-.5h3v2h-3zM2 0.5h1v1h-1z"


def test_pictures_hold_the_grids_and_are_named() -> None:
    rng = np.random.default_rng(3)
    (task, *_), truth = random_tasks(rng, 1)
    outputs = truth[task.id]
    submission = {task.id: [{"attempt_1": output, "attempt_2": [[7, 7]]} for output in outputs]}
    article = read(build_report([task], submission, truth=truth)).every("article")[0]
    boxes = [box for box in article.every("div") if "g" in box.classes()]
    expected = [grid.tolist() for pair in task.train for grid in (pair.input, pair.output)]
    for pair, output in zip(task.test, outputs, strict=True):
        expected += [pair.input.tolist(), output, [[7, 7]], output]
    shown = [
        [[int(digit) for digit in line] for line in box.every("pre")[0].content().split()] for box in boxes
    ]
    assert shown == expected
    alts = [box.attributes["aria-label"] for box in boxes]
    assert len(set(alts)) == len(alts)
    assert alts[0] == f"demonstration 1, input, {len(expected[0])}×{len(expected[0][0])}"
    assert alts[-3].startswith(f"test {len(outputs)}, attempt 1")
    assert alts[-3].endswith("✓ right")


def test_without_truth_nothing_is_judged() -> None:
    tasks, _, submission = example()
    text = build_report(tasks, submission)
    page = read(text)
    assert {name for article in page.every("article") for name in article.classes()} == {
        "unjudged",
        "malformed",
    }
    ids = {node.attributes["id"] for node in page.every("input")}
    assert {"show-all", "show-malformed"} == {name for name in ids if name.startswith("show-")}
    assert "difference" not in ids
    assert page.every("section") == []


def test_outputs_that_tasks_carry_are_the_truth() -> None:
    tasks, truth, submission = example()
    carrying = [
        Task(task.id, task.train, (Pair(task.test[0].input, np.array(truth[task.id][0], np.uint8)),))
        for task in tasks
    ]
    assert build_report(carrying, submission) == build_report(tasks, submission, truth=truth)


def test_support_table_and_title_are_shown_as_text() -> None:
    tasks, truth, submission = example()
    behind = {Query("near", 0): [Support(812, 812, 0.97312, 1000), Support(1, 1)]}
    text = build_report(tasks, submission, truth=truth, support=behind, score_table="a <b>\nc", title="<i>x")
    page = read(text)
    near = page.every("article")[1]
    spans = [span.content() for span in near.every("span")]
    assert "812 votes of 1,000 views, confidence 0.973" in spans
    assert "1 vote" in spans
    assert page.every("details")[0].every("pre")[0].content() == "a <b>\nc"
    assert page.every("h1")[0].content() == page.every("title")[0].content() == "<i>x"


@pytest.mark.parametrize("submission", [None, [], "x", 5, {}])
def test_no_submission_is_all_missing(submission: object) -> None:
    tasks, truth, _ = example()
    page = read(build_report(tasks, submission, truth=truth))
    assert all({"missed", "malformed"} <= article.classes() for article in page.every("article"))
    assert "5 of the tasks are missing" in page.every("header")[0].content()


def test_bad_truth_is_refused() -> None:
    tasks, truth, submission = example()
    with pytest.raises(TruthError, match='task "near" in the truth'):
        build_report(tasks, submission, truth={**truth, "near": [[[11]]]})


PAYLOADS = [
    "<script>alert(1)</script>",
    "</style><script>1</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "javascript:alert(1)",
    "</title><svg/onload=alert(1)>",
    "--><h1>",
    "]]>",
    "&lt;b&gt;&#x3c;b",
    "{color:red}</style>",
    "../../x",
    "a\x00b\x1b[31m",
    "\u202egnp.exe",
    "\ud800",
    "place-1",
    "task-2",
    "é" * 4096,
    "<!--",
    "<![CDATA[",
    " ",
]


def test_hostile_ids_are_inert() -> None:
    ids = [prefix + payload for payload in PAYLOADS for prefix in ("", "x", '"', "'", "<")]
    grid = np.ones((2, 2), np.uint8)
    tasks = [Task(name, (Pair(grid, grid),), (Pair(grid, None),)) for name in ids]
    plain = [Task(f"{place:06}", task.train, task.test) for place, task in enumerate(tasks)]
    submission = {name: [{"attempt_1": [[1]], name: [[2]]}] for name in ids}
    text = build_report(tasks, submission, truth={name: [grid] for name in ids}, title=PAYLOADS[2])
    page = read(text)
    usual = read(build_report(plain, {}, truth={task.id: [grid] for task in plain}))
    assert len(text.encode("utf-8")) < 1 << 20
    assert all(character == "\n" or character.isprintable() for character in text)

    assert set(tags(page)) == set(tags(usual))
    assert tags(page).count("article") == len(ids) == 100
    assert attribute_names(page) == attribute_names(usual)
    anchors = [article.attributes["id"] for article in page.every("article")]
    assert len(set(anchors)) == len(ids)
    assert all(re.fullmatch(r"(task|place)-[A-Za-z0-9_-]+", anchor or "") for anchor in anchors)
    assert [link.attributes["href"] for link in page.every("nav")[0].every("a")] == [f"#{a}" for a in anchors]


def test_page_asks_for_nothing() -> None:
    tasks, truth, submission = example()
    text = build_report(tasks, submission, truth=truth)
    page = read(text)
    assert all(f".c{value}{{stroke:var(--c{value})}}" in text for value in range(10))
    (policy,) = [m for m in page.every("meta") if m.attributes.get("http-equiv") == "Content-Security-Policy"]
    directives = dict(part.strip().split(" ", 1) for part in (policy.attributes["content"] or "").split(";"))
    assert directives["default-src"] == "'none'"
    assert directives["style-src"] == "'unsafe-inline'"
    assert "script-src" not in directives
    assert page.every("script") == page.every("img") == page.every("iframe") == []
    assert "url(" not in text
    assert "@import" not in text
    places = {node.attributes["id"] for tag in ("article", "main") for node in page.every(tag)}
    assert all((a.attributes["href"] or "").lstrip("#") in places for a in page.every("a"))
    assert [link.attributes["href"] for link in page.every("link")] == ["data:,"]
    identifiers = re.findall(r'\sid="([^"]*)"', text)
    assert len(set(identifiers)) == len(identifiers)
    used = set(re.findall(r":has\(#([a-z0-9-]+):checked\)", text))
    missing = used - set(identifiers)
    assert missing == set()


def test_same_input_same_bytes_under_any_hash_seed(repository: Path) -> None:
    program = (
        "import hashlib, sys; sys.path[:0] = sys.argv[1:]; import test_submission_page as t;"
        "tasks, truth, submission = t.example();"
        "print(hashlib.sha256(t.build_report(tasks, submission, truth=truth).encode()).hexdigest())"
    )
    tasks, truth, submission = example()
    own = hashlib.sha256(build_report(tasks, submission, truth=truth).encode()).hexdigest()
    run = subprocess.run(
        [sys.executable, "-c", program, str(repository), str(Path(__file__).parent)],
        env={**os.environ, "PYTHONHASHSEED": "1", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == own


def four_hundred() -> tuple[list[Task], dict[str, list], dict[str, object]]:
    """As many tasks as a public set has, with their truth and a submission that solves them all."""
    tasks, truth = random_tasks(np.random.default_rng(11), 400, high=16)
    submission: dict[str, object] = {
        name: [{"attempt_1": output, "attempt_2": output[::-1]} for output in outputs]
        for name, outputs in truth.items()
    }
    return tasks, truth, submission


def test_four_hundred_tasks_stay_small() -> None:
    tasks, truth, submission = four_hundred()
    cells = sum(grid.size for task in tasks for pair in task.train for grid in (pair.input, pair.output))
    assert cells > 400 * 4 * 100
    assert len(build_report(tasks, submission, truth=truth).encode()) < 8_000_000


BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def photograph(page: Path, picture: Path, size: tuple[int, int]) -> str:
    """A picture of the page in a fresh browser without a network; what the browser's console said."""
    quiet = (
        "disable-gpu",
        "disable-quic",
        "no-first-run",
        "disable-background-networking",
        "hide-scrollbars",
    )
    more = ("disable-component-update", "disable-sync", "no-sandbox", "force-color-profile=srgb", "headless")
    settings = (
        f"user-data-dir={picture.parent / 'profile'}",
        "enable-logging=stderr",
        f"screenshot={picture}",
    )
    shape = f"window-size={size[0]},{size[1]}"
    run = subprocess.run(
        [BROWSER or "", *(f"--{flag}" for flag in (*quiet, *more, *settings, shape)), page.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return "\n".join(line for line in run.stderr.splitlines() if "CONSOLE" in line)


@pytest.mark.skipif(BROWSER is None, reason="no Chromium or Chrome on this machine")
def test_browser_has_nothing_to_complain_of_in_hostile_markup(tmp_path: Path) -> None:
    grid = np.ones((2, 2), np.uint8)
    tasks = [Task(name, (Pair(grid, grid),), (Pair(grid, None),)) for name in MARKUP]
    submission = {name: [{"attempt_1": [[1]], name: [[2]]}] for name in MARKUP}
    path = tmp_path / "hostile.html"
    truth = {name: [grid] for name in MARKUP}
    path.write_text(build_report(tasks, submission, truth=truth, title=MARKUP[0]), encoding="utf-8")
    # A script that ran or was stopped, an element that asked for something: each leaves a line.
    assert photograph(path, tmp_path / "hostile.png", (1200, 2600)) == ""


@pytest.mark.skipif(BROWSER is None, reason="no Chromium or Chrome on this machine")
def test_browser_has_nothing_to_complain_of_in_four_hundred_tasks(tmp_path: Path) -> None:
    tasks, truth, submission = four_hundred()
    path = tmp_path / "many.html"
    path.write_text(build_report(tasks, submission, truth=truth), encoding="utf-8")
    assert photograph(path, tmp_path / "many.png", (1200, 2600)) == ""
    assert (tmp_path / "many.png").stat().st_size > 10_000


@pytest.mark.skipif(BROWSER is None, reason="no Chromium or Chrome on this machine")
def test_browser_shows_what_the_switches_say(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    tasks, truth, submission = example()
    grid = np.full((8, 8), 6, np.uint8)
    tasks.append(Task("magenta", (Pair(grid, grid),), (Pair(grid, None),)))
    truth["magenta"] = [grid]
    submission["magenta"] = [{"attempt_1": grid.tolist(), "attempt_2": [[6]]}]
    text = build_report(tasks, submission, truth=truth)
    rgb = {
        name: re.findall(r"#[0-9a-f]{6}", line)
        for name, line in zip(("classic", "arcprize"), palette_style().splitlines(), strict=False)
    }

    def chosen(page: str, *ids: str) -> str:
        for name in ids:
            group = name.partition("-")[0]
            page = re.sub(rf'(id="{group}-[a-z0-9]+") checked', r"\1", page)
            page = page.replace(f'id="{name}"', f'id="{name}" checked')
        return page

    def seen(page: str, name: str) -> dict[tuple[int, int, int], int]:
        path = tmp_path / f"{name}.html"
        path.write_text(page, encoding="utf-8")
        assert photograph(path, tmp_path / f"{name}.png", (1200, 2600)) == ""
        with image.open(tmp_path / f"{name}.png") as picture:
            colors = picture.convert("RGB").getcolors(1 << 24)
        return {color: count for count, color in colors}

    magenta, maroon = (
        {name: tuple(bytes.fromhex(colors[value][1:])) for name, colors in rgb.items()} for value in (6, 9)
    )
    light = seen(chosen(text, "theme-light"), "light")
    # Five pictures of 64 cells and more, 18 pixels a cell with a line of one; task "far" is full of maroon.
    assert light[magenta["classic"]] >= 5 * 64 * 17 * 17
    assert light[maroon["classic"]] >= 6 * 17 * 17
    assert light[(245, 245, 242)] > 100_000
    dark = seen(chosen(text, "theme-dark", "palette-arcprize", "show-solved"), "dark")
    assert dark[magenta["arcprize"]] >= 5 * 64 * 17 * 17
    assert dark[(18, 19, 22)] > 100_000
    assert not {magenta["classic"], maroon["classic"], maroon["arcprize"]} & dark.keys()
