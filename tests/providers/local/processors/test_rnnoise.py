"""RNNoise: what is around the model with a stand-in, and the real library where it is installed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
from support.noise import NOISES, as_bytes, as_wave, at_ratio, ratio_of, speech

from capabilities import AudioFormat, ProcessorOptions, ProcessorStream, ProviderUnavailable
from providers._common.worker import Worker
from providers.local.processors import rnnoise
from providers.local.processors.polyphase import Wave
from providers.local.processors.rnnoise import MANIFEST, Rnnoise, RnnoiseOptions, RnnoiseSettings
from providers.local.processors.rnnoise_library import FRAME, LATE, LibraryMissing, find_library
from providers.local.slots import Slots
from waav.testing import check_plugin, check_processor, open_manifest, tone


def _installed() -> bool:
    try:
        find_library()
    except LibraryMissing:
        return False
    return True


real = pytest.mark.skipif(not _installed(), reason="pip install --no-deps pyrnnoise")
FEW = RnnoiseSettings(concurrency=2)


class Late:
    """A model that gives what it got, at a tenth, as late as the real one."""

    def __init__(self) -> None:
        self.waiting = np.zeros(LATE, np.float32)

    def clean(self, frame: Wave) -> Wave:
        assert frame.shape == (FRAME,)
        known = np.concatenate([self.waiting, frame])
        self.waiting = known[FRAME:]
        return known[:FRAME] / 10


@asynccontextmanager
async def stand_in() -> AsyncIterator[Rnnoise]:
    yield Rnnoise(Late, Worker("rnnoise", rnnoise.clean), Slots("rnnoise", 2))


async def heard(stream: ProcessorStream, data: bytes, size: int = 320) -> bytes:
    ready = [await stream.feed(data[at : at + size]) for at in range(0, len(data), size)]
    return b"".join(ready) + await stream.flush()


@pytest.mark.pins("D320", "D321")
@pytest.mark.parametrize("rate", [8000, 16000, 24000, 48000])
async def test_around_the_model_the_contract_is_kept(rate: int) -> None:
    audio = AudioFormat(sample_rate=rate)
    async with stand_in() as processor:
        options = ProcessorOptions(audio)
        sound = tone(0.7, audio=audio)
        await check_processor(processor, options=options, sound=sound, cancels=10)
        async with processor.process(options) as stream:
            assert stream.delay <= 0.04


@pytest.mark.parametrize("rate", [8000, 16000, 24000, 48000])
async def test_dry_and_wet_meet_in_time(rate: int) -> None:
    """A tone at a tenth, and so much of itself: were they apart, the sum would be another."""
    audio = AudioFormat(sample_rate=rate)
    sound = tone(1.0, 437.0, audio=audio)
    async with stand_in() as processor:
        options = ProcessorOptions(audio, RnnoiseOptions(attenuation=20 * np.log10(2)))
        async with processor.process(options) as stream:
            mixed = as_wave(await heard(stream, sound.data))
    inner = slice(rate // 10, -rate // 10)
    assert np.abs(mixed - 0.55 * as_wave(sound.data))[inner].max() < 20


@real
async def test_the_plugin() -> None:
    await check_plugin(MANIFEST, settings=FEW, limit=2)


@real
@pytest.mark.pins("D284", "D321", "D322")
async def test_speech_stands_out_more_whoever_else_talks() -> None:
    clean = speech(2)
    noisy = as_bytes(at_ratio(clean, NOISES["white"](len(clean)), 5.0))
    other = as_bytes(at_ratio(clean[::-1].copy(), NOISES["hum"](len(clean)), 0.0))
    async with open_manifest(MANIFEST) as plugin:
        assert plugin.processor is not None
        async with plugin.processor.process(ProcessorOptions()) as stream:
            alone = await heard(stream, noisy)
        async with (
            plugin.processor.process(ProcessorOptions()) as stream,
            plugin.processor.process(ProcessorOptions()) as stranger,
        ):
            together = b""
            for at in range(0, len(noisy), 640):
                await stranger.feed(other[at : at + 640])
                together += await stream.feed(noisy[at : at + 640])
            together += await stream.flush()
    assert together == alone
    assert ratio_of(clean, as_wave(alone)) >= ratio_of(clean, as_wave(noisy)) + 6


async def test_without_the_library_the_plugin_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("find_spec", "ctypes.util.find_library"):
        monkeypatch.setattr(
            f"providers.local.processors.rnnoise_library.{name}", lambda _name: None
        )
    with pytest.raises(ProviderUnavailable, match="pip install --no-deps pyrnnoise"):
        async with open_manifest(MANIFEST):
            pass


async def test_a_file_that_is_no_library_is_named(tmp_path: Path) -> None:
    file = tmp_path / "librnnoise.so"
    file.write_text("I am no library")
    with pytest.raises(ProviderUnavailable, match=r"librnnoise\.so is no library of RNNoise"):
        async with open_manifest(MANIFEST, RnnoiseSettings(library=file)):
            pass
