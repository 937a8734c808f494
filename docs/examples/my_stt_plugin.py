"""A whole speech-to-text plugin in one file: it understands one word, "loud".

Put it into the folder that ``plugins.plugin_dir`` names, and ask a session for the provider
``loudness``. It shows the form; docs/plugins/writing.md tells the rest.
"""

import math
from array import array
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import attrs
import trio

from capabilities import (
    SPEECH,
    STT,
    Ability,
    AudioFrame,
    Capability,
    Final,
    Limits,
    Manifest,
    Plugin,
    PluginContext,
    ProviderBusy,
    ProviderRefused,
    STTOptions,
    STTStream,
    Word,
)

ID = "loudness"
STREAMS = 8


@attrs.frozen
class LoudnessSettings:
    """What the operator may set under ``[plugins.providers.loudness]``."""

    word: str = "loud"
    """What each loud stretch is called."""


@attrs.frozen
class LoudnessOptions:
    """What a session may set."""

    level: float = attrs.field(
        default=0.1, validator=[attrs.validators.gt(0), attrs.validators.le(1)]
    )
    """How loud is loud: 1 is as loud as the format can."""


# Rules apart from I/O: this knows no trio, so its test needs none either.
@attrs.define
class Stretches:
    """Finds stretches of frames that are louder than a level."""

    word: str
    level: float
    now: float = 0.0
    began: float | None = None

    def feed(self, frame: AudioFrame) -> Final | None:
        """Take a frame; return a transcript when a loud stretch has ended before it."""
        samples = array(
            "h", frame.data
        )  # right on little-endian machines, which is good enough here
        mean = sum(sample * sample for sample in samples) / max(len(samples), 1)
        ended = None
        if math.sqrt(mean) / 32768 < self.level:
            ended = self.end()
        elif self.began is None:
            self.began = self.now
        self.now += frame.duration
        return ended

    def end(self) -> Final | None:
        """Return the stretch that lasts until now, if there is one."""
        if self.began is None:
            return None
        word = Word(self.word, self.began, self.now, confidence=1.0)
        self.began = None
        return Final(self.word, confidence=1.0, words=(word,), speech_final=True)


@attrs.frozen
class LoudnessStream:
    """One open recognition."""

    _stretches: Stretches
    _say: trio.MemorySendChannel[Final]
    _said: trio.MemoryReceiveChannel[Final]

    async def send(self, frame: AudioFrame) -> None:
        """Measure one frame; wait while nobody takes what was found."""
        await trio.lowlevel.checkpoint()
        if found := self._stretches.feed(frame):
            await self._say.send(found)

    async def finish(self) -> None:
        """End the last stretch."""
        if found := self._stretches.end():
            await self._say.send(found)
        await self._say.aclose()  # the reader's loop ends by itself

    def __aiter__(self) -> AsyncIterator[Final]:
        return aiter(self._said)


@attrs.define(eq=False)
class LoudnessSTT:
    """The recogniser."""

    settings: LoudnessSettings
    open_streams: int = 0

    @asynccontextmanager
    async def connect(self, options: STTOptions) -> AsyncIterator[STTStream]:
        """Open a recognition for as long as the block lasts."""
        if options.format != SPEECH:
            raise ProviderRefused(ID, f"takes {SPEECH}, not {options.format}")
        if self.open_streams >= STREAMS:
            raise ProviderBusy(ID, f"all {STREAMS} streams are in use")
        own = options.options or LoudnessOptions()
        self.open_streams += 1
        try:
            say, said = trio.open_memory_channel[Final](0)
            async with say, said:
                yield LoudnessStream(Stretches(self.settings.word, own.level), say, said)
        finally:
            self.open_streams -= 1


@asynccontextmanager
async def open_loudness(context: PluginContext) -> AsyncIterator[Plugin]:
    """Bring the recogniser. A plugin with a connection or a task of its own has it around the yield."""
    context.log.info("listening for loud stretches")
    stt: STT = LoudnessSTT(context.settings)
    yield Plugin(stt=stt)


MANIFEST = Manifest(
    id=ID,
    name="Loudness",
    description="Understands one word",
    open=open_loudness,
    settings=LoudnessSettings,
    abilities={
        Capability.STT: Ability(
            features=("word-timestamps",),
            languages=("multi",),
            sample_rates=(SPEECH.sample_rate,),
            limits=Limits(concurrency=STREAMS),
            options=LoudnessOptions,
        )
    },
)
