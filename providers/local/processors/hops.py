"""A stream through a model that takes sound in hops of one length, computed in the provider's worker.

Frames of any length are gathered until a hop is whole. What a model gives comes late; the beginning
that it makes up is dropped, so that each sample that comes out stands in the place of the one that
went in.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Generic, TypeVar

import attrs
import numpy as np
from numpy.typing import NDArray

from capabilities import AudioFormat
from providers._common.worker import Worker
from providers.local.processors.effects import as_bytes

Hops = NDArray[np.float32]
"""``[hops, samples of a hop]``, from -32768 to 32767."""
Memory = TypeVar("Memory")


@attrs.frozen(eq=False)
class Job(Generic[Memory]):
    """Some hops of one stream, and all that the model needs to know of those before."""

    memory: Memory
    hops: Hops


@attrs.frozen(eq=False)
class Result(Generic[Memory]):
    """The same hops worked on, and what is to be remembered."""

    memory: Memory
    hops: Hops


@attrs.frozen
class Shape:
    """How a model takes sound, in samples of the stream's own rate."""

    hop: int
    late: int
    """By how much what it gives stands behind what it took."""


@attrs.define(eq=False)
class HopStream(Generic[Memory]):
    """One stream of linear16 with one channel."""

    format: AudioFormat
    _shape: Shape
    _fresh: Callable[[], Memory]
    """Makes the memory of a stream that has heard nothing."""
    _worker: Worker[Job[Memory], Result[Memory]]
    readings: Mapping[str, float] = MappingProxyType({})
    _memory: Memory = attrs.field(init=False)
    _held: bytes = attrs.field(default=b"", init=False)
    """Less than a hop."""
    _drop: int = attrs.field(init=False)
    """Bytes still to come that the model makes up."""
    _owed: int = attrs.field(default=0, init=False)
    """Bytes that went in and did not come out."""

    def __attrs_post_init__(self) -> None:
        self.reset()

    @property
    def delay(self) -> float:
        """Seconds: what the model is late, and a hop that is not whole yet."""
        return (self._shape.late + self._shape.hop) / self.format.sample_rate

    async def feed(self, data: bytes) -> bytes:
        """Return what is ready; waits for the worker if a hop has become whole."""
        self._owed += len(data)
        data = self._held + data
        whole = len(data) - len(data) % (2 * self._shape.hop)
        data, self._held = data[:whole], data[whole:]
        return await self._work(data) if data else b""

    async def flush(self) -> bytes:
        """Push the rest through with silence behind it, of which none comes out."""
        owed = self._owed
        padding = -(len(self._held) // 2 + self._shape.late) % self._shape.hop
        rest = self._held + bytes(2 * (self._shape.late + padding))
        ready = await self._work(rest) if owed else b""
        self.reset()
        return ready[:owed]

    def reset(self) -> None:
        """Forget what was heard."""
        self._memory = self._fresh()
        self._held, self._owed, self._drop = b"", 0, 2 * self._shape.late

    async def _work(self, data: bytes) -> bytes:
        hops = np.frombuffer(data, "<i2").astype(np.float32).reshape(-1, self._shape.hop)
        result = await self._worker.do(Job(self._memory, hops))
        self._memory = result.memory
        ready = as_bytes(result.hops)
        ready, self._drop = ready[self._drop :], max(0, self._drop - len(ready))
        self._owed -= len(ready)
        return ready
