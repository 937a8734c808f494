"""How late the event loop is: one task that wants to wake every 20 ms, and notes when it did."""

import time
from collections import deque
from itertools import islice

import attrs
import trio

INTERVAL = 0.02
"""Seconds between two wakes: as the frames of a session have it."""
WINDOW = 500
"""Wakes that are remembered: 10 s."""
LATELY = 50
"""Wakes that tell how it is now: 1 s."""
OFTEN = 0.8
"""The share of these that is not later than it is now."""


@attrs.define(eq=False)
class LoopLag:
    """How late tasks were woken, in seconds, while :meth:`run` runs; 0 before."""

    beat: float = attrs.Factory(time.perf_counter)
    """When the loop was last known to run, by ``time.perf_counter``: for other threads."""
    wakes: int = 0
    """So often did the task wake."""
    _late: deque[float] = attrs.Factory(lambda: deque(maxlen=WINDOW))
    """One for each interval of time, the newest last."""

    @property
    def p99(self) -> float:
        """Of a hundred wakes in the last 10 s, one was as late or later."""
        return percentile(list(self._late))

    @property
    def lately(self) -> float:
        """Of five wakes in the last second, one was as late or later.

        Of a hundred, one is also late where a virtual machine loses its core for 30 ms now and then,
        with no more to do than there is time for. Who has too much to do is late again and again.
        """
        return percentile(list(islice(reversed(self._late), LATELY)), OFTEN)

    @property
    def worst(self) -> float:
        """The longest in the last 10 s."""
        return max(self._late, default=0.0)

    def note(self, late: float) -> int:
        """Remember one wake; return how many intervals have gone by with it.

        A loop that is held for a second lets 50 wakes pass by. Each of them would have been late,
        the first by a second and the last by almost nothing, and so they are noted: otherwise the
        worse it is, the less of it would be seen.
        """
        passed = 1 + int(max(late, 0.0) / INTERVAL)
        for missed in range(max(0, passed - WINDOW), passed):
            self._late.append(max(late - missed * INTERVAL, 0.0))
        self.wakes += 1
        return passed

    async def run(self) -> None:
        """Wake every 20 ms, until cancelled."""
        due = trio.current_time() + INTERVAL
        while True:
            await trio.sleep_until(due)
            self.beat = time.perf_counter()
            due += self.note(trio.current_time() - due) * INTERVAL


def percentile(values: list[float], share: float = 0.99) -> float:
    """Return what that share of the values does not exceed; 0 if there are none."""
    return sorted(values)[int(share * (len(values) - 1))] if values else 0.0
