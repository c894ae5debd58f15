"""Generated tasks: every rule gives good ones, the same ones everywhere, and their answers are determined."""

import dataclasses
import itertools
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from arc_solver.corpus.corpus import read_corpus
from arc_solver.corpus.synthetic import (
    bitboards,
    recolor,
    symmetry,
    whole_grid,
)
from arc_solver.corpus.synthetic import tasks as tasks_module
from arc_solver.corpus.synthetic.draws import Draws
from arc_solver.corpus.synthetic.library import LIBRARY
from arc_solver.corpus.synthetic.regions import fill_holes
from arc_solver.corpus.synthetic.rows import Rows, cut, overlaid, turned
from arc_solver.corpus.synthetic.rule import ALL_COLORS, Example, Library, Room, Rule, Setting, Trait
from arc_solver.corpus.synthetic.tasks import SyntheticName, synthetic_task, synthetic_tasks
from arc_solver.corpus.synthetic.uniqueness import candidates, fitted, is_determined, palette_of, traits_of
from arc_solver.presets import find_preset
from arc_solver.storage.text import DataError
from arc_solver.tasks.task import Task, task_hash
from augment.grid import check_grid

NAMED = {rule.name: rule for rule in LIBRARY.rules}


def rows_of(text: str) -> Rows:
    """A grid written as rows of digits, dots for black."""
    return tuple(bytes(int(digit) for digit in row.replace(".", "0")) for row in text.split())


def noise(seed: int, height: int, width: int, num_colors: int = 3) -> Rows:
    print(f"noise of seed {seed}")
    values = np.random.default_rng(seed).integers(0, num_colors + 1, height * width, dtype=np.uint8)
    return cut(values.tobytes(), width)


def array_of(rows: Rows) -> np.ndarray:
    return np.frombuffer(b"".join(rows), np.uint8).reshape(len(rows), len(rows[0]))


def check_task(task: Task, max_side: int) -> None:
    assert 2 <= len(task.train) <= 5, task.id
    assert 1 <= len(task.test) <= 2, task.id
    pairs = [*task.train, *task.test]
    assert len({pair.input.tobytes() + bytes(pair.input.shape) for pair in pairs}) == len(pairs), task.id
    for pair in pairs:
        for grid in (pair.input, pair.output):
            assert max(check_grid(grid).shape) <= max_side, task.id
        assert not np.array_equal(pair.input, pair.output), task.id
    first = pairs[0].output
    assert any(not np.array_equal(first, pair.output) for pair in pairs), task.id


def test_there_are_sixty_rules_and_more_with_names_of_their_own() -> None:
    assert len(LIBRARY.rules) == len(NAMED) >= 60
    assert sum(len(rules) for _, rules in LIBRARY.kinds) == len(LIBRARY.rules)
    assert all(rule.about.endswith((".", "None.")) for rule in LIBRARY.rules)


@pytest.mark.parametrize("name", NAMED)
def test_every_rule_gives_tasks_of_its_own(name: str) -> None:
    alone = Library.of([NAMED[name]])
    for number in range(2):
        check_task(synthetic_task(1, number, 10, alone), 10)


@pytest.mark.parametrize("max_side", [6, 10, 30])
def test_tasks_keep_to_the_largest_side(max_side: int) -> None:
    tasks = list(synthetic_tasks(SyntheticName(40, 7, max_side)))
    for task in tasks:
        check_task(task, max_side)
    assert len({task.id for task in tasks}) == len({task_hash(task) for task in tasks}) == 40


def test_tasks_are_a_function_of_seed_and_number() -> None:
    some = list(synthetic_tasks(SyntheticName(5, 3)))
    assert some == list(synthetic_tasks(SyntheticName(8, 3)))[:5]
    assert some[4] == synthetic_task(3, 4)
    assert some[4] != synthetic_task(4, 4)


def test_further_demonstrations_follow_those_of_the_same_task() -> None:
    few, many = (list(synthetic_tasks(SyntheticName(30, 3, 8, pairs))) for pairs in (0, 25))
    for task, longer in zip(few, many, strict=True):
        assert (longer.id, longer.test, longer.train[: len(task.train)]) == (task.id, task.test, task.train)
        inputs = {pair.input.tobytes() + bytes(pair.input.shape) for pair in (*longer.train, *longer.test)}
        assert len(inputs) == len(longer.train) + len(longer.test)
        assert max(side for pair in longer.train for side in (*pair.input.shape, *pair.output.shape)) <= 8
    assert sum(len(task.train) == 25 for task in many) > 25


def test_workers_draw_the_same_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks_module, "_MIN_PER_WORKER", 10)
    monkeypatch.setattr(tasks_module, "_PIECE", 7)
    name = SyntheticName(24, 5)
    assert list(synthetic_tasks(name, workers=2)) == list(synthetic_tasks(name))


DIGEST = """
from arc_solver.corpus.synthetic.tasks import SyntheticName, synthetic_tasks
from arc_solver.tasks.task import task_hash
print(*map(task_hash, synthetic_tasks(SyntheticName(30, 3))))
"""


def test_tasks_do_not_depend_on_the_process(repository: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", DIGEST],
        cwd=repository,
        env={**os.environ, "PYTHONHASHSEED": "1"},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert done.stdout.split() == list(map(task_hash, synthetic_tasks(SyntheticName(30, 3))))


def some_pairs(num: int) -> Iterator[tuple[Rule, Setting, Rows, Rows]]:
    """Rules applied to scenes of their own and of others."""
    draws = Draws("scenes of all rules")
    for number in range(num):
        rule = draws.pick(LIBRARY.rules)
        room = Room(draws.span(rule.least, 9), draws.span(rule.least, 9), tuple(draws.some(ALL_COLORS, 3)))
        setting = rule.random_setting(draws)
        question = rule.scene(draws, room, setting)
        for other in LIBRARY.rules if number % 20 == 0 else (rule,):
            chosen = setting if other is rule else other.random_setting(draws)
            answer = other.change(question, chosen)
            if answer is not None and answer != question:
                yield other, chosen, question, answer


def check_declared(rule: Rule, setting: Setting, question: Rows, answer: Rows) -> None:
    place = f"{rule.name} {setting}: {question} -> {answer}"
    assert not rule.traits & ~traits_of(question, answer), place
    colors = palette_of([(question, answer)])
    read, painted = set(setting[1 : 1 + rule.reads]), set(setting[1 + rule.reads :])
    assert rule.paints or rule.fits or not colors.new, place
    assert not rule.paints or not rule.traits & Trait.SAME or set(colors.brought) <= painted, place
    assert not rule.pure or set(colors.shown) <= painted, place
    assert not rule.takes or set(colors.taken) <= read, place


def test_rules_keep_to_what_they_declare_and_are_tried_on_their_own_pairs() -> None:
    for rule, setting, question, answer in some_pairs(800):
        check_declared(rule, setting, question, answer)
        unseen = sorted(set(setting[1 : 1 + rule.reads]) - set(b"".join(question)))
        tried = [chosen for _, chosen in candidates(Library.of([rule]), [(question, answer)], unseen)]
        fits = any(fitted(rule, chosen, [(question, answer)]) is not None for chosen in tried)
        assert fits, f"{rule.name} {setting}: {question} -> {answer}"


def every_setting(rule: Rule, colors: list[int], pairs: list[Example]) -> Iterator[Setting]:
    """All settings in some colors, without any shortcut."""
    if rule.fits is not None:
        yield from rule.fits(pairs)
        return
    for option in rule.options:
        for chosen in itertools.permutations(colors, rule.reads + rule.paints):
            yield (option, *chosen)


@pytest.mark.parametrize("number", range(12))
def test_no_rule_fits_the_demonstrations_and_answers_differently(number: int) -> None:
    task = synthetic_task(11, number, 8)
    shown, asked = (
        [tuple(tuple(map(bytes, grid)) for grid in (pair.input, pair.output)) for pair in pairs]
        for pairs in (task.train, task.test)
    )
    used = set(b"".join(b"".join(grid) for pair in shown for grid in pair)) - {0}
    colors = sorted(used) + [color for color in ALL_COLORS if color not in used][:1]
    for rule in LIBRARY.rules:
        for setting in every_setting(rule, colors, shown):
            if all(rule.change(question, setting) == answer for question, answer in shown):
                answers = [rule.change(question, setting) for question, _ in asked]
                wanted = [answer for _, answer in asked]
                assert all(a in (None, b) for a, b in zip(answers, wanted, strict=True)), (task.id, rule.name)


def pair_of(rule: Rule, setting: Setting, text: str) -> Example:
    question = rows_of(text)
    answer = rule.change(question, setting)
    assert answer is not None
    return question, answer


MIRROR = (4,)
CLEAR, TEST = pair_of(NAMED["turn"], MIRROR, "120 300 045"), pair_of(NAMED["turn"], MIRROR, "700 080 123")
BOTH_WAYS = pair_of(NAMED["turn"], MIRROR, "120 300 120")


def test_a_pair_that_two_rules_explain_is_refused() -> None:
    # Above and below are alike, so that a half turn explains it as well.
    assert not is_determined(LIBRARY, [BOTH_WAYS], [TEST])
    assert is_determined(LIBRARY, [BOTH_WAYS, CLEAR], [TEST])
    # Where all explanations give one answer there is nothing to choose.
    alike = pair_of(NAMED["turn"], MIRROR, "550 005 550")
    assert is_determined(Library.of([NAMED["turn"]]), [BOTH_WAYS], [alike])


def test_a_color_that_no_demonstration_shows_is_open() -> None:
    rule, setting = NAMED["dye-even"], (0, 3, 1)
    even, odd = (pair_of(rule, setting, text) for text in ("220000 000022", "200000 000222"))
    test = pair_of(rule, setting, "000222 220000")
    alone = Library.of([rule])
    assert not is_determined(alone, [even], [test])
    assert is_determined(alone, [even, odd], [test])


def test_a_color_that_only_the_test_shows_is_open() -> None:
    keep, setting = NAMED["keep-color"], (0, 6)
    seen, unseen = pair_of(keep, setting, "126 666 001"), pair_of(keep, setting, "112 003 420")
    test = pair_of(keep, setting, "166 200 001")
    assert not is_determined(Library.of([keep]), [unseen], [test])
    assert is_determined(Library.of([keep]), [unseen, seen], [test])


def test_a_rule_that_says_nothing_of_the_test_does_not_count() -> None:
    def narrow(rows: Rows, _: Setting) -> Rows | None:
        return rows[::-1] if len(rows[0]) == 3 else None

    rule = NAMED["turn"]
    silent = Library.of([rule, dataclasses.replace(rule, name="narrow", change=narrow, options=(0,))])
    flipped, wide = (5,), "1200 0300 0010"
    assert is_determined(silent, [pair_of(rule, flipped, "120 300 045")], [pair_of(rule, flipped, wide)])


def test_every_table_changes_two_colors() -> None:
    # Task 381 of seed 7 once drew a table that changed a single color, and fell over it.
    assert synthetic_task(7, 381, 10).id.startswith("syn-")
    for number in range(20_000):
        table = recolor.random_table(Draws(f"table:{number}"))
        assert sum(new != old for old, new in enumerate(table)) >= 2, f"table:{number}"


def test_a_table_must_be_shown_whole() -> None:
    rule, setting = NAMED["translate"], (0, 2, 3, 1, 4, 5, 6, 7, 8, 9)
    one, two = (pair_of(rule, setting, text) for text in ("112 201", "123 301"))
    assert not is_determined(LIBRARY, [one], [two])
    assert is_determined(LIBRARY, [one, two], [one])


@pytest.mark.parametrize("seed", range(20))
def test_boards_agree_with_scipy(seed: int) -> None:
    height, width = np.random.default_rng(seed).integers(1, 13, 2).tolist()
    rows = noise(seed, height, width, 1)
    frame, grid = bitboards.frame_of(rows), array_of(rows)
    full = np.ones((3, 3), int)
    for corners, structure in ((False, None), (True, full)):
        labels, num = ndimage.label(grid, structure)
        parts = bitboards.pieces(bitboards.ink(rows), frame.step, corners)
        assert len(parts) == num
        for part in parts:
            spots = list(bitboards.cells(part, frame))
            label = labels[spots[0]]
            assert sorted(spots) == [tuple(spot) for spot in np.argwhere(labels == label).tolist()]
            ends = np.argwhere(labels == label)
            assert bitboards.box(part, frame) == (*ends.min(0).tolist(), *ends.max(0).tolist())
    near = ndimage.binary_dilation(grid, full) & (grid == 0)
    assert np.array_equal(
        array_of(bitboards.painted(rows, bitboards.around(bitboards.ink(rows), frame), 5)) == 5, near
    )
    touching = ndimage.binary_dilation(grid) & (grid == 0)
    spots = bitboards.sides_of(bitboards.ink(rows), frame)
    assert np.array_equal(array_of(bitboards.painted(rows, spots, 5)) == 5, touching)
    core = ndimage.binary_erosion(grid, full)
    assert np.array_equal(
        array_of(bitboards.painted(rows, bitboards.inner(bitboards.ink(rows), frame), 5)) == 5, core
    )
    holes = ndimage.binary_fill_holes(grid) & (grid == 0)
    assert np.array_equal(array_of(fill_holes(rows, (0, 7))) == 7, holes)


@pytest.mark.parametrize("seed", range(4))
def test_rows_agree_with_numpy(seed: int) -> None:
    rows, other = noise(seed, 4, 7), noise(seed + 50, 4, 7)
    grid, below = array_of(rows), array_of(other)
    ways = {array_of(turned(rows, number)).tobytes() for number in range(8)}
    assert ways == {np.rot90(g, k).tobytes() for g in (grid, grid[:, ::-1]) for k in range(4)}
    assert np.array_equal(array_of(overlaid(rows, other)), np.where(grid > 0, grid, below))


def test_some_rules_by_hand() -> None:
    assert whole_grid.fractal(rows_of("10 01"), (0,)) == rows_of("1000 0100 0010 0001")
    assert whole_grid.condense(rows_of("1122 1122 3322"), (0,)) == rows_of("12 32")
    assert recolor.mark_ranked(rows_of("112 120"), (0, 9)) == rows_of("992 920")
    assert recolor.mark_ranked(rows_of("112 200"), (0, 9)) is None
    assert NAMED["slide"].change(rows_of("0011 2000 0030"), (0,)) == rows_of("1100 2000 3000")
    assert NAMED["fall-on-walls"].change(rows_of("103 050"), (1, 5)) == rows_of("013 050")
    assert NAMED["stamp"].change(rows_of("33300 33300 33300 00000"), (0, 1)) is None
    assert NAMED["one-alone"].change(rows_of("11402 01420"), (1, 8)) == rows_of("80 88")
    assert symmetry.complete(rows_of("120 000"), (4,)) == rows_of("121 000")
    assert NAMED["tally"].change(rows_of("101 010"), (0, 1)) == rows_of("111")
    assert NAMED["go-on"].change(rows_of("12000 30000"), (0,)) == rows_of("12121 30303")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("synthetic:", "plain numbers"),
        ("synthetic:5:1:10:3:4", "plain numbers"),
        ("synthetic:-5", "plain numbers"),
        ("synthetic:0", "0 tasks, expected 1 to"),
        ("synthetic:5:1:31", "largest side 31, expected 6 to 30"),
        ("synthetic:5:1:10:1001", "1001 demonstrations of a task, expected at most 1000"),
    ],
)
def test_a_wrong_name_is_refused_in_one_line(text: str, reason: str) -> None:
    with pytest.raises(DataError, match=reason) as caught:
        read_corpus([text])
    assert "\n" not in str(caught.value)


def test_a_name_is_training_material() -> None:
    corpus = read_corpus(["synthetic:6:2:8"])
    assert corpus.domain.name == "arc"
    assert corpus.manifest == (("synthetic:6:2:8", ""),)
    assert list(corpus.material) == list(synthetic_tasks(SyntheticName(6, 2, 8)))
    data, puzzles = corpus.training_data(find_preset("cpu-arc"))
    assert sum(data.sizes) == len(puzzles.starts) - 1 == 6


def test_the_docs_list_every_rule(repository: Path) -> None:
    text = (repository / "docs" / "synthetic.md").read_text(encoding="utf-8")
    wanted = [f"| `{rule.name}` | {rule.about} |" for rule in LIBRARY.rules]
    listed = [line for line in text.splitlines() if line.startswith("| `")]
    assert listed == wanted, "\n".join(wanted)
