"""Both published forms of a view's name, in lists whose ids hold such text themselves."""

import pytest

from arc_solver.storage.text import DataError
from arc_solver.tasks.view_names import MAX_NAME, NamedView, read_view_names

COLORS = "0614732958"


def views(*names: str) -> list[tuple[str, int, str]]:
    return [tuple(named) for named in read_view_names(names, "list")]


@pytest.mark.parametrize("form", ["{}|||t{}|||{}", "{}_t{}_{}"])
@pytest.mark.parametrize(
    "task", ["007bbfb7", "a_t3_b", "a|||b", "x_t3_0614732958y", "t5", "a|||t", "two words"]
)
def test_both_forms_name_symmetry_and_colors(form: str, task: str) -> None:
    names = [task, *(form.format(task, k, COLORS) for k in range(8))]
    assert views(*names) == [(task, 0, "0123456789"), *((task, k, COLORS) for k in range(8))]


@pytest.mark.parametrize("task", [f"a_t3_{COLORS}", f"a|||t3|||{COLORS}"])
@pytest.mark.parametrize("form", ["{}|||t{}|||{}", "{}_t{}_{}"])
def test_an_id_may_end_as_a_view_does(task: str, form: str) -> None:
    """Others are views of it, which no view has."""
    view = form.format(task, 5, COLORS)
    assert views("a", task, view) == [
        ("a", 0, "0123456789"),
        (task, 0, "0123456789"),
        (task, 5, COLORS),
    ]
    assert views(task, view)[1] == (task, 5, COLORS)


def test_the_end_of_an_id_in_a_list_of_the_other_form_is_no_view() -> None:
    task = f"a_t3_{COLORS}"
    assert views("b", f"b|||t1|||{COLORS}", task)[2] == (task, 0, "0123456789")


def test_an_identity_with_a_suffix_is_one() -> None:
    named = read_view_names(["a", "a|||t0|||0123456789", "a_t0_0123456789", "a_t1_0123456789"], "list")
    assert [each.is_identity for each in named] == [True, True, True, False]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a|||t8|||0123456789", "expected id"),
        ("a_t8_0123456789", "expected id_t<0..7>_<ten digits>"),
        ("a|||t1|||0123456788", "expected each digit once"),
        ("a_t1_0123456788", "expected each digit once"),
        ("a|||t1|||012345678", "expected id"),
        ("a|||t1", "expected id"),
        ("a_t1_f00dfacecafe0123", "expected id"),
        ("a_t1_-8347834873487348734", "expected id"),
        ("a_t٣_0123456789", "expected id"),
    ],
)
def test_a_suffix_that_tells_no_view_is_refused(name: str, text: str) -> None:
    with pytest.raises(DataError, match=text) as caught:
        read_view_names(["a", name], "identifiers.json", first=1)
    assert str(caught.value).startswith("identifiers.json: entry 2: ")
    assert str(caught.value).isprintable()


def test_a_list_made_to_be_slow_is_refused() -> None:
    with pytest.raises(DataError, match=f"expected at most {MAX_NAME}"):
        read_view_names(["_t1_" * 250_000 + "-"], "list")


def test_a_plain_entry_is_the_task_itself() -> None:
    assert read_view_names(["<blank>", "a"], "list") == [NamedView("<blank>"), NamedView("a")]
