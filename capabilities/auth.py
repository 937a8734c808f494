"""Authentication: who is this? The contract, and the values it speaks."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Protocol

import attrs

from capabilities.secret import Secret

LONGEST_ID = 256
"""Characters of :attr:`Principal.id`."""


class Way(StrEnum):
    """How a token came."""

    HEADER = "header"
    """``Authorization: Bearer``."""
    QUERY = "query"
    """``?token=``."""
    MESSAGE = "message"
    """The first message of a WebSocket."""


@attrs.frozen
class Presented:
    """A token, and the request that it came with."""

    token: Secret
    way: Way
    method: str
    """Of the request; for :attr:`Way.MESSAGE` that of the upgrade."""
    path: str
    headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    """Names in lower case; without those that authenticate or that a proxy sets."""
    body: bytes = attrs.field(default=b"", repr=False)
    """A JSON body as it came; empty if there was none, or nobody has asked to see it."""


def is_id(text: str) -> bool:
    """Tell whether a text can name a tenant: printable, no space around it, of some length."""
    return 0 < len(text) <= LONGEST_ID and text.isprintable() and text == text.strip()


def _check_id(_instance: object, _attribute: object, value: str | None) -> None:
    if value is not None and not is_id(value):
        raise ValueError(f"expected an id of at most {LONGEST_ID} printable characters")


def _read_only(mapping: Mapping[str, Any]) -> Mapping[str, Any]:
    return MappingProxyType(dict(mapping))


@attrs.frozen
class Principal:
    """Somebody who is known."""

    id: str | None = attrs.field(validator=_check_id)
    """The tenant. None: known to be let in, but not who it is; as a rule that is not enough."""
    metadata: Mapping[str, Any] = attrs.field(factory=dict, converter=_read_only, repr=False)
    """What else is known of them: plain data."""


@attrs.frozen
class Denied:
    """The token is none that this strategy knows, or is no longer valid."""

    message: str = "Invalid token"
    """The caller may read it: a short sentence, without the token."""


class Auth(Protocol):
    """A strategy: it tells who somebody is by the token that they show."""

    async def authenticate(self, presented: Presented) -> Principal | Denied:
        """Look at a token. What is denied here, the next strategy may still know.

        Called for each request and each connection, many at a time; it may be cancelled at any
        time.

        Raises:
            ProviderUnavailable: who would know cannot be reached, or is too slow.
            ProviderRefused: who would know does not want to answer; the caller is not let in.
            ProviderError: what was answered is of no use.
        """
        ...
