"""A listening socket that all workers accept from: the one with the fewest sessions goes first."""

import select
from collections.abc import Callable

import attrs
import trio

from waav.server.workers.shares import Shares

COURTESY = 0.001
"""Seconds that a worker leaves a connection to the others, for each session that it has more."""

MOST_COURTESY = 0.01
"""The others may be held up."""


@attrs.frozen(eq=False)
class SharedListener(trio.abc.Listener[trio.SocketStream]):
    """Takes in nobody before it may.

    All workers have one queue, which belongs to the supervisor too: when one of them dies, those who
    wait in it are taken in by the others. With a socket for each worker (``SO_REUSEPORT``) the kernel
    would reset them, and a second gateway on the same port would not be noticed.
    """

    _listener: trio.SocketListener
    _may_begin: trio.Event
    _shares: Shares
    _place: int
    _sessions: Callable[[], int | None]
    """How many this worker has; None while it would let nobody in."""

    @property
    def socket(self) -> trio.socket.SocketType:
        """What is listened on."""
        return self._listener.socket

    async def accept(self) -> trio.SocketStream:
        """Return the next connection that no other worker has taken."""
        await self._may_begin.wait()
        self._note()
        while True:
            await trio.lowlevel.wait_readable(self.socket)
            self._note()
            if excess := self._shares.excess(self._place):
                await trio.sleep(min(excess * COURTESY, MOST_COURTESY))
            if self._somebody_waits():
                return await self._listener.accept()

    def _note(self) -> None:
        sessions = self._sessions()
        if sessions is None:
            # With the fewest sessions it would draw everybody, only to send them away.
            self._shares.vacate(self._place)
        else:
            self._shares.note(self._place, sessions)

    def _somebody_waits(self) -> bool:
        waiting = select.poll()
        waiting.register(self.socket.fileno(), select.POLLIN)
        return bool(waiting.poll(0))

    async def aclose(self) -> None:
        """Close this worker's end; the others go on, and need not leave anything to this one."""
        self._shares.vacate(self._place)
        await self._listener.aclose()
