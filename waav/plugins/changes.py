"""Waiting until something about plugins has become true."""

from collections.abc import Callable

import attrs
import trio


@attrs.define(eq=False)
class Changes:
    """Who changes something rings; who waits looks again.

    One for all plugins: they are few and change seldom, and a plugin that waits for another one
    needs no list of listeners there.
    """

    _waiting: trio.lowlevel.ParkingLot = attrs.field(factory=trio.lowlevel.ParkingLot)

    def ring(self) -> None:
        """Say that something has changed."""
        self._waiting.unpark_all()

    async def until(self, true: Callable[[], bool]) -> None:
        """Return when it is true; at once if it is now."""
        while not true():
            await self._waiting.park()

    async def until_within(self, timeout: float, true: Callable[[], bool]) -> bool:
        """As :meth:`until`, for at most ``timeout`` seconds; return whether it is true."""
        with trio.move_on_after(timeout):
            await self.until(true)
        return true()
