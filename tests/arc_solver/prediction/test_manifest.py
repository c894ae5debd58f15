"""The manifest beside a submission holds whatever ids and paths it is told."""

import json
from pathlib import Path

from arc_solver.prediction.manifest import manifest_path, write_manifest


def test_half_characters_stand_as_escapes(tmp_path: Path) -> None:
    out = tmp_path / "x.json"
    # A path whose bytes are no UTF-8 comes to Python with such characters.
    write_manifest(out, {"faulty": ["\ud800"], "asked": {"out": ("a\udcff.json", 1)}, "\udc80": None})
    assert manifest_path(out).name == "x.manifest.json"
    assert json.loads(manifest_path(out).read_bytes()) == {
        "faulty": ["\\ud800"],
        "asked": {"out": ["a\\udcff.json", 1]},
        "\\udc80": None,
    }
