"""A worker's side of the line: slots that the supervisor counts, and news of the other workers."""

import logging
import os
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from itertools import count

import attrs
import trio

from waav.errors import LimitReached
from waav.observe.fleet import News, Report
from waav.security.limits import Key, Scope
from waav.server.workers.line import Line, open_line
from waav.server.workers.messages import (
    AskOthers,
    Begin,
    FromSupervisor,
    Others,
    Ready,
    Release,
    Reload,
    Reported,
    Stop,
    Take,
    Taken,
)
from waav.tasks import open_scoped_nursery

PATIENCE = 1.0
"""Seconds in which the supervisor must answer."""

REPORT_INTERVAL = 1.0
"""Seconds between two reports."""

log = logging.getLogger(__name__)


@attrs.define
class _Question:
    answered: trio.Event = attrs.Factory(trio.Event)
    answer: FromSupervisor | None = None


@attrs.define(eq=False)
class Link:
    """Made by :func:`open_link`. A ``waav.security.limits.Limiter`` and a ``waav.observe.fleet.Fleet``."""

    _line: Line
    may_begin: trio.Event = attrs.field(factory=trio.Event, init=False)
    """Set when connections may be taken in."""
    _told_to_stop: bool = attrs.field(default=False, init=False)
    _numbers: "count[int]" = attrs.field(factory=count, init=False)
    _questions: dict[int, _Question] = attrs.field(factory=dict, init=False)

    @asynccontextmanager
    async def slot(self, keys: Sequence[Key]) -> AsyncIterator[None]:
        """Hold a slot of each key, of all that the workers have together.

        Raises:
            LimitReached: one key has none left, or the supervisor does not answer in time.
        """
        number, wanted = next(self._numbers), tuple(keys)
        try:
            full = await self._take(number, wanted)
            if full is not None:
                raise LimitReached(full)
            yield
        finally:
            # Also when the answer was "no", or is still on its way: nobody holds it then.
            self._line.tell(Release(number))

    async def _take(self, number: int, keys: tuple[Key, ...]) -> Scope | None:
        if not keys:
            return None
        if not self._line.is_stuck:
            match await self._ask(Take(number, keys)):
                case Taken(_, full):
                    return full
                case _:
                    pass
        return keys[0][0]

    async def others(self) -> News:
        """Return what the other workers said last; nothing if the supervisor does not answer."""
        match await self._ask(AskOthers(next(self._numbers))):
            case Others(_, news):
                return news
            case _:
                return News()

    async def _ask(self, question: Take | AskOthers) -> FromSupervisor | None:
        asked = self._questions[question.number] = _Question()
        self._line.tell(question)
        try:
            with trio.move_on_after(PATIENCE):
                await asked.answered.wait()
        finally:
            del self._questions[question.number]
        return asked.answer

    def ready(self) -> None:
        """Tell the supervisor that connections could be taken in."""
        self._line.tell(Ready())

    async def report(self, describe: Callable[[], Report]) -> None:
        """Tell the supervisor every second how this worker is."""
        while True:
            if not self._line.is_stuck:
                self._line.tell(Reported(describe()))
            await trio.sleep(REPORT_INTERVAL)

    async def _listen(self) -> None:
        async for message in self._line.messages():
            match message:
                case Begin():
                    self.may_begin.set()
                case Stop():
                    self._told_to_stop = True
                    signal.raise_signal(signal.SIGTERM)
                case Reload():
                    signal.raise_signal(signal.SIGHUP)
                case Taken(number) | Others(number):
                    self._note(number, message)
                case _:
                    log.warning("the supervisor says what only workers say: %s", type(message))
        self._lost()

    def _note(self, number: int, answer: FromSupervisor) -> None:
        asked = self._questions.get(number)
        if asked is not None:
            asked.answer = answer
            asked.answered.set()

    def _lost(self) -> None:
        """End as the supervisor has: after a first signal politely, after a second one at once."""
        if self._told_to_stop:
            log.error("the supervisor has ended at once, and so do we")
            os._exit(1)
        log.error("the supervisor is gone: shutting down")
        signal.raise_signal(signal.SIGTERM)


@asynccontextmanager
async def open_link(stream: trio.abc.Stream) -> AsyncIterator[Link]:
    """Hold the worker's end for as long as the block lasts, inside of whatever takes SIGTERM and SIGHUP."""
    async with open_line(stream) as line, open_scoped_nursery("the worker ends") as nursery:
        link = Link(line)
        nursery.start_soon(link._listen, name="workers/listen")  # noqa: SLF001  # this file's own
        yield link
