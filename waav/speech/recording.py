"""The sound of one piece of speech while it is being made: to be kept, and for others to follow."""

import attrs
import trio

from capabilities import AudioFormat, AudioFrame, ProviderError
from waav.errors import WaavError

MAX_BYTES = 10 << 20
CHUNK = 1 << 16
"""Bytes that a follower takes at once; a multiple of every sample."""


@attrs.define(eq=False)
class Recording:
    """Grows while it is being made; its memory is bounded.

    It is given up, for good, when it becomes too long or changes its format. It is over then for
    those who follow it, as it is when whoever makes it fails or is cancelled.
    """

    max_bytes: int = MAX_BYTES
    format: AudioFormat | None = attrs.field(default=None, init=False)
    """None before the first sound."""
    over: bool = attrs.field(default=False, init=False)
    """Nothing is added any more."""
    whole: bool = attrs.field(default=False, init=False)
    """It has all of the sound."""
    error: ProviderError | WaavError | None = attrs.field(default=None, init=False)
    """Why it is over, if that is known."""
    data: bytearray = attrs.field(factory=bytearray, init=False, repr=False)
    _news: trio.lowlevel.ParkingLot = attrs.field(
        factory=trio.lowlevel.ParkingLot, init=False, repr=False
    )

    def add(self, frame: AudioFrame) -> None:
        """Take the next frame."""
        if self.over or not frame.data:
            return
        self.format = self.format or frame.format
        if frame.format == self.format and len(self.data) + len(frame.data) <= self.max_bytes:
            self.data += frame.data
            self._news.unpark_all()
        else:
            self.data = bytearray()
            self.end()

    def end(self, error: ProviderError | WaavError | None = None, *, whole: bool = False) -> None:
        """Say that no frame follows; the first word counts."""
        if not self.over:
            self.over, self.whole, self.error = True, whole, error
            self._news.unpark_all()

    def behind(self, position: int) -> AudioFrame | None:
        """Return some of what stands behind the first ``position`` bytes; None if there is nothing."""
        data = bytes(self.data[position : position + CHUNK])
        return AudioFrame(data, self.format) if data and self.format else None

    async def news(self) -> None:
        """Wait until there is more, or it is over."""
        await self._news.park()
