"""Signals become events: SIGTERM and Ctrl-C end the process, SIGHUP has files read again."""

import logging
import os
import signal
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial

import attrs
import trio

from waav.tasks import open_scoped_nursery

logger = logging.getLogger(__name__)

_SIGNALS = (signal.SIGINT, signal.SIGTERM)

OVERTIME = 5.0
"""Seconds after the grace period that closing everything may take before the process is ended."""


@asynccontextmanager
async def stop_on_signals(grace: float, *, once: bool = False) -> AsyncIterator[trio.Event]:
    """Give an event that the first SIGTERM or SIGINT sets; wrap it around the whole program.

    A second signal ends the process at once: from the first one on the signals do
    what the kernel does with them; with ``once`` they do nothing. That is for a worker,
    which a terminal or a service manager signals too when it means the supervisor. And if the block has not been left ``grace`` and
    :data:`OVERTIME` seconds after the first one, because a plugin holds a task or even
    the event loop, a thread ends the process with status 1.
    """
    stopping = trio.Event()
    async with trio.open_nursery() as nursery:
        watch = partial(_watch, stopping, grace + OVERTIME, once=once)
        await nursery.start(watch, name="server/signals")
        yield stopping
        nursery.cancel_scope.cancel(reason="the program is over")


async def _watch(
    stopping: trio.Event,
    patience: float,
    *,
    once: bool,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    before = [(number, signal.getsignal(number)) for number in _SIGNALS]
    with trio.open_signal_receiver(*_SIGNALS) as received:
        task_status.started()
        first = await anext(aiter(received))
        if once:
            with _stopping(stopping, first, patience):
                async for number in received:
                    logger.debug("%s: shutting down already", signal.Signals(number).name)
    for each in _SIGNALS:
        signal.signal(each, signal.SIG_DFL)
    try:
        with _stopping(stopping, first, patience):
            await trio.sleep_forever()
    finally:
        for each, handler in before:
            signal.signal(each, handler)


@contextmanager
def _stopping(stopping: trio.Event, number: int, patience: float) -> Iterator[None]:
    logger.info("%s: shutting down", signal.Signals(number).name)
    # A thread, because what holds the process may hold the event loop.
    timer = threading.Timer(patience, _end)
    timer.daemon = True
    timer.start()
    stopping.set()
    try:
        yield
    finally:
        timer.cancel()


def _end() -> None:
    logger.critical("still not down after the grace period: ending the process")
    os._exit(1)


@attrs.define(eq=False)
class Reloads:
    """Somebody's wishes that what was read at the start be read again; any number may wait for one."""

    asked: int = attrs.field(default=0, init=False)
    """How often, since the start."""
    _more: trio.Event = attrs.field(factory=trio.Event, init=False)

    def ask(self) -> None:
        """Wish so, once more."""
        self.asked += 1
        self._more.set()
        self._more = trio.Event()

    async def after(self, asked: int) -> None:
        """Wait until somebody has wished so more often than ``asked``."""
        while self.asked <= asked:
            await self._more.wait()


@asynccontextmanager
async def reload_on_hangup() -> AsyncIterator[Reloads]:
    """Give wishes to which every SIGHUP adds one, for as long as the block lasts.

    A process that does not take this signal is ended by it.
    """
    reloads = Reloads()
    async with open_scoped_nursery("the program is over") as nursery:
        await nursery.start(_count_hangups, reloads, name="server/hangups")
        yield reloads


async def _count_hangups(
    reloads: Reloads, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    with trio.open_signal_receiver(signal.SIGHUP) as received:
        task_status.started()
        async for _ in received:
            logger.info("SIGHUP: reading again what was read at the start")
            reloads.ask()
