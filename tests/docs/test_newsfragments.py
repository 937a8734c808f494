"""News for users: every fragment has a name that towncrier finds, and says something short."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_fragments_are_well_named_and_short() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    towncrier = settings["tool"]["towncrier"]
    kinds = "|".join(kind["directory"] for kind in towncrier["type"])
    fragments = sorted((ROOT / towncrier["directory"]).iterdir())
    assert fragments
    bad = [
        each.name
        for each in fragments
        if not re.fullmatch(rf"[a-z0-9-]+\.({kinds})\.md", each.name)
    ]
    assert bad == []
    for fragment in fragments:
        text = fragment.read_text(encoding="utf-8").strip()
        assert text, fragment.name
        assert "\n\n" not in text, f"{fragment.name}: one paragraph"
