"""What no change of the layout may change: options, settings and the bytes of generated files."""

import json
from pathlib import Path

import pytest

from tests.freeze import generated, options


@pytest.fixture(scope="module")
def frozen(repository: Path) -> dict[str, dict[str, object]]:
    """What stood in `tests.freeze` when the layout was drawn."""
    return json.loads((repository / "tests" / "golden" / "frozen.json").read_text(encoding="utf-8"))


def test_no_option_or_setting_is_lost(frozen: dict[str, dict[str, list[str]]]) -> None:
    now = options()
    lost = {name: sorted(set(words) - set(now.get(name, []))) for name, words in frozen["options"].items()}
    assert not {name: words for name, words in lost.items() if words}


def test_generated_boards_are_the_same_bytes(frozen: dict[str, dict[str, str]], tmp_path: Path) -> None:
    assert generated(tmp_path) == frozen["generated"]
