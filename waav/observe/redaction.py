"""Secrets out of texts: by what they look like, and by what they are. No I/O.

What a text looks like cannot tell every secret, so this is the last net and not the first: nobody is
to write one in the first place.
"""

import json
import re
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import quote, quote_plus

import attrs

MASK = "***"
SHORTEST = 8
"""Characters: what is shorter may be a part of any word."""
LONGEST = 4096
"""Characters: what is longer is looked for line by line only."""
LINES = 64
"""Of a secret, that are looked for: a private key has about 50, and a client may send a million."""


@attrs.frozen
class Shape:
    """What some secrets look like."""

    hints: tuple[str, ...]
    """In lower case, one of them is in every text that has the shape: a quick first look."""
    pattern: re.Pattern[str]
    """Takes time in proportion to the text, whatever it is."""
    replacement: str


_WORDS = (
    *("token", "secret", "password", "passwd", "passphrase", "pwd", "signature", "assertion"),
    *("credential", "credentials", "authorization", "cookie"),
    *("api_key", "api-key", "apikey", "access_key", "access_key_id", "subscription_key"),
    *("private_key", "private-key", "signing_key"),
)
_HINTS = (
    "token",
    "secret",
    "pass",
    "pwd",
    "key",
    "sig",
    "assertion",
    "credential",
    "auth",
    "cookie",
)
# The look behind and the bounds keep it linear in a long run of letters.
_NAME = rf"(?<![\w-])[\w-]{{0,40}}?(?:{'|'.join(map(re.escape, _WORDS))})"
_HEADER = (
    r"(?<![\w-])(?:(?:proxy-)?authorization|(?:set-)?cookie|[\w-]{1,40}?-(?:key|token|secret))"
)
_NOT_YET = r"(?!\*\*\*|Secret\(|None\b|<)"
"""What stands in a secret's place already, or for one."""


def _shape(hints: Iterable[str], pattern: str, replacement: str) -> Shape:
    return Shape(tuple(hints), re.compile(pattern, re.IGNORECASE | re.DOTALL), replacement)


SHAPES = (
    # A private key in PEM, also one that is cut off, and with its line breaks escaped.
    _shape(
        ["private key"],
        r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY-----"
        r".*?(?:-----END [A-Z0-9 ]{0,30}PRIVATE KEY-----|\Z)",
        MASK,
    ),
    # https://user:password@host
    _shape(["://"], r"(?<=://)[^\s/?#\"'<>]{1,512}@", f"{MASK}@"),
    # {"api_key": "..."}, also in quotes itself
    _shape(
        _HINTS,
        rf"(\\?[\"'](?:{_NAME}|{_HEADER})\\?[\"']\s*[:=]\s*b?)(\\?[\"']){_NOT_YET}(?:(?!\2)[^\n])+",
        rf"\1\2{MASK}",
    ),
    # (b'authorization', b'...'): headers, as some libraries keep them
    _shape(
        _HINTS,
        rf"([\"']{_HEADER}[\"'],\s*b?)([\"']){_NOT_YET}(?:(?!\2)[^\n])+",
        rf"\1\2{MASK}",
    ),
    # token=..., api_key='...'
    _shape(
        _HINTS,
        rf"({_NAME}=)(?:\"[^\"\n]*\"?|'[^'\n]*'?|{_NOT_YET}[^\s\"'&,;()<>\[\]{{}}]+)",
        rf"\1{MASK}",
    ),
    # ?key=... and what else a vendor calls it
    _shape(["="], r"([?&](?:key|auth|sig|jwt|code|pass)=)[^\s\"'&#<>]+", rf"\1{MASK}"),
    # A cookie header, to its end
    _shape(["cookie:"], r"(\b(?:set-)?cookie:[^\S\n]*)[^\n\"']+", rf"\1{MASK}"),
    # Authorization: Bearer ..., xi-api-key: ...
    _shape(
        ["authorization", "-key", "-token", "-secret"],
        rf"({_HEADER}:[^\S\n]*)(?!\w+[^\S\n]+<)"
        rf"(?:(?:bearer|basic|token|digest|key)[^\S\n]+)?{_NOT_YET}[^\s\"',;<]+",
        rf"\1{MASK}",
    ),
    # Bearer ...: with something in it that no word of a sentence has
    _shape(
        ["bearer"],
        r"\b(bearer[^\S\n]+)(?=[a-z]*[\d._~+/=-]+\w)[\w.~+/=-]{8,}",
        rf"\1{MASK}",
    ),
    # A signed token (JWT)
    _shape(["eyj"], r"(?<![\w-])eyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?", MASK),
    # Keys that say whose they are: OpenAI's and others', Groq's, Google's, Amazon's
    _shape(
        ["sk-", "sk_", "aiza", "akia", "asia"],
        r"(?<![\w-])(?:g?sk[-_][\w-]{16,}|AIza[\w-]{30,}|(?:AKIA|ASIA)[0-9A-Z]{16}\b)",
        MASK,
    ),
)
_SECRET_NAME = re.compile(rf"{_NAME}|{_HEADER}", re.IGNORECASE)
_ALL_HINTS = sorted({hint for shape in SHAPES for hint in shape.hints})


@lru_cache(maxsize=256)
def hides(name: str) -> bool:
    """Tell whether what has this name is a secret, whatever it looks like."""
    return _SECRET_NAME.fullmatch(name) is not None


def without_shapes(text: str) -> str:
    """Mask whatever looks like a secret."""
    lower = text.lower()
    there = {hint for hint in _ALL_HINTS if hint in lower}
    if there:
        for shape in SHAPES:
            if not there.isdisjoint(shape.hints):
                text = shape.pattern.sub(shape.replacement, text)
    return text


def without(text: str, spelled: Iterable[str]) -> str:
    """Mask secrets that are known, as :func:`spellings` gives them."""
    if found := [each for each in spelled if each in text]:
        # The longer first: one may be the begin of another.
        for each in sorted(found, key=len, reverse=True):
            text = text.replace(each, MASK)
    return text


def spellings(secret: str) -> frozenset[str]:
    """Return the texts in which a secret can be read: as it is, escaped, and line by line."""
    lines = secret[: 4 * LONGEST].splitlines()[:LINES]
    parts = {secret, secret.strip(), *(line.strip() for line in lines)}
    return frozenset(
        spelled
        for part in parts
        if SHORTEST <= len(part) <= LONGEST
        for spelled in (
            part,
            json.dumps(part)[1:-1],
            json.dumps(part, ensure_ascii=False)[1:-1],
            repr(part)[1:-1],
            quote(part, safe="", errors="surrogatepass"),
            quote_plus(part, errors="surrogatepass"),
        )
    )
