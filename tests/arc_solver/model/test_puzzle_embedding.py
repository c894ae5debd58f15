"""The prefix that names the puzzle, and the optimizer of its rows."""

import dataclasses

import numpy as np
import torch

from arc_solver.model.puzzle_embedding import PuzzleEmbedding, SignSGD
from arc_solver.model.trm import Model
from tests.arc_solver.tiny import MODEL

RATE, DECAY = 0.1, 0.5


def table(num_rows: int, width: int = 16) -> PuzzleEmbedding:
    config = dataclasses.replace(MODEL, row_width=width)
    embedding = PuzzleEmbedding(config, num_rows, torch.Generator())
    embedding.rows.copy_(torch.randn(num_rows, width, generator=torch.Generator().manual_seed(2)))
    return embedding


def codes_of(*rows: int) -> torch.Tensor:
    codes = torch.zeros(len(rows), 12, dtype=torch.int32)
    codes[:, 0] = torch.tensor(rows)
    return codes


def test_each_row_takes_one_step_by_the_sign_of_its_summed_gradient() -> None:
    rng = np.random.default_rng(0)
    for trial in range(20):
        embedding = table(9)
        before = embedding.rows.double().numpy().copy()
        rows = rng.integers(0, 9, 12)
        gradient = rng.normal(size=(12, 16)).astype(np.float32)
        SignSGD(embedding).step(codes_of(*rows.tolist()), torch.from_numpy(gradient), RATE, DECAY)
        wanted = before.copy()
        for row in set(rows.tolist()):
            summed = gradient[rows == row].astype(np.float64).sum(axis=0)
            wanted[row] = before[row] * (1 - RATE * DECAY) - RATE * np.sign(summed)
        np.testing.assert_allclose(embedding.rows.numpy(), wanted, atol=1e-6, err_msg=f"trial {trial}")
        outside = sorted(set(range(9)) - set(rows.tolist()))
        assert np.array_equal(embedding.rows.numpy()[outside], before[outside].astype(np.float32))


def test_opposite_gradients_of_one_row_leave_only_the_decay() -> None:
    embedding = table(3)
    before = embedding.rows.clone()
    gradient = torch.ones(2, 16)
    gradient[1] = -1
    SignSGD(embedding).step(codes_of(1, 1), gradient, RATE, DECAY)
    torch.testing.assert_close(embedding.rows[1], before[1] * (1 - RATE * DECAY))
    assert torch.equal(embedding.rows[[0, 2]], before[[0, 2]])


def test_gathered_vectors_are_a_leaf_that_shares_nothing_with_the_table() -> None:
    embedding = table(3)
    vectors = embedding.gather(codes_of(2, 2), requires_grad=True)
    assert vectors is not None
    assert vectors.is_leaf
    before = embedding.rows.clone()
    with torch.no_grad():
        vectors.zero_()
    assert torch.equal(embedding.rows, before)


def test_no_embedding_has_no_rows_and_an_empty_prefix() -> None:
    model = Model(dataclasses.replace(MODEL, embedding="none"), num_rows=5)
    assert model.puzzle.rows.shape[0] == 0
    assert model.puzzle.gather(codes_of(0)) is None
    assert not model.puzzle(None, codes_of(0), model.token_embedding).any()


def test_rows_are_no_parameters() -> None:
    model = Model(MODEL, num_rows=5)
    assert not any("rows" in name for name, _ in model.named_parameters())
