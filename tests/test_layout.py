"""What lies on the top level of the repository, and what must not."""

import re
import subprocess
from pathlib import Path

from tests.tree import PAGE, folders, page_with, tree

FIXED = {"pyproject.toml", "README.md", "Makefile", "arc_solver", "augment", "submission", "kaggle", "tests"}
BESIDE = {"LICENSE", "constraints.txt", "docs"}
# Left by builds and runs and ignored by git; these show only where the sources lie outside a checkout.
LITTER = re.compile(r"runs|build|dist|htmlcov|PKG-INFO|.*\.egg-info")


def top_level_names(repository: Path) -> set[str]:
    """Names of tracked and of new files' top folders; without git, of everything but known litter."""
    if not (repository / ".git").exists():
        return {path.name for path in repository.iterdir() if not LITTER.fullmatch(path.name)}
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=True).stdout
    return {path.split("/")[0] for path in listed.split("\0") if path and (repository / path).exists()}


def test_top_level_is_the_fixed_one(repository: Path) -> None:
    names = top_level_names(repository)
    unknown = {name for name in names - FIXED - BESIDE if not name.startswith(".")}
    assert not unknown, f"not in the layout: {sorted(unknown)}"
    # git keeps no empty folder, so kaggle/ shows once it holds a file.
    missing = FIXED - names - {"kaggle"}
    assert not missing, f"missing from the layout: {sorted(missing)}"


def test_kaggle_is_no_package(repository: Path) -> None:
    assert not (repository / "kaggle" / "__init__.py").exists(), "it would shadow the Kaggle client"


def test_every_target_of_the_makefile_is_in_its_help(repository: Path) -> None:
    text = (repository / "Makefile").read_text(encoding="utf-8")
    targets = set(re.search(r"^\.PHONY: (.*)$", text, re.MULTILINE)[1].split())
    helped = subprocess.run(
        ["make", "help"], cwd=repository, capture_output=True, text=True, check=True
    ).stdout
    assert {line.split()[1] for line in helped.splitlines() if line.startswith("  make ")} == targets


def test_the_page_shows_the_tree_as_it_is(repository: Path) -> None:
    page = (repository / PAGE).read_text(encoding="utf-8")
    assert page == page_with(tree(repository), page), "run: python -m tests.tree --write"


def test_every_folder_says_what_lives_there(repository: Path) -> None:
    texts = {folder: (folder / "__init__.py").read_text(encoding="utf-8") for folder in folders(repository)}
    silent = [folder for folder, text in texts.items() if not text.startswith('"""')]
    assert not silent
