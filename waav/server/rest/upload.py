"""A large body, read as it comes, so that neither reading nor what is in it holds up a voice."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from math import inf
from typing import Any, Protocol

import trio
from quart import Request
from quart_trio.wrappers import TrioRequest
from werkzeug.exceptions import RequestEntityTooLarge, RequestTimeout

from waav.server.refusal import Refused
from waav.server.rest.operation import Operation

PIECE = 65536
"""Bytes after which everybody else has a turn; a reader takes well below 5 ms for them."""
PATIENCE = 300.0
"""Seconds in which all of it must have come."""
_RETRY_AFTER = 5
_MIB = 1024 * 1024


class Reader(Protocol):
    """What makes something of a body, piece by piece."""

    def feed(self, data: bytes) -> None:
        """Take the next piece, of at most :data:`PIECE` bytes."""
        ...

    def end(self) -> dict[str, Any]:
        """Return what the body says."""
        ...


async def read_body(request: Request, reader: Reader, limit: int) -> dict[str, Any]:
    """Give the whole body to ``reader``; return what it says.

    Raises:
        Refused: there are more than ``limit`` bytes (413).
        RequestTimeout: it did not come in time.
        Exception: whatever the reader raises.
    """
    with trio.move_on_after(PATIENCE):
        size = 0
        try:
            async for data in request.body:
                size += len(data)
                if size > limit:
                    raise _too_large(limit)
                await _feed(reader, data)
        except RequestEntityTooLarge:
            raise _too_large(limit) from None
        return reader.end()
    raise RequestTimeout


async def _feed(reader: Reader, data: bytes) -> None:
    for start in range(0, len(data), PIECE):
        reader.feed(data[start : start + PIECE])
        await trio.lowlevel.checkpoint()


def _too_large(limit: int) -> Refused:
    text = f"The body is larger than {limit // _MIB} MiB"
    return Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body_too_large", text)


@contextmanager
def place(limiter: trio.CapacityLimiter) -> Iterator[None]:
    """Be one of the few whose bodies are in memory at one time.

    Raises:
        Refused: there are as many as there may be (503).
    """
    try:
        limiter.acquire_nowait()
    except trio.WouldBlock:
        raise Refused(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "too_many_uploads",
            "Too many large requests at one time. Please try again later.",
            {"Retry-After": str(_RETRY_AFTER)},
        ) from None
    try:
        yield
    finally:
        limiter.release()


def places_of(operation: Operation) -> trio.CapacityLimiter:
    """Return as many places as requests of an operation may be served at one time."""
    return trio.CapacityLimiter(operation.upload.at_once if operation.upload else inf)


def request_class(limits: Mapping[str, int]) -> type[TrioRequest]:
    """Make the class of requests whose bodies may be as large as their path allows.

    Args:
        limits: path -> bytes; the others have that of the whole application.
    """

    class Sized(TrioRequest):
        """A request; the framework knows one limit for all of them."""

        def __init__(self, method: str, scheme: str, path: str, *rest: Any, **more: Any) -> None:
            limit = limits.get(path.rstrip("/"))
            if limit is not None:
                more["max_content_length"] = limit
            super().__init__(method, scheme, path, *rest, **more)

    return Sized
