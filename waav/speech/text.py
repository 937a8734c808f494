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
_Tree: TypeAlias = "dict[str, _Tree | str]"
"""Words, letter by letter; under "" stands what is said for the word that ends there."""
_LETTER = re.compile(r"\w")


def pronounce(text: str, replacements: Replacements) -> str:
    """Replace whole words; see :func:`pronouncing`."""
    return pronouncing(replacements)(text)


def pronouncing(replacements: Replacements) -> Callable[[str], str]:
    """Return what replaces whole words in a text, case as written, each place once.

    At each place the longest word that fits wins, and of equal ones the first; what was put in is
    not looked at again: no replacement works on the result of another.
    """
    tree: _Tree = {}
    for word, spoken in replacements:
        node = tree
        for letter in word:
            node = node.setdefault(letter, {})  # type: ignore[assignment]  # only "" leads to a text
        node.setdefault("", spoken)
    tree.pop("", None)
    if not tree:
        return str
    # Not \b: a word may begin or end with something that is no letter, as "C++" does. And no
    # alternation of all words, which tries a thousand of them at each place.
    begins = re.compile(rf"(?<!\w)[{''.join(map(re.escape, tree))}]")

    def replace(text: str) -> str:
        done = 0
        parts: list[str] = []
        for begin in begins.finditer(text):
            if begin.start() >= done and (found := _longest(tree, text, begin.start())):
                end, spoken = found
                parts += text[done : begin.start()], spoken
                done = end
        return "".join([*parts, text[done:]])

    return replace


def _longest(tree: _Tree, text: str, start: int) -> tuple[int, str] | None:
    """Return the end of the longest word that begins at ``start``, and what is said for it."""
    node, found = tree, None
    for at in range(start, len(text)):
        following = node.get(text[at])
        if not isinstance(following, dict):
            break
        node = following
        spoken = node.get("")
        if isinstance(spoken, str) and not _LETTER.match(text, at + 1):
            found = at + 1, spoken
    return found


def pieces(
    pattern: SpeechRequest,
    ability: Ability,
    text: str,
    ssml: str | None = None,
    pronounced: Callable[[str], str] = str,
) -> Iterator[SpeechRequest]:
    """Yield the requests that together say a text; none is longer than the provider takes.

    Args:
        pattern: each of them but for its text.
        ssml: the same text with markup. Said instead, and always whole, if the provider has SSML
            and takes that much.
        pronounced: what :func:`pronouncing` gave for the voice.
    """
    limit = ability.limits.text_bytes
    if ssml and words_of(ssml) and "ssml" in ability.features:
        marked = reword(ssml, pronounced)
        if len(marked.encode()) <= limit:
            yield attrs.evolve(pattern, text=marked, ssml=True)
            return
    for piece in split_text(pronounced(text), limit):
        yield attrs.evolve(pattern, text=piece)


def has_words(request: SpeechRequest) -> bool:
    """Whether there is anything to say; a voice may be silent about mere marks."""
    text = words_of(request.text) if request.ssml else request.text
    return any(letter.isalnum() for letter in text)
