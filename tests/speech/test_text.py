"""Pronunciations: whole words, case as written, once."""

import pytest

from waav.speech.text import pronounce


@pytest.mark.pins("D208")
@pytest.mark.parametrize(
    ("text", "replacements", "spoken"),
    [
        ("WaaV and WaaVs", [("WaaV", "wave")], "wave and WaaVs"),
        ("sql SQL", [("SQL", "sequel")], "sql sequel"),
        ("C++ is C", [("C++", "see plus plus"), ("C", "see")], "see plus plus is see"),
        ("a b", [("a", "b"), ("b", "a")], "b a"),
        ("aa", [("a", "aa")], "aa"),
        ("x", [("x", "1"), ("x", "2")], "1"),
        ("a.b", [("a.b", r"\1")], r"\1"),
        ("nothing", [], "nothing"),
        ("nothing", [("", "x")], "nothing"),
    ],
)
def test_pronounce(text: str, replacements: list[tuple[str, str]], spoken: str) -> None:
    assert pronounce(text, replacements) == spoken
