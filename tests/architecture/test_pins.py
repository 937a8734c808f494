"""The known defects that this version keeps out: each has a test that says so."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

_KEPT_OUT = """
    D001-D022 D024 D025 D046-D053 D060 D062-D083 D115-D122 D127-D129 D131-D151 D172-D174
    D178-D180 D182-D194 D200-D203 D206-D210 D212 D216 D221-D224 D226 D240 D242 D251-D275
    D280-D286 D320-D324 D326-D328 D333 D343
"""


@pytest.fixture(scope="module")
def pinned(root: Path) -> set[str]:
    """Every row that a test pins."""
    modules = (ast.parse(path.read_text(encoding="utf-8")) for path in root.glob("tests/**/*.py"))
    return {row for module in modules for row in _pins(module)}


def test_rows_have_the_form_of_rows(pinned: set[str]) -> None:
    assert [row for row in sorted(pinned) if not re.fullmatch(r"D\d{3}", row)] == []


def test_every_row_of_this_version_has_a_test(pinned: set[str]) -> None:
    wanted = set(_rows(_KEPT_OUT))
    assert {"D002", "D173", "D328"} <= wanted
    assert sorted(wanted - pinned) == []


def _rows(text: str) -> Iterator[str]:
    for word in text.split():
        first, _, last = word.partition("-")
        for number in range(int(first[1:]), int((last or first)[1:]) + 1):
            yield f"D{number:03}"


def _pins(module: ast.Module) -> Iterator[str]:
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "pins":
            yield from (ast.literal_eval(each) for each in node.args)
