"""Utterances out of a stream of sound, for vendors that take only whole recordings. No I/O.

Time is counted in samples, so the rules hold for any rate and encoding, however the stream is cut
into frames.
"""

import struct
from collections.abc import Iterator, Sequence
from enum import StrEnum
from functools import cache
from typing import Any, TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray

from capabilities import AudioFormat, Encoding

WINDOW = 0.02
"""Seconds that are loud or quiet as a whole."""
WAV_HEADER = 44
"""Bytes in front of the sound of a file that :func:`wav_file` makes."""

Samples: TypeAlias = "NDArray[np.int16]"


class Flush(StrEnum):
    """When a recording goes to the vendor."""

    SILENCE = "silence"
    """When the speaker has paused; what is quiet before and after is left out."""
    THRESHOLD = "threshold"
    """When there are so many bytes."""
    END = "end"
    """When the stream ends."""


@attrs.frozen
class Rules:
    """How a stream is cut into recordings."""

    most: int
    """Bytes of sound, as linear16, that the vendor takes in one recording."""
    flush: Flush = Flush.SILENCE
    threshold: int = 1 << 20
    """Bytes, for :attr:`Flush.THRESHOLD`."""
    level: float = 0.01
    """Root mean square, 1.0 being full scale, from which on a window is loud."""
    silence: float = 1.0
    """Seconds of quiet that are a pause."""
    shortest: float = 0.5
    """Seconds that a recording has at least; shorter ones end in added silence."""
    lead: float = 0.3
    """Seconds of quiet that are kept in front of the first loud window: words begin softly."""


@attrs.frozen
class Sound:
    """A stretch of sound that has a voice in it, or is next to one."""

    data: bytes = attrs.field(repr=lambda data: f"<{len(data)} bytes>")
    start: float
    """Seconds since the stream began."""


@attrs.frozen
class Pause:
    """The speaker has been quiet for long enough: what came since the last pause is an utterance."""

    at: float
    """Seconds since the stream began."""


@attrs.define
class Detector:
    """Tells speech from silence, and leaves the silence out."""

    audio: AudioFormat
    rules: Rules
    voiced: bool = attrs.field(default=False, init=False)
    """Sound was given since the last pause."""
    _window: int = attrs.field(init=False)
    _torn: bytes = attrs.field(default=b"", init=False)
    _lead: bytearray = attrs.field(factory=bytearray, init=False)
    _quiet: int = attrs.field(default=0, init=False)
    """Bytes of it since the last loud window."""
    _given: int = attrs.field(default=0, init=False)
    """Bytes since the last pause."""
    _position: int = attrs.field(default=0, init=False)
    """Bytes of the stream that are dealt with."""

    def __attrs_post_init__(self) -> None:
        self._window = self.audio.size(WINDOW)

    def put(self, data: bytes) -> Iterator[Sound | Pause]:
        """Take the next piece of the stream."""
        data = self._torn + data
        whole = len(data) - len(data) % self._window
        self._torn = data[whole:]
        loud = _loud(data[:whole], self.audio, self._window, self.rules.level)
        for number, is_loud in enumerate(loud):
            window = data[number * self._window : (number + 1) * self._window]
            yield from self._take(window, is_loud=is_loud)

    def flush(self) -> Iterator[Sound | Pause]:
        """Take the end of what is being said as a pause; all that was found out is forgotten."""
        if self.voiced:
            if self._torn:
                yield self._give(self._torn)
            yield self._pause()
        else:
            self._position += len(self._torn)
        self._torn = b""
        self._lead.clear()

    def _take(self, window: bytes, *, is_loud: bool) -> Iterator[Sound | Pause]:
        if is_loud or self.voiced:
            self._quiet = 0 if is_loud else self._quiet + len(window)
            yield self._give(window)
            # A pause is one even if the utterance was a single short word.
            long_enough = self._given >= self.audio.size(self.rules.shortest)
            if self._quiet >= self.audio.size(self.rules.silence) and long_enough:
                yield self._pause()
            return
        self._lead += window
        del self._lead[: max(0, len(self._lead) - self.audio.size(self.rules.lead))]
        self._position += len(window)

    def _give(self, window: bytes) -> Sound:
        start = self.audio.duration(self._position - len(self._lead))
        data = bytes(self._lead) + window
        self._lead.clear()
        self._position += len(window)
        self._given += len(data)
        self.voiced = True
        return Sound(data, start)

    def _pause(self) -> Pause:
        self.voiced, self._quiet, self._given = False, 0, 0
        return Pause(self.audio.duration(self._position))


@attrs.frozen
class Utterance:
    """One recording for the vendor."""

    data: bytes = attrs.field(repr=lambda data: f"<{len(data)} bytes>")
    format: AudioFormat
    start: float
    """Seconds since the stream began."""
    paused: bool = False
    """It ends because the speaker paused."""


@attrs.define
class Utterances:
    """Cuts a stream into recordings. Compressed sound is one recording, from its begin to its end."""

    audio: AudioFormat
    rules: Rules
    _detector: Detector | None = attrs.field(init=False)
    _data: bytearray = attrs.field(factory=bytearray, init=False)
    _start: float = attrs.field(default=0.0, init=False)
    _most: int = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        silent = self.rules.flush is Flush.SILENCE and self.audio.sample_bytes
        self._detector = Detector(self.audio, self.rules) if silent else None
        self._most = self.rules.most
        if unit := self.audio.sample_bytes:
            # G.711 doubles when it is decoded.
            most = self._most * self.audio.encoding.sample_width // Encoding.LINEAR16.sample_width
            if self.rules.flush is Flush.THRESHOLD:
                most = min(most, self.rules.threshold)
            self._most = max(most - most % unit, unit)

    @property
    def pending(self) -> bool:
        """Whether there is something that :meth:`flush` would give."""
        return bool(self._data)

    def put(self, data: bytes) -> list[Utterance]:
        """Take the next piece of the stream; return the recordings that are whole now.

        Raises:
            ValueError: compressed sound, which cannot be cut, is more than the vendor takes.
        """
        if self._detector is not None:
            return list(self._sort(self._detector.put(data)))
        return list(self._add(data))

    def flush(self) -> list[Utterance]:
        """Return what is there as a recording, and begin anew."""
        if self._detector is not None:
            return list(self._sort(self._detector.flush()))
        return [self._take()] if self._data else []

    def finish(self) -> list[Utterance]:
        """Return the last recording: the stream has ended, so there was no pause."""
        return [attrs.evolve(each, paused=False) for each in self.flush()]

    def _sort(self, found: Iterator[Sound | Pause]) -> Iterator[Utterance]:
        for each in found:
            match each:
                case Sound(data, start):
                    if not self._data:
                        self._start = start
                    yield from self._add(data)
                case Pause() if self._data:
                    yield self._take(paused=True)
                case Pause():
                    pass  # the limit came just before it

    def _add(self, data: bytes) -> Iterator[Utterance]:
        self._data += data
        while len(self._data) > self._most:
            if not self.audio.sample_bytes:
                raise ValueError(f"a recording has at most {self._most} bytes")
            yield self._take()

    def _take(self, *, paused: bool = False) -> Utterance:
        data = bytes(self._data[: self._most])
        del self._data[: self._most]
        utterance = Utterance(data, self.audio, self._start, paused)
        self._start += self.audio.duration(len(data))
        return utterance


def wav_file(utterance: Utterance, shortest: float = 0.0) -> bytes:
    """Return raw sound as a WAV file of linear16, at least ``shortest`` seconds long.

    Source of the header: "Multimedia Programming Interface and Data Specifications 1.0", 1991.
    """
    audio = attrs.evolve(utterance.format, encoding=Encoding.LINEAR16)
    sound = _samples(utterance.data, utterance.format).astype("<i2", copy=False).tobytes()
    sound = sound.ljust(audio.size(shortest), b"\0")
    header = struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF", len(sound) + 36, b"WAVE",
        b"fmt ", 16, 1, audio.channels, audio.sample_rate, audio.byte_rate, audio.sample_bytes, 16,
        b"data", len(sound),
    )  # fmt: skip
    return header + sound


def _loud(data: bytes, audio: AudioFormat, window: int, level: float) -> Sequence[bool]:
    """Say of each window of some sound whether it is loud."""
    samples = _samples(data, audio).astype(np.float64)
    windows = samples.reshape(-1, window // audio.encoding.sample_width)
    loud: NDArray[np.bool_] = (windows**2).mean(axis=1) >= (level * 32768) ** 2
    told: list[bool] = loud.tolist()
    return told


def _samples(data: bytes, audio: AudioFormat) -> "NDArray[Any]":
    if audio.encoding is Encoding.LINEAR16:
        return np.frombuffer(data, "<i2")
    return _g711(audio.encoding)[np.frombuffer(data, np.uint8)]


@cache
def _g711(encoding: Encoding) -> Samples:
    """Return the level of each of the 256 codes (ITU-T G.711, tables 1 and 2)."""
    codes = np.arange(256) ^ (0xFF if encoding is Encoding.MULAW else 0x55)
    segment, step = (codes >> 4) & 7, codes & 15
    if encoding is Encoding.MULAW:
        levels = ((2 * step + 33) << (segment + 2)) - 132
        negative = codes & 0x80
    else:
        levels = np.where(segment, (16 * step + 264) << np.maximum(segment - 1, 0), 16 * step + 8)
        negative = ~codes & 0x80
    return np.where(negative, -levels, levels).astype(np.int16)
