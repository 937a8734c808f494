"""The suite of recognisers finds each kind of bad implementer."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest
import trio
import trio.testing

from capabilities import (
    Ability,
    AudioFormat,
    AudioFrame,
    Final,
    Interim,
    Limits,
    ProviderUnavailable,
    SpeechBegun,
    STTOptions,
    Transcript,
    Word,
)
from waav.testing import QUESTION_TEXT, FakeSTT, ScriptedStream, check_stt

Stream = ScriptedStream[Transcript]


class NeverEnds(Stream):
    async def finish(self) -> None:
        await trio.lowlevel.checkpoint()


class HearsGhosts(Stream):
    haunted = True

    async def __anext__(self) -> Transcript:
        if self.haunted:
            self.haunted = False
            return Final("boo")
        return await super().__anext__()


class Stubborn(Stream):
    """Does not let go of what it waits for."""

    async def __anext__(self) -> Transcript:
        with trio.CancelScope(shield=True):
            await trio.sleep(5)
        return await super().__anext__()


class MindsItsFrames(Stream):
    """Loses its words over a frame that is not of 20 ms."""

    async def send(self, frame: AudioFrame) -> None:
        if len(frame.data) not in (640, 320):
            self._script.clear()
        await super().send(frame)


class SendsIntoTheVoid(Stream):
    async def send(self, frame: AudioFrame) -> None:
        if self.broken is None:
            await super().send(frame)


class EndsLikeAnEnd(Stream):
    async def __anext__(self) -> Transcript:
        try:
            return await super().__anext__()
        except ProviderUnavailable:
            raise StopAsyncIteration from None


class BadSTT(FakeSTT):
    """Opens streams of another class, leaves late, or keeps the place."""

    stream: type[Stream] = ScriptedStream
    linger = 0.0
    leaks = 0
    loses = 0
    guesses = False

    @asynccontextmanager
    async def connect(self, options: STTOptions) -> AsyncIterator[Stream]:
        if self.guesses:
            options = STTOptions()
        async with super().connect(options) as stream:
            bad = self.stream(stream.name, stream._script)
            self.streams[-1] = bad
            try:
                yield bad
            except trio.Cancelled:
                self.places.taken += self.loses
                raise
            await trio.sleep(self.linger)
        self.places.taken += self.leaks


def bad(**attributes: Any) -> FakeSTT:
    stt = BadSTT(limit=2)
    for name, value in attributes.items():
        setattr(stt, name, value)
    return stt


def hears(*script: Any) -> Callable[[], FakeSTT]:
    return partial(FakeSTT, script, limit=2)


def word(start: float, end: float, confidence: float | None = None) -> Final:
    return Final("hi", words=(Word("hi", start, end, confidence),))


CASES: dict[str, tuple[Callable[[], FakeSTT], str | None, str]] = {
    "never-ends": (partial(bad, stream=NeverEnds), None, "whole check takes more than"),
    "hears-ghosts": (partial(bad, stream=HearsGhosts), None, "where nothing was sent"),
    "wrong-words": (hears(Final("hello")), QUESTION_TEXT, "heard 'hello', not 'what is"),
    "minds-its-frames": (partial(bad, stream=MindsItsFrames), QUESTION_TEXT, "331 samples make"),
    "guesses": (
        lambda: bad(guesses=True, script=[Interim("wh"), Final("what")]),
        None,
        "there must be no Interim",
    ),
    "confidence": (hears(Final("hi", confidence=1.5)), None, "confidence is 0 to 1"),
    "no-transcript": (hears(b"hi"), None, "is no transcript"),
    "begins-before": (hears(SpeechBegun(-1.0)), None, "within the sound"),
    "begins-beyond": (hears(SpeechBegun(500.0)), None, "within the sound"),
    "word-backwards": (hears(word(1.0, 0.5)), None, "times go on"),
    "word-before": (hears(word(-1.0, 0.5)), None, "times go on"),
    "word-beyond": (hears(word(0.0, 500)), None, "times go on"),
    "word-confidence": (hears(word(0.0, 0.5, 7)), None, "0 to 1"),
    "leaves-late": (partial(bad, linger=5), None, "leaving a recognition early takes more"),
    "takes-all": (partial(FakeSTT, takes=None), None, "ProviderRefused, but is accepted"),
    "no-limit": (FakeSTT, None, "limit of 2 must raise ProviderBusy"),
    "stubborn": (partial(bad, stream=Stubborn), None, "hung up takes more than"),
    "sends-on": (partial(bad, stream=SendsIntoTheVoid), None, "sending goes on as if"),
    "reads-on": (partial(bad, stream=EndsLikeAnEnd), None, "iterating goes on as if"),
    "wrong-error": (hears(), None, "iterating must raise ProviderClosed, not ProviderUnav"),
}


@pytest.mark.parametrize(("make", "text", "message"), CASES.values(), ids=CASES)
async def test_a_defect_is_found(
    make: Callable[[], FakeSTT],
    text: str | None,
    message: str,
    autojump_clock: trio.testing.MockClock,
) -> None:
    del autojump_clock
    stt = make()
    closes = "iterating" not in message
    reason = None if closes else ProviderUnavailable("fake", "gone")
    with pytest.raises(AssertionError, match=message):
        await check_stt(
            stt,
            Ability(limits=Limits(concurrency=2)),
            text=text,
            refused=[STTOptions(format=AudioFormat(sample_rate=8000))],
            hang_up=lambda _: stt.streams[-1].hang_up(reason),
        )


async def test_who_does_not_let_go_is_found(autojump_clock: trio.testing.MockClock) -> None:
    del autojump_clock
    with pytest.raises(AssertionError, match="does not end within"):
        await check_stt(bad(stream=Stubborn), Ability(limits=Limits(concurrency=2)))


@pytest.mark.parametrize("how", ["leaks", "loses"])
async def test_a_place_that_is_not_given_back_is_found(how: str) -> None:
    """Always, or by a cancellation: it shows as a refusal where there should be room."""
    with pytest.raises(AssertionError, match=r"ProviderBusy.*all 2 places"):
        await check_stt(bad(**{how: 1}), Ability(limits=Limits(concurrency=2)))
