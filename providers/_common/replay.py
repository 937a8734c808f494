"""Sound that no final has settled yet, kept so that a new connection can hear it; and whose clock
is where. No I/O.

Three clocks tell where a word is. The *stream's* begins with the first sample that the gateway
sent, and words leave with its times. Each *connection's* begins with the first sample that was sent
on it; that is the clock of what the provider says. And silence sent to keep a connection open moves
the connection's clock but not the stream's.
"""

from collections import deque

import attrs

from capabilities import AudioFormat, AudioFrame

_PACKETS = 1 << 20
"""Bytes of compressed sound that may wait."""
_MARKS = 256
"""Pauses of one connection that are remembered; older ones are long settled."""


@attrs.define
class Timeline:
    """The clock of one connection, laid on that of the stream. Counts samples."""

    rate: int
    """Hertz."""
    _stream: int = 0
    """Where the stream is; at first, where on it the connection began."""
    _clock: int = attrs.field(default=0, init=False)
    _marks: deque[tuple[int, int]] = attrs.field(init=False)
    """(connection's clock, stream's clock) wherever a stretch of sound begins."""

    def __attrs_post_init__(self) -> None:
        self._marks = deque([(0, self._stream)], _MARKS)

    def played(self, samples: int) -> None:
        """Sound of the stream was sent."""
        self._clock += samples
        self._stream += samples

    def filled(self, samples: int) -> None:
        """Silence was sent that is not of the stream."""
        self._clock += samples
        if self._marks[-1][1] == self._stream:
            self._marks.pop()
        self._marks.append((self._clock, self._stream))

    def at(self, seconds: float) -> float:
        """Return the stream's time of a time that the provider has said."""
        end: float = self._marks[0][1]
        next_stretch = float("inf")
        for clock, stream in reversed(self._marks):
            if clock <= seconds * self.rate:
                # The sum keeps a time as it was told where the two clocks agree.
                return min(seconds + (stream - clock) / self.rate, next_stretch / self.rate)
            next_stretch = stream
        return end / self.rate


@attrs.define
class Replay:
    """The sound of a stream from the last settled sample on: what was sent, and what still waits.

    Bounded: beyond ``keep`` seconds of sent sound the oldest goes, and from twice that on the
    sender has to wait (:attr:`full`). Compressed sound waits to be sent as it came, packet by
    packet, and is not kept: only a decoder knows where it may be cut.
    """

    audio: AudioFormat
    keep: float = 30.0
    """Seconds."""
    shortest: float = 0.0
    """Seconds that :meth:`take` waits for before it gives a frame."""
    longest: float = 0.25
    """Seconds that a frame may have."""
    ended: bool = attrs.field(default=False, init=False)
    """No sound follows: set by the owner."""
    start: int = attrs.field(default=0, init=False)
    """Bytes of the stream that are settled: acknowledged, or too old to be kept."""
    sent: int = attrs.field(default=0, init=False)
    """Bytes of the stream that the connection has, ``start`` included."""
    resumable: bool = attrs.field(init=False)
    """Whether a new connection can go on where one broke off."""
    _data: bytearray = attrs.field(factory=bytearray, init=False)
    _packets: deque[bytes] = attrs.field(factory=deque, init=False)
    # What is looked at with every frame, in bytes.
    _rate: int = attrs.field(init=False)
    _kept: int = attrs.field(init=False)
    _fewest: int = attrs.field(init=False)
    _most: int = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.resumable = self.audio.sample_bytes > 0
        self._rate = self.audio.byte_rate
        self._kept, self._most = self.audio.size(self.keep), self.audio.size(self.longest)
        self._fewest = max(1, self.audio.size(self.shortest))

    @property
    def waiting(self) -> int:
        """Bytes not yet sent on this connection."""
        if self.resumable:
            return self.start + len(self._data) - self.sent
        return sum(map(len, self._packets))

    @property
    def ready(self) -> bool:
        """Whether :meth:`take` has a frame to give."""
        return self.waiting >= (1 if self.ended else self._fewest)

    @property
    def full(self) -> bool:
        """Whether the sender has to wait."""
        return len(self._data) > 2 * self._kept if self.resumable else self.waiting > _PACKETS

    @property
    def all_settled(self) -> bool:
        """Whether nothing that was sent is unknown to finals; never for compressed sound."""
        return self.resumable and self.sent == self.start

    @property
    def unsettled(self) -> AudioFrame:
        """What was sent on this connection, and no final has acknowledged."""
        return AudioFrame(bytes(self._data[: self.sent - self.start]), self.audio)

    def put(self, data: bytes) -> None:
        """Add sound, in whole samples."""
        if self.resumable:
            self._data += data
        else:
            self._packets.append(data)

    def take(self) -> AudioFrame:
        """Return the next frame for the connection; only while :attr:`ready`."""
        if not self.resumable:
            return AudioFrame(self._packets.popleft(), self.audio)
        offset = self.sent - self.start
        piece = bytes(self._data[offset : offset + self._most])
        frame = AudioFrame(piece, self.audio, self.sent / self._rate)
        self.sent += len(piece)
        if self.sent - self.start > self._kept:
            self._settle(self.sent - self._kept)
        return frame

    def acknowledge(self, until: float) -> None:
        """A final has said what there is up to ``until``, in seconds of the stream."""
        if self.resumable:
            position = round(until * self.audio.sample_rate) * self.audio.sample_bytes
            self._settle(min(position, self.sent))

    def acknowledge_all(self) -> None:
        """A final has said what there is in all that was sent."""
        self._settle(self.sent)

    def rewind(self) -> None:
        """Begin with a connection that has heard nothing: all that is not settled waits again."""
        self.sent = self.start

    def _settle(self, position: int) -> None:
        if position > self.start:
            del self._data[: position - self.start]
            self.start = position
