"""What `make run` picks to show."""

from arc_solver.programs.demo import NEXT, worth_seeing
from tests.arc_solver.tiny import tasks


def test_the_solved_and_the_nearest_miss_are_shown() -> None:
    found = tasks(0, (3, 4, 5, 6))
    answers = {
        task.id: [{"attempt_1": p.output.tolist(), "attempt_2": [[0]]} for p in task.test] for task in found
    }
    answers[found[1].id][0]["attempt_1"] = (9 - found[1].test[0].output).tolist()
    answers[found[2].id][0]["attempt_1"][0][0] ^= 1
    answers[found[3].id][0]["attempt_1"] = [[0] * 30]
    solved, near = worth_seeing(found, answers)
    assert solved == [found[0].id]
    assert near == [found[2].id, found[1].id, found[3].id]
    assert found[2].id in NEXT.format(task=near[0])
