"""Processors in a row: sound in, sound out, and none of them may break it or hold it up.

It knows streams that somebody opened, and nothing of where they come from. A processor that raises,
or takes too long too often, is passed by for the rest of the stream, with one warning; where it
would have changed the format, the plain converter does so. The sound goes on.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeAlias

import attrs
import trio

from capabilities import AudioFormat, ProcessorStream
from waav.audio.convert import Converter

log = logging.getLogger(__name__)

Problems: TypeAlias = Mapping[str, str]
"""Names of processors, and why each of them does not work."""


@attrs.frozen
class Budget:
    """How long a processor may take; waiting for its worker counts."""

    share: float = 0.5
    """Seconds for each second of sound: 10 ms for a frame of 20 ms."""
    least: float = 0.01
    """Seconds for any frame, however short."""
    strikes: int = 10
    """So many frames in a row beyond that, and the processor is passed by."""
    longest: float = 1.0
    """Seconds after which a frame is given up, and the processor with it."""

    def allows(self, spent: float, sound: float) -> bool:
        """Say whether so many seconds were not too many for so many seconds of sound."""
        return spent <= max(self.least, self.share * sound)


@attrs.define
class Tally:
    """What one processor did in one stream."""

    frames: int = 0
    sound: float = 0.0
    """Seconds that went in."""
    spent: float = 0.0
    """Seconds that it took for them."""
    worst: float = 0.0
    """Seconds of the slowest frame."""
    late: int = 0
    """Frames beyond the budget."""
    late_in_a_row: int = 0
    bypassed: int = 0
    """Frames that were passed by it."""
    errors: int = 0

    @property
    def mean(self) -> float:
        """Seconds for a frame."""
        return self.spent / self.frames if self.frames else 0.0

    def count(self, spent: float, sound: float, budget: Budget) -> None:
        """Add one frame."""
        self.frames += 1
        self.sound += sound
        self.spent += spent
        self.worst = max(self.worst, spent)
        late = not budget.allows(spent, sound)
        self.late += late
        self.late_in_a_row = self.late_in_a_row + 1 if late else 0


class BrokenPromise(TypeError):
    """A processor gave something that is no sound of its format."""


@attrs.define(eq=False)
class Stage:
    """One processor of a pipeline."""

    name: str
    stream: ProcessorStream
    source: AudioFormat
    """What the stream was opened for."""
    budget: Budget = Budget()
    tally: Tally = attrs.field(factory=Tally, init=False)
    problem: str = attrs.field(default="", init=False)
    """Why it is passed by; empty while it works."""
    error: Exception | None = attrs.field(default=None, init=False)
    """What it raised."""
    ended: trio.Event = attrs.field(factory=trio.Event, init=False)
    """It is passed by: its stream is not used any more."""
    format: AudioFormat = attrs.field(init=False)
    """Of the sound that comes out, also when it is passed by."""
    _plain: Converter = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.format = self.stream.format
        self._plain = Converter(self.source, self.format)

    async def feed(self, data: bytes) -> bytes:
        """Take whole samples; return what is ready. Raises nothing of the processor's."""
        if not self.problem:
            began, sound = trio.current_time(), self.source.duration(len(data))
            ready = await self._try(self.stream.feed, data)
            self.tally.count(trio.current_time() - began, sound, self.budget)
            if ready is not None:
                self._look_at_clock()
                return ready
        self.tally.bypassed += 1
        return self._plain.feed(data)

    async def flush(self) -> bytes:
        """Return what was held back, and be ready for new sound."""
        held = self._plain.flush()
        self._plain = Converter(self.source, self.format)
        if self.problem:
            return held
        return await self._try(self.stream.flush) or b""

    def reset(self) -> None:
        """Forget what was fed."""
        self._plain = Converter(self.source, self.format)
        if not self.problem:
            try:
                self.stream.reset()
            except Exception as exc:  # noqa: BLE001 - a stranger's
                self._give_up(exc)

    def end(self, problem: str) -> None:
        """Pass the processor by from now on; only the first time says so."""
        if not self.ended.is_set():
            log.warning("audio processor %s is passed by: %s", self.name, problem)
        self.problem = self.problem or problem
        self.ended.set()

    def close(self) -> None:
        """Pass the processor by, because its stream is about to close."""
        self.problem = self.problem or "its stream has closed"

    async def _try(self, work: Callable[..., Awaitable[bytes]], *args: bytes) -> bytes | None:
        """Return its sound, or None if it is given up."""
        try:
            with trio.move_on_after(self.budget.longest):
                ready = await work(*args)
                self._check(ready)
                return ready
        except Exception as exc:  # noqa: BLE001 - a stranger's
            self._give_up(exc)
        else:
            self.tally.late += 1
            self.end(f"no answer within {self.budget.longest:g} s")
        return None

    def _check(self, ready: bytes) -> None:
        if not isinstance(ready, bytes):
            raise BrokenPromise(f"gave a {type(ready).__name__}, not bytes")
        if len(ready) % (self.format.sample_bytes or 1):
            raise BrokenPromise(f"gave {len(ready)} bytes, a torn sample")

    def _give_up(self, exc: Exception) -> None:
        self.tally.errors += 1
        self.error = exc
        # What a stranger's exception says is for the log of its plugin.
        self.end(f"it raised {type(exc).__name__}")

    def _look_at_clock(self) -> None:
        if self.tally.late_in_a_row >= self.budget.strikes:
            self.end(f"too slow {self.tally.late_in_a_row} times in a row")


@attrs.define(eq=False)
class Pipeline:
    """Feed sound of ``source`` in, cut anywhere; take it in ``target`` out, worked on by all stages.

    Between two stages, and at both ends, the format is converted where it must be. With no stages
    it is a converter.

    Raises:
        NotConvertible: a format at a joint is compressed, and not the one that is wanted.
    """

    source: AudioFormat
    target: AudioFormat
    stages: Sequence[Stage] = ()
    missing: Problems = attrs.field(factory=dict)
    """Processors that were wanted and could not be opened."""
    _joints: list[Converter] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._join()

    @property
    def idle(self) -> bool:
        """Whether what comes out is what goes in."""
        return not self.stages and self.source == self.target

    @property
    def delay(self) -> float:
        """Seconds that the working stages hold back at most; what resampling takes comes on top."""
        return sum(stage.stream.delay for stage in self.stages if not stage.problem)

    @property
    def problems(self) -> Problems:
        """Processors that do not work, from the beginning or by now."""
        return {**self.missing, **{each.name: each.problem for each in self.stages if each.problem}}

    async def feed(self, data: bytes) -> bytes:
        """Return what is ready."""
        *joints, last = self._joints
        for joint, stage in zip(joints, self.stages, strict=True):
            if data := joint.feed(data):
                data = await stage.feed(data)
        return last.feed(data)

    async def flush(self) -> bytes:
        """Return what was held back, and be ready for new sound."""
        *joints, last = self._joints
        data = b""
        for joint, stage in zip(joints, self.stages, strict=True):
            if data := joint.feed(data) + joint.flush():
                data = await stage.feed(data)
            data += await stage.flush()
        data = last.feed(data) + last.flush()
        self._join()
        return data

    def reset(self) -> None:
        """Forget what was fed: the sound jumps."""
        for stage in self.stages:
            stage.reset()
        self._join()

    def _join(self) -> None:
        formats = [self.source, *(stage.format for stage in self.stages)]
        wanted = [*(stage.source for stage in self.stages), self.target]
        self._joints = [Converter(a, b) for a, b in zip(formats, wanted, strict=True)]
