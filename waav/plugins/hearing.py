"""What went through a recogniser or a voice, counted: for one session, and for all of a plugin."""

import attrs

from capabilities import Final, Interim, Transcript


@attrs.define
class Latency:
    """How long something took, each time."""

    count: int = 0
    total: float = 0.0
    """Seconds."""
    most: float = 0.0
    """Seconds."""

    @property
    def mean(self) -> float | None:
        """Seconds; None if it never happened."""
        return self.total / self.count if self.count else None

    def note(self, seconds: float) -> None:
        """Count one more."""
        self.count += 1
        self.total += seconds
        self.most = max(self.most, seconds)


@attrs.define
class Speech:
    """Counters of one voice."""

    audio: float = 0.0
    """Seconds of sound that it made."""
    first_sound: Latency = attrs.Factory(Latency)
    """Of each request: until its first sound."""


@attrs.define
class Hearing:
    """Counters of one recogniser."""

    streams: int = 0
    """Recognitions that were opened. How often a provider mended one by itself is not known."""
    audio: float = 0.0
    """Seconds of sound that the provider took."""
    interims: int = 0
    finals: int = 0
    first_interim: Latency = attrs.Factory(Latency)
    """Of each stream: from its first sound to its first interim, a silence at its beginning too."""
    first_final: Latency = attrs.Factory(Latency)
    """Likewise."""


@attrs.define(eq=False)
class Meter:
    """Counts what goes through one stream, for everybody who wants to know it."""

    counters: tuple[Hearing, ...]
    _began: float | None = attrs.field(default=None, init=False)
    _met: set[type[Transcript]] = attrs.field(factory=set, init=False)
    """Kinds of transcripts that came since it began."""

    @classmethod
    def start(cls, *counters: Hearing) -> "Meter":
        """A stream is open."""
        for each in counters:
            each.streams += 1
        return cls(counters)

    def sent(self, seconds: float, now: float) -> None:
        """The provider has taken sound."""
        if self._began is None:
            self._began = now
        for each in self.counters:
            each.audio += seconds

    def heard(self, transcript: Transcript, now: float) -> None:
        """The provider has said something."""
        took = None
        if self._began is not None and type(transcript) not in self._met:
            self._met.add(type(transcript))
            took = now - self._began
        for each in self.counters:
            match transcript:
                case Interim():
                    each.interims += 1
                    latency = each.first_interim
                case Final():
                    each.finals += 1
                    latency = each.first_final
                case _:
                    return
            if took is not None:
                latency.note(took)
