import math

import numpy as np
import pytest

from augment.counter_rng import bounded, bounded_low, hash64, item_of_epoch, permuted
from augment.kernel import kernel
from tests import naive


@kernel
def hashes(seed, length, out):
    for row in range(len(out)):
        luck = hash64(seed, row, 7)
        out[row, 0] = luck
        out[row, 1] = bounded(luck, length)
        out[row, 2] = bounded_low(luck, length)
        out[row, 3] = item_of_epoch(row, length, seed)


@kernel
def permutations(seed, out):
    num_keys, length = out.shape
    for number in range(num_keys):
        key = hash64(seed, number, 0)
        for index in range(length):
            out[number, index] = permuted(index, length, key)


@pytest.mark.parametrize(("seed", "length"), [(0, 1), (1, 10), (2**63 + 5, 960), (2**64 - 1, 2**31)])
def test_hashes_equal_their_twin(seed, length):
    out = np.zeros((40, 4), np.uint64)
    hashes(np.uint64(seed), length, out)
    for row in range(len(out)):
        luck = naive.hash64(seed, row, 7)
        wanted = [luck, naive.bounded(luck, length), naive.bounded_low(luck, length)]
        assert out[row].tolist() == [*wanted, naive.item_of_epoch(row, length, seed)]


@pytest.mark.parametrize("length", [1, 2, 7, 64, 65, 100, 300])
def test_a_permutation_takes_each_once(length):
    out = np.zeros((3, length), np.int64)
    permutations(np.uint64(length), out)
    assert (np.sort(out, axis=1) == np.arange(length)).all()
    assert out[2, :9].tolist() == [
        naive.permuted(index, length, naive.hash64(length, 2, 0)) for index in range(min(9, length))
    ]
    if length > 60:
        assert (out[0] == out[1]).mean() < 0.2


@pytest.mark.parametrize("length", [2, 3, 4])
def test_permutations_of_a_few_are_equally_likely(length):
    out = np.zeros((1200, length), np.int64)
    permutations(np.uint64(11), out)
    _, counts = np.unique(out, axis=0, return_counts=True)
    wanted = 1200 / math.factorial(length)
    assert len(counts) == math.factorial(length)
    assert (abs(counts - wanted) < 5 * wanted**0.5).all()


def test_each_item_once_per_epoch_in_a_new_order():
    out = np.zeros((300, 4), np.uint64)
    hashes(np.uint64(4), 100, out)
    epochs = out[:, 3].reshape(3, 100)
    assert (np.sort(epochs, axis=1) == np.arange(100)).all()
    assert (epochs[0] == epochs[1]).mean() < 0.2
    assert (epochs[1] == epochs[2]).mean() < 0.2
