"""Guesses that a row may take back: a symbol is pinned as if given, another one where that breaks the rules.

The network alone says which cell and which symbols; the rules of the puzzle are asked only whether what
stands on a board breaks them.
Shapes: B rows in flight, n of them that are stuck, L tokens, V tokens of the vocabulary.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from arc_solver.domains.protocols import Breaks, Bytes

EMPTY = 1  # the token of a cell that is not given
SURE = 0.9  # a cell is decided when the network gives its symbol at least this probability
LEAST = 0.03  # a symbol below this is no second value of a guess
DEPTH = 3  # guesses that stand at a time: a wrong one seldom breaks the rules at once, but it leads nowhere


@dataclass
class Guess:
    """A cell that was pinned, and the symbols that are left for it, the next one last."""

    cell: int
    symbols: list[int]


@dataclass
class Trail:
    """The guesses of one row that stand, in order, and the cells that a first guess went to already."""

    guesses: list[Guess] = field(default_factory=list)
    tried: set[int] = field(default_factory=set)

    def forward(self, cell: int, symbols: list[int]) -> tuple[int, int]:
        """Pin the first of `symbols`, likeliest first; returns (cell, symbol)."""
        if not self.guesses:
            self.tried.add(cell)
        guess = Guess(cell, symbols[::-1])
        self.guesses.append(guess)
        return cell, guess.symbols.pop()

    def back(self) -> tuple[list[int], tuple[int, int] | None]:
        """The cells to empty, and the next (cell, symbol) of the last guess that has one, or None."""
        emptied = []
        while self.guesses:
            guess = self.guesses[-1]
            emptied.append(guess.cell)
            if guess.symbols:
                return emptied, (guess.cell, guess.symbols.pop())
            self.guesses.pop()
        return emptied, None


def next_move(trail: Trail, tokens: Bytes, logits: npt.NDArray[np.float32], breaks: Breaks) -> bool:
    """Guess on, or take a guess back, in `tokens` (L,) of a stuck row; True where the row begins anew.

    A guess goes to the undecided cell whose two likeliest symbols have most of the probability, a first one
    to a cell that had none yet. The last guess is taken back where the decided cells (L, V logits) break the
    rules, where nothing is undecided or where DEPTH guesses led nowhere. Once all cells had a first guess
    they are tried again.
    """
    scores = np.exp(logits - logits.max(axis=1, keepdims=True))
    scores /= scores.sum(axis=1, keepdims=True)
    order = np.argsort(-scores, axis=1, kind="stable")
    best, second = (np.take_along_axis(scores, order[:, k : k + 1], axis=1)[:, 0] for k in (0, 1))
    blank = tokens == EMPTY
    undecided = blank & (best < SURE)
    decided = np.where(undecided, EMPTY, np.where(blank, order[:, 0], tokens)).astype(np.uint8)
    if trail.guesses:
        ahead = len(trail.guesses) < DEPTH and not breaks(decided[None])[0]
    else:
        ahead = True
        undecided[list(trail.tried)] = False
    if ahead and undecided.any():
        cell = int(np.argmax(np.where(undecided, best + second, -1)))
        likely, *others = (int(symbol) for symbol in order[cell] if symbol > EMPTY)
        symbols = [likely, *(symbol for symbol in others if scores[cell, symbol] >= LEAST)]
        place, symbol = trail.forward(cell, symbols)
        tokens[place] = symbol
        return False
    emptied, pinned = trail.back()
    tokens[emptied] = EMPTY
    if pinned is not None:
        tokens[pinned[0]] = pinned[1]
    elif not emptied:
        trail.tried.clear()
    return True
