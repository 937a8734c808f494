"""An answer of "no", as JSON; and the front door's way to give it, before any handler or application."""

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType

import msgspec
import trio

_LINGER = 1.0
_READ = 65536


class Refused(Exception):
    """The request goes no further; the client gets ``status`` and a JSON body."""

    def __init__(
        self,
        status: HTTPStatus,
        code: str,
        message: str,
        headers: Mapping[str, str] = MappingProxyType({}),
        *,
        error: str | None = None,
    ) -> None:
        """``error``: the key of this name in the body; None for the message once more."""
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers
        self.error = error or message

    def answer(self, request_id: str) -> tuple[dict[str, str], bytes]:
        """Return the headers that belong to the answer itself, and its JSON body."""
        body = msgspec.json.encode(
            {
                "error": self.error,
                "message": self.message,
                "code": self.code,
                "request_id": request_id,
            }
        )
        headers = {
            "content-type": "application/json",
            "content-length": str(len(body)),
            **self.headers,
        }
        return headers, body


async def refuse(
    stream: trio.abc.Stream, status: HTTPStatus, headers: Mapping[str, str], body: bytes
) -> None:
    """Send the answer and wait a moment, so that it arrives; the caller closes the stream.

    Raises:
        trio.BrokenResourceError: the client has left.
    """
    lines = [f"HTTP/1.1 {status.value} {status.phrase}", "connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    with trio.move_on_after(_LINGER):
        await stream.send_all("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
        if isinstance(stream, trio.abc.HalfCloseableStream):
            await stream.send_eof()
        # A socket that is closed with unread bytes is reset by the kernel, and
        # the reset may overtake the answer: read what the client still sends.
        while await stream.receive_some(_READ):
            pass
