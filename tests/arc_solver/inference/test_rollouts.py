"""Rollouts: noise that depends on nothing but its row, and choices that depend on no order."""

import dataclasses
import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from arc_solver.config import ModelConfig, PredictConfig
from arc_solver.domains.boards.board_set import BoardSet
from arc_solver.domains.maze.domain import MAZE
from arc_solver.domains.maze.generate import generate_mazes
from arc_solver.domains.protocols import Restored
from arc_solver.domains.sudoku.domain import SUDOKU as DOMAIN
from arc_solver.domains.sudoku.generate import generate_sudoku
from arc_solver.inference.answer import Answering
from arc_solver.inference.election import Election, FirstConfident, Found, MajorityVote
from arc_solver.inference.noise import mixed, normal_numbers
from arc_solver.model.trm import Model
from arc_solver.presets import find_preset
from arc_solver.tasks.puzzles import PuzzleMap
from tests.arc_solver.tiny import CPU, MODEL, BoardAnswers, answer_boards, lively

SUDOKU = dataclasses.replace(MODEL, vocabulary=6, num_layers=1, cycles=1, latent_steps=1)
CONFIG = PredictConfig(views=1, ages=4, batch_size=64, rollouts=5, sigma=0.5)


def boards(num: int = 6) -> BoardSet:
    return generate_sudoku(num, 4, np.random.default_rng(1))


def thinker(config: ModelConfig = SUDOKU) -> Model:
    return lively(Model(config, num_rows=1, seed=1)).requires_grad_(False)


def threshold(model: Model, listed: BoardSet) -> float:
    """A halting logit that some chains pass and others do not."""
    seen = answer_boards(model, listed, dataclasses.replace(CONFIG, rollouts=1))
    middle = float(np.median(seen.confidence.astype(np.float64).clip(1e-9, 1 - 1e-9)))
    return math.log(middle / (1 - middle))


def texts(answers: BoardAnswers) -> list[tuple[bytes, bytes]]:
    return [(a.tobytes(), c.tobytes()) for a, c in zip(answers.cells, answers.confidence, strict=True)]


def test_normal_numbers_are_normal_and_depend_on_their_key_alone() -> None:
    keys = mixed(np.arange(40, dtype=np.uint64), 3)
    numbers = normal_numbers(keys, 37, 33, CPU)
    assert numbers.shape == (40, 37, 33)
    assert numbers.dtype == torch.float32
    flat = numbers.flatten().double()
    assert abs(float(flat.mean())) < 0.02
    assert abs(float(flat.std()) - 1) < 0.02
    assert abs(float((flat**4).mean()) - 3) < 0.15
    assert float((numbers[:, 0] * numbers[:, 1]).mean().abs()) < 0.1
    for size in (1, 3, 7):
        parts = [normal_numbers(keys[i : i + size], 37, 33, CPU) for i in range(0, 40, size)]
        assert torch.equal(torch.cat(parts), numbers)
    assert len({row.numpy().tobytes() for row in numbers}) == 40


def test_mixed_keys_spread_over_all_bits() -> None:
    keys = mixed(np.zeros(1, np.uint64), np.arange(4096, dtype=np.uint64))
    assert len(set(keys.tolist())) == 4096
    shares = [((keys >> np.uint64(bit)) & np.uint64(1)).mean() for bit in range(64)]
    assert min(shares) > 0.45
    assert max(shares) < 0.55


@pytest.mark.parametrize("choice", ["first", "vote"])
@pytest.mark.parametrize("sure", [True, False])
def test_batch_size_and_company_change_no_answer(choice: str, sure: bool) -> None:
    listed, model = boards(), thinker()
    logit = threshold(model, listed) if sure else math.inf
    config = dataclasses.replace(CONFIG, choice=choice, halt_logit=logit)
    whole = texts(answer_boards(model, listed, config))
    for size in (1, 4):
        changed = dataclasses.replace(config, batch_size=size)
        assert texts(answer_boards(model, listed, changed)) == whole, size
    alone = [texts(answer_boards(model, listed.take(slice(i, i + 1)), config))[0] for i in range(6)]
    assert alone == whole
    order = np.array([3, 5, 0])
    assert texts(answer_boards(model, listed.take(order), config)) == [whole[i] for i in order]


def disturbance(listed: BoardSet, config: PredictConfig) -> Any:
    """The noise of three chains."""
    questions = DOMAIN.questions(listed, PuzzleMap("none"), (), config, "")
    answering = Answering(DOMAIN, listed, questions, config)
    return answering._disturbance(questions.round(0, 3, np.arange(len(listed))))


def hashes_of(listed: BoardSet) -> list[int]:
    return DOMAIN.questions(listed, PuzzleMap("none"), (), CONFIG, "").hashes.tolist()


def test_the_seed_and_the_noise_matter_and_one_rollout_has_none() -> None:
    listed, model = boards(), thinker()
    disturb = disturbance(listed, CONFIG)
    keys, sigmas = disturb(0, np.arange(18))
    assert len(set(keys.tolist())) == 18
    assert sigmas.tolist() == [0.0] * 6 + [0.5] * 12
    other = disturbance(listed, dataclasses.replace(CONFIG, seed=1))
    assert not set(other(0, np.arange(18)).keys.tolist()) & set(keys.tolist())
    plain = dataclasses.replace(CONFIG, rollouts=1)
    alone = texts(answer_boards(model, listed, plain))
    assert texts(answer_boards(model, listed, dataclasses.replace(plain, sigma=9.0))) == alone
    assert texts(answer_boards(model, listed, dataclasses.replace(CONFIG, choice="vote", seed=7))) != texts(
        answer_boards(model, listed, dataclasses.replace(CONFIG, choice="vote"))
    )


def test_a_board_is_known_by_its_content() -> None:
    hashes = hashes_of(boards())
    assert len(set(hashes)) == 6
    assert hashes_of(boards().take(np.array([4]))) == [hashes[4]]


def test_ages_go_beyond_sixteen() -> None:
    answers = answer_boards(thinker(), boards(2), PredictConfig(views=1, ages=19))
    assert answers.ages.tolist() == [19, 19]


def test_the_noise_is_that_of_the_recipe_else_one_for_all_boards() -> None:
    assert DOMAIN.default_noise == MAZE.default_noise == 0.3
    assert find_preset("paper-maze").predict.sigma == find_preset("maze").predict.sigma == 1.0, "as published"
    assert find_preset("paper-sudoku-mlp").predict.sigma == 0


def test_mazes_vote() -> None:
    listed = generate_mazes(3, 5, np.random.default_rng(2), min_moves=4)
    model = thinker()
    config = dataclasses.replace(CONFIG, views=20, rollouts=2, sigma=0.0, ages=2)
    answers = answer_boards(model, listed, config)
    # Eight views and two chains of each, unless more than half of them agreed before.
    assert (answers.ages >= 2 * 4).all()
    assert (answers.ages <= 2 * 16).all()
    assert answers.answered.all()


def contenders(*rows: tuple[int, int, bool, bool, bool, float, int]) -> Found:
    """Rows of (contender, cell, whole, valid, confident, confidence, age), all of board 0."""
    number, cell, whole, valid, confident, confidence, age = zip(*rows, strict=True)
    shapes = np.repeat(np.array(whole, np.uint8)[:, None], 2, axis=1)
    cells, none = np.array(cell, np.uint8)[:, None], np.zeros(len(rows), np.bool_)
    return Found(
        np.zeros(len(rows), np.int64),
        np.array(number, np.int64),
        Restored(cells, shapes, np.zeros((len(rows), 2), np.uint64), none),
        np.array(valid),
        np.array(confident),
        np.array(confidence, np.float32),
        np.array(age, np.int64),
        np.ones(len(rows), np.float32),
    )


def picked(choice: Election) -> tuple[int, float]:
    (standing,) = choice.standings(np.array([0]))
    return int(standing.candidates[0].grid[0, 0]), round(standing.candidates[0].confidence, 4)


FIRST = {
    "the earliest confident one": (
        [(0, 1, 1, 1, 0, 0.4, 9), (1, 2, 1, 0, 1, 0.9, 5), (2, 3, 1, 1, 1, 0.9, 6)],
        2,
    ),
    "a valid one of the same age": ([(0, 1, 1, 0, 1, 0.9, 3), (1, 2, 1, 1, 1, 0.8, 3)], 2),
    "the most confident of the same age": ([(0, 1, 1, 0, 1, 0.8, 3), (1, 2, 1, 0, 1, 0.9, 3)], 2),
    "the first of equals": ([(0, 1, 1, 0, 1, 0.8, 3), (1, 2, 1, 0, 1, 0.8, 3)], 1),
    "none confident: a valid one": ([(0, 1, 1, 0, 0, 0.4, 9), (1, 2, 1, 1, 0, 0.1, 9)], 2),
    "no broken one, however confident": ([(0, 1, 0, 0, 1, 0.9, 1), (1, 2, 1, 0, 0, 0.1, 9)], 2),
    "a broken one where there is no other": ([(1, 2, 0, 0, 1, 0.9, 1), (0, 1, 0, 0, 0, 0.1, 9)], 1),
}
VOTES = {
    "the most frequent": ([(0, 1, 1, 1, 1, 0.9, 1), (1, 2, 1, 0, 0, 0.1, 9), (2, 2, 1, 0, 0, 0.1, 9)], 2),
    "a valid one of as many": ([(0, 1, 1, 0, 0, 0.9, 1), (1, 2, 1, 1, 0, 0.1, 9)], 2),
    "the more confident of as many": ([(0, 1, 1, 0, 0, 0.1, 1), (1, 2, 1, 0, 0, 0.2, 9)], 2),
    "no broken one": ([(0, 1, 0, 0, 1, 0.9, 1), (1, 1, 0, 0, 1, 0.9, 1), (2, 2, 1, 0, 0, 0.1, 9)], 2),
}


VALID = {
    "the earliest confident one that is valid": (
        [(0, 1, 1, 0, 1, 0.9, 1), (1, 2, 1, 1, 1, 0.4, 9), (2, 3, 1, 1, 0, 0.9, 1)],
        2,
    ),
    "a valid one that is not confident": ([(0, 1, 1, 0, 1, 0.9, 1), (1, 2, 1, 1, 0, 0.1, 9)], 2),
}
CHOICES: list[tuple[Callable[[int], Election], str, Any]] = [
    *((lambda num: FirstConfident(np.array([num])), name, case) for name, case in FIRST.items()),
    *(
        (lambda num: FirstConfident(np.array([num]), valid_alone=True), name, case)
        for name, case in VALID.items()
    ),
    *((lambda num: MajorityVote(np.array([num])), name, case) for name, case in VOTES.items()),
]


@pytest.mark.parametrize(("make", "name", "case"), CHOICES)
def test_what_is_chosen(make: Callable[[int], Election], name: str, case: Any) -> None:
    rows, expected = case
    results = set()
    for order in itertools.permutations(rows):
        choice = make(len(rows))
        for row in order:
            choice.take(contenders(row))
        results.add(picked(choice))
    assert len(results) == 1
    assert results.pop()[0] == expected, name


def test_rows_are_let_go_once_another_was_confident_earlier() -> None:
    choice = FirstConfident(np.array([2, 2]))
    zero = np.zeros(1, np.int64)
    assert choice.wants(zero, np.array([99])).all()
    choice.take(contenders((0, 1, True, False, True, 0.9, 4)))
    wanted = [bool(choice.wants(zero, np.array([age]))[0]) for age in (0, 3, 4, 5)]
    assert wanted == [True, True, False, False]
    assert choice.closed.tolist() == [False, False]
    choice.end_round()
    assert choice.closed.tolist() == [True, False]


def test_a_vote_is_settled_by_more_than_half() -> None:
    choice = MajorityVote(np.array([4]))
    for contender in range(3):
        choice.end_round()
        assert not choice.closed[0]
        choice.take(contenders((contender, 5, True, False, False, 0.5, 1)))
    choice.end_round()
    assert choice.closed[0]


def test_confident_chains_save_ages() -> None:
    """A board whose first chain is confident spends no more than that one."""
    listed, model = boards(), thinker()
    logit = threshold(model, listed)
    alone = answer_boards(model, listed, dataclasses.replace(CONFIG, rollouts=1, halt_logit=logit))
    many = answer_boards(model, listed, dataclasses.replace(CONFIG, halt_logit=logit))
    sure = alone.confidence > 1 / (1 + math.exp(-logit))
    assert sure.any()
    assert not sure.all()
    assert (many.ages[sure] == alone.ages[sure]).all()
    assert (many.ages[~sure] > alone.ages[~sure]).all()


@pytest.mark.parametrize("choice", ["first", "valid", "vote"])
def test_a_full_board_costs_one_pass(choice: str) -> None:
    listed = boards()
    questions = listed.questions.copy()
    questions[:3] = listed.answers[:3]
    mixed_boards = BoardSet(listed.kind, questions, listed.answers, listed.ratings)
    config = dataclasses.replace(CONFIG, views=3, halt_logit=math.inf, choice=choice)
    found = answer_boards(thinker(), mixed_boards, config)
    assert found.ages[:3].tolist() == [1, 1, 1]
    assert found.answered.all()
    assert np.array_equal(found.cells[:3], listed.answers[:3])
    alone = answer_boards(thinker(), listed, config)
    assert np.array_equal(found.cells[3:], alone.cells[3:])
    assert found.ages[3:].tolist() == alone.ages[3:].tolist()


@pytest.mark.parametrize("rules_decide", [True, False])
def test_an_answer_that_keeps_the_rules_ends_the_search_for_another(rules_decide: bool) -> None:
    """Where nothing is confident, a Sudoku is settled by the first round that solves it, a maze is not."""
    elected = FirstConfident(np.array([3]), rules_decide=rules_decide)
    elected.take(contenders((0, 1, True, False, False, 0.9, 4)))
    elected.end_round()
    assert not elected.closed[0]
    elected.take(contenders((1, 2, True, True, False, 0.4, 4)))
    elected.end_round()
    assert elected.closed[0] == rules_decide
