"""The page about the lifecycle shows the table that the code obeys."""

from pathlib import Path

import pytest

from waav.plugins.drawing import draw, redraw
from waav.plugins.lifecycle import TRANSITIONS

PAGE = Path(__file__).parents[2] / "docs/plugins/lifecycle.md"


def test_the_page_is_drawn_from_the_table() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert redraw(page) == page, f"run: python -m waav.plugins.drawing {PAGE}"


def test_each_transition_is_an_arrow() -> None:
    arrows = [line for line in draw().splitlines() if " --> " in line and ": " in line]
    assert len(arrows) == sum(map(len, TRANSITIONS.values()))
    assert "    stopping --> stopped: stop_done" in arrows


def test_a_page_that_lags_behind_is_drawn_again() -> None:
    page = "# A\n<!-- drawn by waav.plugins.drawing -->\nold\n<!-- end -->\nB\n"
    drawn = redraw(page)
    assert draw() in drawn
    assert "old" not in drawn
    assert drawn.startswith("# A\n")
    assert drawn.endswith("B\n")


def test_a_page_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="exactly once"):
        redraw("# nothing to be drawn here\n")
