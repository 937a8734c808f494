"""One connection through a relay: both directions, and what it suffers when it is struck."""

import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from math import inf
from typing import Protocol, TypeAlias

import attrs
import trio

from waav.tasks import open_scoped_nursery
from waav.testing import relay_wire as wire
from waav.testing.relay_wire import Cutter, Fault, Transport, Unit

DRIBBLE = 500
"""Bytes that come one by one; then all goes on, or a long sound would take minutes."""
GONE = (trio.BrokenResourceError, trio.ClosedResourceError, OSError, ValueError)
"""What a line meets that is over, or on which no sense is spoken."""

_READ = 64 * 1024
_PARTING = 1.0  # seconds for a client to leave after the far side has ended
_SWAP = 0.05  # seconds that a message waits for the one with which it is swapped


class Gate(Protocol):
    """What a line knows of its relay."""

    @property
    def transport(self) -> Transport:
        """What is spoken."""
        ...

    @property
    def vendor_host(self) -> str:
        """What a request has to ask for."""
        ...

    async def reach(self) -> trio.abc.Stream:
        """Connect to the vendor."""
        ...

    def has_room(self, passed: int) -> float:
        """How many more bytes may pass of an answer of which so many have."""
        ...

    def arrived(self, line: "Line") -> None:
        """An answer has come as far as it may."""
        ...


@attrs.define(eq=False)
class Line:
    """One connection of a client, and the one to the vendor that belongs to it."""

    _gate: Gate
    client: trio.SocketStream
    fault: Fault | None = None
    """What it meets, sooner or later."""
    passed: int = 0
    """Bytes that came through behind the head of the answer."""
    last: int = 0
    """Where among them the last message begins; of bytes without messages, almost the end."""
    suffers: bool = False
    """The fault has come."""
    over: bool = False
    begun: trio.Event = attrs.field(factory=trio.Event, init=False)
    """The head of the answer has passed."""
    struck: trio.Event = attrs.field(factory=trio.Event, init=False)
    """In the middle, and not because the fault waited for the connection."""
    _heard: trio.Event = attrs.field(factory=trio.Event, init=False)
    """The client has asked for something."""
    _carrying: trio.CancelScope = attrs.field(factory=trio.CancelScope, init=False)
    _carried: trio.Event = attrs.field(factory=trio.Event, init=False)
    _writing: trio.Lock = attrs.field(factory=trio.Lock, init=False)
    _drops: int = attrs.field(default=DRIBBLE, init=False)
    _waits: Unit | None = attrs.field(default=None, init=False)
    """For the one that it is swapped with."""
    _swapped: bool = attrs.field(default=False, init=False)

    @property
    def transport(self) -> Transport:
        """What is spoken on it."""
        return self._gate.transport

    def strike(self, fault: Fault) -> None:
        """Let the fault come now."""
        self.fault = fault
        self.struck.set()

    async def run(self) -> None:
        """Be the connection until one side leaves, or the fault ends it."""
        try:
            async with open_scoped_nursery("the line is over") as nursery:
                nursery.start_soon(self._carry, name="testing/relay/carry")
                # Nobody is hurt who has not asked.
                await (self.struck if self.fault is None else self._heard).wait()
                self.suffers = True
                assert self.fault is not None  # noqa: S101 - for mypy; whoever strikes sets it
                await _HARMS.get(self.fault, _twist)(self)
        except* GONE:
            pass
        finally:
            self.over = True
            await trio.aclose_forcefully(self.client)

    # For what ends it.

    async def stop(self) -> None:
        """Forward nothing more. A message that is being written becomes whole."""
        async with self._writing:
            self._carrying.cancel(reason="the line is struck")
        await self._carried.wait()

    async def inject(self, data: bytes) -> None:
        """Send the client something between two messages."""
        async with self._writing:
            await self.client.send_all(data)

    async def until_gone(self, patience: float = inf) -> None:
        """Read until the client has left, and end the line."""
        with trio.move_on_after(patience):
            while await self.client.receive_some(_READ):
                pass
        raise trio.BrokenResourceError("the line is over")

    async def part(self) -> None:
        """Send nothing more. A socket that is closed with unread bytes would be reset."""
        await self.client.send_eof()
        await self.until_gone(_PARTING)

    # Forwarding.

    async def _carry(self) -> None:
        try:
            with self._carrying:
                await self._converse()
        finally:
            self._carried.set()
        if not self._carrying.cancel_called:
            await self.part()

    async def _converse(self) -> None:
        request = await self._request()
        self._heard.set()
        if self._ends and self.fault not in CLOSES:
            # The vendor need not be asked.
            await trio.sleep_forever()
        async with (
            await self._gate.reach() as vendor,
            open_scoped_nursery("one side has left") as nursery,
        ):
            nursery.start_soon(self._up, vendor, request, nursery, name="testing/relay/up")
            await self._down(vendor)

    @property
    def _ends(self) -> bool:
        """Whether the fault is the end of all forwarding."""
        alone = self.fault is Fault.HUGE and self.transport is not Transport.WEBSOCKET
        return alone or self.fault in _ENDINGS

    async def _request(self) -> bytes:
        """Read what the client asks for: its head, and what came with it."""
        asked, end = bytearray(), 0
        while not end:
            data = await self.client.receive_some(_READ)
            if not data:
                raise trio.BrokenResourceError("the client has left")
            asked += data
            if self.fault is Fault.TLS or self.transport is Transport.HTTP2:
                return bytes(asked)
            end = wire.request_head(asked)
        head = wire.addressed(bytes(asked[:end]), self._gate.vendor_host, self.transport)
        return head + asked[end:]

    async def _up(self, vendor: trio.abc.Stream, request: bytes, nursery: trio.Nursery) -> None:
        try:
            await vendor.send_all(request)
            while data := await self.client.receive_some(_READ):
                await vendor.send_all(data)
        except GONE:
            # The other direction may still have something to tell.
            return
        nursery.cancel_scope.cancel(reason="the client has left")

    async def _down(self, vendor: trio.abc.Stream) -> None:
        cutter = Cutter(self.transport)
        while True:
            data = None
            with trio.move_on_after(_SWAP if self._waits else inf):
                data = await vendor.receive_some(_READ)
            for unit in cutter.feed(bytes(data or b"")):
                await self._pass(unit)
            if not data:
                waits, self._waits = self._waits, None
                await self._emit([waits] if waits else [])
                if data is not None:
                    return

    async def _pass(self, unit: Unit) -> None:
        if not self.begun.is_set():
            await self._emit([unit])
            self.begun.set()
            return
        rest: Unit | None = unit
        while rest is not None:
            part, rest = rest.parted(await self._room(), self.transport)
            await self._emit(self._twisted(part))
            if part.is_message:
                self.last = self.passed
            self.passed += len(part.data)
            if self.transport is not Transport.WEBSOCKET:
                self.last = max(self.passed - wire.END, 0)

    async def _room(self) -> float:
        """Wait until something may pass, and return how many bytes."""
        while (room := self._gate.has_room(self.passed)) <= 0:
            self._gate.arrived(self)
            if not self.struck.is_set():
                await self.struck.wait()
        if self.struck.is_set() and self._ends:
            await trio.sleep_forever()
        return room

    def _twisted(self, unit: Unit) -> list[Unit]:
        match self.fault:
            case Fault.DOUBLED if unit.is_message:
                return [unit, unit]
            case Fault.SWALLOWED if unit.is_message or unit.is_goodbye:
                return []
            case Fault.SWAPPED if unit.is_message and not (self._swapped or self._waits):
                self._waits = unit
                return []
            case Fault.SWAPPED if self._waits is not None:
                first, self._waits = self._waits, None
                # Once: a last word behind the end of all words would be nobody's fault but the relay's.
                self._swapped = True
                return [unit, first] if unit.is_message else [first, unit]
            case _:
                return [unit]

    async def _emit(self, units: list[Unit]) -> None:
        for unit in units:
            data = unit.data
            async with self._writing:
                if self.fault is Fault.DRIBBLE:
                    drops, data = data[: self._drops], data[self._drops :]
                    self._drops -= len(drops)
                    for drop in drops:
                        await self.client.send_all(bytes([drop]))
                await self.client.send_all(data)


# What ends a line, or, if it returns, does not.


async def _reset(line: Line) -> None:
    await line.stop()
    if line.fault is Fault.RESET:
        await line.inject(wire.torn(line.transport, head_passed=line.begun.is_set()))
    # Closed so, the client reads a reset and not an end.
    line.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raise trio.BrokenResourceError("the line is over")


async def _end(line: Line) -> None:
    await line.stop()
    await line.part()


async def _close(line: Line) -> None:
    await line.begun.wait()
    await line.stop()
    await line.inject(wire.close_frame(line.fault.code if line.fault else 0))
    await line.part()


async def _answer(line: Line) -> None:
    await line.stop()
    if not line.struck.is_set():
        await line.inject(wire.refusal(line.fault.code if line.fault else 0))
    await line.part()


async def _plain(line: Line) -> None:
    await line.stop()
    await line.inject(wire.PLAIN)
    await line.part()


async def _silence(line: Line) -> None:
    await line.stop()
    await line.until_gone()


async def _rubbish(line: Line) -> None:
    await line.stop()
    await line.inject(wire.RUBBISH)
    await line.part()


async def _huge(line: Line) -> None:
    if line.transport is Transport.WEBSOCKET:
        await line.begun.wait()
        await line.inject(wire.huge_message())
        await trio.sleep_forever()
    await line.stop()
    await line.inject(wire.huge_answer()[-wire.HUGE if line.begun.is_set() else 0 :])
    await line.part()


async def _twist(_line: Line) -> None:
    # What passes is spoiled on its way.
    await trio.sleep_forever()


Ending: TypeAlias = Callable[[Line], Awaitable[None]]

CLOSES: Mapping[Fault, Ending] = dict.fromkeys(
    (Fault.CLOSE_1000, Fault.CLOSE_1008, Fault.CLOSE_1011, Fault.CLOSE_1013), _close
)
"""Faults that are said in the end, by a goodbye."""
ANSWERS: Mapping[Fault, Ending] = dict.fromkeys(
    (Fault.HTTP_401, Fault.HTTP_402, Fault.HTTP_429, Fault.HTTP_500, Fault.HTTP_503), _answer
)
"""Faults that a client meets when it asks anew."""
_ENDINGS: Mapping[Fault, Ending] = {
    Fault.REFUSED: _reset,
    Fault.RESET: _reset,
    Fault.END: _end,
    **CLOSES,
    **ANSWERS,
    Fault.TLS: _plain,
    Fault.SILENCE: _silence,
    Fault.RUBBISH: _rubbish,
}
_HARMS: Mapping[Fault, Ending] = {**_ENDINGS, Fault.HUGE: _huge}
