"""The last seconds of the user's sound, for turn detectors that listen."""

from collections import deque

import attrs
import trio

from capabilities import TURN_SOUND, TURN_SOUND_SECONDS, AudioFormat, AudioFrame
from waav.audio.convert import Converter


@attrs.define(eq=False)
class Memory:
    """The last seconds of the user's sound, as they came."""

    most: float = TURN_SOUND_SECONDS
    _frames: deque[AudioFrame] = attrs.Factory(deque)
    _duration: float = 0.0

    def put(self, frame: AudioFrame) -> None:
        """Take one frame, and forget what is too old."""
        self._frames.append(frame)
        self._duration += frame.duration
        while self._duration - self._frames[0].duration >= self.most:
            self._duration -= self._frames.popleft().duration

    async def recall(self) -> AudioFrame | None:
        """Return them in the format that turn detectors take; None if there are none."""
        frames = tuple(self._frames)
        if not frames:
            return None
        data = b"".join(frame.data for frame in frames)
        if (source := frames[0].format) != TURN_SOUND:
            data = await trio.to_thread.run_sync(_converted, data, source)
        return AudioFrame(data[-TURN_SOUND.size(self.most) :], TURN_SOUND)


def _converted(data: bytes, source: AudioFormat) -> bytes:
    converter = Converter(source, TURN_SOUND)
    return converter.feed(data) + converter.flush()
