"""A whole audio processor in one file: silences what is not loud enough, between words.

Put it into the folder that ``plugins.plugin_dir`` names, and ``noise-gate`` into a pipeline.
docs/topics/audio-processing.md tells what pipelines are, docs/plugins/writing.md the rest.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import MappingProxyType

import attrs
import numpy as np

from capabilities import (
    Ability,
    AudioFormat,
    Capability,
    Encoding,
    Manifest,
    Plugin,
    PluginContext,
    ProcessorOptions,
    ProcessorStream,
    ProviderRefused,
)

ID = "noise-gate"


@attrs.frozen
class GateOptions:
    """What a session may set."""

    threshold: float = attrs.field(
        default=-40.0, validator=[attrs.validators.ge(-96), attrs.validators.le(0)]
    )
    """Decibels below full scale: what is louder opens the gate."""
    hold: float = attrs.field(default=0.2, validator=attrs.validators.ge(0))
    """Seconds that it stays open afterwards."""
    fade: float = attrs.field(default=0.05, validator=attrs.validators.gt(0))
    """Seconds that it takes to close."""


@attrs.define(eq=False)
class GateStream:
    """One stream. It decides sample by sample, so it does not matter how the sound is cut."""

    format: AudioFormat
    options: GateOptions
    delay: float = 0.0  # what goes in comes out at once
    readings: Mapping[str, float] = MappingProxyType({})
    quiet: float = np.inf
    """Samples since the last loud one."""

    async def feed(self, data: bytes) -> bytes:
        """Return the sound, or silence. A moment's work: it needs no thread."""
        samples = np.frombuffer(data, "<i2").astype(np.float32)
        if not samples.size:
            return b""
        loud = np.abs(samples) > 32768 * 10 ** (self.options.threshold / 20)
        here = np.arange(len(samples))
        last_loud = np.maximum.accumulate(np.where(loud, here, -1 - self.quiet))
        quiet = here - last_loud
        self.quiet = quiet[-1]
        closing = quiet / self.format.sample_rate - self.options.hold
        gain = np.clip(1 - closing / self.options.fade, 0, 1)
        return np.rint(samples * gain).astype("<i2").tobytes()

    async def flush(self) -> bytes:
        """Give what was held back, which is nothing, and begin anew."""
        self.reset()
        return b""

    def reset(self) -> None:
        """Close."""
        self.quiet = np.inf


@attrs.frozen
class Gate:
    """The processor. It may have any number of streams, and they share nothing."""

    @asynccontextmanager
    async def process(self, options: ProcessorOptions) -> AsyncIterator[ProcessorStream]:
        """Work on one stream for as long as the block lasts."""
        if options.format.encoding is not Encoding.LINEAR16 or options.format.channels != 1:
            raise ProviderRefused(ID, f"takes linear16 with one channel, not {options.format}")
        yield GateStream(options.format, options.options or GateOptions())


@asynccontextmanager
async def open_gate(_context: PluginContext) -> AsyncIterator[Plugin]:
    """Bring the processor. One with a model would load it here, in a thread."""
    yield Plugin(processor=Gate())


MANIFEST = Manifest(
    id=ID,
    name="Noise gate",
    description="Silences what is not loud enough",
    open=open_gate,
    abilities={Capability.PROCESSOR: Ability(options=GateOptions)},
)
