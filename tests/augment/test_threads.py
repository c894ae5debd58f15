import os
import subprocess
import sys
import threading

import pytest

from augment.threads import SMALLEST_SHARE, at_most, spread


@pytest.mark.parametrize("num_rows", [0, 1, SMALLEST_SHARE, 2 * SMALLEST_SHARE + 1, 1000])
@pytest.mark.parametrize("num_threads", [1, 2, 3, 64])
def test_every_row_once(num_rows, num_threads):
    parts = []
    with at_most(num_threads):
        spread(parts.append, num_rows)
    rows = sorted(row for part in parts for row in range(part.start, part.stop))
    assert rows == list(range(num_rows))
    assert 1 <= len(parts) <= num_threads


def test_shares_run_side_by_side():
    meeting = threading.Barrier(2, timeout=60)
    met = []
    with at_most(2):
        spread(lambda part: met.append(meeting.wait()), 2 * SMALLEST_SHARE)
    assert sorted(met) == [0, 1]


@pytest.mark.parametrize("guilty", [0, 1])
def test_an_error_of_any_share_is_raised(guilty):
    def job(part):
        if (part.start > 0) == guilty:
            raise ArithmeticError(part.start)

    with pytest.raises(ArithmeticError), at_most(2):
        spread(job, 4 * SMALLEST_SHARE)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_has_threads_of_its_own(repository):
    program = """
import os, warnings
from augment.threads import spread
spread(lambda part: None, 1000)
warnings.simplefilter("ignore")  # Python warns of forking beside threads, which is the point here
child = os.fork()
if child == 0:
    spread(lambda part: None, 1000)
    os._exit(0)
raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    environment = {**os.environ, "NUMBA_NUM_THREADS": "2"}
    subprocess.run([sys.executable, "-c", program], cwd=repository, env=environment, check=True, timeout=60)
