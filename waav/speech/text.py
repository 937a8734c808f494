"""What is written -> what is to be said."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import attrs

from capabilities import Ability, SpeechRequest
from waav.speech.sentences import split_text
from waav.speech.ssml import reword, words_of

Replacements: TypeAlias = Sequence[tuple[str, str]]
"""Words, each with what is to be said instead."""


def pronounce(text: str, replacements: Replacements) -> str:
    """Replace whole words; see :func:`pronouncing`."""
    return pronouncing(replacements)(text)


def pronouncing(replacements: Replacements) -> Callable[[str], str]:
    """Return what replaces whole words in a text, case as written, each place once.

    The first of ``replacements`` that fits at a place wins, and what was put in is not looked at
    again: no replacement works on the result of another.
    """
    wanted: dict[str, str] = {}
    for word, spoken in replacements:
        if word:
            wanted.setdefault(word, spoken)
    if not wanted:
        return str
    # Not \b: a word may begin or end with something that is no letter, as "C++" does.
    words = "|".join(map(re.escape, wanted))
    pattern = re.compile(rf"(?<!\w)(?:{words})(?!\w)")
    return lambda text: pattern.sub(lambda found: wanted[found.group()], text)


def pieces(
    pattern: SpeechRequest,
    ability: Ability,
    text: str,
    ssml: str | None = None,
    replacements: Replacements = (),
) -> Iterator[SpeechRequest]:
    """Yield the requests that together say a text; none is longer than the provider takes.

    Args:
        pattern: each of them but for its text.
        ssml: the same text with markup. Said instead, and always whole, if the provider has SSML
            and takes that much.
    """
    limit, pronounced = ability.limits.text_bytes, pronouncing(replacements)
    if ssml and words_of(ssml) and "ssml" in ability.features:
        marked = reword(ssml, pronounced)
        if len(marked.encode()) <= limit:
            yield attrs.evolve(pattern, text=marked, ssml=True)
            return
    for piece in split_text(pronounced(text), limit):
        yield attrs.evolve(pattern, text=piece)
