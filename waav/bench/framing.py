"""WebSocket frames for a load generator, without I/O: as little as goes, so that the load is cheap.

A sender masks with one key that never changes (RFC 6455 asks for a fresh one, and no receiver can
tell), so that a frame is masked once and sent many times. A reader leaves frames masked: of a frame
of sound nobody looks at more than a time stamp. Messages in fragments are not understood.
"""

from collections.abc import Iterator
from typing import TypeAlias

TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA
KEY = bytes.fromhex("5a3c96e1")
"""Masks what we send as a client."""
STAMP = 8
"""Bytes of a time stamp at the head of each frame of sound: nanoseconds, little-endian."""

_FIN = 0x80
_MASKED = 0x80
_LONGEST = 1 << 20

Frame: TypeAlias = tuple[int, bytes, bytes]
"""Opcode, payload as it came, and the key that it is masked with; empty if it is not."""


class BadFrame(Exception):
    """The far side sends what this reader does not understand."""


def masked(data: bytes, key: bytes = KEY) -> bytes:
    """Mask, or unmask, ``data``, which begins where the key does."""
    size = len(data)
    pad = int.from_bytes((key * (size // 4 + 1))[:size], "little")
    return (int.from_bytes(data, "little") ^ pad).to_bytes(size, "little")


def head(opcode: int, size: int, key: bytes = b"") -> bytes:
    """Return what stands before a payload of ``size`` bytes."""
    mask = _MASKED if key else 0
    if size < 126:
        return bytes((_FIN | opcode, mask | size)) + key
    if size < 1 << 16:
        return bytes((_FIN | opcode, mask | 126)) + size.to_bytes(2, "big") + key
    return bytes((_FIN | opcode, mask | 127)) + size.to_bytes(8, "big") + key


def from_client(opcode: int, data: bytes) -> bytes:
    """Return one frame as a client sends it."""
    return head(opcode, len(data), KEY) + masked(data)


def from_server(opcode: int, data: bytes) -> bytes:
    """Return one frame as a server sends it."""
    return head(opcode, len(data)) + data


class Sound:
    """A voice that never ends, in frames that are masked already; each gets the time it was sent."""

    def __init__(self, data: bytes, size: int) -> None:
        """``size``: bytes of a frame; what is left of ``data`` behind the last is dropped."""
        whole = range(0, len(data) - size + 1, size)
        self._bodies = [masked(data[at : at + size])[STAMP:] for at in whole]
        self._head = head(BINARY, size, KEY)
        self._pad = int.from_bytes(KEY * 2, "little")

    def frame(self, number: int, now: int) -> bytes:
        """Return the frame of that number, stamped with ``now``, as a client sends it."""
        bodies = self._bodies
        stamp = (now ^ self._pad).to_bytes(STAMP, "little")
        return self._head + stamp + bodies[number % len(bodies)]


class Stamps:
    """Finds the stamps in a stream of sound, however its messages are cut: one each ``size`` bytes."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._position = 0
        self.torn = 0
        """Stamps that did not lie in one message."""

    def read(self, payload: bytes, key: bytes) -> Iterator[int]:
        """Give the stamps of one message of sound."""
        size, length = self._size, len(payload)
        at = -self._position % size
        self._position += length
        while at < length:
            stamp = payload[at : at + STAMP]
            if len(stamp) < STAMP:
                self.torn += 1
            elif key:
                turned = key[at % 4 :] + key[: at % 4]
                pad = int.from_bytes(turned * 2, "little")
                yield int.from_bytes(stamp, "little") ^ pad
            else:
                yield int.from_bytes(stamp, "little")
            at += size


class Reader:
    """Bytes off a network -> frames."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[Frame]:
        """Return the frames that ``data`` completes.

        Raises:
            BadFrame: a fragment, or a frame of more than a megabyte.
        """
        if self._rest:
            data = self._rest + data
        frames: list[Frame] = []
        at, end = 0, len(data)
        while end - at >= 2:
            first, size = data[at], data[at + 1]
            start, is_masked, size = at + 2, size & _MASKED, size & 0x7F
            if size >= 126:
                start += 2 if size == 126 else 8
                size = int.from_bytes(data[at + 2 : start], "big")
            key_at, start = start, start + 4 if is_masked else start
            if end < start:
                break
            if not first & _FIN or not first & 0x0F:
                raise BadFrame("messages in fragments are not understood")
            if size > _LONGEST:
                raise BadFrame(f"a frame of {size} bytes")
            if end < start + size:
                break
            at = start + size
            frames.append((first & 0x0F, data[start:at], data[key_at:start]))
        self._rest = data[at:]
        return frames
