"""Noise suppression that needs no model and no library, for a session's own rate, 10 ms behind."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import attrs

from capabilities import (
    Ability,
    Capability,
    Limits,
    Manifest,
    Plugin,
    PluginContext,
    ProcessorOptions,
    ProcessorStream,
    ProviderRefused,
)
from providers._common.worker import Worker
from providers.local.processors.effects import check_format
from providers.local.processors.hops import HopStream, Job, Result, Shape
from providers.local.processors.spectral import Ear, suppress
from providers.local.slots import Slots

ID = "denoise"
_MANY = 256
_RATES = (16000, 8000, 11025, 22050, 24000, 32000, 44100, 48000)


@attrs.frozen
class DenoiseSettings:
    """``[plugins.providers.denoise]``."""

    concurrency: int = attrs.field(default=_MANY, validator=attrs.validators.in_(range(1, 4097)))
    """Streams at one time."""


@attrs.frozen
class DenoiseOptions:
    """What a session may set."""

    attenuation: float = attrs.field(
        default=24.0, validator=[attrs.validators.ge(0), attrs.validators.le(60)]
    )
    """Decibels by which noise is lowered at most: little is gentle to the voice, much is quiet."""


@attrs.frozen
class Denoise:
    """The processor: one worker for all streams."""

    _worker: Worker[Job[Ear], Result[Ear]]
    _slots: Slots

    @asynccontextmanager
    async def process(self, options: ProcessorOptions) -> AsyncIterator[ProcessorStream]:
        """Work on one stream."""
        audio, own = options.format, options.options or DenoiseOptions()
        check_format(ID, audio, channels=1)
        if audio.sample_rate not in _RATES:
            raise ProviderRefused(ID, f"does not take {audio.sample_rate} Hz")
        hop = round(audio.sample_rate / 100)
        with self._slots.take():
            fresh = partial(Ear.fresh, hop, own.attenuation)
            yield HopStream(audio, Shape(hop, late=hop), fresh, self._worker)


@asynccontextmanager
async def open_denoise(context: PluginContext) -> AsyncIterator[Plugin]:
    """Bring the processor; there is nothing to be loaded."""
    settings: DenoiseSettings = context.settings
    yield Plugin(processor=Denoise(Worker(ID, suppress), Slots(ID, settings.concurrency)))


MANIFEST = Manifest(
    id=ID,
    name="Noise suppression",
    description="Lowers steady noise behind a voice",
    open=open_denoise,
    version="1",
    aliases=("noise-filter", "noise-cancellation"),
    settings=DenoiseSettings,
    abilities={
        Capability.PROCESSOR: Ability(
            sample_rates=_RATES,
            limits=Limits(concurrency=_MANY),
            options=DenoiseOptions,
        )
    },
)
