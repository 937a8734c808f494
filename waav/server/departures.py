"""Sends many connections away, a few at a time, so that those who still talk do not hear it."""

from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import contextmanager
from math import ceil
from typing import TypeVar

import attrs
import trio

T = TypeVar("T")

BATCH = 10
"""How many leave at one time: to end a session takes up to 0.3 ms of the event loop, and they end together."""

PAUSE = 0.02
"""Seconds between two batches, if there is so much time."""

SHARE = 0.25
"""At most so much of the grace period is taken for asking everybody, and for cancelling them."""


@attrs.define(eq=False)
class Departures:
    """The connections that are open, in the order in which they came."""

    _asked: bool = attrs.field(default=False, init=False)
    _staying: dict[trio.Event, None] = attrs.field(factory=dict, init=False)
    """Who has not been asked to leave."""
    _scopes: dict[trio.CancelScope, None] = attrs.field(factory=dict, init=False)
    """Of everybody who is still here."""

    @contextmanager
    def join(self) -> Iterator[trio.Event]:
        """Be here for as long as the block lasts; leave politely when the event is set.

        Who stays for too long after that is cancelled, without anything being raised.
        """
        leave = trio.Event()
        if self._asked:
            leave.set()
        else:
            self._staying[leave] = None
        with trio.CancelScope() as scope:
            self._scopes[scope] = None
            try:
                yield leave
            finally:
                self._staying.pop(leave, None)
                del self._scopes[scope]

    async def see_off(self, stopping: trio.Event, grace: float) -> None:
        """Once ``stopping`` is set, ask everybody to leave; cancel those who are here at the end.

        All of it happens within ``grace`` seconds: who is asked last has three quarters of them,
        and the last ones are cancelled when they are over. Then it returns.
        """
        await stopping.wait()
        over, most = trio.current_time() + grace, grace * SHARE
        self._asked = True
        async for asked in _batches(self._staying, most):
            for leave in asked:
                leave.set()
        await trio.sleep_until(over - min(_duration(self._scopes), most))
        async for left in _batches(self._scopes, most):
            for scope in left:
                scope.cancel(reason="the grace period is over")


def _duration(members: Collection[object]) -> float:
    return ceil(len(members) / BATCH) * PAUSE


async def _batches(members: Collection[T], most: float) -> AsyncIterator[Sequence[T]]:
    """Yield all members, a batch at a time, with pauses that take ``most`` seconds altogether."""
    waiting = tuple(members)
    batches = ceil(len(waiting) / BATCH)
    for start in range(0, len(waiting), BATCH):
        yield waiting[start : start + BATCH]
        await trio.sleep(min(PAUSE, most / batches))
