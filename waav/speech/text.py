"""What is written -> what is to be said."""

import re
from collections.abc import Sequence


def pronounce(text: str, replacements: Sequence[tuple[str, str]]) -> str:
    """Replace whole words, case as written, each place once.

    The first of ``replacements`` that fits at a place wins, and what was put in is not looked at
    again: no replacement works on the result of another.
    """
    wanted: dict[str, str] = {}
    for word, spoken in replacements:
        if word:
            wanted.setdefault(word, spoken)
    if not wanted:
        return text
    # Not \b: a word may begin or end with something that is no letter, as "C++" does.
    pattern = "|".join(map(re.escape, wanted))
    return re.sub(rf"(?<!\w)(?:{pattern})(?!\w)", lambda found: wanted[found.group()], text)
