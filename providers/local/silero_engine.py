"""One network for all streams: whatever is due goes into one call, in one worker thread.

Between the beginnings of two calls lies a tick, in which chunks of other streams gather, unless all
streams are due already. So the only one waits for nobody, and a recording is heard as fast as it can
be; among many, the calls do not come more often but have more in them. A call
that takes longer than a tick makes the next one larger, so the engine keeps up until a whole batch
of the largest size costs more than the sound in it lasts.
"""

import logging
from collections.abc import Sequence
from functools import partial
from math import inf
from typing import Protocol

import attrs
import trio

from capabilities import ProviderClosed, ProviderError
from providers.local.silero_model import ID, Heard, Memory

TICK = 0.016
"""Seconds: half a chunk. The mean delay under load is half of it."""
LARGEST = 128
"""Chunks in one call: some 3 ms of work, and more in one call costs as much a piece."""

log = logging.getLogger(__name__)


class Hears(Protocol):
    """A network, called in a thread."""

    def hear(self, chunks: Sequence[bytes], memories: Sequence[Memory]) -> list[Heard]:
        """Hear one chunk of each stream."""
        ...


class Client(Protocol):
    """A stream, as the engine sees it."""

    def due(self) -> tuple[bytes, Memory]:
        """Return what is to be heard, and what the network remembers."""
        ...

    def heard(self, heard: Heard) -> None:
        """Take the result. The engine has forgotten the stream; it may be submitted again."""
        ...

    def fail(self, error: ProviderError) -> None:
        """There will be no result."""
        ...


@attrs.define(eq=False)
class Engine:
    """Hears for all streams of one rate."""

    _network: Hears
    _limiter: trio.CapacityLimiter
    """Of one token, shared by the engines: there is one worker thread."""
    _tick: float = TICK
    _largest: int = LARGEST
    sizes: dict[int, int] = attrs.field(factory=dict, init=False)
    """How many calls had how many chunks in them."""
    _joined: set[Client] = attrs.field(factory=set, init=False)
    _due: dict[Client, None] = attrs.field(factory=dict, init=False)
    """A set in the order of arrival."""
    _some: trio.Event = attrs.field(factory=trio.Event, init=False)

    def join(self, client: Client) -> None:
        """Take in a stream that begins: others may wait a moment for its chunks."""
        self._joined.add(client)

    def leave(self, client: Client) -> None:
        """Drop a stream that ended. A call that is under way still tells it its result."""
        self._joined.discard(client)
        self._due.pop(client, None)

    def submit(self, client: Client) -> None:
        """Say that a stream has a chunk to be heard; once at a time."""
        self._due[client] = None
        self._some.set()

    async def run(self) -> None:
        """Hear until cancelled; a call that is under way is waited for, some milliseconds."""
        earliest = -inf
        while True:
            if not self._due:
                self._some = trio.Event()
                await self._some.wait()
            if len(self._due) < min(self._largest, len(self._joined)):
                await trio.sleep_until(earliest)
            earliest = trio.current_time() + self._tick
            await self._hear(self._take())

    def _take(self) -> list[Client]:
        batch = list(self._due)[: self._largest]
        for client in batch:
            del self._due[client]
        return batch

    async def _hear(self, batch: list[Client]) -> None:
        if not batch:  # all that were due have ended meanwhile
            return
        self.sizes[len(batch)] = self.sizes.get(len(batch), 0) + 1
        chunks, memories = zip(*(client.due() for client in batch), strict=True)
        call = partial(self._network.hear, chunks, memories)
        try:
            results = await trio.to_thread.run_sync(call, limiter=self._limiter)
        except Exception:
            # Whatever the library raises is the end of these streams and of no others.
            log.exception("the voice detector failed with %d streams", len(batch))
            for client in batch:
                client.fail(ProviderClosed(ID, "the model failed"))
            return
        for client, heard in zip(batch, results, strict=True):
            client.heard(heard)
