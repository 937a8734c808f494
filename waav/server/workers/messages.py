"""What a worker and its supervisor say to each other: values, and how they travel. No I/O."""

from collections.abc import Iterator
from typing import TypeAlias

import attrs
import msgspec

from waav.observe.fleet import News, Report
from waav.security.limits import Key, Scope

MAX_MESSAGE = 16 << 20
"""Bytes. The figures of all workers together are far less."""

_PREFIX = 4


class Ready(msgspec.Struct, frozen=True, tag=True):
    """A worker is up: it could take in connections, and waits until it may."""


class Take(msgspec.Struct, frozen=True, tag=True):
    """A worker wants a slot of each key, or none; the answer has the same number."""

    number: int
    keys: tuple[Key, ...]


class Release(msgspec.Struct, frozen=True, tag=True):
    """A worker gives back what it took, or would have taken, under this number."""

    number: int


class AskOthers(msgspec.Struct, frozen=True, tag=True):
    """A worker wants to know how the others are."""

    number: int


class Reported(msgspec.Struct, frozen=True, tag=True):
    """How a worker is; it says so every second."""

    report: Report


FromWorker: TypeAlias = Ready | Take | Release | AskOthers | Reported


class Begin(msgspec.Struct, frozen=True, tag=True):
    """The worker may take in connections."""


class Stop(msgspec.Struct, frozen=True, tag=True):
    """The worker shall end politely."""


class Reload(msgspec.Struct, frozen=True, tag=True):
    """The worker shall read again what it read at the start."""


class Taken(msgspec.Struct, frozen=True, tag=True):
    """The answer to :class:`Take`."""

    number: int
    full: Scope | None
    """Whose limit is reached; None if the slots are taken."""


class Others(msgspec.Struct, frozen=True, tag=True):
    """The answer to :class:`AskOthers`."""

    number: int
    news: News


FromSupervisor: TypeAlias = Begin | Stop | Reload | Taken | Others
Message: TypeAlias = FromWorker | FromSupervisor


class Nonsense(Exception):
    """What came down the line is no message; it cannot be read any further."""


def encode(message: Message) -> bytes:
    """Return a message as it travels: four bytes with its length (big-endian), then MessagePack.

    Unlike JSON that has every number that a metric may be.
    """
    body = msgspec.msgpack.encode(message)
    return len(body).to_bytes(_PREFIX) + body


@attrs.define
class Incoming:
    """Bytes, however they are cut -> messages."""

    _decoder: "msgspec.msgpack.Decoder[Message]" = attrs.Factory(
        lambda: msgspec.msgpack.Decoder(Message)
    )
    _received: bytearray = attrs.field(factory=bytearray, init=False)

    def feed(self, data: bytes | bytearray) -> Iterator[Message]:
        """Yield the messages that these bytes complete.

        Raises:
            Nonsense: they are none.
        """
        self._received += data
        while len(self._received) >= _PREFIX:
            end = _PREFIX + int.from_bytes(self._received[:_PREFIX])
            if end > MAX_MESSAGE:
                raise Nonsense(f"a message of {end} bytes")
            if len(self._received) < end:
                return
            body = bytes(self._received[_PREFIX:end])
            del self._received[:end]
            try:
                yield self._decoder.decode(body)
            except msgspec.MsgspecError as error:
                raise Nonsense(str(error)) from error
