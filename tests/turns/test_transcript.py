"""Pieces of text become the text of a turn."""

import pytest

from waav.turns.transcript import join


@pytest.mark.pins("D135")
@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        (["hello", "world"], "hello world"),
        (["hello ", " world"], "hello world"),
        (["hello", ", world", "."], "hello, world."),
        (["", "a", "", "b"], "a b"),
        ([], ""),
    ],
)
def test_one_space_and_none_before_punctuation(pieces: list[str], text: str) -> None:
    assert join(pieces) == text
