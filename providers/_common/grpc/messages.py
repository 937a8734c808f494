"""gRPC's framing without any I/O: a flag, a length, and the message.

Source: "gRPC over HTTP2" (PROTOCOL-HTTP2.md of the gRPC project), Length-Prefixed-Message.
"""

import struct
import zlib

import attrs

_HEAD = struct.Struct(">BI")
_GZIP = 16 + zlib.MAX_WBITS


class Unreadable(Exception):
    """The far side said something that this client cannot read; the text says what."""


def pack(message: bytes) -> bytes:
    """Put the head in front of a message that is not compressed."""
    return _HEAD.pack(0, len(message)) + message


@attrs.define
class Unpacker:
    """Cuts messages out of the bytes of one stream. The sender chooses neither size, of wire or of memory."""

    limit: int
    """The most bytes of one message, as it came and also inflated."""
    gzip: bool = False
    """The stream's ``grpc-encoding`` says how a message with the flag is compressed."""
    _buffer: bytearray = attrs.field(factory=bytearray, init=False, repr=False)

    @property
    def torn(self) -> bool:
        """Whether a message has begun and not ended."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> list[bytes]:
        """Return the messages that are whole now, in order.

        Raises:
            Unreadable: a message above the limit, or one that cannot be inflated.
        """
        self._buffer += data
        messages = []
        start = 0
        while len(self._buffer) - start >= _HEAD.size:
            flag, size = _HEAD.unpack_from(self._buffer, start)
            if size > self.limit:
                raise Unreadable(f"a message of {size} bytes; the limit is {self.limit}")
            end = start + _HEAD.size + size
            if len(self._buffer) < end:
                break
            body = bytes(self._buffer[start + _HEAD.size : end])
            messages.append(self._inflated(body) if flag else body)
            start = end
        del self._buffer[:start]
        return messages

    def _inflated(self, body: bytes) -> bytes:
        if not self.gzip:
            raise Unreadable("a compressed message on a stream without compression")
        inflater = zlib.decompressobj(_GZIP)
        try:
            # One byte more than allowed is enough to know; the rest of a bomb is never inflated.
            message = inflater.decompress(body, self.limit + 1)
        except zlib.error as exc:
            raise Unreadable(f"a message that cannot be inflated: {exc}") from None
        if len(message) > self.limit:
            raise Unreadable(f"a message that inflates to more than {self.limit} bytes")
        if not inflater.eof:
            raise Unreadable("a compressed message that is cut short")
        return message
