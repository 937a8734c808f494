"""16-bit sound of any rate -> of the one rate that a realtime session takes. No I/O."""

import attrs
import numpy as np
import soxr


@attrs.define
class Resampler:
    """For one connection; mono. It holds back some milliseconds, until :meth:`finish`."""

    source: int
    """Hertz."""
    target: int
    _stream: soxr.ResampleStream | None = attrs.field(default=None, init=False)

    def feed(self, data: bytes) -> bytes:
        """Take the next piece; return what is ready."""
        return data if self.source == self.target else self._run(data, last=False)

    def finish(self) -> bytes:
        """Return the rest; what is fed later is a new stretch of sound."""
        if self._stream is None:
            return b""
        rest = self._run(b"", last=True)
        self._stream = None
        return rest

    def _run(self, data: bytes, *, last: bool) -> bytes:
        if self._stream is None:
            self._stream = soxr.ResampleStream(self.source, self.target, 1, dtype="int16")
        made = self._stream.resample_chunk(np.frombuffer(data, "<i2"), last=last)
        done: bytes = made.astype("<i2", copy=False).tobytes()
        return done
