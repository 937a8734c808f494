"""The contract of :class:`capabilities.AudioProcessor`, as a function that tries all of it."""

import random
from collections.abc import Iterable, Iterator
from functools import partial

import attrs
import numpy as np

from capabilities import (
    SPEECH,
    Ability,
    AudioFormat,
    AudioFrame,
    AudioProcessor,
    Encoding,
    ProcessorOptions,
    ProcessorStream,
)
from waav.testing.audio import question, silence, tone
from waav.testing.contract import (
    PATIENCE,
    cancel_everywhere,
    check_limit,
    check_refused,
    promise,
    whole_check,
    within,
)

_STEP = 0.02
"""Seconds of one frame."""
_SHORT = 0.2
"""Seconds of sound where little matters but that there is some."""
_LONGEST = 0.12
"""Seconds of the longest of the frames that chance cuts."""
_GRACE = 0.01
"""Seconds by which what comes out may be longer or shorter than what went in."""
_INAUDIBLE = 1
"""A sample as far from zero as rounding may leave silence."""


async def check_processor(
    processor: AudioProcessor,
    ability: Ability | None = None,
    *,
    options: ProcessorOptions | None = None,
    sound: AudioFrame | None = None,
    refused: Iterable[ProcessorOptions] = (),
    cancels: int = 60,
    budget: float = 60.0,
) -> None:
    """Raise AssertionError at the first promise of :class:`AudioProcessor` that is not kept.

    Args:
        processor: the implementer; it must be free, as its limit is tried too.
        ability: what its manifest says of it.
        options: how to work; in the first format of ``ability`` if None.
        sound: what is worked on, in the format of ``options``; speech, or a tone, if None.
        refused: options that must not be accepted.
        cancels: the most runs that are cancelled, each at another await.
        budget: seconds for all of it.
    """
    ability = ability or Ability()
    options = options or ProcessorOptions(_first_format(ability))
    check = _Check(processor, options, sound or _some_sound(options.format))
    async with whole_check(budget):
        await check.length()
        await check.stillness()
        await check.beginnings()
        await check.strangers()
        async with within(PATIENCE, "leaving early"), processor.process(options) as stream:
            await stream.feed(check.short())
        for each in refused:
            await check_refused(partial(processor.process, each), f"process with {each}")
        await cancel_everywhere(check.short_work, "a stream", most=cancels)
        # Last, so that a place lost by a cancellation shows.
        await check_limit(lambda: processor.process(options), ability.limits.concurrency, "stream")


@attrs.frozen
class _Check:
    processor: AudioProcessor
    options: ProcessorOptions
    sound: AudioFrame

    async def length(self) -> None:
        """As much sound comes out as went in, however it is cut, and no later than is said."""
        for seed in range(3):
            async with self.processor.process(self.options) as stream:
                ready = await self._worked(stream, self._cut(seed))
                went, came = self.sound.duration, stream.format.duration(len(ready))
                promise(
                    abs(went - came) <= _GRACE,
                    f"nothing is lost or made: {went:.3f} s go in, {came:.3f} s come out",
                )

    async def stillness(self) -> None:
        """Silence in, silence out."""
        async with self.processor.process(self.options) as stream:
            still = silence(1.0, self.options.format).data
            ready = await self._worked(stream, _pieces(still, self._step()))
            if stream.format.encoding is Encoding.LINEAR16:
                peak = np.abs(np.frombuffer(ready, "<i2").astype(int)).max(initial=0)
                promise(peak <= _INAUDIBLE, f"silence stays silence: a sample is {peak}")

    async def beginnings(self) -> None:
        """After a flush, and after a reset, a stream is as good as new."""
        async with self.processor.process(self.options) as stream:
            first = await self._worked(stream, self._frames())
            promise(
                await self._worked(stream, self._frames()) == first,
                "after flush the same sound is worked on in the same way",
            )
            await stream.feed(self.short())
            stream.reset()
            promise(
                await self._worked(stream, self._frames()) == first,
                "after reset the same sound is worked on in the same way",
            )

    async def strangers(self) -> None:
        """What goes through one stream has no influence on another."""
        alone = await self._alone()
        noise = random.Random(1).randbytes(self._step())  # noqa: S311 - only to be no silence
        async with (
            self.processor.process(self.options) as stream,
            self.processor.process(self.options) as other,
        ):
            together = b""
            for piece in self._frames():
                await other.feed(noise)
                together += await stream.feed(piece)
            together += await stream.flush()
        promise(together == alone, "streams do not influence each other")

    async def short_work(self) -> None:
        """Work on a little sound, to its end."""
        async with self.processor.process(self.options) as stream:
            for piece in _pieces(self.short(), self._step()):
                await stream.feed(piece)
            await stream.flush()

    def short(self) -> bytes:
        """Return a little of the sound."""
        return self.sound.data[: self.options.format.size(_SHORT)]

    async def _alone(self) -> bytes:
        async with self.processor.process(self.options) as stream:
            return await self._worked(stream, self._frames())

    async def _worked(self, stream: ProcessorStream, pieces: Iterable[bytes]) -> bytes:
        """Feed all, flush, and hold the stream to its claims on the way."""
        unit = stream.format.sample_bytes
        promise(unit, f"what comes out is raw sound, not {stream.format.encoding}")
        fed, ready = 0.0, b""
        for piece in pieces:
            ready += _sound(stream, await stream.feed(piece))
            fed += self.options.format.duration(len(piece))
            held = fed - stream.format.duration(len(ready))
            promise(
                held <= stream.delay + 1e-3,
                f"it says that it holds back {stream.delay:.3f} s at most, and holds {held:.3f}",
            )
        return ready + _sound(stream, await stream.flush())

    def _frames(self) -> Iterator[bytes]:
        return _pieces(self.sound.data, self._step())

    def _step(self) -> int:
        return self.options.format.size(_STEP)

    def _cut(self, seed: int) -> Iterator[bytes]:
        chance = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
        unit, offset = self.options.format.sample_bytes, 0
        while offset < len(self.sound.data):
            size = unit * chance.randint(1, self.options.format.size(_LONGEST) // unit)
            yield self.sound.data[offset : offset + size]
            offset += size


def _sound(stream: ProcessorStream, ready: bytes) -> bytes:
    promise(isinstance(ready, bytes), f"what comes out is bytes, not {type(ready).__name__}")
    torn = len(ready) % stream.format.sample_bytes
    promise(not torn, f"what comes out has whole samples: {len(ready)} bytes")
    return ready


def _pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[offset : offset + size] for offset in range(0, len(data), size))


def _first_format(ability: Ability) -> AudioFormat:
    rate = ability.sample_rates[0] if ability.sample_rates else SPEECH.sample_rate
    return AudioFormat(ability.encodings[0], rate)


def _some_sound(audio: AudioFormat) -> AudioFrame:
    return question() if audio == SPEECH else tone(1.0, audio=audio)
