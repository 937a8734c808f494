"""How much the gateway has to do, and what that means for those who ask: the task ``gateway/load``."""

import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager

import attrs
import trio

from waav.errors import Overloaded
from waav.observe.lag import LoopLag
from waav.observe.memory import limit, resident
from waav.observe.stages import Rules, Situation, Stage
from waav.tasks import open_scoped_nursery

SAMPLE = 0.1
"""Seconds between two looks; each ends one idle session at most, in the stage for that."""

log = logging.getLogger(__name__)


@attrs.define(eq=False)
class Guest:
    """A session that can be ended when nobody uses it."""

    used_at: Callable[[], float]
    """When somebody last said something in it, on trio's clock."""
    leave: trio.Event
    """Set when it is to end, by whoever wants that."""
    evicted: bool = False
    """It was the load that did."""


@attrs.define(eq=False)
class Load:
    """How much there is to do. Whoever asks is told at once; nobody is called."""

    rules: Rules = Rules()
    lag: LoopLag = attrs.Factory(LoopLag)
    situation: Situation = Situation()
    memory: float = 0.0
    """The share that is used of the memory that may be used; 0 where that cannot be told."""
    entered: Counter[Stage] = attrs.Factory(Counter)
    """How often each stage was entered, from above or from below."""
    refused: int = 0
    """How many were sent away."""
    shed: int = 0
    """Sessions that had to do without something."""
    evicted: int = 0
    """Sessions that were ended."""
    _guests: set[Guest] = attrs.Factory(set)

    @property
    def stage(self) -> Stage:
        """What is done about it now."""
        return self.situation.stage

    @property
    def sheds(self) -> bool:
        """Whether what sessions can do without is left out."""
        return self.situation.stage >= Stage.SHED

    def refusal(self) -> Overloaded | None:
        """Return what somebody new is told; None if they may come in. Counts those who may not."""
        if self.situation.stage is Stage.NORMAL:
            return None
        self.refused += 1
        return self.overloaded()

    def overloaded(self) -> Overloaded:
        """Return what whoever has to go is told: when it can be over at the earliest."""
        # Each stage is left through those below it.
        return Overloaded(self.rules.calm * max(1, self.situation.stage))

    @contextmanager
    def guest(self, used_at: Callable[[], float], leave: trio.Event) -> Iterator[Guest]:
        """Know a session that can be told to end, for as long as the block lasts."""
        guest = Guest(used_at, leave)
        self._guests.add(guest)
        try:
            yield guest
        finally:
            self._guests.discard(guest)

    def judge(self, lag: float, memory: float, now: float) -> None:
        """Look at what was measured, and do what the stage asks for. Seconds, and a share."""
        self.memory = memory
        before, self.situation = self.stage, self.rules.next(self.situation, lag, memory, now)
        if self.stage is not before:
            self.entered[self.stage] += 1
            level = logging.WARNING if self.stage > before else logging.INFO
            state = self.stage.name.lower(), lag * 1000, memory * 100
            log.log(level, "load: %s (event loop %.0f ms late, memory %.0f %%)", *state)
        if self.stage is Stage.EVICT:
            self._evict(now)

    def _evict(self, now: float) -> None:
        guest = longest_idle(self._guests, now - self.rules.idle)
        if guest is not None:
            self._guests.discard(guest)
            self.evicted += 1
            guest.evicted = True
            guest.leave.set()

    async def run(self, available: int | None) -> None:
        """Judge ten times a second, until cancelled. ``available``: bytes that may be used."""
        while True:
            await trio.sleep(SAMPLE)
            used = resident() if available else None
            memory = used / available if used and available else 0.0
            self.judge(self.lag.lately, memory, trio.current_time())


def longest_idle(guests: Iterable[Guest], before: float) -> Guest | None:
    """Return who has not been used for the longest time, and not since ``before``."""
    used_at, guest = min(
        ((guest.used_at(), guest) for guest in guests),
        key=lambda known: known[0],
        default=(before, None),
    )
    return guest if used_at < before else None


@asynccontextmanager
async def open_load(rules: Rules | None = None) -> AsyncIterator[Load]:
    """Measure for as long as the block lasts; without rules, measure only."""
    load = Load(rules or Rules())
    async with open_scoped_nursery("the gateway closes") as nursery:
        nursery.start_soon(load.lag.run, name="gateway/lag")
        if rules is not None:
            nursery.start_soon(load.run, limit(), name="gateway/load")
        yield load
