"""The load generator's event loop: sockets that are ready, and things that are due. Nothing else.

It is no trio, because it must cost less per frame than what it measures: one ``recv`` or ``send``
for each frame, no task, no future. Its clock is ``time.monotonic_ns``.
"""

import contextlib
import select
import socket
import time
from collections.abc import Callable
from typing import TypeAlias

import attrs

Address: TypeAlias = tuple[str, int]

_READ = 1 << 16
_MOST_UNSENT = 1 << 20
"""Bytes. Who leaves more than that unread is hung up on."""
_AT_ONCE = 32
"""Sockets that are served, and frames that are sent, before the other kind gets its turn."""


@attrs.define
class Beat:
    """Something that is done again and again, evenly: the n-th time ``n * step`` after the start."""

    act: Callable[[int, int], None]
    """Given n, and how late it is in nanoseconds."""
    step: float
    """Nanoseconds."""
    start: int
    done: int = 0

    @property
    def due(self) -> int:
        """When it is to be done next."""
        return self.start + int(self.done * self.step)

    def catch_up(self) -> None:
        """Do what is due, though not all of it at once if that is much."""
        for _ in range(_AT_ONCE):
            late = time.monotonic_ns() - self.due
            if late < 0:
                return
            number, self.done = self.done, self.done + 1
            self.act(number, late)


class Loop:
    """Serves lines and beats in one thread."""

    def __init__(self) -> None:
        self.beats: list[Beat] = []
        self._epoll = select.epoll()
        self._ready: dict[int, Callable[[int], None]] = {}

    def run(self, seconds: float, until: Callable[[], bool] = lambda: False) -> bool:
        """Serve for so long, or until ``until`` says so; say whether it did."""
        end = time.monotonic_ns() + int(seconds * 1e9)
        while not (done := until()) and time.monotonic_ns() < end:
            for beat in self.beats:
                beat.catch_up()
            wait = min([end, *(beat.due for beat in self.beats)]) - time.monotonic_ns()
            # An epoll waits for whole milliseconds only; select waits for it to the microsecond.
            if wait > 0 and not select.select([self._epoll], [], [], wait / 1e9)[0]:
                continue
            for number, events in self._epoll.poll(0, _AT_ONCE):
                if (ready := self._ready.get(number)) is not None:
                    ready(events)
        return done

    def add(self, number: int, events: int, ready: Callable[[int], None]) -> None:
        """Call ``ready`` with what is up whenever one of ``events`` is."""
        self._ready[number] = ready
        self._epoll.register(number, events)

    def change(self, number: int, events: int) -> None:
        """Wait for other events from now on."""
        self._epoll.modify(number, events)

    def drop(self, number: int) -> None:
        """Forget a file; before it is closed."""
        del self._ready[number]
        self._epoll.unregister(number)


class Line:
    """One connection: bytes go out at once or as soon as they can, and come in whenever they come."""

    def __init__(
        self,
        loop: Loop,
        connection: socket.socket,
        take: Callable[[bytes], None],
        over: Callable[[], None],
    ) -> None:
        """``take`` gets what comes in, ``over`` is called once, when the connection is gone."""
        self.is_open = True
        self._loop, self._socket, self._take, self._over = loop, connection, take, over
        self._unsent = b""
        connection.settimeout(0)
        loop.add(connection.fileno(), select.EPOLLIN, self._ready)

    @classmethod
    def to(
        cls,
        loop: Loop,
        address: Address,
        first: bytes,
        take: Callable[[bytes], None],
        over: Callable[[], None],
    ) -> "Line":
        """Connect, and send ``first`` as soon as somebody is there."""
        connection = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
        connection.settimeout(0)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.connect_ex(address)
        line = cls(loop, connection, take, over)
        line._keep(first)
        return line

    def send(self, data: bytes) -> None:
        """Send; what the far side is not ready for waits here."""
        if not self.is_open:
            return
        if self._unsent:
            self._keep(data)
            return
        try:
            sent = self._socket.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.close()
            return
        if sent < len(data):
            self._keep(data[sent:])

    def close(self) -> None:
        """Hang up."""
        if self.is_open:
            self.is_open = False
            self._loop.drop(self._socket.fileno())
            self._socket.close()
            self._over()

    def _keep(self, data: bytes) -> None:
        if not self._unsent:
            self._loop.change(self._socket.fileno(), select.EPOLLIN | select.EPOLLOUT)
        self._unsent += data
        if len(self._unsent) > _MOST_UNSENT:
            self.close()

    def _ready(self, events: int) -> None:
        if events & select.EPOLLOUT and self._unsent:
            self._send_rest()
        if self.is_open and events & ~select.EPOLLOUT:
            data = b""
            with contextlib.suppress(ConnectionError):
                data = self._socket.recv(_READ)
            if data:
                self._take(data)
            else:
                self.close()

    def _send_rest(self) -> None:
        data, self._unsent = self._unsent, b""
        self._loop.change(self._socket.fileno(), select.EPOLLIN)
        self.send(data)
