"""What every test may rely on: one hypothesis profile, the place of the repository and its modules."""

from pathlib import Path

import pytest
from hypothesis import settings

PACKAGES = ("arc_solver", "augment", "submission")

# Shared and slow machines make deadlines lie; the blob lets a failure be replayed anywhere.
settings.register_profile("house", deadline=None, print_blob=True)
settings.load_profile("house")


@pytest.fixture(scope="session")
def repository() -> Path:
    """The folder that holds pyproject.toml."""
    return Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def sources(repository: Path) -> dict[str, Path]:
    """Every module of the three packages by its dotted name."""
    found = {}
    for path in sorted(path for package in PACKAGES for path in (repository / package).rglob("*.py")):
        parts = path.relative_to(repository).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found
