"""Help with the options in groups: what to do, how long, how, and where to."""

from __future__ import annotations

import re
from typing import Any

from typer.core import TyperCommand

# Options by group; all others say how.
WHAT = (
    *("tasks", "limit", "only", "id", "index", "max-canvas", "shard", "lenient", "skip-bad", "solutions"),
    *("submission", "candidates", "run", "data", "data-dir", "num", "exclude", "like", "only-submitted"),
    *("weights", "calibrate"),
)
LONG = (
    *("time-limit", "sitting", "steps", "adapt-steps", "adapt-each", "keep", "no-adapt", "quick"),
    *("dry-run", "pause"),
)
WHERE = ("out", "quiet", "json", "color", "list", "tensorboard")
DEEDS = {"predict": "answer", "train": "learn", "generate": "make", "bench": "measure"}


class GroupedCommand(TyperCommand):
    """Lists options in groups, written as they are typed."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the arguments, then the options group by group."""
        deed = DEEDS.get(self.name or "", self.name)
        names = ("Arguments", f"What to {deed}", "How long", "How", "Where to", "More")
        groups: dict[str, list[tuple[str, str]]] = {name: [] for name in names}
        for each in self.get_params(ctx):
            record = each.get_help_record(ctx)
            if record is not None:
                own = getattr(each, "rich_help_panel", None)
                groups[own or names[_place(each)]].append((_typed(record[0]), record[1]))
        for name, records in groups.items():
            if records:
                with formatter.section(name):
                    formatter.write_dl(records)


def _place(parameter: Any) -> int:
    if parameter.param_type_name != "option":
        return 0
    names = {name.lstrip("-") for name in (*parameter.opts, *parameter.secondary_opts)}
    own = (names.intersection(group) for group in (WHAT, LONG))
    if "help" in names:
        return 5
    first = next((place for place, found in enumerate(own, 1) if found), 3)
    return 4 if names.intersection(WHERE) else first


def _typed(names: str) -> str:
    """Names and value of an option: of a list one value, of a range its type."""
    plain = re.sub(r"<(?:list\[)?(\w+)\]?(?: range)?>", lambda found: f"<{found[1].lower()}>", names)
    return plain.strip().removeprefix("/ ")
