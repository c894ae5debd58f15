"""Help whose options stand under what a person wants, and that names a switch by the form that one types."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand


class GroupedCommand(TyperCommand):
    """Lists options under their `rich_help_panel`, those without one last."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the options in groups, in the order of their first options."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for each in self.get_params(ctx):
            record = each.get_help_record(ctx)
            if record is not None:
                is_option = each.param_type_name == "option"
                name = (getattr(each, "rich_help_panel", None) or "More") if is_option else "Arguments"
                groups.setdefault(name, []).append((record[0].strip().removeprefix("/ "), record[1]))
        more = groups.pop("More", [])
        for name, records in (*groups.items(), ("More", more)):
            if records:
                with formatter.section(name):
                    formatter.write_dl(records)
