"""What the fakes of listening capabilities share: a stream that answers from a script."""

from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Generic, Self, TypeVar

import attrs
import trio

from capabilities import AudioFrame, ProviderBusy, ProviderClosed, ProviderError

Said = TypeVar("Said")


@attrs.frozen
class Cue(Generic[Said]):
    """One line of a script."""

    after: float | None
    """Seconds of sound that must have been sent; None means: when the stream is finished."""
    says: Said | ProviderError
    """What comes then. An error ends the stream, as if the far side had hung up."""


@attrs.define(eq=False)
class ScriptedStream(Generic[Said]):
    """One stream: takes sound, and says what the script says when enough of it has come."""

    name: str
    _script: deque[Cue[Said]]
    frames: list[AudioFrame] = attrs.field(factory=list, init=False)
    """All that was sent."""
    finished: bool = attrs.field(default=False, init=False)
    broken: ProviderError | None = attrs.field(default=None, init=False)
    _changed: trio.lowlevel.ParkingLot = attrs.field(factory=trio.lowlevel.ParkingLot, init=False)

    @property
    def heard(self) -> float:
        """Seconds of sound that were sent."""
        return sum(frame.duration for frame in self.frames)

    async def send(self, frame: AudioFrame) -> None:
        """Take one frame."""
        await trio.lowlevel.checkpoint()
        if self.broken is not None:
            raise self._closed()
        self.frames.append(frame)
        self._changed.unpark_all()

    async def finish(self) -> None:
        """Note that no frame follows."""
        await trio.lowlevel.checkpoint()
        self.finished = True
        self._changed.unpark_all()

    def hang_up(self, error: ProviderError | None = None) -> None:
        """End the stream from the far side."""
        self.broken = error or ProviderClosed(self.name, "the far side hung up")
        self._changed.unpark_all()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Said:
        await trio.lowlevel.checkpoint()
        while self.broken is None:
            if self._script and self._is_due(self._script[0]):
                says = self._script.popleft().says
                if not isinstance(says, ProviderError):
                    return says
                self.hang_up(says)
            elif self.finished:
                raise StopAsyncIteration
            else:
                await self._changed.park()
        raise self.broken

    def _is_due(self, cue: Cue[Said]) -> bool:
        # What has not come by the end of the sound comes then: nothing of a script is lost.
        # Only where there was no sound at all there is nothing to hear.
        if self.finished:
            return bool(self.frames)
        return cue.after is not None and self.heard >= cue.after - 1e-9

    def _closed(self) -> ProviderError:
        return ProviderClosed(self.name, "the far side hung up")


@attrs.define(eq=False)
class Places:
    """How many may be in at one time."""

    name: str
    limit: int | None = None
    taken: int = 0

    @contextmanager
    def take(self) -> Iterator[None]:
        """Hold a place for as long as the block lasts.

        Raises:
            ProviderBusy: none is left.
        """
        if self.limit is not None and self.taken >= self.limit:
            raise ProviderBusy(self.name, f"all {self.limit} places are taken")
        self.taken += 1
        try:
            yield
        finally:
            self.taken -= 1


def as_cues(script: Iterable[Cue[Said] | Said]) -> list[Cue[Said]]:
    """Read a script in which a bare value stands for "when the stream is finished"."""
    return [line if isinstance(line, Cue) else Cue(None, line) for line in script]
