"""The text of `train --dry-run`: what fits into the time, what it costs, and what to expect of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from arc_solver.progress import duration

if TYPE_CHECKING:
    from arc_solver.config import TrainConfig

# With a smaller share of the steps of the shipped weights little is to be expected.
MIN_SHARE = 0.1


def forecast(facts: dict[str, Any], train: TrainConfig, limit: float | None) -> str:
    """The facts of a dry run as a table, with what to expect of so many steps."""
    from submission.messages import count

    steps, wanted, seconds = facts["steps_that_fit"], facts["steps"], 3600 * facts["hours"]
    fits = f"all {wanted:,} of them take {duration(seconds)}"
    if limit is not None:
        fits = f"{steps:,} of {wanted:,} fit into {duration(limit)}" if steps < wanted else f"{fits}, in time"
    slots = ", ".join(f"{number} of {canvas}" for canvas, number in facts["canvases"].items())
    rows = {
        "network": f"{facts['parameters']:,} parameters, {facts['row_parameters']:,} of them in rows",
        "data": count(facts["examples"], "task or board", "tasks or boards"),
        "batch": f"{train.batch_size}: {slots}",
        "a step": f"{facts['seconds_per_step']:.3g} s",
        "steps": fits,
        "memory": f"{megabytes(facts['activation_bytes'])} for the gradient of a step",
        "disk": f"{megabytes(facts['disk_bytes'])}, {megabytes(facts['checkpoint_bytes'])} a checkpoint",
        "expect": expectation(steps, facts["examples"], train),
    }
    return "".join(f"{name:10} {text}\n" for name, text in rows.items())


def expectation(steps: int, examples: int, train: TrainConfig) -> str:
    """Whether so many steps on so many tasks or boards are likely to achieve anything, and why."""
    settled = train.warmup_steps + (round(1 / (1 - train.ema)) if train.ema else 0)
    passes = steps * train.batch_size / examples
    if steps < settled:
        return f"nothing: the first {settled:,} steps only raise the learning rate and fill the average"
    if passes < 1:
        return f"little: only {100 * passes:.0f} % of the data are seen at all"
    seen = f"each of the data is seen {passes:,.0f} times"
    most = shipped_steps(train.domain)
    if steps < MIN_SHARE * most:
        return f"little: {seen}, but the shipped weights took {most:,} steps"
    return f"it can teach something: {seen}; the shipped weights took {most:,} steps"


def shipped_steps(domain: str) -> int:
    """The most steps that shipped weights of a domain were trained for."""
    from arc_solver.checkpoints.file_format import read_header
    from arc_solver.checkpoints.shipped import all_shipped

    return max(
        int(read_header(path).metadata["step"]) for path in all_shipped() if path.stem.startswith(domain)
    )


def megabytes(size: int) -> str:
    """Bytes for people."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.3g} MB"
