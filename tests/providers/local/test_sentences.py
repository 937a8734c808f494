"""Texts are cut where a speaker would pause, and never lose a word."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capabilities import SPEECH
from providers.local.sentences import frames_of, split_text


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("Hello there. How are you?  Fine!", ["Hello there.", "How are you?", "Fine!"]),
        ('He said "stop." Then left.', ['He said "stop."', "Then left."]),
        ("It costs 3.50 today", ["It costs 3.50 today"]),
        ("Mr. Smith met Dr. Jones. Good.", ["Mr. Smith met Dr. Jones.", "Good."]),
        ("one\n\ntwo", ["one", "two"]),
        ("你好。再见。", ["你好。", "再见。"]),
        ("a\x00b", ["a b"]),
        (" \n\t\x00 ", []),
        ("", []),
    ],
)
def test_sentences(text: str, pieces: list[str]) -> None:
    assert list(split_text(text)) == pieces


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("aaa, bbb ccc ddd", ["aaa,", "bbb ccc", "ddd"]),
        ("aaaa bbbb cccc", ["aaaa bbbb", "cccc"]),
        ("a" * 25, ["a" * 10, "a" * 10, "a" * 5]),
    ],
)
def test_what_is_too_long_is_cut_at_commas_then_blanks_then_anywhere(
    text: str, pieces: list[str]
) -> None:
    assert list(split_text(text, longest=10)) == pieces


@given(
    st.text(st.characters() | st.sampled_from(" .,!?\n-\"'。"), max_size=200), st.integers(1, 40)
)
def test_no_character_is_lost_and_no_piece_too_long(text: str, longest: int) -> None:
    pieces = list(split_text(text, longest))
    # What is cut at the end of a sentence or clause may have the blanks behind it, no more.
    assert all(0 < len(piece) <= longest for piece in pieces)
    unsayable = r"[\s\x00-\x1f\x7f\ud800-\udfff]"
    assert re.sub(unsayable, "", "".join(pieces)) == re.sub(unsayable, "", text)


@given(st.binary(max_size=10_000).filter(lambda data: len(data) % 2 == 0), st.floats(0, 10))
def test_frames_are_short_and_count_on(pcm: bytes, start: float) -> None:
    frames = list(frames_of(pcm, SPEECH, start))
    assert b"".join(frame.data for frame in frames) == pcm
    assert all(0 < frame.duration <= 0.1 for frame in frames)
    ends = [start, *(frame.start + frame.duration for frame in frames)]
    assert [frame.start for frame in frames] == pytest.approx(ends[:-1])
