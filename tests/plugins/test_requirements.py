"""Who waits for whom in a circle?"""

import pytest

from waav.plugins.requirements import cycle_of

GRAPH = {
    "a": ("b",),
    "b": ("c", "d"),
    "c": ("a",),
    "d": (),
    "outside": ("a",),
    "self": ("self",),
    "lost": ("nowhere",),
}


@pytest.mark.parametrize(
    ("start", "cycle"),
    [
        ("a", ["a", "b", "c", "a"]),
        ("c", ["c", "a", "b", "c"]),
        ("d", []),
        ("outside", []),
        ("self", ["self", "self"]),
        ("lost", []),
        ("nowhere", []),
    ],
)
def test_cycles(start: str, cycle: list[str]) -> None:
    assert cycle_of(start, GRAPH) == cycle
