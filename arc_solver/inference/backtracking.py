"""Guesses that a row may take back: a symbol is pinned as if it were given, and another if the rules break.

The network alone proposes cell and symbols; the rules only say whether the symbols on a board break them.
Shapes: B rows in slots, n of them stuck, L tokens, V tokens of the vocabulary.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from arc_solver.domains.protocols import Breaks, Bytes

EMPTY = 1  # the token of a cell that is not given
SURE = 0.9  # a cell is decided when the network gives its symbol at least this probability
LEAST = 0.03  # a symbol below this is no second value of a guess
DEPTH = 3  # guesses at a time: a wrong one rarely breaks the rules at once, but it leads nowhere


@dataclass
class Guess:
    """A pinned cell, and the symbols left to try in it, the next one last."""

    cell: int
    symbols: list[int]


@dataclass
class Trail:
    """The present guesses of one row, in order, and the cells of all first guesses so far."""

    guesses: list[Guess] = field(default_factory=list)
    tried: set[int] = field(default_factory=set)

    def forward(self, cell: int, symbols: list[int]) -> tuple[int, int]:
        """Pin the first of `symbols`, which are sorted by probability; returns (cell, symbol)."""
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
    """Guess, or take a guess back, in `tokens` (L,) of a stuck row; returns whether the row starts anew.

    A guess goes to the undecided cell whose two most likely symbols have most probability together, a first
    guess to a cell without one so far. The last guess is taken back if the decided cells (by logits (L, V))
    break the rules, if no cell is undecided, or if DEPTH guesses led nowhere. Once all cells had a first
    guess, they are tried again.
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
