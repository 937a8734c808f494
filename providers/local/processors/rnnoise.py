"""Noise suppression with RNNoise, a small recurrent network: for noise that is not steady.

It knows 48 kHz. Lower rates are raised and lowered again around it, and what a lower rate has not is
silence to it.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Protocol

import attrs
import numpy as np
import trio

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
    ProviderUnavailable,
)
from providers._common.worker import Worker
from providers.local.processors import polyphase
from providers.local.processors.effects import check_format
from providers.local.processors.hops import Hops, HopStream, Job, Result, Shape
from providers.local.processors.rnnoise_library import (
    FRAME,
    LATE,
    Library,
    LibraryMissing,
    find_library,
)
from providers.local.slots import Slots

ID = "rnnoise"
_MANY = 8
"""There is one worker thread, and a stream of speech takes up to a tenth of a core."""
_RATES = (48000, 24000, 16000, 8000)


@attrs.frozen
class RnnoiseSettings:
    """``[plugins.providers.rnnoise]``."""

    library: Path | None = None
    """The file of the library; that of the package pyrnnoise, or of the system, if not set."""
    concurrency: int = attrs.field(default=_MANY, validator=attrs.validators.in_(range(1, 4097)))
    """Streams at one time."""


@attrs.frozen
class RnnoiseOptions:
    """What a session may set."""

    attenuation: float = attrs.field(
        default=24.0, validator=[attrs.validators.ge(0), attrs.validators.le(60)]
    )
    """Decibels by which noise is lowered at most: so much of the sound as it came is left in."""


class Cleans(Protocol):
    """The model in the state of one stream."""

    def clean(self, frame: polyphase.Wave) -> polyphase.Wave:
        """Return the next frame, ``LATE`` samples behind what was given."""
        ...


@attrs.frozen(eq=False)
class Ear:
    """What is remembered of one stream."""

    model: Cleans
    dry: float
    """The part of the sound as it came that is left in."""
    before: polyphase.Before
    waiting: polyphase.Wave
    """The last ``LATE`` samples as they came, until the model has got there."""

    @classmethod
    def fresh(cls, open_model: Callable[[], Cleans], times: int, attenuation: float) -> "Ear":
        """Return the memory of a stream that has heard nothing."""
        waiting = np.zeros(LATE, np.float32)
        dry = 10 ** (-attenuation / 20)
        return cls(open_model(), dry, polyphase.Before.nothing(times), waiting)


def clean(jobs: Sequence[Job[Ear]]) -> list[Result[Ear]]:
    """Work on all, one after the other; in a thread, as the library lets others run meanwhile."""
    return [Result(*_cleaned(job.memory, job.hops)) for job in jobs]


def _cleaned(ear: Ear, hops: Hops) -> tuple[Ear, Hops]:
    raised, low = polyphase.up(ear.before, hops.reshape(-1))
    came = np.concatenate([ear.waiting, raised])
    wet = np.concatenate([ear.model.clean(frame) for frame in raised.reshape(-1, FRAME)])
    mixed = wet + np.float32(ear.dry) * (came[: len(wet)] - wet)
    lowered, high = polyphase.down(ear.before, mixed)
    before = polyphase.Before(ear.before.times, low, high)
    return attrs.evolve(ear, before=before, waiting=came[-LATE:].copy()), lowered.reshape(
        hops.shape
    )


@attrs.frozen
class Rnnoise:
    """The processor: one worker for all streams."""

    _open_model: Callable[[], Cleans]
    _worker: Worker[Job[Ear], Result[Ear]]
    _slots: Slots

    @asynccontextmanager
    async def process(self, options: ProcessorOptions) -> AsyncIterator[ProcessorStream]:
        """Work on one stream."""
        audio, own = options.format, options.options or RnnoiseOptions()
        check_format(ID, audio, channels=1)
        if audio.sample_rate not in _RATES:
            raise ProviderRefused(ID, f"does not take {audio.sample_rate} Hz")
        times = 48000 // audio.sample_rate
        shape = Shape(FRAME // times, LATE // times + polyphase.late(times))
        with self._slots.take():
            fresh = partial(Ear.fresh, self._open_model, times, own.attenuation)
            yield HopStream(audio, shape, fresh, self._worker)


@asynccontextmanager
async def open_rnnoise(context: PluginContext) -> AsyncIterator[Plugin]:
    """Load the library."""
    settings: RnnoiseSettings = context.settings
    try:
        library = await trio.to_thread.run_sync(_load, settings.library)
    except LibraryMissing as exc:
        raise ProviderUnavailable(ID, str(exc)) from None
    slots = Slots(ID, settings.concurrency)
    yield Plugin(processor=Rnnoise(library.open, Worker(ID, clean), slots))


def _load(path: Path | None) -> Library:
    return Library(str(path) if path else find_library())


MANIFEST = Manifest(
    id=ID,
    name="RNNoise",
    description="Lowers noise behind a voice with a small network, where its library is installed",
    open=open_rnnoise,
    version="1",
    settings=RnnoiseSettings,
    abilities={
        Capability.PROCESSOR: Ability(
            sample_rates=_RATES,
            limits=Limits(concurrency=_MANY),
            options=RnnoiseOptions,
        )
    },
)
