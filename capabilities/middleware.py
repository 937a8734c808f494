"""Middleware: looks at requests before they are served, and at answers before they go out. The contract.

Two methods, and no block around the request: a block would be a task of the plugin for as long as a
WebSocket lasts, and a plugin that goes out of service would take all requests with it. As it is, a
plugin is called twice, briefly, and nothing of the request is ever in its hands.
"""

import re
from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Protocol

import attrs

from capabilities.auth import Principal

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]{1,128}")
"""RFC 9110, 5.6.2: what the name of a header is made of."""
_NOT_TEXT = re.compile(r"[^\t\x20-\x7e\xa0-\xff]")
_OURS = re.compile(
    "connection|content-length|keep-alive|te|trailer|transfer-encoding|upgrade|sec-websocket-.*"
    "|access-control-.*|strict-transport-security|x-content-type-options|x-frame-options|x-request-id"
)
"""Headers that the server itself gives an answer."""
_HEADERS = 32
_HEADER_BYTES = 8192
_LEAST_STATUS, _MOST_STATUS = 200, 599


def check_headers(headers: Mapping[str, str]) -> Mapping[str, str]:
    """Return headers, names in lower case and values without blanks around, if an answer can have them.

    Raises:
        ValueError: there are more than 32, or more than 8 KiB; a name or a value has characters
            that it must not have; or it is one that the server itself gives an answer.
    """
    # RFC 9110, 5.5: blanks around a value are no part of it, and HTTP/1 has no place for them.
    checked = {str(name).lower(): str(value).strip(" \t") for name, value in headers.items()}
    if len(checked) > _HEADERS or sum(map(len, (*checked, *checked.values()))) > _HEADER_BYTES:
        raise ValueError(f"more than {_HEADERS} headers, or more than {_HEADER_BYTES} bytes")
    for name, value in checked.items():
        if not _TOKEN.fullmatch(name) or _OURS.fullmatch(name):
            raise ValueError(f"an answer of a middleware cannot have the header {name[:64]!r}")
        if _NOT_TEXT.search(value):
            raise ValueError(f"the header {name} has a character that headers do not have")
    return MappingProxyType(checked)


def _check_status(_instance: object, _attribute: object, status: HTTPStatus) -> None:
    if not _LEAST_STATUS <= status <= _MOST_STATUS:
        raise ValueError(f"an answer has a status from {_LEAST_STATUS} to {_MOST_STATUS}")


@attrs.frozen(eq=False)
class Request:
    """What a client asks for, without its body. The same object comes to both methods."""

    method: str
    path: str
    """Percent-decoded, without host and query, with one slash before it and none behind it."""
    headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    """Names in lower case; without those that authenticate or that a proxy sets."""
    client: str = ""
    """The address: behind a proxy that the operator trusts, the one that the proxy names."""
    principal: Principal | None = None
    """Who it is; None for somebody whom nobody knows, or who will say so in a first message."""
    websocket: bool = False
    """It asks for a WebSocket."""
    id: str = ""
    """As in the header ``x-request-id`` of the answer, and in logs."""


@attrs.frozen
class Answer:
    """What the client gets instead of what it asked for."""

    status: HTTPStatus = attrs.field(converter=HTTPStatus, validator=_check_status)
    body: Any = attrs.field(default="", repr=False)
    """Text goes as text; anything else is plain data and goes as JSON. At most 1 MiB."""
    headers: Mapping[str, str] = attrs.field(factory=dict, converter=check_headers)


@attrs.frozen
class Outcome:
    """How a request was answered, as far as that is known when the answer begins."""

    status: int
    """101 for a WebSocket that is let in."""
    seconds: float
    """Since the first middleware was asked."""


class Middleware(Protocol):
    """Sees every request of clients who were let in, and every answer that they get.

    It is not asked about the routes for health and metrics. Calls come many at a time, may be
    cancelled at any time, and have some seconds (``middleware.patience_seconds``).
    """

    async def before(self, request: Request) -> Answer | None:
        """Let a request pass with None, or answer it.

        While a middleware fails, requests are refused (503), unless the operator has named
        it in ``middleware.optional``.
        """
        ...

    async def after(self, request: Request, outcome: Outcome) -> Mapping[str, str]:
        """Return headers for the answer, which waits for them; a header that it has is replaced.

        Called in reverse order, for requests that this middleware has let pass. Not for those whose
        client leaves before. If it fails, the answer goes without.
        """
        ...
