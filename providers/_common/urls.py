"""Addresses, with everything in them that came from somebody else percent-encoded."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias
from urllib.parse import quote, urlencode

Value: TypeAlias = str | bool | float | None
Query: TypeAlias = Mapping[str, Value | Sequence[Value]]
"""None leaves a parameter out, a sequence repeats it, truth is written in lower case."""


def build_url(base: str, path: Sequence[str], query: Query | None = None) -> str:
    """Join a base address, the parts of a path and a query.

    Raises:
        ValueError: a part would lead somewhere else (``..``) or nowhere.
    """
    for part in path:
        if part in {"", ".", ".."}:
            raise ValueError(f"{part!r} cannot be part of an address")
    address = "/".join([base, *(quote(part, safe=":@") for part in path)])
    encoded = urlencode(list(_pairs(query or {})), quote_via=quote, safe="")
    return f"{address}?{encoded}" if encoded else address


def as_websocket(url: str) -> str:
    """The same place, as a WebSocket address: ``https`` becomes ``wss``."""
    return f"ws{url[4:]}" if url.startswith("http") else url


def _pairs(query: Query) -> Iterator[tuple[str, str]]:
    for name, given in query.items():
        values = [given] if isinstance(given, str) or not isinstance(given, Sequence) else given
        for value in values:
            if value is not None:
                yield name, str(value).lower() if isinstance(value, bool) else str(value)
