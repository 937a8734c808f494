"""The suite of synthesisers finds each kind of bad implementer."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from functools import partial

import attrs
import pytest
import trio
import trio.testing

from capabilities import (
    Ability,
    AudioFormat,
    AudioFrame,
    Encoding,
    Limits,
    Secret,
    SpeechRequest,
    Voice,
)
from waav.testing import FakeTTS, check_tts

HIGH = AudioFormat(Encoding.LINEAR16, 24000)
ABILITY = Ability(
    features=("speed",), sample_rates=(24000,), limits=Limits(concurrency=2, text_bytes=2000)
)


class Spoiling(FakeTTS):
    """Gives each frame through :meth:`spoil`."""

    def spoil(self, frame: AudioFrame) -> AudioFrame:
        return frame

    async def _frames(self, request: SpeechRequest) -> AsyncGenerator[AudioFrame, None]:
        async with aclosing(super()._frames(request)) as frames:
            async for frame in frames:
                yield self.spoil(frame)


class Tears(Spoiling):
    def spoil(self, frame: AudioFrame) -> AudioFrame:
        return attrs.evolve(frame, data=frame.data[:-1])


class Empties(Spoiling):
    def spoil(self, frame: AudioFrame) -> AudioFrame:
        return attrs.evolve(frame, data=b"")


class ForgetsTheTime(Spoiling):
    def spoil(self, frame: AudioFrame) -> AudioFrame:
        return attrs.evolve(frame, start=0.0)


class SaysMulaw(Spoiling):
    def spoil(self, frame: AudioFrame) -> AudioFrame:
        return attrs.evolve(frame, format=attrs.evolve(frame.format, encoding=Encoding.MULAW))


class Changes(Spoiling):
    def spoil(self, frame: AudioFrame) -> AudioFrame:
        rate = 24000 if frame.start < 0.1 else 48000
        return attrs.evolve(frame, format=attrs.evolve(frame.format, sample_rate=rate))


class SpeaksBlanks(FakeTTS):
    def size_of(self, text: str, speed: float = 1.0) -> int:
        del text
        return self.format.size(1.0 / speed)


class Mute(FakeTTS):
    def size_of(self, text: str, speed: float = 1.0) -> int:
        del text, speed
        return 0


class Unhurried(FakeTTS):
    def size_of(self, text: str, speed: float = 1.0) -> int:
        del speed
        return super().size_of(text)


class Unsorted(FakeTTS):
    async def voices(self, _api_key: Secret | None = None) -> Sequence[Voice]:
        await trio.lowlevel.checkpoint()
        return self.speakers[::-1]


class Lingers(FakeTTS):
    async def _frames(self, request: SpeechRequest) -> AsyncGenerator[AudioFrame, None]:
        try:
            async with aclosing(super()._frames(request)) as frames:
                async for frame in frames:
                    yield frame
        finally:
            with trio.CancelScope(shield=True):
                await trio.sleep(5)


def voices(*listed: Voice) -> Callable[[], FakeTTS]:
    return partial(FakeTTS, limit=2, speakers=listed)


CASES: dict[str, tuple[Callable[[], FakeTTS], str]] = {
    "tears-samples": (partial(Tears, limit=2), "a sample is torn"),
    "empty-frames": (partial(Empties, limit=2), "a frame is empty"),
    "forgets-the-time": (partial(ForgetsTheTime, limit=2), "s in, but says"),
    "changes-format": (partial(Changes, limit=2), "the first one was"),
    "other-rate": (partial(FakeTTS, AudioFormat(sample_rate=8000)), "the manifest names"),
    "other-encoding": (partial(SaysMulaw, limit=2), "does not name mulaw"),
    "other-channels": (partial(FakeTTS, attrs.evolve(HIGH, channels=2)), "fewer channels"),
    "mute": (Mute, "no sound for 'Hello"),
    "speaks-blanks": (SpeaksBlanks, "no sound for ''"),
    "unhurried": (Unhurried, "at speed 2.0"),
    "unsorted": (Unsorted, "sorted by id"),
    "twice": (voices(Voice("a", "A", "en"), Voice("a", "A", "en")), "each is there once"),
    "gender": (voices(Voice("a", "A", "en", gender="f")), "a gender is one of"),
    "language": (voices(Voice("a", "A", "")), "has a language"),
    "anybody": (voices(Voice("nobody-goes-by-this-name", "N", "en")), "but is accepted"),
    "slow": (partial(FakeTTS, limit=2, delay=3), "beginning a long text"),
    "no-limit": (FakeTTS, "limit of 2 must raise ProviderBusy"),
    "lingers": (partial(Lingers, limit=2), "leaving it takes more|does not end within"),
}


@pytest.mark.parametrize(("make", "message"), CASES.values(), ids=CASES)
async def test_a_defect_is_found(
    make: Callable[[], FakeTTS], message: str, autojump_clock: trio.testing.MockClock
) -> None:
    del autojump_clock
    tts = make()
    with pytest.raises(AssertionError, match=message):
        await check_tts(tts, ABILITY, budget=10_000)


async def test_the_format_that_was_asked_for_is_a_wish_only() -> None:
    request = SpeechRequest("Hello", format=AudioFormat(Encoding.MULAW, 8000))
    await check_tts(FakeTTS(limit=2), ABILITY, request=request)
