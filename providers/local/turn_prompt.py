"""What a turn detector of words reads: the template, and how text is written in it. No I/O.

The template is that of the model ``livekit/turn-detector`` (its model card, read 2026): a turn is
``<|im_start|>``, the party, a new line, the text, ``<|im_end|>``; the last one is left open, and the
model says how probable its end is.
"""

from collections.abc import Iterable
from unicodedata import category

from capabilities import Party, Said

START, END = "<|im_start|>", "<|im_end|>"
_PARTIES: dict[Party, str] = {"user": "user", "agent": "assistant"}


_MOST = 4096
"""Characters of one turn; of a longer one the newest count. No model reads as many."""


def written(text: str) -> str:
    """Write a text as the model knows it: lower case, letters, digits, ``'`` and ``-``, single spaces."""
    return " ".join("".join(filter(_is_kept, text[-_MOST:].lower())).split())


def _is_kept(char: str) -> bool:
    # Marks are parts of letters: the vowels of Hindi, for example.
    return char.isalnum() or char.isspace() or char in "'-" or category(char).startswith("M")


def prompt(text: str, before: Iterable[Said] = ()) -> str:
    """Return what is scored; empty if the user has said nothing."""
    now = written(text)
    if not now:
        return ""
    turns = [(_PARTIES[turn.by], written(turn.text)) for turn in before]
    said = "".join(f"{START}{party}\n{words}{END}\n" for party, words in turns if words)
    return f"{said}{START}user\n{now}"
