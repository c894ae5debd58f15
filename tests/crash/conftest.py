"""One fork server for all tests of this folder, and the run that nothing disturbed."""

import os
from collections.abc import Iterator

import pytest

from tests.crash.forkserver import Forkserver
from tests.crash.scene import Whole, undisturbed


@pytest.fixture(scope="session")
def forkserver() -> Iterator[Forkserver]:
    """The server; one thread, because bit-identity is promised for a fixed number."""
    server = Forkserver({**os.environ, "OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"})
    yield server
    server.close()


@pytest.fixture(scope="session")
def whole(forkserver: Forkserver, tmp_path_factory: pytest.TempPathFactory) -> Whole:
    """The training run to compare with."""
    return undisturbed(forkserver, tmp_path_factory.mktemp("whole"))
