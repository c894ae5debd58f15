"""The parent of worker processes: reads their messages, restarts what dies, kills what hangs, ends on time.

It knows neither torch nor tasks. A worker is a command that reads one request from standard input and writes
messages (`messages`) to standard output; the kinds "alive", "finished", "done" and "error" are for the
supervisor, all others are passed on. Standard input stays open as long as the parent lives.
"""

from __future__ import annotations

import contextlib
import selectors
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from arc_solver.prediction.messages import Message
from arc_solver.prediction.worker_process import Conditions, Job, Worker

TICK_SECONDS = 0.1
# A worker that sends more garbage than this is broken.
MAX_GARBAGE_BYTES = 1 << 20
# With less time than this left, no worker is restarted.
MIN_RESTART_SECONDS = 5.0
# How many workers of one job may die in a row without finishing anything, and may be started in all.
MAX_FRUITLESS, MAX_STARTS = 6, 20
REAP_SECONDS = 0.3
# How long to wait for killed workers without a time limit: on a busy machine they linger.
LAST_REAP_SECONDS = 10.0
# Enough to empty a pipe, but a limit for a child of a dead worker that goes on writing.
MAX_LAST_READS = 16


@dataclass(frozen=True)
class Outcome:
    """Whether time ran out, and one line for every job that failed for good."""

    out_of_time: bool
    failures: tuple[str, ...]


class WorkerTrace(Exception):
    """Carries the traceback of another process as text."""


class WorkerRefusal(RuntimeError):
    """A worker reports that the user's request cannot be met; `exit_code` is that of its error."""

    def __init__(self, text: str, exit_code: int) -> None:
        super().__init__(text)
        self.exit_code = exit_code


def supervise(
    jobs: Sequence[Job],
    take: Callable[[Sequence[str], Message], bool],
    conditions: Conditions,
    tick: Callable[[], None] = lambda: None,
) -> Outcome:
    """Run one worker per job until all are done, dead for good or out of time; then no worker is left.

    `take(items, message)` gets the messages of a worker with these items, and returns False for nonsense.
    `tick` is called at least every tenth of a second. Raises WorkerRefusal.
    """
    pool = _WorkerPool(conditions, take)
    try:
        for number, job in enumerate(jobs):
            pool.start_next(_Queue(job, number, deque([job.items])))
        while pool.workers:
            if conditions.kill_at is not None and time.monotonic() >= conditions.kill_at:
                return Outcome(True, tuple(pool.failures))
            pool.listen(TICK_SECONDS)
            pool.look_after()
            tick()
        return Outcome(False, tuple(pool.failures))
    finally:
        pool.end()


@dataclass
class _Queue:
    """The items of one job that wait for a worker, in pieces, and the fate of its workers so far."""

    job: Job
    number: int
    pieces: deque[tuple[str, ...]]
    suspects: set[tuple[str, ...]] = field(default_factory=set)  # pieces on which a worker died in vain
    starts: int = 0
    fruitless: int = 0

    def put_back(self, items: tuple[str, ...], left: tuple[str, ...]) -> bool:
        """Take back what a worker that died with `items` left; False for a single item tried twice.

        The same piece is tried again once, since a death may have an outside cause; then in halves, so that
        an item that kills workers costs no more than itself.
        """
        if left != items:
            self.fruitless = 0
            self.pieces.appendleft(left)
            return True
        self.fruitless += 1
        if left not in self.suspects:
            self.suspects.add(left)
            self.pieces.appendleft(left)
            return True
        half = len(left) // 2
        halves = [left[:half], left[half:]] if half else []
        self.suspects.update(halves)
        self.pieces.extend(halves)
        return bool(halves)


class _WorkerPool:
    """The running workers, and the one selector that waits for all of them."""

    def __init__(self, conditions: Conditions, take: Callable[[Sequence[str], Message], bool]) -> None:
        self.conditions, self.take = conditions, take
        self.workers: list[Worker] = []
        self._lingering: list[Worker] = []  # killed, but not gone yet
        self.failures: list[str] = []
        self._queues: dict[Worker, _Queue] = {}
        self._selector = selectors.DefaultSelector()

    def start_next(self, queue: _Queue) -> None:
        """Start a worker on the next piece, if there is one; one that cannot be started counts as failed."""
        if not queue.pieces:
            return
        items = queue.pieces.popleft()
        waiting = sum(map(len, queue.pieces))
        try:
            share = len(items) / (len(items) + waiting)
            worker = Worker(queue.job, queue.number, queue.starts, self.conditions, items, share)
        except OSError as error:
            self.failures.append(f"worker {queue.number + 1} could not be started: {error.strerror or error}")
            return
        queue.starts += 1
        self._queues[worker] = queue
        self.workers.append(worker)
        self._selector.register(worker.stdin, selectors.EVENT_WRITE, worker)
        self._selector.register(worker.stdout, selectors.EVENT_READ, worker)

    def listen(self, seconds: float) -> None:
        """Wait for messages and handle them."""
        kill_at = self.conditions.kill_at
        if kill_at is not None:
            seconds = max(0.0, min(seconds, kill_at - time.monotonic()))
        for key, _ in self._selector.select(seconds):
            worker: Worker = key.data
            if worker not in self.workers:
                continue
            if key.fileobj is worker.stdin:
                if not worker.write():
                    self._selector.unregister(worker.stdin)
                continue
            data = worker.read()
            if data:
                self._hear(worker, data)
            elif data is not None:
                # A worker that closes its end has nothing more to say, alive or not.
                worker.reap(REAP_SECONDS)
                self._part_with(worker, worker.ending())

    def look_after(self) -> None:
        """Replace workers that died, hang or send garbage."""
        for worker in list(self.workers):
            has_ended = worker.process.poll() is not None
            if has_ended and not worker.done:
                for _ in range(MAX_LAST_READS):
                    self._hear(worker, worker.read() or b"")
            if worker.done:
                self._dismiss(worker)
                self.start_next(self._queues[worker])
            elif has_ended:
                self._part_with(worker, worker.ending())
            elif worker.reader.garbage > MAX_GARBAGE_BYTES:
                self._part_with(worker, "talks nonsense")
            elif time.monotonic() - worker.heard > self.conditions.silence:
                self._part_with(worker, f"was silent for {self.conditions.silence:.0f} s")

    def end(self) -> None:
        """Kill all workers that are still alive."""
        for worker in self.workers:
            worker.kill()
        kill_at = self.conditions.kill_at
        until = time.monotonic() + REAP_SECONDS
        for worker in list(self.workers):
            self._dismiss(worker, max(0.0, until - time.monotonic()))
        until = max(until, time.monotonic() + LAST_REAP_SECONDS if kill_at is None else kill_at)
        for worker in self._lingering:
            worker.reap(max(0.0, until - time.monotonic()))
        self._selector.close()

    def _hear(self, worker: Worker, data: bytes) -> None:
        for message in worker.reader.feed(data):
            self._obey(worker, message)

    def _obey(self, worker: Worker, message: Message) -> None:
        kind = message.get("kind")
        if kind == "alive":
            return
        if kind == "done":
            worker.done = True
        elif kind == "finished" and isinstance(message.get("items"), list):
            worker.finished.update(each for each in message["items"] if isinstance(each, str))
        elif kind == "error":
            self._report(worker, message)
        elif not self.take(worker.items, message):
            worker.reader.garbage += 1

    def _report(self, worker: Worker, message: Message) -> None:
        text, code = str(message.get("text")), message.get("exit_code")
        if isinstance(code, int):
            raise WorkerRefusal(text, code) from WorkerTrace(str(message.get("trace")))
        worker.complaint = f"failed: {text}"

    def _part_with(self, worker: Worker, reason: str) -> None:
        """Let another worker finish the rest, while there is time and workers get anything done."""
        self._dismiss(worker)
        queue = self._queues[worker]
        left = tuple(item for item in worker.items if item not in worker.finished)
        failure = f"worker {worker.number + 1} {reason}"
        if not worker.done and left and not queue.put_back(worker.items, left):
            self.failures.append(failure)
        stop_at = self.conditions.stop_at
        is_late = stop_at is not None and stop_at - time.monotonic() < MIN_RESTART_SECONDS
        if queue.pieces and (is_late or queue.fruitless > MAX_FRUITLESS or queue.starts >= MAX_STARTS):
            self.failures.append(failure)
            return
        if queue.pieces:
            num = sum(map(len, queue.pieces))
            self.conditions.say(f"warning: {failure}; another one takes what is left, {num} of its tasks")
        self.start_next(queue)

    def _dismiss(self, worker: Worker, seconds: float = REAP_SECONDS) -> None:
        for pipe in (worker.stdin, worker.stdout):
            with contextlib.suppress(KeyError, ValueError):
                self._selector.unregister(pipe)
            pipe.close()
        worker.kill()
        worker.reap(seconds)
        self.workers.remove(worker)
        if worker.process.returncode is None:
            self._lingering.append(worker)
