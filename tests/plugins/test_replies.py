"""What a handler of messages returns becomes answers, or the handler is told what is wrong with it."""

import dataclasses
from typing import Any

import attrs
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capabilities import Replies
from waav.plugins.replies import MOST, MOST_BYTES, answers_of


@attrs.frozen
class Note:
    text: str


@dataclasses.dataclass
class Card:
    number: int


def read(result: Any) -> list[Any]:
    """The answers, JSON read again."""
    return [
        each if isinstance(each, bytes) else msgspec.json.decode(each)
        for each in answers_of(result)
    ]


@pytest.mark.parametrize(
    ("result", "answers"),
    [
        (None, []),
        (b"\0", [b"\0"]),
        (bytearray(b"ab"), [b"ab"]),
        (b"", [b""]),
        ("text", ["text"]),
        (0, [0]),
        (False, [False]),
        ([], [[]]),
        (["a", None], [["a", None]]),
        (Note("a"), [{"text": "a"}]),
        ([Card(1)], [[{"number": 1}]]),
        (Replies([]), []),
        (Replies([None, b"\1", {"a": 1}]), [None, b"\1", {"a": 1}]),
        (Replies(iter("ab")), ["a", "b"]),
        (Replies([1, Replies([2]), 3]), [1, 3]),
    ],
)
def test_answers(result: Any, answers: list[Any]) -> None:
    assert read(result) == answers


@pytest.mark.parametrize(
    ("result", "error"),
    [
        (object(), TypeError),
        ({"a": print}, TypeError),
        ("\ud800", ValueError),
        (Replies([0] * (MOST + 1)), ValueError),
        (bytes(MOST_BYTES + 1), ValueError),
        ("x" * (MOST_BYTES - 1), ValueError),
        (Replies([bytes(MOST_BYTES), 0]), ValueError),
    ],
    ids=["object", "function", "no unicode", "too many", "bytes", "text", "together"],
)
def test_what_cannot_be_sent(result: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        answers_of(result)


def test_a_ring_is_no_data() -> None:
    ring: list[Any] = []
    ring.append(ring)
    with pytest.raises(RecursionError):
        answers_of(ring)


def test_the_most_that_goes() -> None:
    assert len(answers_of(Replies([0] * MOST))) == MOST
    assert answers_of(bytes(MOST_BYTES)) == [bytes(MOST_BYTES)]


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(st.lists(PLAIN, max_size=8))
def test_plain_data_arrives_as_it_was(answers: list[Any]) -> None:
    assert read(Replies(answers)) == answers
