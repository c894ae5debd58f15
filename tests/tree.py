"""The tree in docs/development.md: `python -m tests.tree` prints it, with --write it goes into the page."""

from __future__ import annotations

import ast
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

PAGE = Path("docs") / "development.md"
BEGIN, END = "<!-- tree: python -m tests.tree --write -->\n", "<!-- end of the tree -->\n"
WIDTH = 132


def folders(repository: Path) -> Iterator[Path]:
    """Every package below the three top ones, each before what it holds."""
    for top in ("augment", "submission", "arc_solver"):
        yield from sorted(path.parent for path in (repository / top).rglob("__init__.py"))


def tree(repository: Path) -> str:
    """A fenced block: each folder with the first sentence of its `__init__.py` and its modules."""
    lines = []
    for folder in folders(repository):
        source = (folder / "__init__.py").read_text(encoding="utf-8")
        about = (ast.get_docstring(ast.parse(source)) or "").split("\n")[0]
        modules = sorted(path.stem for path in folder.glob("*.py") if path.stem != "__init__")
        depth = " " * 4 * (len(folder.relative_to(repository).parts) - 1)
        lines.append(f"{depth}{folder.name + '/':<16}{about}")
        inside = depth + " " * 16
        held = ", ".join(modules) or "data alone"
        lines += textwrap.wrap(held, WIDTH, initial_indent=inside, subsequent_indent=inside)
    return "\n".join(["```", *lines, "```\n"])


def page_with(tree_text: str, page: str) -> str:
    """The page with this tree in its place."""
    before, rest = page.split(BEGIN)
    return before + BEGIN + tree_text + END + rest.split(END)[1]


def main() -> None:
    """Print the tree, or write it."""
    repository = Path(__file__).resolve().parent.parent
    text = tree(repository)
    if "--write" in sys.argv[1:]:
        page = repository / PAGE
        page.write_text(page_with(text, page.read_text(encoding="utf-8")), encoding="utf-8")
    else:
        print(text, end="")


if __name__ == "__main__":
    main()
