"""Markup: its words alone, or other words in it."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waav.speech.ssml import reword, words_of


@pytest.mark.parametrize(
    ("ssml", "words"),
    [
        ("<speak>hello</speak>", "hello"),
        ("plain", "plain"),
        ("<speak>Tom &amp; Jerry &lt;3</speak>", "Tom & Jerry <3"),
        ("<speak><p>One.</p><p>Two.</p></speak>", "One. Two."),
        ('one<break time="1s"/>two', "one two"),
        ("un<emphasis>believ</emphasis>able", "unbelievable"),
        ('<say-as interpret-as="date">1 May</say-as>', "1 May"),
        ("<!-- nothing --> a", "a"),
        ("<speak/>", ""),
        ("a < b", "a < b"),
    ],
)
def test_words_of(ssml: str, words: str) -> None:
    assert words_of(ssml) == words


def test_words_are_changed_and_markup_is_not() -> None:
    ssml = '<speak name="SQL">SQL &amp; more</speak>'
    changed = reword(ssml, lambda words: words.replace("SQL", "<sequel>"))
    assert changed == '<speak name="SQL">&lt;sequel&gt; &amp; more</speak>'


@given(st.text("ab <>&/;\"'p"))
def test_any_text_has_words(ssml: str) -> None:
    assert words_of(ssml) == " ".join(words_of(ssml).split())
    assert words_of(reword(ssml, str)) == words_of(ssml)


@pytest.mark.parametrize("unit", ["<", "<!--", "<a ", "&", "<p>"])
def test_odd_markup_takes_no_longer_than_it_is(unit: str) -> None:
    began = time.perf_counter()
    words_of(unit * (102_400 // len(unit)))
    assert time.perf_counter() - began < 1
