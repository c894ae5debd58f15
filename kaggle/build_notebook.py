"""Build the notebook from its source: submit.py in percent format becomes submit.ipynb beside it."""

import argparse
import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

SOURCE = Path(__file__).with_name("submit.py")
MARKER = re.compile(r"^# %%(?: \[(markdown)\])?$")
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


class NotebookError(ValueError):
    """The source is not in the percent format, or has no such setting; the text is one line."""


def with_settings(source: str, settings: Mapping[str, str]) -> str:
    """The source with other values in its table of defaults. NotebookError for a name that is not in it."""
    for name, value in settings.items():
        pattern = re.compile(rf'^(    "{re.escape(name)}": )"[^"]*"', re.MULTILINE)
        text = json.dumps(value)
        source, num = pattern.subn(lambda match, text=text: match[1] + text, source)
        if num != 1:
            raise NotebookError(f"setting {name}: found {num} times in {SOURCE.name}, expected once")
    return source


def cells_of(source: str) -> list[tuple[str, str]]:
    """(kind, text) of every cell, kind "markdown" or "code"; blank lines around a cell are dropped."""
    cells: list[tuple[str, list[str]]] = []
    for line in source.splitlines():
        marker = MARKER.match(line)
        if marker:
            cells.append((marker[1] or "code", []))
        elif cells:
            cells[-1][1].append(line)
        elif line.strip():
            raise NotebookError(f"{SOURCE.name}: {line!r} comes before the first cell, expected '# %%'")
    return [(kind, _text(kind, lines)) for kind, lines in cells]


def _text(kind: str, lines: list[str]) -> str:
    if kind == "markdown":
        lines = [line.removeprefix("#").removeprefix(" ") for line in lines]
    return "\n".join(lines).strip("\n")


def notebook_of(source: str) -> bytes:
    """The source as a notebook (nbformat 4.5) without outputs; the same source gives the same bytes."""
    cells = []
    for index, (kind, text) in enumerate(cells_of(source)):
        cell = {"cell_type": kind, "id": f"cell-{index}", "metadata": {}}
        if kind == "code":
            cell |= {"execution_count": None, "outputs": []}
        cells.append(cell | {"source": text.splitlines(keepends=True)})
    notebook = {"cells": cells, "metadata": METADATA, "nbformat": 4, "nbformat_minor": 5}
    return (json.dumps(notebook, indent=1, ensure_ascii=False) + "\n").encode()


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the notebook, or with --check say whether it is what its source gives (exit code 1 if not)."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", type=Path, default=SOURCE, help="the source; default: %(default)s")
    parser.add_argument("--out", type=Path, help="the notebook; default: beside the source")
    parser.add_argument("--check", action="store_true", help="write nothing; say whether it is up to date")
    options = parser.parse_args(arguments)
    target = options.out or options.source.with_suffix(".ipynb")
    try:
        if not options.source.is_file():
            raise NotebookError(f"{options.source}: no such file, expected a source like {SOURCE.name}")
        built = notebook_of(options.source.read_text(encoding="utf-8"))
        if options.check and (not target.exists() or target.read_bytes() != built):
            raise NotebookError(f"{target}: not what {options.source} gives; run: python {sys.argv[0]}")
        if not options.check:
            target.write_bytes(built)
    except (OSError, UnicodeDecodeError, NotebookError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(target)
    return 0


if __name__ == "__main__":
    sys.exit(main())
