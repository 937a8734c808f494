"""What the light processors share: sound as samples through a short computation, and a plugin around it."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Protocol, TypeAlias

import attrs
import numpy as np
import trio
from numpy.typing import NDArray

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

Samples: TypeAlias = NDArray[np.float64]
"""``[samples, channels]``, from -32768 to 32767."""
Make: TypeAlias = Callable[[ProcessorOptions], ProcessorStream]
"""Begins a stream; its format and options have been checked."""

CHANNELS = 2
"""The most that a light processor takes."""


class Effect(Protocol):
    """A computation that is done in a moment, and gives as many samples as it gets."""

    def apply(self, samples: Samples) -> Samples:
        """Return the sound changed; beyond 16 bits it is clipped."""
        ...

    def readings(self) -> Mapping[str, float]:
        """Return what was measured."""
        return {}


@attrs.define(eq=False)
class EffectStream:
    """A stream through one effect. Nothing is held back, and nothing waits."""

    source: AudioFormat
    format: AudioFormat
    _begin: Callable[[], Effect]
    """Gives an effect that has heard nothing yet."""
    delay: float = 0.0
    _effect: Effect = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.reset()

    @property
    def readings(self) -> Mapping[str, float]:
        """What the effect has measured."""
        return self._effect.readings()

    async def feed(self, data: bytes) -> bytes:
        """Return all of it, changed."""
        samples = np.frombuffer(data, "<i2").reshape(-1, self.source.channels)
        return as_bytes(self._effect.apply(samples.astype(np.float64)))

    async def flush(self) -> bytes:
        """Return nothing, as nothing is held back."""
        self.reset()
        return b""

    def reset(self) -> None:
        """Forget what was heard."""
        self._effect = self._begin()


def as_bytes(samples: NDArray[np.floating[Any]]) -> bytes:
    """Round to linear16; what is beyond it stays at its end and does not wrap."""
    whole: NDArray[np.int16] = np.rint(samples).clip(-32768, 32767).astype("<i2")
    return whole.tobytes()


@attrs.frozen
class Light:
    """A processor whose streams cost next to nothing: as many as there are."""

    id: str
    _make: Make

    @asynccontextmanager
    async def process(self, options: ProcessorOptions) -> AsyncIterator[ProcessorStream]:
        """Work on one stream."""
        check_format(self.id, options.format, channels=CHANNELS)
        await trio.lowlevel.checkpoint()
        yield self._make(options)


def check_format(provider: str, audio: AudioFormat, *, channels: int) -> None:
    """Refuse what is not linear16, or has too many channels.

    Raises:
        ProviderRefused: that.
    """
    if audio.encoding is not Encoding.LINEAR16:
        raise ProviderRefused(provider, f"takes linear16, not {audio.encoding}")
    if not 1 <= audio.channels <= channels:
        raise ProviderRefused(provider, f"takes up to {channels} channels, not {audio.channels}")


def light_manifest(
    id: str,  # noqa: A002 - it is what the manifest calls it
    make: Make,
    *,
    name: str,
    description: str,
    options: type[Any] | None = None,
) -> Manifest:
    """Return the manifest of a plugin that brings one light processor."""

    @asynccontextmanager
    async def open_light(_context: PluginContext) -> AsyncIterator[Plugin]:
        yield Plugin(processor=Light(id, make))

    ability = Ability(channels=CHANNELS, options=options)
    return Manifest(
        id=id,
        name=name,
        description=description,
        open=open_light,
        version="1",
        abilities={Capability.PROCESSOR: ability},
    )
