import numpy as np
import pytest

from augment.dihedral import apply_dihedral
from augment.maze import CHARACTERS, UNKNOWN, MazePairs, paint_maze_views, paint_mazes, restore_mazes
from tests import naive


def random_pairs(seed, num, side):
    rng = np.random.default_rng(seed)
    return MazePairs(*rng.integers(0, len(CHARACTERS), size=(2, num, side * side)).astype(np.uint8))


@pytest.mark.parametrize(("seed", "side"), [(0, 1), (1, 5), (2, 12)])
def test_painted_mazes_equal_their_twin(seed, side):
    pairs = random_pairs(seed, 13, side)
    inputs, targets = np.zeros((50, side * side), np.uint8), np.zeros((50, side * side), np.uint8)
    paint_mazes(pairs, seed, 77, inputs, targets)
    dihedrals = set()
    for number in range(50):
        maze = naive.item_of_epoch(77 + number, 13, seed)
        dihedral = naive.bounded(naive.hash64(seed, 77 + number, 1), 8)
        dihedrals.add(dihedral)
        for tokens, mazes in ((inputs, pairs.questions), (targets, pairs.answers)):
            wanted = apply_dihedral(mazes[maze].reshape(side, side), dihedral) + 1
            assert tokens[number].tolist() == wanted.ravel().tolist()
    assert dihedrals == set(range(8))


def test_a_slice_of_examples_is_the_same():
    pairs = random_pairs(3, 5, 4)
    whole, part = np.zeros((2, 400, 16), np.uint8), np.zeros((2, 100, 16), np.uint8)
    paint_mazes(pairs, 9, 0, *whole)
    paint_mazes(pairs, 9, 250, *part)
    assert (whole[:, 250:350] == part).all()


def test_symmetries_are_painted_and_undone():
    mazes = random_pairs(4, 48, 6).questions
    dihedrals = np.arange(48).astype(np.uint8) % 8
    tokens = np.zeros_like(mazes)
    paint_maze_views(mazes, dihedrals, tokens)
    for number in range(48):
        wanted = apply_dihedral(mazes[number].reshape(6, 6), int(dihedrals[number])) + 1
        assert tokens[number].tolist() == wanted.ravel().tolist()
    assert (restore_mazes(tokens, dihedrals) == mazes).all()
    tokens[:8] = 0
    tokens[8:16] = len(CHARACTERS) + 1
    restored = restore_mazes(tokens, dihedrals)
    assert (restored[:16] == UNKNOWN).all()
    assert (restored[16:] == mazes[16:]).all()


def test_shapes_that_do_not_match_are_errors():
    mazes = np.zeros((2, 9), np.uint8)
    with pytest.raises(ValueError, match="questions like answers"):
        paint_mazes(MazePairs(mazes, mazes[:1]), 0, 0, mazes.copy(), mazes.copy())
    with pytest.raises(ValueError, match="inputs like targets"):
        paint_mazes(MazePairs(mazes, mazes), 0, 0, mazes.copy(), mazes[:1].copy())
    with pytest.raises(ValueError, match="expected uint8"):
        paint_mazes(MazePairs(mazes[:, :8], mazes), 0, 0, mazes.copy(), mazes.copy())
    with pytest.raises(ValueError, match="as many of each"):
        paint_maze_views(mazes, np.zeros(1, np.uint8), mazes.copy())
    with pytest.raises(ValueError, match="1 symmetries for 2 mazes"):
        restore_mazes(mazes, np.zeros(1, np.uint8))
