"""The fakes keep all promises, do what their scripts say, and remember what they were asked."""

import pytest
import trio
import trio.testing

from capabilities import (
    AudioFormat,
    Encoding,
    Final,
    Interim,
    ProviderBusy,
    ProviderClosed,
    ProviderRefused,
    ProviderUnavailable,
    SpeechRequest,
    SpeechStarted,
    SpeechStopped,
    STTOptions,
    Transcript,
    VADOptions,
)
from waav.testing import (
    QUESTION_TEXT,
    Cue,
    FakeSTT,
    FakeTTS,
    FakeVAD,
    check_plugin,
    check_stt,
    manifest_of,
    silence,
)

SCRIPT: list[Cue[Transcript]] = [
    Cue(0.5, Interim("he")),
    Cue(1.0, Final("hello")),
    Cue(None, Final("world", speech_final=True)),
]


async def test_a_plugin_of_fakes_passes_the_suite() -> None:
    await check_plugin(
        manifest_of(stt=FakeSTT(limit=3), tts=FakeTTS(limit=2), vad=FakeVAD(limit=1)),
        text=QUESTION_TEXT,
    )


async def test_a_fake_that_takes_any_format_passes_too() -> None:
    await check_plugin(manifest_of(stt=FakeSTT(takes=None), vad=FakeVAD(takes=None)))


async def test_transcripts_come_when_enough_sound_was_sent() -> None:
    stt = FakeSTT(SCRIPT)
    async with stt.connect(STTOptions()) as stream:
        words = aiter(stream)
        await stream.send(silence(0.5))
        assert await anext(words) == Interim("he")
        with trio.move_on_after(0) as too_early:
            await anext(words)
        assert too_early.cancelled_caught
        await stream.send(silence(0.5))
        assert await anext(words) == Final("hello")
        await stream.finish()
        assert [each async for each in words] == [Final("world", speech_final=True)]
    assert stt.streams[0].heard == 1.0
    assert stt.requests == [STTOptions()]


async def test_a_bare_transcript_comes_at_the_end() -> None:
    await check_stt(FakeSTT([Final("hello"), Final("world")]), text="hello world")


async def test_an_error_in_the_script_hangs_up() -> None:
    script: list[Cue[Transcript]] = [
        Cue(0.1, Final("hello")),
        Cue(0.2, ProviderUnavailable("fake", "gone")),
    ]
    stt = FakeSTT(script)
    async with stt.connect(STTOptions()) as stream:
        await stream.send(silence(0.2))
        with pytest.raises(ProviderUnavailable, match="gone"):
            assert [each async for each in stream] == [Final("hello")]
        with pytest.raises(ProviderClosed):
            await stream.send(silence(0.2))


async def test_the_far_side_hangs_up_while_somebody_waits(
    autojump_clock: trio.testing.MockClock,
) -> None:
    del autojump_clock
    stt = FakeSTT()
    await check_stt(stt, hang_up=lambda _: stt.streams[-1].hang_up())


async def test_connecting_can_be_slow_or_refused(autojump_clock: trio.testing.MockClock) -> None:
    del autojump_clock
    async with FakeSTT(delay=3).connect(STTOptions()):
        assert trio.current_time() == 3
    with pytest.raises(ProviderRefused, match="bad key"):
        async with FakeSTT(refusal=ProviderRefused("fake", "bad key")).connect(STTOptions()):
            pass


async def test_a_text_becomes_so_much_sound_in_so_much_time(
    autojump_clock: trio.testing.MockClock,
) -> None:
    del autojump_clock
    audio = AudioFormat(Encoding.LINEAR16, 8000)
    tts = FakeTTS(audio, frame=0.1, per_character=0.05, delay=1.0)
    async with tts.synthesize(SpeechRequest("hello", speed=0.5)) as frames:
        sound = [frame async for frame in frames]
    assert sum(len(frame.data) for frame in sound) == audio.size(0.5) == tts.size_of("hello", 0.5)
    assert [frame.start for frame in sound] == pytest.approx([0, 0.1, 0.2, 0.3, 0.4])
    assert trio.current_time() == 5
    assert tts.requests == [SpeechRequest("hello", speed=0.5)]


async def test_a_synthesis_fails_on_demand() -> None:
    tts = FakeTTS(fail_after=2, error=ProviderUnavailable("fake", "no more"))
    seen = 0
    async with tts.synthesize(SpeechRequest("hello")) as frames:
        with pytest.raises(ProviderUnavailable, match="no more"):
            async for _ in frames:
                seen += 1
    assert seen == 2
    assert tts.places.taken == 0


async def test_activity_comes_when_enough_sound_was_sent() -> None:
    vad = FakeVAD()
    async with vad.watch(VADOptions()) as stream:
        await stream.send(silence(2.0))
        await stream.finish()
        assert [each async for each in stream] == [SpeechStarted(0.1), SpeechStopped(0.9)]


async def test_who_is_too_many_is_refused_and_who_leaves_makes_room() -> None:
    stt = FakeSTT(limit=1)
    async with stt.connect(STTOptions()):
        with pytest.raises(ProviderBusy):
            async with stt.connect(STTOptions()):
                pass
    async with stt.connect(STTOptions()):
        assert stt.places.taken == 1
