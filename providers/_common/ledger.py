"""A stream's bookkeeping over its connections: what was sent, what is settled, what was said. No I/O."""

from collections import deque
from collections.abc import Sequence
from typing import assert_never

import attrs

from capabilities import (
    AudioFormat,
    AudioFrame,
    Final,
    Interim,
    SpeechBegun,
    SpeechFinal,
    Transcript,
    Word,
)
from providers._common.replay import Replay, Timeline
from providers._common.silence import is_loud, silence
from providers._common.wire import Acknowledged, Done, Ready, Reply, Signal

PAUSE = 1.0
"""Seconds without loud sound that count as a pause of the speaker."""
_REPEATS = 8
"""Finals that are compared with a new one."""


@attrs.define
class Ledger:
    """No word is lost and no final comes twice, because each connection begins in the same way:
    with the first sample that no final has acknowledged."""

    replay: Replay
    voiced: int = attrs.field(default=0, init=False)
    """Bytes of loud sound that were sent since the vendor last said anything."""
    _unit: int = attrs.field(init=False)
    """Bytes of one sample of all channels; of compressed sound, of whatever is counted there."""
    _timeline: Timeline = attrs.field(init=False)
    _loud_until: int = attrs.field(default=0, init=False)
    _again_until: int = attrs.field(default=0, init=False)
    """Bytes of the stream in which nobody begins who was talking already: what an earlier
    connection has heard, and a pause behind it."""
    _talking: bool = attrs.field(default=False, init=False)
    """A beginning was told, and no end of it."""
    _recent: deque[tuple[float, Final]] = attrs.field(
        factory=lambda: deque(maxlen=_REPEATS), init=False
    )

    def __attrs_post_init__(self) -> None:
        self._unit = self._audio.sample_bytes or 1
        self.begin()

    @property
    def _audio(self) -> AudioFormat:
        return self.replay.audio

    @property
    def calm(self) -> bool:
        """Nobody speaks: a good moment to change the connection, as little has to be sent again."""
        heard = self.replay.start >= self._loud_until
        return heard or self._audio.duration(self.replay.sent - self._loud_until) >= PAUSE

    def begin(self) -> None:
        """A connection that has heard nothing is the current one."""
        if self.replay.sent:
            pause = self._audio.size(PAUSE)
            self._again_until = max(self._again_until, self.replay.sent + pause)
        self.replay.rewind()
        self._timeline = Timeline(self._audio.sample_rate, self.replay.start // self._unit)
        self.voiced = 0

    def take(self) -> AudioFrame:
        """Return the next frame for the connection; only while ``replay.ready``."""
        frame = self.replay.take()
        size = len(frame.data)
        self._timeline.played(size // self._unit)
        if is_loud(frame):
            self._loud_until = self.replay.sent
            self.voiced += size
        return frame

    def fill(self, duration: float, longest: float) -> list[AudioFrame]:
        """Return silence for the connection that is not of the stream; not for compressed sound."""
        whole = silence(self._audio, duration)
        self._timeline.filled(len(whole.data) // self._unit)
        most = self._audio.size(longest)
        pieces = (whole.data[at : at + most] for at in range(0, len(whole.data), most))
        return [AudioFrame(piece, self._audio) for piece in pieces]

    def receive(self, signals: Sequence[Signal]) -> list[Transcript]:
        """Settle what a message acknowledges; return what it says, in the stream's time."""
        self.voiced = 0
        until = self._acknowledge(signals)
        said: list[Transcript] = []
        for signal in signals:
            match signal:
                case Final() if until is not None and self._is_repeat(until, signal):
                    continue
                case Interim() | Final():
                    words = tuple(self._placed(word) for word in signal.words)
                    said.append(attrs.evolve(signal, words=words))
                case SpeechFinal():
                    said.append(signal)
                case SpeechBegun(at=at):
                    said += self._begun(at)
                case Ready() | Done() | Acknowledged() | Reply():
                    pass
                case _:
                    assert_never(signal)
            if isinstance(signal, SpeechFinal) or (
                isinstance(signal, Final) and signal.speech_final
            ):
                self._talking = False
        return said

    def _begun(self, at: float | None) -> list[Transcript]:
        """Place a beginning; leave it out if the connection before has told it.

        A new connection may hear it again, or begin in the middle of what was said then.
        """
        place = None if at is None else self._timeline.at(at)
        position = self.replay.sent if place is None else self._audio.size(place)
        if self._talking and position <= self._again_until:
            return []
        self._talking = True
        return [SpeechBegun(place)]

    def _acknowledge(self, signals: Sequence[Signal]) -> float | None:
        """Return up to where a message settles the sound; None if it does not say."""
        told = [signal.until for signal in signals if isinstance(signal, Acknowledged)]
        finals = [signal for signal in signals if isinstance(signal, Final)]
        if not told and finals:
            if not all(final.words for final in finals):
                self.replay.acknowledge_all()
                return None
            told = [final.words[-1].end for final in finals]
        if not told:
            return None
        until = self._timeline.at(max(told))
        self.replay.acknowledge(until)
        return until

    def _is_repeat(self, until: float, final: Final) -> bool:
        """Whether the vendor has said this very final before. One that only comes late is none."""
        if (until, final) in self._recent:
            return True
        self._recent.append((until, final))
        return False

    def _placed(self, word: Word) -> Word:
        start, end = self._timeline.at(word.start), self._timeline.at(word.end)
        return attrs.evolve(word, start=start, end=end)
