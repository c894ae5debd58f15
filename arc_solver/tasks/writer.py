"""Tasks as a file."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from arc_solver.tasks.task import Task


def tasks_json(tasks: Sequence[Task]) -> bytes:
    """The tasks as one JSON object `{id: {"train": pairs, "test": pairs}}`, outputs where they are known."""
    return orjson.dumps(
        {
            task.id: {
                part: [
                    {"input": pair.input} | ({} if pair.output is None else {"output": pair.output})
                    for pair in pairs
                ]
                for part, pairs in (("train", task.train), ("test", task.test))
            }
            for task in tasks
        },
        option=orjson.OPT_SERIALIZE_NUMPY,
    )
