"""SSML that a client sends: its words, for a voice that has none, and new words in it."""

import re
from collections.abc import Callable
from html import unescape
from xml.sax.saxutils import escape

# No `<` inside: of a million of them each would look for its end.
_TAG = re.compile(r"(<[^<>]*>)")
_PAUSES = re.compile(r"</?(?:p|s|break|audio|voice|speak|paragraph|sentence)\b", re.IGNORECASE)


def words_of(ssml: str) -> str:
    """Take the words out of the markup: what a voice without SSML is given."""
    marked = _TAG.sub(lambda tag: " " if _PAUSES.match(tag[0]) else "", ssml)
    return " ".join(unescape(marked).split())


def reword(ssml: str, change: Callable[[str], str]) -> str:
    """Change the words and leave the markup alone; what ``change`` returns is escaped."""
    parts = _TAG.split(ssml)
    parts[::2] = [escape(change(unescape(words))) for words in parts[::2]]
    return "".join(parts)
