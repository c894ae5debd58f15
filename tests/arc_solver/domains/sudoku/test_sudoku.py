import os
import subprocess
import sys

import numpy as np
import pytest

from arc_solver.domains.boards.board_set import MAX_BARREN_ROUNDS, BoardSet, collect
from arc_solver.domains.sudoku.generate import apart, exchanged_givens, generate_sudoku
from arc_solver.domains.sudoku.rules import contradiction, sudoku_faults, valid_boards
from arc_solver.domains.sudoku.solver import solve_boards
from arc_solver.storage.text import DataError
from augment.sudoku import BOX_SHAPES
from augment.threads import at_most

SIDES = (4, 6, 9)


def naively_valid(question: np.ndarray, answer: np.ndarray) -> bool:
    side = int(question.size**0.5)
    height, width = BOX_SHAPES[side]
    board = answer.reshape(side, side)
    units = [*board, *board.T]
    units += [
        board[r : r + height, c : c + width].ravel()
        for r in range(0, side, height)
        for c in range(0, side, width)
    ]
    keeps = all(given in (0, digit) for given, digit in zip(question, answer, strict=True))
    return keeps and all(sorted(unit) == list(range(1, side + 1)) for unit in units)


def boards_of(*texts: str) -> BoardSet:
    cells = np.array([[int(each) for each in text.replace(".", "0")] for text in texts], np.uint8)
    return BoardSet("sudoku", cells, np.zeros_like(cells), np.full(len(texts), -1, np.int64))


@pytest.mark.parametrize("side", SIDES)
def test_generated_puzzles_are_proper_minimal_and_different(side: int) -> None:
    boards = generate_sudoku(40, side, np.random.default_rng(side))
    assert (boards.kind, boards.side, len(boards)) == ("sudoku", side, 40)
    assert len({question.tobytes() for question in boards.questions}) == 40
    found = solve_boards(boards.questions)
    assert (found.counts == 1).all()
    assert (found.answers == boards.answers).all()
    assert (found.guesses == boards.ratings).all()
    assert valid_boards(boards.questions, boards.answers).all()
    assert sudoku_faults(boards) == {}
    for question in boards.questions[:5]:
        for cell in np.flatnonzero(question):
            fewer = question.copy()
            fewer[cell] = 0
            assert solve_boards(fewer[None]).counts[0] == 2


@pytest.mark.parametrize(("side", "givens"), [(4, 9), (6, 20), (9, 24), (9, 60)])
def test_puzzles_are_filled_up_to_the_givens_asked_for(side: int, givens: int) -> None:
    boards = generate_sudoku(40, side, np.random.default_rng(3), min_givens=givens)
    counts = (boards.questions > 0).sum(1)
    assert counts.min() >= givens
    assert (counts == givens).mean() > 0.2  # no more than asked for, unless the puzzle needs them
    solved = solve_boards(boards.questions)
    assert (solved.counts == 1).all()
    assert (solved.answers == boards.answers).all()
    assert (solved.guesses == boards.ratings).all()
    assert len(boards.distinct()) == 40
    assert len({(question > 0).tobytes() for question in boards.questions}) > 30  # other cells every time


def test_givens_that_leave_no_blank_are_refused() -> None:
    with pytest.raises(DataError, match="81 givens leave no blank on a 9x9 board"):
        generate_sudoku(1, 9, np.random.default_rng(0), min_givens=81)
    with pytest.raises(DataError, match="not both"):
        generate_sudoku(1, 9, np.random.default_rng(0), min_rating=3, min_givens=30)


def test_generated_grids_of_side_four_reach_all_288() -> None:
    boards = generate_sudoku(4000, 4, np.random.default_rng(0))
    _, counts = np.unique(boards.answers, axis=0, return_counts=True)
    assert len(counts) == 288


def test_generation_depends_on_the_seed_alone() -> None:
    with at_most(1):
        first = generate_sudoku(70, 6, np.random.default_rng(5))
    second = generate_sudoku(70, 6, np.random.default_rng(5))
    other = generate_sudoku(70, 6, np.random.default_rng(6))
    assert (first.questions == second.questions).all()
    assert not (first.questions == other.questions).all()


def test_the_rating_floor_holds() -> None:
    boards = generate_sudoku(3, 9, np.random.default_rng(0), min_rating=3)
    assert boards.ratings.min() >= 3
    assert (solve_boards(boards.questions).guesses == boards.ratings).all()


def test_an_unreachable_rating_is_said_so() -> None:
    with pytest.raises(DataError, match="no 4x4 Sudoku rated 50 in 100"):
        generate_sudoku(1, 4, np.random.default_rng(0), min_rating=50)


def test_other_sides_are_refused() -> None:
    with pytest.raises(DataError, match=r"^Sudoku side 5: expected 4, 6 or 9$"):
        generate_sudoku(1, 5, np.random.default_rng(0))


@pytest.mark.parametrize("side", SIDES)
def test_excluded_puzzles_do_not_come_again(side: int) -> None:
    seen = generate_sudoku(60, side, np.random.default_rng(1))
    again = generate_sudoku(60, side, np.random.default_rng(1), exclude=seen)
    assert len(again) == 60
    assert not {q.tobytes() for q in again.questions} & {q.tobytes() for q in seen.questions}
    if side > 4:
        assert not {a.tobytes() for a in again.answers} & {a.tobytes() for a in seen.answers}
    assert len(apart(seen, seen)) == 0


@pytest.mark.parametrize("side", SIDES)
def test_a_split_shares_no_question_and_from_side_six_no_answer(side: int) -> None:
    boards = generate_sudoku(80, side, np.random.default_rng(2))
    twin = boards.take(np.array([0])).questions.copy()
    twin[0, np.flatnonzero(twin[0] == 0)[0]] = boards.answers[0, np.flatnonzero(twin[0] == 0)[0]]
    boards = BoardSet.joined([boards, BoardSet("sudoku", twin, boards.answers[:1], boards.ratings[:1])])
    for seed in range(5):
        order = np.random.default_rng(seed).permutation(len(boards))
        test = boards.take(order[:40])
        train = apart(boards.take(order[40:]), test)
        for ours, theirs in ((train.questions, test.questions), (train.answers, test.answers)):
            if side > 4 or ours is train.questions:
                assert not {row.tobytes() for row in ours} & {row.tobytes() for row in theirs}


def test_collecting_ends_when_nothing_new_comes() -> None:
    board = generate_sudoku(1, 4, np.random.default_rng(0))
    calls = []

    def same(num: int) -> BoardSet:
        calls.append(num)
        return board.take(slice(min(num, 1)))

    with pytest.raises(DataError, match=r"found 1 .* not 3"):
        collect(3, same)
    assert calls == [0, 3, *[2] * MAX_BARREN_ROUNDS]


@pytest.mark.parametrize("side", SIDES)
def test_valid_equals_a_slow_check(side: int) -> None:
    rng = np.random.default_rng(side)
    boards = generate_sudoku(60, side, rng)
    answers = boards.answers.copy()
    for answer in answers[10:]:
        cells = rng.choice(side * side, 2, replace=False)
        answer[cells] = answer[cells[::-1]] if rng.random() < 0.5 else rng.integers(0, side + 2, 2)
    expected = [naively_valid(q, a) for q, a in zip(boards.questions, answers, strict=True)]
    assert valid_boards(boards.questions, answers).tolist() == expected
    assert not all(expected)
    assert not valid_boards(boards.questions, np.roll(boards.answers, 1, axis=0))[:5].any()


def test_an_answer_that_keeps_the_rules_but_not_the_givens_is_not_valid() -> None:
    boards = generate_sudoku(1, 9, np.random.default_rng(0))
    renamed = boards.answers % 9 + 1
    assert valid_boards(np.zeros_like(renamed), renamed)[0]
    assert not valid_boards(boards.questions, renamed)[0]


@pytest.mark.parametrize(
    ("question", "fault"),
    [
        ("1..1............", "contradictory givens: 1 appears twice in row 1"),
        ("2...........2...", "contradictory givens: 2 appears twice in column 1"),
        ("..3....3........", "contradictory givens: 3 appears twice in box 2"),
        ("5...............", "contradictory givens: the digit 5 on a board of side 4"),
        ("12..34..........", "several solutions"),
        ("123....4........", "no solution"),
    ],
)
def test_faults_name_what_is_wrong(question: str, fault: str) -> None:
    boards = boards_of(question)
    assert sudoku_faults(boards) == {0: fault}
    clash = contradiction(boards.questions[0])
    assert (clash is None) == ("contradictory" not in fault)


def test_a_wrong_answer_is_a_fault_and_an_unknown_one_is_not() -> None:
    boards = generate_sudoku(2, 4, np.random.default_rng(0))
    answers = boards.answers.copy()
    answers[0] = 0
    answers[1] = answers[1] % 4 + 1
    shown = BoardSet("sudoku", boards.questions, answers, boards.ratings)
    assert sudoku_faults(shown) == {1: "the answer is not the solution of the question"}


def test_boards_of_different_kinds_do_not_join() -> None:
    parts = [generate_sudoku(1, side, np.random.default_rng(0)) for side in (4, 6)]
    with pytest.raises(DataError, match="sudoku of side 6 cannot join sudoku of side 4"):
        BoardSet.joined(parts)


PLAIN_PYTHON = """
import numpy as np
from arc_solver.domains.maze.generate import generate_mazes
from arc_solver.domains.maze.rules import solve_mazes, valid_mazes
from arc_solver.domains.sudoku.generate import exchanged_givens, generate_sudoku
from arc_solver.domains.sudoku.solver import solve_boards
rng = np.random.default_rng(7)
for boards in (generate_sudoku(3, 4, rng), generate_mazes(3, 6, rng)):
    print(boards.questions.tolist(), boards.answers.tolist(), boards.ratings.tolist())
print([each.tolist() for each in solve_boards(generate_sudoku(1, 6, rng).questions)])
mazes = generate_mazes(2, 5, np.random.default_rng(8))
print(solve_mazes(mazes.questions)[0].tolist(), valid_mazes(mazes.questions, mazes.answers).tolist())
"""


def test_kernels_do_the_same_when_interpreted() -> None:
    outputs = [
        subprocess.run(
            [sys.executable, "-W", "error", "-c", PLAIN_PYTHON],
            env={**os.environ, "NUMBA_DISABLE_JIT": off},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for off in ("0", "1")
    ]
    assert outputs[0] == outputs[1]
    assert outputs[0].count("\n") == 4


def test_exchanged_givens_give_other_puzzles_as_hard_with_the_same_grids() -> None:
    like = generate_sudoku(4, 9, np.random.default_rng(8), min_rating=3)
    found = exchanged_givens(12, like, np.random.default_rng(5), exclude=like)
    solved = solve_boards(found.questions)
    assert (solved.counts == 1).all()
    assert (solved.answers == found.answers).all()
    assert (solved.guesses == found.ratings).all()
    sources = {answer.tobytes(): rating for answer, rating in zip(like.answers, like.ratings, strict=True)}
    for answer, rating in zip(found.answers, found.ratings, strict=True):
        assert rating >= int(0.6 * sources[answer.tobytes()]), "a floor for each, from where it began"
    assert len({question.tobytes() for question in found.questions}) == 12
    assert not {q.tobytes() for q in found.questions} & {q.tobytes() for q in like.questions}
    again = exchanged_givens(12, like, np.random.default_rng(5), exclude=like)
    assert (again.questions == found.questions).all()
    harder = exchanged_givens(3, like, np.random.default_rng(5), min_rating=int(like.ratings.max()))
    assert harder.ratings.min() >= like.ratings.max()


def test_puzzles_without_guesses_have_no_givens_to_exchange() -> None:
    easy = generate_sudoku(3, 9, np.random.default_rng(8), min_givens=50)
    with pytest.raises(DataError, match="lower the rating floor"):
        exchanged_givens(2, easy, np.random.default_rng(5), min_rating=1)
