"""Pronunciations: whole words, case as written, once. And the requests that say a text."""

import time
from typing import Any

import pytest

from capabilities import Ability, Limits, SpeechRequest
from waav.speech.text import has_words, pieces, pronounce, pronouncing


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
        ("C++ or C", [("C", "see"), ("C++", "see plus plus")], "see plus plus or see"),
        ("New York", [("New", "nu"), ("New York City", "NYC")], "nu York"),
        ("]-^", [("]", "a"), ("-", "b"), ("^", "c")], "abc"),
        ("a.b", [("a.b", r"\1")], r"\1"),
        ("nothing", [], "nothing"),
        ("nothing", [("", "x")], "nothing"),
    ],
)
def test_pronounce(text: str, replacements: list[tuple[str, str]], spoken: str) -> None:
    assert pronounce(text, replacements) == spoken


SSML = "<speak>a<break/>b</speak>"
HAS_SSML = {"features": ("ssml",)}


@pytest.mark.parametrize(
    ("ability", "text", "ssml", "said"),
    [
        ({}, "a b", None, ["a b"]),
        ({}, " \n", None, []),
        ({}, "", SSML, []),
        (HAS_SSML, "", SSML, [SSML]),
        (HAS_SSML, "a b", SSML, [SSML]),
        (HAS_SSML, "a b", "<speak/>", ["a b"]),
        (HAS_SSML, "a b", "", ["a b"]),
        (HAS_SSML, "", "<speak> </speak>", []),
        ({**HAS_SSML, "limits": Limits(text_bytes=24)}, "a b", SSML, ["a b"]),
        ({**HAS_SSML, "limits": Limits(text_bytes=25)}, "a b", SSML, [SSML]),
        ({"limits": Limits(text_bytes=4)}, "one two six", None, ["one", "two", "six"]),
    ],
)
def test_pieces(ability: dict[str, Any], text: str, ssml: str | None, said: list[str]) -> None:
    pattern = SpeechRequest("", voice="v")
    requests = list(pieces(pattern, Ability(**ability), text, ssml))
    assert requests == [SpeechRequest(each, voice="v", ssml=each == SSML) for each in said]


def test_much_markup_and_many_pronunciations_take_no_longer_than_they_are() -> None:
    """100 KiB of tags, and 1000 long words to look for between them."""
    words = [(f"word{number}{'x' * 240}", "word") for number in range(1000)]
    began = time.perf_counter()
    assert list(
        pieces(SpeechRequest(""), Ability(**HAS_SSML), "a", "<b>a</b>" * 12_800, pronouncing(words))
    )
    assert time.perf_counter() - began < 2


@pytest.mark.parametrize(
    ("text", "ssml", "words"),
    [
        ("Hello.", False, True),
        ("\N{DEVANAGARI LETTER A}", False, True),
        (" ... !?", False, False),
        ('<speak><break time="1s"/></speak>', True, False),
        ("<speak>a</speak>", True, True),
    ],
)
def test_whether_there_is_anything_to_say(text: str, *, ssml: bool, words: bool) -> None:
    assert has_words(SpeechRequest(text, ssml=ssml)) is words
