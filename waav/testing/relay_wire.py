"""What a relay must know of the protocols that it breaks: where a message ends, and how to spoil one. No I/O."""

import re
from collections.abc import Iterator
from enum import StrEnum
from http import HTTPStatus

import attrs

HUGE = 10 * 1024 * 1024
"""Bytes of a message that nobody expects."""
RETRY_AFTER = 1
"""Seconds that a vendor asks for who is too busy."""
RUBBISH = b"\xff\x00 this is no protocol at all \r\n\r\n" * 4
END = 3
"""Bytes without which an answer is not whole: of a chunk's end, or of the sound itself."""
PLAIN = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
"""What a server says that was not made for TLS."""

_END_OF_HEAD = b"\r\n\r\n"
_MOST_HEAD = 64 * 1024
_HOST = re.compile(rb"(?im)^host:[^\r\n]*")
_CONNECTION = re.compile(rb"(?im)^connection:[^\r\n]*")
_TEXT, _CLOSE, _FIN = 0x1, 0x8, 0x80


class Transport(StrEnum):
    """How a client speaks with its vendor; so much the relay has to be told."""

    WEBSOCKET = "websocket"
    HTTP = "http"
    """HTTP/1.1, whole or streamed."""
    HTTP2 = "http2"
    """Only bytes: a relay does not look into its frames."""


class Fault(StrEnum):
    """What goes wrong between a client and its vendor."""

    REFUSED = "refused"
    """The connection, and new ones for a moment."""
    RESET = "reset"
    """In the middle of a frame."""
    END = "end"
    """Of the connection, without a goodbye."""
    CLOSE_1000 = "close-1000"
    CLOSE_1008 = "close-1008"
    CLOSE_1011 = "close-1011"
    CLOSE_1013 = "close-1013"
    HTTP_401 = "http-401"
    """The next request or handshake is answered so; a connection that is open is ended."""
    HTTP_402 = "http-402"
    HTTP_429 = "http-429"
    """With a Retry-After."""
    HTTP_500 = "http-500"
    HTTP_503 = "http-503"
    TLS = "tls"
    """Plain text where TLS is expected: the client must have been given the ``secure_url``."""
    SILENCE = "silence"
    """With the socket open."""
    RUBBISH = "rubbish"
    """Bytes that are none of the protocol, and the end."""
    DOUBLED = "doubled"
    """Each message comes twice."""
    SWAPPED = "swapped"
    """Two messages come in the wrong order."""
    SWALLOWED = "swallowed"
    """Messages do not come, also not the goodbye, though pings are answered: never a final."""
    HUGE = "huge"
    """A message of 10 MB that the vendor did not send."""
    DRIBBLE = "dribble"
    """One byte at a time."""

    @property
    def code(self) -> int:
        """Of the close frame or the answer; 0 for other faults."""
        last = self.rpartition("-")[2]
        return int(last) if last.isdecimal() else 0


@attrs.frozen
class Unit:
    """What passes in one go from the vendor to the client."""

    data: bytes
    is_message: bool = True
    """It carries something that the vendor says; pings, pongs and goodbyes do not."""
    is_goodbye: bool = False

    def parted(self, room: float, transport: Transport) -> "tuple[Unit, Unit | None]":
        """Return as much as there is room for, and the rest. A message is not parted."""
        if transport is Transport.WEBSOCKET or room >= len(self.data):
            return self, None
        at = int(room)
        return Unit(self.data[:at]), Unit(self.data[at:])


@attrs.define(eq=False)
class Cutter:
    """Cuts what a vendor sends: its head first, then messages where there are some, else bytes."""

    transport: Transport
    head_seen: bool = attrs.field(default=False, init=False)
    _waits: bytearray = attrs.field(factory=bytearray, init=False)

    def feed(self, data: bytes) -> Iterator[Unit]:
        """Return what is whole by now. The first unit is the head: of HTTP/2, its first bytes."""
        self._waits += data
        if not self.head_seen and (head := self._head()):
            self.head_seen = True
            yield Unit(head, is_message=False)
        if self.head_seen:
            yield from self._messages()

    def _head(self) -> bytes:
        if self.transport is Transport.HTTP2:
            return _take(self._waits, len(self._waits))
        end = self._waits.find(_END_OF_HEAD)
        return b"" if end < 0 else _take(self._waits, end + len(_END_OF_HEAD))

    def _messages(self) -> Iterator[Unit]:
        if self.transport is not Transport.WEBSOCKET:
            if self._waits:
                yield Unit(_take(self._waits, len(self._waits)))
            return
        while size := message_size(self._waits):
            kind = self._waits[0] & 0x0F
            yield Unit(_take(self._waits, size), kind < _CLOSE, kind == _CLOSE)


def _take(buffer: bytearray, size: int) -> bytes:
    data = bytes(buffer[:size])
    del buffer[:size]
    return data


def message_size(data: bytes | bytearray) -> int:
    """Bytes of the first WebSocket message of a server (RFC 6455, 5.2), all of its fragments; or 0."""
    at = 0
    while True:
        size = _frame_size(data[at : at + 10])
        if not size or at + size > len(data):
            return 0
        last = data[at] & _FIN
        at += size
        if last:
            return at


def _frame_size(head: bytes | bytearray) -> int:
    if len(head) < 2:
        return 0
    match head[1] & 0x7F:
        case 126:
            return 4 + int.from_bytes(head[2:4], "big") if len(head) >= 4 else 0
        case 127:
            return 10 + int.from_bytes(head[2:10], "big") if len(head) >= 10 else 0
        case short:
            return 2 + short


def close_frame(code: int) -> bytes:
    """Return the goodbye of a server."""
    return bytes([_FIN | _CLOSE, 2]) + code.to_bytes(2, "big")


def huge_message() -> bytes:
    """Return a WebSocket message of text that means nothing."""
    return bytes([_FIN | _TEXT, 127]) + HUGE.to_bytes(8, "big") + b"x" * HUGE


def huge_answer() -> bytes:
    """Return a successful answer of HTTP that means nothing."""
    head = "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nConnection: close\r\n"
    return f"{head}Content-Length: {HUGE}\r\n\r\n".encode() + b"x" * HUGE


def refusal(status: int) -> bytes:
    """Return an answer that is not the one that was wanted."""
    pause = f"Retry-After: {RETRY_AFTER}\r\n" if status == HTTPStatus.TOO_MANY_REQUESTS else ""
    phrase = HTTPStatus(status).phrase
    return (
        f"HTTP/1.1 {status} {phrase}\r\n{pause}Content-Length: 0\r\nConnection: close\r\n\r\n"
    ).encode()


def torn(transport: Transport, *, head_passed: bool) -> bytes:
    """Return the beginning of a message that will never be whole; bytes are torn wherever they end."""
    if not head_passed:
        return b"" if transport is Transport.HTTP2 else b"HTTP/1.1 2"
    return bytes([_FIN | _TEXT, 126, 4, 0, *b"torn"]) if transport is Transport.WEBSOCKET else b""


def request_head(data: bytes | bytearray) -> int:
    """Bytes of a request's head; 0 while it is not whole.

    Raises:
        ValueError: it is longer than any should be.
    """
    end = data.find(_END_OF_HEAD)
    if end < 0 and len(data) > _MOST_HEAD:
        raise ValueError("a request whose head does not end")
    return 0 if end < 0 else end + len(_END_OF_HEAD)


def addressed(head: bytes, host: str, transport: Transport) -> bytes:
    """Return a request's head as the vendor has to see it: for its own host, one to a connection.

    So a relay need not know where an answer ends.
    """
    head = _HOST.sub(b"Host: " + host.encode(), head, count=1)
    if transport is Transport.HTTP:
        head = _CONNECTION.sub(b"X-Connection: relayed", head, count=1)
        head = head[: -len(b"\r\n")] + b"Connection: close" + _END_OF_HEAD
    return head
