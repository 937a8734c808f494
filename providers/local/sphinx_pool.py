"""Recogniser processes: started when needed, used again, ended with the plugin."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Self

import attrs
import trio

from capabilities import ProviderClosed, ProviderUnavailable, Transcript
from providers.local import sphinx_wire as wire
from providers.local.slots import Slots

_PATIENCE = 20.0
"""Seconds that a process may take to load its model, on a busy machine."""
_WRITE = 1.0
"""Seconds that a request may take to be written. It goes into an empty pipe, which does not wait."""
_READ = 1 << 16


@attrs.define(eq=False)
class Worker:
    """One recogniser process. A request is answered by one reply, and only then comes the next."""

    name: str
    _process: trio.Process
    owed: int = 1
    """Replies not yet read; the first one says that the model is loaded."""
    moved: trio.lowlevel.ParkingLot = attrs.field(factory=trio.lowlevel.ParkingLot, init=False)
    """Where those wait who must be woken, at the latest, when the process ends."""
    _read: bytearray = attrs.field(factory=bytearray, init=False)

    @property
    def alive(self) -> bool:
        """The process runs."""
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    async def watch(self) -> None:
        """Wait for the end of the process, and wake who waits."""
        await self._process.wait()
        self.moved.unpark_all()

    def kill(self) -> None:
        """End the process now."""
        self._process.kill()

    async def tell(self, kind: wire.Kind, payload: bytes = b"") -> None:
        """Write one request, whole also when cancelled: half of one would spoil the process.

        Raises:
            ProviderClosed: the process is gone.
        """
        assert self._process.stdin is not None  # noqa: S101 - for the type checker: it is a pipe
        self.owed += 1
        try:
            with trio.fail_after(_WRITE, shield=True):
                await self._process.stdin.send_all(wire.request(kind, payload))
        except (trio.BrokenResourceError, trio.ClosedResourceError, trio.TooSlowError):
            self.kill()
            raise ProviderClosed(self.name, "the recogniser process ended") from None

    async def hear(self) -> list[Transcript]:
        """Read one reply. Being cancelled loses nothing: the next call goes on where this one was.

        Raises:
            ProviderClosed: the process is gone.
        """
        await self._fill(wire.REPLY_HEAD)
        end = wire.REPLY_HEAD + wire.reply_size(self._read[: wire.REPLY_HEAD])
        await self._fill(end)
        heard = wire.transcripts(bytes(self._read[wire.REPLY_HEAD : end]), "en-US")
        del self._read[:end]
        self.owed -= 1
        return heard

    async def catch_up(self) -> None:
        """Read the replies that an earlier stream left behind."""
        while self.owed:
            await self.hear()

    async def _fill(self, size: int) -> None:
        assert self._process.stdout is not None  # noqa: S101 - for the type checker: it is a pipe
        while len(self._read) < size:
            try:
                data = await self._process.stdout.receive_some(_READ)
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                data = b""
            if not data:
                self.kill()
                raise ProviderClosed(self.name, "the recogniser process ended")
            self._read += data


@attrs.define(eq=False)
class Pool:
    """The processes of one plugin: as many as there are streams, or were at the busiest time."""

    slots: Slots
    _nursery: trio.Nursery
    idle: list[Worker] = attrs.field(factory=list, init=False)

    @classmethod
    @asynccontextmanager
    async def open(cls, slots: Slots) -> AsyncIterator[Self]:
        """Start the first process; leaving the block ends all of them.

        Raises:
            ProviderUnavailable: the process does not come up.
        """
        async with trio.open_nursery() as nursery:
            pool = cls(slots, nursery)
            async with pool.worker():
                pass
            yield pool
            nursery.cancel_scope.cancel("the plugin is closed")

    @asynccontextmanager
    async def worker(self, opening: bytes | None = None) -> AsyncIterator[Worker]:
        """Hold a process that waits for a request, after it was told to open a stream.

        Raises:
            ProviderBusy: all places are taken.
            ProviderUnavailable: no process could be started.
        """
        with self.slots.take():
            worker = self._reuse() or await self._start()
            try:
                await self._prepare(worker, opening)
                yield worker
            finally:
                if worker.alive:
                    self.idle.append(worker)

    def _reuse(self) -> Worker | None:
        self.idle = [worker for worker in self.idle if worker.alive]
        return self.idle.pop() if self.idle else None

    async def _prepare(self, worker: Worker, opening: bytes | None) -> None:
        try:
            with trio.fail_after(_PATIENCE):
                await worker.catch_up()
                if opening is not None:
                    await worker.tell("O", opening)
                    await worker.catch_up()
        except (trio.TooSlowError, ProviderClosed):
            worker.kill()
            raise ProviderUnavailable(
                self.slots.provider, "the recogniser process does not come up"
            ) from None

    async def _start(self) -> Worker:
        process = await self._nursery.start(
            partial(
                trio.run_process,
                [sys.executable, "-P", "-m", "providers.local.sphinx_worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                check=False,
                deliver_cancel=_kill,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                start_new_session=True,  # Ctrl-C is for the gateway, which ends this in its time
            ),
            name="pocketsphinx/process",
        )
        worker = Worker(self.slots.provider, process)
        self._nursery.start_soon(worker.watch, name="pocketsphinx/watch")
        return worker


async def _kill(process: trio.Process) -> None:
    process.kill()
