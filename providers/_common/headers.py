"""Headers as plugins write them -> as they go out, and what of them must never come back."""

import re
from collections.abc import Mapping
from typing import TypeAlias

from capabilities import ProviderRefused, Secret
from providers._common.failures import Failures

Headers: TypeAlias = Mapping[str, str | Secret]
"""Whatever authenticates is a :class:`Secret`, the whole value: ``Secret("Token ...")``."""

AGENT = "waav"

# RFC 9110, 5.1 and 5.5; of the letters only those that every server reads alike. A line break in
# a key that a client sent would begin a header of that client's choice.
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[!-~]([ \t!-~]*[!-~])?|")
_SHORTEST = 6  # characters that are worth hiding; a shorter part would blot out harmless words


def outgoing(provider: str, *parts: Headers) -> tuple[dict[str, str], Failures]:
    """Put headers together, the later parts before the earlier ones.

    Returns:
        What to send, and who names failures without repeating what was secret in it.

    Raises:
        ProviderRefused: a name or a value, such as a key, has characters that no header may have.
    """
    given: dict[str, tuple[str, str | Secret]] = {"user-agent": ("User-Agent", AGENT)}
    given |= {name.lower(): (name, value) for part in parts for name, value in part.items()}
    sent: dict[str, str] = {}
    hidden: set[str] = set()
    for name, value in given.values():
        text = value.reveal() if isinstance(value, Secret) else value
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(text):
            raise ProviderRefused(provider, "a key or a header has characters that HTTP refuses")
        sent[name] = text
        if isinstance(value, Secret):
            hidden |= {part for part in (text, *text.split()) if len(part) >= _SHORTEST}
    # The longer first: a key may be a part of the whole value.
    return sent, Failures(provider, tuple(sorted(hidden, key=len, reverse=True)))
