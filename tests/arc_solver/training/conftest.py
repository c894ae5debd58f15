"""Warm processes for runs that must be killed."""

import os
from collections.abc import Iterator

import pytest

from tests.crash.forkserver import Forkserver


@pytest.fixture(scope="session")
def forkserver() -> Iterator[Forkserver]:
    """One thread, because bit-identity is promised for a fixed number."""
    server = Forkserver({**os.environ, "OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"})
    yield server
    server.close()
