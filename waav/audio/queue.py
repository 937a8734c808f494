"""A bounded queue for live sound that drops what has become too late."""

from collections import deque
from math import inf

import attrs
import trio

from capabilities import AudioFrame
from waav.audio.timeline import SLACK

MAX_BYTES = 5 * 1024 * 1024
"""As much as one audio message of the WebSocket protocol may hold."""
TOGETHER = 0.1
"""Seconds of sound that travel as one frame if they waited together: whoever was busy catches up
for the price of one."""
OVERHEAD = 256
"""What a frame costs beside its sound, so that a million tiny ones are not free."""


@attrs.define
class FreshestFrames:
    """Sound on its way to somebody who may be slow: when that one falls behind, the oldest goes.

    Late sound is worse than lost sound: a recogniser that is two seconds behind answers two
    seconds late for the rest of the call. Late is measured against the moment at which a frame
    would have been spoken, so that a client that sends a recording faster than it was spoken
    loses nothing: its frames are due in the future.
    """

    patience: float
    """Seconds that a frame may be late before it goes."""
    max_bytes: int = MAX_BYTES
    dropped: int = 0
    """Frames that went."""
    _frames: deque[tuple[float, AudioFrame]] = attrs.Factory(deque)
    _bytes: int = 0
    _next_due: float = -inf
    _closed: bool = False
    _live: float | None = None
    _readers: trio.lowlevel.ParkingLot = attrs.Factory(trio.lowlevel.ParkingLot)

    def __len__(self) -> int:
        return len(self._frames)

    def put(self, frame: AudioFrame, now: float) -> int:
        """Take one frame; return how many older ones had to go for it. Never waits."""
        # Live frames are due when they come; those of a burst, one after the other.
        due = max(now, self._next_due)
        self._next_due = due + frame.duration
        self._frames.append((due, frame))
        self._bytes += len(frame.data) + OVERHEAD
        gone = 0
        while len(self._frames) > 1 and (
            now - self._frames[0][0] > self.patience or self._bytes > self.max_bytes
        ):
            self._drop()
            gone += 1
        self.dropped += gone
        self._readers.unpark()
        return gone

    @property
    def closed(self) -> bool:
        """Whether no frame follows."""
        return self._closed

    def go_live(self, patience: float) -> None:
        """Have this patience as soon as the reader has once caught up with what waits."""
        self._live = patience

    def close(self) -> None:
        """Say that no frame follows: the reader's iteration ends after those that are here."""
        self._closed = True
        self._readers.unpark_all()

    def _drop(self) -> AudioFrame:
        _, frame = self._frames.popleft()
        self._bytes -= len(frame.data) + OVERHEAD
        return frame

    def _take(self) -> AudioFrame:
        """Return the oldest, and behind it what follows on it and has come meanwhile."""
        first = self._drop()
        if not self._frames or not first.format.sample_bytes:
            return first
        pieces, room = [first.data], first.format.size(TOGETHER) - len(first.data)
        end = first.start + first.duration
        while self._frames:
            following = self._frames[0][1]
            room -= len(following.data)
            if room < 0 or abs(following.start - end) > SLACK:
                break
            pieces.append(self._drop().data)
            end += following.duration
        return AudioFrame(b"".join(pieces), first.format, first.start)

    def __aiter__(self) -> "FreshestFrames":
        return self

    async def __anext__(self) -> AudioFrame:
        """Wait for a frame; raw sound that waited comes in frames of up to 100 ms. One reader at a time."""
        await trio.lowlevel.checkpoint_if_cancelled()
        while not self._frames:
            if self._closed:
                raise StopAsyncIteration
            await self._readers.park()
        frame = self._take()
        if self._live is not None and not self._frames:
            self.patience, self._live = self._live, None
        return frame
