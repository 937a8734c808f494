"""The body of a request, read before the application reads it: it reads the same once more."""

from http import HTTPStatus
from typing import Any

import attrs
import trio

from waav.server.refusal import Refused

PATIENCE = 60.0
"""Seconds in which all of it must have come."""


@attrs.define(eq=False)
class ForeseenBody:
    """The messages of an ASGI request, ``receive`` as the server has it."""

    _receive: Any
    _read: list[Any] = attrs.field(factory=list, init=False)

    async def read(self, limit: int) -> bytes:
        """Return all of the body.

        Raises:
            Refused: it is larger than ``limit`` bytes, does not come in time, or breaks off.
        """
        body = bytearray()
        with trio.move_on_after(PATIENCE):
            while (message := await self._receive())["type"] == "http.request":
                body += message.get("body", b"")
                if len(body) > limit:
                    raise _too_large(limit)
                if not message.get("more_body", False):
                    # One message: of a body that came in drops the drops would take more than it.
                    self._read = [{"type": "http.request", "body": bytes(body), "more_body": False}]
                    return bytes(body)
            raise Refused(HTTPStatus.BAD_REQUEST, "bad_request", "The body breaks off")
        raise Refused(
            HTTPStatus.REQUEST_TIMEOUT, "request_timeout", "The body did not come in time"
        )

    async def receive(self) -> Any:
        """Give the application what was read, and then what comes."""
        if not self._read:
            return await self._receive()
        await trio.lowlevel.checkpoint()
        return self._read.pop(0)


def _too_large(limit: int) -> Refused:
    text = f"The body is larger than the {limit} bytes that authentication looks at"
    return Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body_too_large", text)
