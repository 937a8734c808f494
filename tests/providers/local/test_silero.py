"""The detector as a plugin: alone, among many, at its limits, and left in the middle."""

import subprocess
import sys
from typing import Any

import attrs
import numpy as np
import pytest
import soxr
import trio
import trio.testing

from capabilities import (
    SPEECH,
    VAD,
    AudioFormat,
    AudioFrame,
    Encoding,
    ProviderBusy,
    ProviderClosed,
    ProviderRefused,
    SpeechStarted,
    SpeechStopped,
    VADOptions,
    VADStream,
    VoiceActivity,
)
from providers.local import silero_model, silero_stream
from providers.local.silero import MANIFEST, SileroSettings
from providers.local.silero_engine import Engine
from providers.local.silero_stream import SileroStream
from providers.local.silero_vad import SileroVAD
from providers.local.slots import Slots
from waav.testing import check_plugin, cut, open_manifest, question, silence
from waav.testing.talk import push

CHUNK = 0.032


def noise(duration: float, level: float, seed: int = 0) -> AudioFrame:
    samples = np.random.default_rng(seed).normal(0, level, round(duration * 16000))
    return AudioFrame(samples.astype("<i2").tobytes())


def joined(*frames: AudioFrame) -> AudioFrame:
    return AudioFrame(b"".join(frame.data for frame in frames), frames[0].format)


def at_rate(sound: AudioFrame, rate: int) -> AudioFrame:
    samples = soxr.resample(np.frombuffer(sound.data, "<i2"), sound.format.sample_rate, rate)
    return AudioFrame(samples.astype("<i2").tobytes(), AudioFormat(sample_rate=rate))


async def watched(
    vad: VAD | None, sound: AudioFrame, options: VADOptions | None = None, size: int = 640
) -> list[VoiceActivity]:
    assert vad is not None
    options = options or VADOptions(format=sound.format)
    async with vad.watch(options) as stream, trio.open_nursery() as nursery:
        nursery.start_soon(push, stream, cut(sound, size))
        return [event async for event in stream]


async def test_the_plugin_passes_the_suite() -> None:
    await check_plugin(MANIFEST, settings=SileroSettings(concurrency=3), limit=3)


def test_nothing_heavy_is_imported_before_it_opens() -> None:
    program = (
        "import sys, providers.local.silero;"
        "sys.exit(any(each in sys.modules for each in ('numpy', 'onnxruntime', 'soxr')))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


async def test_a_question_between_silences_is_where_it_is() -> None:
    async with open_manifest(MANIFEST) as plugin:
        sound = joined(silence(1.0), question(), silence(1.0))
        started, stopped = await watched(plugin.vad, sound)
    assert isinstance(started, SpeechStarted)
    assert isinstance(stopped, SpeechStopped)
    assert started.at == pytest.approx(1.0 + 0.2, abs=0.05)
    assert stopped.at == pytest.approx(1.0 + 1.8, abs=0.05)
    assert started.at / CHUNK == pytest.approx(round(started.at / CHUNK)), "on the grid of chunks"


async def test_the_second_question_is_where_it_is_too() -> None:
    """Silence that the network never hears counts as time."""
    question_and_silence = joined(question(), silence(20.0))
    async with open_manifest(MANIFEST) as plugin:
        first = await watched(plugin.vad, question())
        both = await watched(plugin.vad, joined(question_and_silence, question_and_silence))
    apart = question_and_silence.duration
    assert [type(each) for each in both] == [SpeechStarted, SpeechStopped] * 2
    assert both[0].at == first[0].at
    assert both[2].at - both[0].at == pytest.approx(apart, abs=2 * CHUNK)
    assert both[3].at - both[1].at == pytest.approx(apart, abs=2 * CHUNK)


async def test_speech_that_is_cut_off_stops_at_the_end() -> None:
    sound = attrs.evolve(question(), data=question().data[: SPEECH.size(1.01)])
    async with open_manifest(MANIFEST) as plugin:
        events = await watched(plugin.vad, sound)
    assert events[-1] == SpeechStopped(1.01)


@pytest.mark.parametrize(
    "sound",
    [
        pytest.param(silence(3.0), id="silence"),
        pytest.param(noise(3.0, 5.0), id="faint-noise"),
        pytest.param(noise(3.0, 1000.0), id="loud-noise"),
        pytest.param(AudioFrame(b""), id="nothing"),
        pytest.param(AudioFrame(b"\x01"), id="half-a-sample"),
    ],
)
async def test_what_is_no_voice_is_no_event(sound: AudioFrame) -> None:
    async with open_manifest(MANIFEST) as plugin:
        assert await watched(plugin.vad, sound) == []


@pytest.mark.parametrize("rate", [8000, 11025, 24000, 44100, 48000])
async def test_any_rate_is_heard_at_the_same_places(rate: int) -> None:
    sound = joined(silence(1.0), question(), silence(1.0))
    async with open_manifest(MANIFEST) as plugin:
        expected = await watched(plugin.vad, sound)
        events = await watched(plugin.vad, at_rate(sound, rate))
    assert [type(each) for each in events] == [type(each) for each in expected]
    for event, at_16_khz in zip(events, expected, strict=True):
        assert event.at == pytest.approx(at_16_khz.at, abs=0.1)


async def test_many_at_once_hear_what_each_hears_alone() -> None:
    """Speech, noise and silence side by side; nobody's sound shows in another's events."""
    speech = np.frombuffer(question().data, "<i2")
    sounds = [
        AudioFrame(np.roll(speech, 1700 * n).tobytes() + silence(0.5).data) for n in range(12)
    ] + [noise(2.0, 3000.0, seed) for seed in range(12)]
    sounds += [joined(noise(0.5, 300.0, seed), question()) for seed in range(12)]
    together: dict[int, list[VoiceActivity]] = {}

    async def watch(vad: VAD | None, number: int) -> None:
        together[number] = await watched(vad, sounds[number])

    async with open_manifest(MANIFEST) as plugin:
        async with trio.open_nursery() as nursery:
            for number in range(len(sounds)):
                nursery.start_soon(watch, plugin.vad, number)
        alone = [await watched(plugin.vad, sound) for sound in sounds]
    assert [together[number] for number in range(len(sounds))] == alone
    assert sum(map(len, alone)) >= 48, "there was something to hear"


async def test_sound_in_one_piece_is_heard_as_in_drops() -> None:
    sound = joined(question(), silence(4.0), question())
    async with open_manifest(MANIFEST) as plugin:
        drops = await watched(plugin.vad, sound, size=74)
        assert await watched(plugin.vad, sound, size=len(sound.data)) == drops
        assert await watched(plugin.vad, sound, size=333) == drops


async def opened(*, tick: float = 0.0) -> tuple[SileroVAD, Engine]:
    networks = await trio.to_thread.run_sync(silero_model.load)
    engine = Engine(networks[16000], trio.CapacityLimiter(1), tick)
    return SileroVAD(SileroSettings(), {16000: engine}, Slots("silero", 2)), engine


async def test_silence_and_faint_noise_cost_no_call() -> None:
    vad, engine = await opened()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(engine.run)
        await watched(vad, joined(silence(5.0), noise(5.0, 5.0)))
        assert engine.sizes == {}
        _, stopped = await watched(vad, joined(question(), silence(30.0)))
        # All from the first sound to what ends the speech, whether silent or not; and no more.
        ending = silero_stream.PER_SECOND * stopped.at + 10
        quiet = silero_stream.PER_SECOND * 0.1
        assert ending - quiet <= engine.sizes[1] <= ending
        nursery.cancel_scope.cancel()


async def test_what_the_network_remembers_is_emptied_in_long_noise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its state grows without bounds; when nobody talks it begins anew, and loses no voice by it."""
    monkeypatch.setattr(silero_stream, "_FORGET", 20)
    vad, engine = await opened()
    sound = joined(noise(CHUNK * 19, 300.0), question())
    states: list[bytes] = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(engine.run)
        async with vad.watch(VADOptions()) as stream:
            assert isinstance(stream, SileroStream)
            for frame in cut(sound, SPEECH.size(CHUNK)):
                await stream.send(frame)
                while stream._asked:
                    await trio.testing.wait_all_tasks_blocked(0.001)
                states.append(stream._memory)
            await stream.finish()
            events = [event async for event in stream]
        nursery.cancel_scope.cancel()
    empty = [number for number, state in enumerate(states) if state == silero_model.EMPTY]
    assert empty[0] == 19, "after the twentieth chunk, and not during the question"
    assert isinstance(events[0], SpeechStarted)
    assert events[0].at == pytest.approx(CHUNK * 19 + 0.2, abs=0.1)


async def test_a_sender_waits_while_the_engine_does_not_come_along() -> None:
    vad, engine = await opened()
    sent, all_sent = 0, trio.Event()

    async def send(stream: VADStream) -> None:
        nonlocal sent
        for frame in cut(noise(5.0, 1000.0), SPEECH.size(CHUNK)):
            await stream.send(frame)
            sent += 1
        all_sent.set()

    async with trio.open_nursery() as nursery, vad.watch(VADOptions()) as stream:
        nursery.start_soon(send, stream)
        await trio.testing.wait_all_tasks_blocked()
        assert sent == silero_stream.WAITING + 1
        nursery.start_soon(engine.run)
        with trio.fail_after(10):
            await all_sent.wait()
        nursery.cancel_scope.cancel()


async def test_a_sender_waits_while_nobody_reads_events(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(silero_stream, "UNREAD", 2)
    vad, engine = await opened()
    sound = joined(*[joined(question(), silence(1.0))] * 3)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(engine.run)
        async with vad.watch(VADOptions()) as stream:
            assert isinstance(stream, SileroStream)
            nursery.start_soon(push, stream, cut(sound, 640))
            with trio.fail_after(10):
                while len(stream._events) < 2:
                    await trio.testing.wait_all_tasks_blocked(0.001)
            await trio.testing.wait_all_tasks_blocked(0.1)
            assert len(stream._events) == 2
            assert len(stream._waiting) > silero_stream.WAITING
            assert len([event async for event in stream]) == 6, "and goes on when somebody does"
        nursery.cancel_scope.cancel()


async def test_a_stream_that_is_left_during_a_call_leaves_nothing() -> None:
    vad, engine = await opened()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(engine.run)
        for _ in range(20):
            async with vad.watch(VADOptions()) as stream:
                await stream.send(noise(0.5, 1000.0))
                await trio.lowlevel.checkpoint()
        assert vad._slots.taken == 0
        assert len(await watched(vad, joined(question(), silence(1.0)))) == 2
        assert engine._due == {}
        nursery.cancel_scope.cancel()
    with pytest.raises(ProviderClosed, match="left"):
        await stream.send(silence(0.1))


async def test_a_failed_call_reaches_who_sends_and_who_reads() -> None:
    vad, _ = await opened()
    async with vad.watch(VADOptions()) as stream:
        assert isinstance(stream, SileroStream)
        stream.fail(ProviderClosed("silero", "the model failed"))
        with pytest.raises(ProviderClosed, match="model failed"):
            await stream.send(silence(0.1))
        with pytest.raises(ProviderClosed, match="model failed"):
            await anext(aiter(stream))


async def test_the_limit_counts_streams() -> None:
    async with open_manifest(MANIFEST, SileroSettings(concurrency=1)) as plugin:
        assert plugin.vad is not None
        async with plugin.vad.watch(VADOptions()):
            with pytest.raises(ProviderBusy, match="all 1 places are taken"):
                async with plugin.vad.watch(VADOptions()):
                    pass
        async with plugin.vad.watch(VADOptions()):
            pass


async def test_a_session_chooses_else_the_operator() -> None:
    """Half a second of pause: one stretch of speech for the patient, two for the hasty."""
    twice = joined(question(), silence(0.5), question(), silence(3.0))
    patient = SileroSettings(min_silence=2.0)
    async with open_manifest(MANIFEST) as plugin:
        assert len(await watched(plugin.vad, twice)) == 4
    async with open_manifest(MANIFEST, patient) as plugin:
        assert len(await watched(plugin.vad, twice)) == 2
        assert len(await watched(plugin.vad, twice, VADOptions(min_silence=0.3))) == 4
        assert await watched(plugin.vad, twice, VADOptions(min_speech=5.0)) == []
        assert await watched(plugin.vad, twice, VADOptions(threshold=1.0)) == []


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"format": AudioFormat(Encoding.MULAW, 8000)}, "mulaw"),
        ({"format": attrs.evolve(SPEECH, channels=2)}, "2 channel"),
        ({"format": attrs.evolve(SPEECH, sample_rate=10)}, "not 10"),
        ({"threshold": 1.1}, "threshold is 0 to 1, not 1.1"),
        ({"threshold": float("nan")}, "threshold"),
        ({"min_speech": -0.1}, "min_speech is 0 to 60"),
        ({"min_silence": 61.0}, "min_silence"),
    ],
)
async def test_what_it_cannot_do_is_refused(wrong: dict[str, Any], message: str) -> None:
    vad, _ = await opened()
    with pytest.raises(ProviderRefused, match=message):
        async with vad.watch(attrs.evolve(VADOptions(), **wrong)):
            pass
    assert vad._slots.taken == 0


def test_settings_have_bounds() -> None:
    for name, wrong in [("concurrency", 0), ("threshold", 1.5), ("min_silence", -1.0)]:
        with pytest.raises(ValueError, match=name):
            SileroSettings(**{name: wrong})
