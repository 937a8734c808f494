"""A relay on loopback between a client and its vendor: it forwards bytes until it is told to strike.

It knows nothing of what a vendor says. A strike hits the connections there are, or, if there is
none, the next one; whoever comes after that finds all well again.
"""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from math import inf
from urllib.parse import urlsplit

import attrs
import trio

from waav.tasks import open_scoped_nursery
from waav.testing.relay_line import ANSWERS, Line
from waav.testing.relay_wire import Fault, Transport

REFUSAL = 0.2
"""Seconds in which nobody is let in."""
_HERE = "127.0.0.1"


@attrs.define(eq=False)
class Relay:
    """A running one. Made by :func:`open_relay`."""

    transport: Transport
    _upstream: str
    port: int = 0
    lines: list[Line] = attrs.field(factory=list)
    """All connections that there were, in the order in which they came."""
    _next: Fault | None = None
    """What waits for the next connection."""
    _refused: bool = False
    _at: float = inf
    """How far an answer gets before it is held or struck."""
    _then: Fault | None = None
    """What strikes there; it is held if None."""
    _listener: trio.SocketListener | None = None

    @property
    def url(self) -> str:
        """Where clients find it."""
        return f"http://{_HERE}:{self.port}"

    @property
    def secure_url(self) -> str:
        """The same for clients that shall expect TLS, which it does not speak: for :attr:`Fault.TLS`."""
        return f"https://{_HERE}:{self.port}"

    @property
    def has_struck(self) -> bool:
        """Whether a connection has met its fault."""
        return self._refused or any(line.suffers for line in self.lines)

    def hold(self, at: int = 0) -> None:
        """Let no more of an answer pass than ``at`` bytes behind its head, until it is struck."""
        self._at, self._then = at, None

    def strike(self, fault: Fault, at: int | None = None) -> None:
        """Do harm: now, or to the first answer that has come ``at`` bytes behind its head."""
        if at is not None:
            self._at, self._then = at, fault
            return
        self._at = inf
        living = [line for line in self.lines if not line.over]
        for line in living:
            line.strike(fault)
        if fault is Fault.REFUSED and self._listener is not None:
            self._refused = True
            self._listener.socket.close()
        elif fault in ANSWERS or not living:
            self._next = fault

    def has_room(self, passed: int) -> float:
        """How many more bytes may pass of an answer of which so many have; also below zero."""
        return self._at - passed

    def arrived(self, line: Line) -> None:
        """An answer has come as far as it may."""
        if self._then is not None:
            fault, self._at, self._then = self._then, inf, None
            line.strike(fault)

    async def reach(self) -> trio.abc.Stream:
        """Connect to the vendor."""
        place = urlsplit(self._upstream)
        host = place.hostname or ""
        if place.scheme not in {"https", "wss"}:
            return await trio.open_tcp_stream(host, place.port or 80)
        context = ssl.create_default_context()
        context.set_alpn_protocols(["h2" if self.transport is Transport.HTTP2 else "http/1.1"])
        return await trio.open_ssl_over_tcp_stream(
            host, place.port or 443, https_compatible=True, ssl_context=context
        )

    @property
    def vendor_host(self) -> str:
        """What a request has to ask for."""
        return urlsplit(self._upstream).netloc

    async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
        """Let connections in, but for the times in which they are refused."""
        async with trio.open_nursery() as nursery:
            while True:
                (self._listener,) = await trio.open_tcp_listeners(self.port, host=_HERE)
                self.port = self._listener.socket.getsockname()[1]
                async with self._listener:
                    task_status.started()
                    with suppress(trio.ClosedResourceError):
                        await self._let_in(self._listener, nursery)
                task_status = trio.TASK_STATUS_IGNORED
                await trio.sleep(REFUSAL)

    async def _let_in(self, listener: trio.SocketListener, nursery: trio.Nursery) -> None:
        while True:
            client = await listener.accept()
            fault = self._next
            # Who expects TLS will never be understood here.
            self._next = fault if fault is Fault.TLS else None
            line = Line(self, client, fault)
            self.lines.append(line)
            nursery.start_soon(line.run, name="testing/relay/line")


@asynccontextmanager
async def open_relay(upstream: str, transport: Transport) -> AsyncIterator[Relay]:
    """Run a relay for as long as the block lasts.

    Args:
        upstream: the vendor's address, ``http://`` or ``https://``, without a path.
        transport: what is spoken there.
    """
    relay = Relay(transport, upstream)
    async with open_scoped_nursery("the relay is not needed any more") as nursery:
        await nursery.start(relay.run, name="testing/relay")
        yield relay
