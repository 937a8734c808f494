"""One thread for many: whatever is due when it is free goes into one call.

There is no task of its own. Of those who wait, one at a time takes what is due into the thread, for
all of them. After a call with much in it the next one waits a little, so that work gathers. Alone, a
piece of work waits for nobody; among many, calls do not come more often but have more in them.
"""

from collections.abc import Callable, Sequence
from itertools import islice
from math import inf
from typing import Generic, TypeVar

import attrs
import trio

from capabilities import ProviderClosed

TICK = 0.005
"""Seconds between the beginnings of two calls under load. Half of it is the mean delay."""
CROWD = 8
"""So many and more in one call are load; with fewer the tick is shorter, and after a single one 0."""

Due = TypeVar("Due")
Done = TypeVar("Done")


@attrs.define(eq=False)
class _Place(Generic[Due, Done]):
    """One who waits."""

    due: Due
    turn: trio.Event = attrs.field(factory=trio.Event)
    """It is done, or the one who waits shall see to it."""
    done: tuple[Done] | None = None
    error: Exception | None = None


@attrs.define(eq=False)
class Worker(Generic[Due, Done]):
    """A function in a thread, for whoever has something for it."""

    provider: str
    _work: Callable[[Sequence[Due]], Sequence[Done]]
    """Called in a thread, never twice at one time; gives one result for each that is due."""
    _largest: int = 128
    """The most in one call: what those who come meanwhile have to wait for."""
    _tick: float = TICK
    sizes: dict[int, int] = attrs.field(factory=dict, init=False)
    """How many calls had how much in them."""
    _waiting: dict[_Place[Due, Done], None] = attrs.field(factory=dict, init=False)
    """A set in the order of arrival."""
    _busy: bool = attrs.field(default=False, init=False)
    _earliest: float = attrs.field(default=-inf, init=False)
    """When the next call may begin."""
    _limiter: trio.CapacityLimiter = attrs.field(
        factory=lambda: trio.CapacityLimiter(1), init=False
    )
    """Of its own: the threads of all are no queue to wait in."""

    async def do(self, due: Due) -> Done:
        """Return what the function makes of ``due``. Cancelling takes effect after the call at the latest.

        Raises:
            ProviderClosed: the function raised something.
        """
        place = _Place[Due, Done](due)
        self._waiting[place] = None
        try:
            while place.done is None and place.error is None:
                if self._busy:
                    # Anew: who was called and came too late would find the old one set for ever.
                    place.turn = trio.Event()
                    await place.turn.wait()
                else:
                    await self._call()
        finally:
            self._waiting.pop(place, None)
            self._pass_on()
        if place.done is None:
            raise ProviderClosed(self.provider, "its computation failed") from place.error
        return place.done[0]

    async def _call(self) -> None:
        """Take what is due into the thread; if that is cancelled before it begins, it stays due."""
        self._busy = True
        batch: list[_Place[Due, Done]] = []
        try:
            await trio.sleep_until(self._earliest)
            batch = list(islice(self._waiting, self._largest))
            self._earliest = trio.current_time() + self._tick * min(1, (len(batch) - 1) / CROWD)
            work = [place.due for place in batch]
            results = await trio.to_thread.run_sync(self._work, work, limiter=self._limiter)
            self.sizes[len(batch)] = self.sizes.get(len(batch), 0) + 1
            for place, result in zip(batch, results, strict=True):
                place.done = (result,)
        except Exception as exc:  # noqa: BLE001 - it is told to all whose work it was
            for place in batch:
                place.error = exc
        finally:
            self._busy = False
        for place in batch:
            self._waiting.pop(place, None)
            place.turn.set()

    def _pass_on(self) -> None:
        """Let the one that waits longest take the next call."""
        if self._waiting and not self._busy:
            next(iter(self._waiting)).turn.set()
