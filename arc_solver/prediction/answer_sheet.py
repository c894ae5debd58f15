"""Where the answers stand while workers report them: complete at every moment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from arc_solver.domains.boards.domain import BoardDomain
from arc_solver.domains.protocols import Domain, Faults
from arc_solver.prediction.board_sheet import BoardSheet
from arc_solver.prediction.messages import Message
from arc_solver.prediction.rewriter import Rewriter
from arc_solver.prediction.submission_sheet import SubmissionSheet


class AnswerSheet(Protocol):
    """The newest answer to every query, in a file that holds all queries from the start."""

    file: Rewriter

    def has_answers(self) -> bool:
        """Whether any query has an answer."""

    def opening(self) -> list[str]:
        """The messages once the file exists."""

    def take(self, items: Sequence[str], message: Message) -> bool:
        """Keep the answers of a message of kind "answers" about these items; False if any is invalid."""

    def write_candidates(self, path: Path) -> None:
        """Write every reported candidate with its votes, one JSON line each, in order."""

    def missing(self) -> str | None:
        """What has no answer, in one line; None if nothing."""

    def facts(self) -> dict[str, Any]:
        """The facts about the answers, for `--json`."""

    def inputs(self, source: str) -> dict[str, Any]:
        """The entries of the manifest at the start: the name of the file, and what it answers."""

    def manifest(self) -> dict[str, Any]:
        """The entries of the manifest at the end, besides `facts`."""

    def score(self) -> dict[str, Any]:
        """The score by the answers that came with the material; empty without any."""

    def text(self, facts: dict[str, Any]) -> str:
        """The facts and the score for people."""


def sheet_of(
    domain: Domain[Any],
    out: Path | None,
    material: Any,
    faults: Faults,
    say: Callable[[str], None],
    *,
    everything: bool,
) -> AnswerSheet:
    """The sheet for some material; with `everything` it keeps all candidates."""
    if isinstance(domain, BoardDomain):
        return BoardSheet(out, domain, material, say, everything=everything)
    assert out is not None  # only boards are answered without a file
    return SubmissionSheet(out, material, faults, say)
