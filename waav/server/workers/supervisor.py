"""Keeps workers alive on one port, answers them, and sees them off."""

import logging
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import aclosing, contextmanager
from socket import socketpair
from typing import IO

import attrs
import trio

from waav.errors import WaavError
from waav.server.signals import Reloads
from waav.server.workers.desk import Desk
from waav.server.workers.line import Line, open_line
from waav.server.workers.messages import (
    AskOthers,
    Begin,
    Message,
    Nonsense,
    Ready,
    Release,
    Reload,
    Reported,
    Stop,
    Take,
)
from waav.server.workers.restarts import Restarts
from waav.server.workers.shares import Shares, open_shares
from waav.server.workers.worker import Inherited
from waav.tasks import open_scoped_nursery

START_PATIENCE = 120.0
"""Seconds in which a worker must be up: plugins may load models."""

SILENCE = 30.0
"""Seconds without a report after which a worker counts as hung; it reports every second."""

EXIT_PATIENCE = 5.0
"""Seconds for a process to end that has hung up."""

log = logging.getLogger(__name__)


class NoWorker(WaavError):
    """Workers do not come up, and nobody serves; each has said why on its standard error."""

    def __init__(self) -> None:
        super().__init__("no worker comes up: giving up")


@attrs.define(eq=False)
class _Worker:
    process: trio.Process
    line: Line
    up_at: float | None = None
    """When it was ready, on trio's clock."""

    def dismiss(self) -> None:
        """Tell it to go; one that is not up has nobody with it, and to wait for it would be silly."""
        if self.up_at is None:
            self.process.kill()
        else:
            self.line.tell(Stop())


@attrs.define(eq=False)
class Supervisor:
    """Runs as many workers as are wanted, and one that waits in case one of them dies."""

    command: Sequence[str]
    """Starts a worker, when its :class:`Inherited` is added."""
    workers: int
    listeners: Sequence[trio.SocketListener]
    desk: Desk
    reloads: Reloads = attrs.Factory(Reloads)
    """Somebody's wishes that are passed on to the workers."""
    up: trio.Event = attrs.field(factory=trio.Event, init=False)
    """Set when the first worker serves."""
    _restarts: Restarts = attrs.field(factory=Restarts, init=False)
    _shares_file: IO[bytes] = attrs.field(init=False)
    _shares: Shares = attrs.field(init=False)
    _staff: dict[int, _Worker] = attrs.field(factory=dict, init=False)
    """By place."""

    async def run(self, stopping: trio.Event) -> None:
        """Keep them alive until ``stopping`` is set and they have ended; closes the listeners.

        The first one goes ahead. What is wrong with all of them is told once, by that one.

        Raises:
            NoWorker: it makes no sense to start them.
        """
        with open_shares(self.workers + 1) as self._shares_file:
            self._shares = Shares.over(self._shares_file.fileno())
            await self._run(stopping)

    async def _run(self, stopping: trio.Event) -> None:
        async with trio.open_nursery() as nursery:
            for place in range(self.workers + 1):
                nursery.start_soon(self._keep, place, stopping, name=f"workers/{place}")
            async with open_scoped_nursery("the workers end") as passing:
                passing.start_soon(self._pass_reloads, name="workers/reload")
                await stopping.wait()
            self.up.set()  # nobody need wait for the first one any more
            for listener in self.listeners:
                await listener.aclose()
            for worker in self._staff.values():
                worker.dismiss()

    async def _pass_reloads(self) -> None:
        asked = 0
        while True:
            await self.reloads.after(asked)
            asked = self.reloads.asked
            for worker in self._staff.values():
                worker.line.tell(Reload())

    async def _keep(self, place: int, stopping: trio.Event) -> None:
        """Have somebody in one place, again and again."""
        if place:
            await self.up.wait()
        pause = 0.0
        while True:
            with trio.move_on_after(pause):
                await stopping.wait()
            if stopping.is_set():
                return
            try:
                lived = await self._employ(place, stopping)
            except OSError as error:  # no memory, no descriptors: the others have theirs
                log.error("a worker cannot be started: %s", error)  # noqa: TRY400  # no bug of ours
                lived = None
            if stopping.is_set():
                return
            pause = self._restarts.pause(lived)
            if self._restarts.hopeless and not self.desk.serving:
                raise NoWorker
            log.warning("a worker has ended; another one starts in %g s", pause)

    async def _employ(self, place: int, stopping: trio.Event) -> float | None:
        """Start a worker and see it through; return how long it was up, None if it never was.

        Raises:
            OSError: it cannot be started now.
        """
        ours, theirs = socketpair()
        async with open_line(trio.SocketStream(trio.socket.from_stdlib_socket(ours))) as line:
            with theirs:
                process = await self._start(place, theirs.fileno())
            worker = _Worker(process, line)
            try:
                with self._employed(place, worker):
                    if stopping.is_set():
                        worker.dismiss()  # it was not there when all others were told
                    await self._attend(place, worker)
                with trio.move_on_after(EXIT_PATIENCE):
                    await process.wait()
            finally:
                process.kill()
                with trio.move_on_after(EXIT_PATIENCE, shield=True):
                    await process.wait()
        log.info("worker %d: ended with status %s", process.pid, process.returncode)
        return None if worker.up_at is None else trio.current_time() - worker.up_at

    async def _start(self, place: int, link: int) -> trio.Process:
        sockets = tuple(each.socket.fileno() for each in self.listeners)
        shares = self._shares_file.fileno()
        return await trio.lowlevel.open_process(
            [*self.command, str(Inherited(self.workers, place, shares, link, sockets))],
            pass_fds=(shares, link, *sockets),
            stdin=subprocess.DEVNULL,
        )

    @contextmanager
    def _employed(self, place: int, worker: _Worker) -> Iterator[None]:
        self._staff[place] = worker
        self.desk.open(place)
        try:
            yield
        finally:
            self.desk.close(place)
            self._shares.vacate(place)
            del self._staff[place]
            self._arrange()

    async def _attend(self, place: int, worker: _Worker) -> None:
        """Answer a worker until it hangs up, or there is no sense in listening any longer."""
        async with aclosing(worker.line.messages()) as messages:
            while True:
                patience = START_PATIENCE if worker.up_at is None else SILENCE
                try:
                    with trio.fail_after(patience):
                        message = await anext(messages, None)
                except (trio.TooSlowError, Nonsense) as error:
                    log.error("worker %d is killed: %r", worker.process.pid, error)  # noqa: TRY400  # no stack of ours explains it
                    worker.process.kill()
                    return
                if message is None:
                    return
                self._hear(place, worker, message)

    def _hear(self, place: int, worker: _Worker, message: Message) -> None:
        match message:
            case Ready():
                worker.up_at = trio.current_time()
                self._restarts.began()
                log.info("worker %d: ready", worker.process.pid)
                self._arrange()
            case AskOthers() if worker.line.is_stuck:
                pass  # it reads nothing, and would not read this either
            case Take() | Release() | AskOthers() | Reported():
                answer = self.desk.answer(place, message)
                if answer is not None:
                    worker.line.tell(answer)
            case _:
                log.warning("worker %d says what only we say", worker.process.pid)

    def _arrange(self) -> None:
        """Let as many serve as are wanted, if so many are up."""
        for place, worker in self._staff.items():
            if self.desk.serving == self.workers:
                return
            if worker.up_at is not None and self.desk.begin(place):
                worker.line.tell(Begin())
                self.up.set()
