"""README and the pages: links lead somewhere, commands and options exist, the Python in them runs."""

import importlib
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from arc_solver.cli import app

LINK = re.compile(r"\]\(([^)#\s]+)")
CONSOLE = re.compile(r"(?:^\$ |`)(arc-solve [^`\n|]*)", re.MULTILINE)
PYTHON = re.compile(r"```python\n(.*?)```", re.DOTALL)
PICTURE_BYTES = 1_000_000


def pages(repository: Path) -> list[Path]:
    return [repository / "README.md", *sorted((repository / "docs").glob("*.md"))]


def commands() -> dict[str, Any]:
    """The commands by name."""
    group: Any = typer.main.get_command(app)
    return dict(group.commands)


def test_links_lead_somewhere(repository: Path) -> None:
    lost = [
        f"{page.name}: {target}"
        for page in pages(repository)
        for target in LINK.findall(page.read_text())
        if "://" not in target and not (page.parent / target).exists()
    ]
    assert not lost


def test_readme_leads_to_every_page_and_names_every_command(repository: Path) -> None:
    text = (repository / "README.md").read_text()
    assert {path.name for path in (repository / "docs").glob("*.md")} <= {
        Path(x).name for x in LINK.findall(text)
    }
    table = re.findall(r"^\| `([a-z]+)`: .*\| `arc-solve ([a-z]+)", text, re.MULTILINE)
    assert all(name == example for name, example in table)
    assert {name for name, _ in table} == set(commands())


def test_pictures_are_there_and_small(repository: Path) -> None:
    text = (repository / "README.md").read_text()
    pictures = [repository / target for target in LINK.findall(text) if target.startswith("docs/images/")]
    assert len(pictures) >= 2
    assert sum(picture.stat().st_size for picture in pictures) < PICTURE_BYTES


def faults_of(line: str, known: dict[str, Any]) -> list[str]:
    """What a command line names that does not exist."""
    words = shlex.split(line.split(" # ")[0].rstrip("\\ "))[1:]
    if not words or not words[0].isalpha():
        return []
    if words[0] not in known:
        return [f"no command {words[0]}"]
    options = {name for p in known[words[0]].params for name in (*p.opts, *p.secondary_opts)} | {
        "--help",
        "--debug",
    }
    given = [word.split("=")[0] for word in words[1:] if word.startswith("--")]
    return [f"{words[0]} has no {option}" for option in given if option not in options]


def test_commands_and_options_exist(repository: Path) -> None:
    known = commands()
    lines = [(page.name, line) for page in pages(repository) for line in CONSOLE.findall(page.read_text())]
    assert len(lines) > 50
    assert not [f"{name}: {line}: {fault}" for name, line in lines for fault in faults_of(line, known)]
    assert faults_of("arc-solve predct x", known)
    assert faults_of("arc-solve predict x --time-limt 5m", known)


@pytest.mark.parametrize("page", ["README.md", "docs/python.md"])
def test_the_python_in_it_runs(
    page: str, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With less time than it says, and fewer views: whether it solves anything is not asked."""
    monkeypatch.chdir(tmp_path)
    for block in PYTHON.findall((repository / page).read_text()):
        shorter = re.sub(r'time_limit="\w+"', 'time_limit="6s", views=1, ages=1, quiet=True', block)
        assert shorter != block
        exec(compile(shorter, page, "exec"), {})
    assert (tmp_path / "submission.json").is_file()


IMPORTS = re.compile(r"^from (\w[\w.]*) import ([\w, ]+)$", re.MULTILINE)


def test_what_the_pages_import_is_there(repository: Path) -> None:
    found = [
        (page.name, module, name.strip())
        for page in pages(repository)
        for block in PYTHON.findall(page.read_text())
        for module, names in IMPORTS.findall(block)
        for name in names.split(",")
    ]
    assert len(found) > 5
    for page, module, name in found:
        assert hasattr(importlib.import_module(module), name), f"{page}: from {module} import {name}"
