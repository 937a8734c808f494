"""The contract of :class:`capabilities.TTS`, as a function that tries all of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import attrs

from capabilities import TTS, Ability, AudioFrame, SpeechRequest
from waav.testing.contract import (
    PATIENCE,
    cancel_everywhere,
    check_limit,
    check_refused,
    promise,
    whole_check,
    within,
)
from waav.testing.talk import say

_TEXT = "Hello world. How are you today?"
_BLANK = ("", " \n\t ")
_GENDERS = ("Male", "Female", "Neutral", "Unknown")
_NOBODY = "nobody-goes-by-this-name"


async def check_tts(
    tts: TTS,
    ability: Ability | None = None,
    *,
    request: SpeechRequest = SpeechRequest(_TEXT),  # noqa: B008 - frozen
    cancels: int = 60,
    budget: float = 60.0,
) -> None:
    """Raise AssertionError at the first promise of :class:`TTS` that is not kept.

    Args:
        tts: the implementer; it must be free, as its limit is tried too.
        ability: what its manifest says of it.
        request: what is said, in the cases where the text does not matter.
        cancels: the most runs that are cancelled, each at another await.
        budget: seconds for all of it.
    """
    check = _Check(tts, ability or Ability(), request)
    limits = check.ability.limits
    async with whole_check(budget):
        await check.sound()
        await check.blank()
        await check.voices()
        await check.leaving()
        # A connection that is kept for the next time is nothing that a cancelled one has left.
        await check.to_the_end()
        await cancel_everywhere(check.to_the_end, "a synthesis", most=cancels)
        # Last, so that a place lost by a cancellation shows.
        await check_limit(lambda: tts.synthesize(request), limits.concurrency, "request")


@attrs.frozen
class _Check:
    tts: TTS
    ability: Ability
    request: SpeechRequest

    async def sound(self) -> None:
        """Frames say truly what they are, and follow each other; a higher speed takes less time."""
        frames = await say(self.tts, self.request)
        promise(frames, f"there is no sound for {self.request.text!r}")
        _check_frames(frames, self.ability)
        if "speed" in self.ability.features:
            quick = await say(self.tts, attrs.evolve(self.request, speed=2.0))
            promise(_size(quick) < _size(frames), "at speed 2.0 a text must be shorter")

    async def blank(self) -> None:
        """Nothing to say is neither sound nor an error."""
        for text in _BLANK:
            frames = await say(self.tts, attrs.evolve(self.request, text=text))
            promise(not frames, f"there must be no sound for {text!r}")

    async def voices(self) -> None:
        """The list is in order, each of it can be used, and no other is accepted."""
        voices = list(await self.tts.voices())
        ids = [voice.id for voice in voices]
        promise(ids == sorted(set(ids)), f"voices are sorted by id, and each is there once: {ids}")
        for voice in voices:
            promise(voice.gender in _GENDERS, f"a gender is one of {_GENDERS}: {voice}")
            promise(voice.language, f"a voice has a language: {voice}")
        for voice_id in ids[:1] + ids[-1:]:
            promise(
                await say(self.tts, attrs.evolve(self.request, voice=voice_id)),
                f"the listed voice {voice_id!r} says nothing",
            )
        unknown = attrs.evolve(self.request, voice=_NOBODY)
        await check_refused(lambda: self._begun(unknown), "a voice that is not listed")

    async def leaving(self) -> None:
        """The longest text begins soon, and can be left soon."""
        text = f"{self.request.text} "
        count = self.ability.limits.text_bytes // len(text.encode())
        long = attrs.evolve(self.request, text=text * count)
        async with (
            within(PATIENCE, "beginning a long text and leaving it"),
            self._begun(long) as frame,
        ):
            promise(frame is not None, "there is no sound for a long text")

    async def to_the_end(self) -> None:
        """Say the text."""
        await say(self.tts, self.request)

    @asynccontextmanager
    async def _begun(self, request: SpeechRequest) -> AsyncIterator[AudioFrame | None]:
        async with self.tts.synthesize(request) as frames:
            yield await anext(aiter(frames), None)


def _check_frames(frames: list[AudioFrame], ability: Ability) -> None:
    audio = frames[0].format
    promise(audio.encoding in ability.encodings, f"the manifest does not name {audio.encoding}")
    rates = ability.sample_rates
    promise(not rates or audio.sample_rate in rates, f"the manifest names {rates}, not {audio}")
    promise(audio.channels <= ability.channels, f"the manifest names fewer channels than {audio}")
    size = 0
    for frame in frames:
        promise(frame.format == audio, f"a frame is {frame.format}, the first one was {audio}")
        promise(frame.data, "a frame is empty")
        if audio.sample_bytes:
            promise(len(frame.data) % audio.sample_bytes == 0, f"a sample is torn: {frame}")
            late = abs(frame.start - audio.duration(size))
            promise(late < 0.001, f"a frame starts {audio.duration(size)} s in, but says {frame}")
        size += len(frame.data)


def _size(frames: list[AudioFrame]) -> int:
    return sum(len(frame.data) for frame in frames)
