"""The noise filter that needs nothing: real sound through the real thread."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import pytest
import trio
from support.noise import NOISES, as_bytes, as_wave, at_ratio, ratio_of, speech

from capabilities import AudioFormat, AudioProcessor, ProcessorOptions, ProcessorStream
from providers.local.processors.denoise import MANIFEST, DenoiseOptions, DenoiseSettings
from waav.testing import check_plugin, check_processor, open_manifest, tone

FEW = DenoiseSettings(concurrency=3)


@pytest.fixture
async def processor() -> AsyncIterator[AudioProcessor]:
    async with open_manifest(MANIFEST, FEW) as plugin:
        assert plugin.processor is not None
        yield plugin.processor


@asynccontextmanager
async def stream_of(attenuation: float = 24.0) -> AsyncIterator[ProcessorStream]:
    async with open_manifest(MANIFEST) as plugin:
        assert plugin.processor is not None
        options = ProcessorOptions(options=DenoiseOptions(attenuation))
        async with plugin.processor.process(options) as stream:
            yield stream


async def heard(stream: ProcessorStream, data: bytes, size: int = 640) -> bytes:
    ready = [await stream.feed(data[at : at + size]) for at in range(0, len(data), size)]
    return b"".join(ready) + await stream.flush()


async def test_the_plugin() -> None:
    await check_plugin(MANIFEST, settings=FEW, limit=3)


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 44100, 48000])
async def test_other_rates(processor: AudioProcessor, rate: int) -> None:
    audio = AudioFormat(sample_rate=rate)
    sound = tone(0.7, audio=audio)
    await check_processor(processor, options=ProcessorOptions(audio), sound=sound, cancels=10)


@pytest.mark.pins("D284", "D321")
@pytest.mark.parametrize(("noise", "gained"), [("white", 8.0), ("pink", 3.5), ("hum", 2.0)])
async def test_speech_stands_out_more(noise: str, gained: float) -> None:
    clean = speech(3)
    noisy = at_ratio(clean, NOISES[noise](len(clean)), 5.0)
    async with stream_of() as stream:
        better = as_wave(await heard(stream, as_bytes(noisy)))
    assert ratio_of(clean, better) >= ratio_of(clean, noisy) + gained


async def test_clean_speech_stays_as_it_is() -> None:
    clean = speech(2)
    async with stream_of() as stream:
        same = as_wave(await heard(stream, as_bytes(clean)))
    assert ratio_of(clean, same) > 20


@pytest.mark.parametrize("attenuation", [0.0, 6.0, 12.0, 24.0, 40.0])
async def test_noise_is_lowered_as_far_as_allowed(attenuation: float) -> None:
    """And as far as the filter can: some 20 dB, however much is allowed."""
    hiss = 500 * NOISES["white"](32000)
    async with stream_of(attenuation) as stream:
        rest = as_wave(await heard(stream, as_bytes(hiss)))
    lowered = 20 * np.log10(hiss[16000:].std() / rest[16000:].std())
    assert min(attenuation - 1.5, 18) <= lowered <= attenuation + 0.2


@pytest.mark.pins("D320")
async def test_frames_of_10_ms_are_worked_on_like_long_ones() -> None:
    clean = speech(1)
    noisy = as_bytes(at_ratio(clean, NOISES["white"](len(clean)), 5.0))
    async with stream_of() as stream:
        short = await heard(stream, noisy, 320)
        odd = await heard(stream, noisy, 34)
        long = await heard(stream, noisy, len(noisy))
    assert short == odd == long
    assert len(long) == len(noisy)


@pytest.mark.pins("D322")
async def test_streams_that_work_together_are_as_if_alone() -> None:
    """Forty at once, of two rates and many strengths, in one call of the worker or in many."""
    sounds = [
        as_bytes(at_ratio(speech(1), NOISES["pink"](len(speech(1))), each)) for each in range(5)
    ]
    together: dict[int, bytes] = {}
    async with open_manifest(MANIFEST) as plugin, trio.open_nursery() as nursery:
        processor = plugin.processor
        assert processor is not None

        async def work(number: int) -> None:
            assert processor is not None
            audio = AudioFormat(sample_rate=16000 if number % 2 else 8000)
            options = ProcessorOptions(audio, DenoiseOptions(10.0 + number % 5))
            async with processor.process(options) as stream:
                together[number] = await heard(stream, sounds[number % 5])

        for number in range(40):
            nursery.start_soon(work, number)
    # Whoever has the same sound, rate and strength has the same result: equal numbers mod 10.
    assert len({together[number] for number in range(10)}) == 10
    for number in range(40):
        assert together[number] == together[number % 10]


async def test_noise_after_a_silent_beginning_is_noise_at_once() -> None:
    hiss = np.concatenate([np.zeros(16000), 500 * NOISES["white"](32000)])
    async with stream_of(20.0) as stream:
        rest = as_wave(await heard(stream, as_bytes(hiss)))
    assert rest[20000:].std() < 500 / 5
