"""Long text -> pieces that are spoken one after the other, cut where a speaker would pause.

Where it is not clear whether a sentence ends, it does not: a piece that is too long costs a moment,
a pause behind "Dr." is heard.
"""

import re
import unicodedata
from collections.abc import Iterator

WHOLE = 300
"""Bytes of a text that is spoken in one piece: a few sentences, some 20 s. Bytes, because they
measure time well: a letter has one and a Chinese character, which takes as long as three, has three."""
FIRST = 120
"""Bytes up to which sentences are joined in the first piece, so that sound starts early."""
NEXT = 600
"""Bytes of the longest piece, some 40 s. Longer pieces sound no better, and whoever is interrupted
has paid for all of the current one and of the next."""

_QUOTES = "\"'\u2019\u201d\u00bb\u203a)\\]"
_CJK_MARKS = "。！？｡"
_CJK_QUOTES = "」』）】》〉\u201d\u2019"
_OPENERS = "\"'\u2018\u201c\u00ab\u2039([\u00bf\u00a1「『（【《〈-\u2013\u2014*#_"
_MARKS = ".!?…\u061f\u06d4\u0964\u0965"
# Runs are taken whole and from their beginning only: a megabyte of dots costs what its length does.
_END = re.compile(
    rf"(?<![{_MARKS}])[{_MARKS}]++[{_QUOTES}]*+(?=\s)"  # with a blank behind it
    rf"|[{_CJK_MARKS}][{_CJK_MARKS}…]*+(?:[{_CJK_QUOTES}]++(?=[\s「『（\u201c]|$)|(?![{_CJK_QUOTES}]))"
    r"|\n[^\S\n]*+(?=\n)"  # an empty line
)
_BEFORE_NEXT = re.compile(rf"(\s*)[{re.escape(_OPENERS)}]*")
_CLAUSE = re.compile(r"(?<![,;:.!?…])[,;:.!?…]++(?=\s)|[，、；：،؛]|\s[-\u2013\u2014](?=\s)|\n")
_BLANK = re.compile(r"\s")

_ABBREVIATION = re.compile(
    r"(?:^|[\s(\[\"'\u201c\u2018])"
    r"(?:mr|mrs|ms|mx|dr|prof|rev|hon|gen|col|capt|lt|sgt|sen|rep|gov|st|mt|messrs|mme|mlle|sra?|hr|fr"
    r"|vs|cf|approx|ca|resp|bzw|usw|evtl|inkl|vgl|incl|excl|fig|figs|eq|vol|ch|sec|pp?|nos?|nr|tel|ext"
    r"|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec|mon|tue|wed|thu|fri|sat|sun"
    r"|\w|(?:\w\.)+\w"  # an initial, or several: J., U.S., e.g., z.B.
    r"|\d{1,2}"  # a number in a list, or an ordinal
    r")\.$",
    re.IGNORECASE,
)
_LONGEST_ABBREVIATION = 24


def split_text(text: str, limit: int) -> Iterator[str]:
    """Return a text in pieces of at most ``limit`` bytes of UTF-8, and usually much shorter ones.

    A short text stays whole. Only blanks at the cuts are lost. Blank text gives no piece. The same
    text always gives the same pieces, so that a cache finds them again. The work is done piece by
    piece, so that a long text does not hold up who iterates.

    Args:
        limit: what the provider takes in one request; counts as 4 if it is less, the size of the
            largest character.
    """
    joined = _joined(text, max(limit, 4))
    return (words for piece in joined if (words := piece.strip()))


def _joined(text: str, limit: int) -> Iterator[str]:
    """Join what belongs together, as far as there is room."""
    short = _size(text) <= min(WHOLE, limit)
    piece, room = "", limit if short else min(FIRST, limit)
    for part in _parts(text, limit):
        size = _size(piece + part)
        # Some vendors refuse what has neither letter nor digit, so it goes with what has.
        apart = size > room and _speakable(piece) and _speakable(part)
        if piece and (apart or size > min(NEXT, limit)):
            yield piece
            piece, room = "", min(NEXT, limit)
        piece += part
    yield piece


def _parts(text: str, limit: int) -> Iterator[str]:
    """Yield sentences with the blanks behind them, and pieces of those that are too long."""
    longest = min(WHOLE, limit)
    for sentence in sentences(text):
        rest = sentence
        while _size(rest) > longest:
            end = _pause(rest, longest)
            yield rest[:end]
            rest = rest[end:]
            longest = min(NEXT, limit)
        yield rest
        longest = min(NEXT, limit)


def sentences(text: str) -> Iterator[str]:
    """Yield the sentences of a text, each with the blanks behind it: joined they are the text."""
    start = at = 0
    while mark := _END.search(text, at):
        at = mark.end()
        gap = _BEFORE_NEXT.match(text, at)
        if gap is not None and _ends(text, mark, text[gap.end() : gap.end() + 1]):
            at = gap.end(1)
            yield text[start:at]
            start = at
    if start < len(text):
        yield text[start:]


def _ends(text: str, mark: re.Match[str], following: str) -> bool:
    """Decide whether a sentence ends with ``mark``, by the words on both sides of it."""
    if mark[0].isspace() or mark[0][0] in _CJK_MARKS:
        return True
    if following.islower():
        return False
    before = text[max(0, mark.end() - _LONGEST_ABBREVIATION) : mark.end()]
    return not (mark[0] == "." and _ABBREVIATION.search(before))


def _pause(text: str, longest: int) -> int:
    """Return where to cut a text that is too long: behind a clause, else a word, else anywhere."""
    window = _prefix(text, longest)
    for pattern in (_CLAUSE, _BLANK):
        *_, end = (0, *(found.end() for found in pattern.finditer(window)))
        # A cut in the first part of the window would leave a crumb.
        if end > len(window) // 4:
            return end
    end = len(window)
    while end > 1 and _clings(text[end - 1], text[end]):
        end -= 1
    return end if end > 1 else len(window)


def _clings(left: str, right: str) -> bool:
    """Whether two characters make one sign: an accent, or the joiner of an emoji, is not torn off."""
    return (
        left == "\u200d" or right == "\u200d" or unicodedata.category(right) in {"Mn", "Mc", "Me"}
    )


def _prefix(text: str, size: int) -> str:
    """Return the longest beginning of at most ``size`` bytes."""
    return text[:size].encode(errors="replace")[:size].decode(errors="ignore")


def _size(text: str) -> int:
    return len(text.encode(errors="replace"))


def _speakable(text: str) -> bool:
    return any(map(str.isalnum, text))
