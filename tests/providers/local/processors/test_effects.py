"""What the light processors do to sound."""

from contextlib import AsyncExitStack
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capabilities import AudioFormat, AudioFrame, Manifest, ProcessorOptions, ProviderRefused
from providers.local.processors import channels, gain, high_pass, level, resample
from providers.local.processors.high_pass import HighPass, coefficients
from waav.testing import cut, open_manifest, tone


async def through(manifest: Manifest, sound: AudioFrame, options: Any = None) -> Any:
    """Send sound through a processor in frames of 20 ms; return its samples, and its readings."""
    async with AsyncExitStack() as stack:
        plugin = await stack.enter_async_context(open_manifest(manifest))
        assert plugin.processor is not None
        asked = ProcessorOptions(sound.format, options)
        stream = await stack.enter_async_context(plugin.processor.process(asked))
        ready = b""
        for frame in cut(sound, sound.format.size(0.02)):
            ready += await stream.feed(frame.data)
        ready += await stream.flush()
        return np.frombuffer(ready, "<i2").astype(float), stream


def rms(samples: Any) -> float:
    return float(np.sqrt((samples**2).mean()))


@pytest.mark.pins("D284")
@pytest.mark.parametrize(
    ("frequency", "decibels"), [(20, -24.1), (40, -12.3), (80, -3.0), (160, -0.3), (1000, 0)]
)
@pytest.mark.parametrize("rate", [8000, 16000, 48000])
async def test_the_high_pass_takes_out_what_is_below(
    frequency: int, decibels: float, rate: int
) -> None:
    sound = tone(2.0, frequency, audio=AudioFormat(sample_rate=rate))
    heard, _ = await through(high_pass.MANIFEST, sound)
    settled = heard[rate // 2 :]
    assert 20 * np.log10(rms(settled) / (0.5 * 32767 / np.sqrt(2))) == pytest.approx(
        decibels, abs=0.15
    )


async def test_the_high_pass_takes_out_an_offset() -> None:
    heard, _ = await through(high_pass.MANIFEST, AudioFrame(b"\x00\x10" * 16000))
    assert np.abs(heard[8000:]).max() == 0


@given(st.lists(st.integers(1, 300), min_size=1, max_size=8), st.integers(0, 1000))
def test_blocks_are_the_filter_itself(sizes: list[int], seed: int) -> None:
    """However it is cut, the product of matrices gives what going from sample to sample does."""
    sound = np.random.default_rng(seed).normal(scale=3000, size=(sum(sizes), 1))
    b, a = coefficients(80.0, 16000)
    slow = np.zeros(len(sound) + 2)
    fed = np.concatenate([np.zeros(2), sound[:, 0]])
    for n in range(2, len(fed)):
        slow[n] = b @ fed[n - 2 : n + 1][::-1] - a[1] * slow[n - 1] - a[2] * slow[n - 2]
    effect = HighPass(high_pass._matrix(80.0, 16000), 1)
    edges = np.cumsum(sizes)[:-1]
    fast = np.concatenate([effect.apply(piece) for piece in np.split(sound, edges)])
    assert np.allclose(fast[:, 0], slow[2:], atol=1e-6)


async def test_a_rate_that_has_nothing_above_is_refused() -> None:
    own = high_pass.HighPassOptions(frequency=1000)
    with pytest.raises(ProviderRefused, match="nothing of 2000 Hz"):
        high_pass.make(ProcessorOptions(AudioFormat(sample_rate=2000), own))


async def test_gain_is_in_decibels() -> None:
    heard, _ = await through(gain.MANIFEST, tone(0.5, level=0.25), gain.GainOptions(gain=6.0))
    assert rms(heard) == pytest.approx(0.25 * 32767 / np.sqrt(2) * 1.9953, rel=1e-3)


async def test_what_is_too_loud_is_rounded_off_and_does_not_wrap() -> None:
    sound = tone(0.5, level=0.9)
    heard, _ = await through(gain.MANIFEST, sound, gain.GainOptions(gain=40.0))
    before = np.frombuffer(sound.data, "<i2").astype(float)
    assert (heard * before >= 0).all()
    assert 32000 < np.abs(heard).max() <= 32767
    order = np.argsort(before)
    assert (np.diff(heard[order]) >= 0).all()


async def test_the_meter_measures_and_leaves_the_sound_alone() -> None:
    sound = tone(0.5, level=0.5)
    heard, stream = await through(level.MANIFEST, sound)
    assert heard.astype("<i2").tobytes() == sound.data
    assert stream.readings["peak_dbfs"] == pytest.approx(-6.02, abs=0.01)
    assert stream.readings["rms_dbfs"] == pytest.approx(-9.03, abs=0.01)
    assert stream.readings["clipped_samples"] == 0


async def test_silence_has_a_level_that_is_a_number() -> None:
    _, stream = await through(level.MANIFEST, AudioFrame(b""))
    assert stream.readings["rms_dbfs"] == -120
    _, stream = await through(level.MANIFEST, AudioFrame(bytes(640)))
    assert stream.readings["peak_dbfs"] == -120


async def test_one_channel_of_two_and_two_of_one() -> None:
    stereo = AudioFormat(channels=2)
    data = np.array([[1000, 3000], [-2000, 2000]], "<i2").tobytes()
    heard, stream = await through(channels.MONO, AudioFrame(data, stereo))
    assert heard.tolist() == [2000, 0]
    assert stream.format == AudioFormat()
    heard, stream = await through(channels.STEREO, AudioFrame(data))
    assert heard.tolist() == [1000, 1000, 3000, 3000, -2000, -2000, 2000, 2000]
    assert stream.format == stereo
    heard, _ = await through(channels.STEREO, AudioFrame(data, stereo))
    assert heard.tolist() == [1000, 3000, -2000, 2000]


@pytest.mark.pins("D016")
async def test_what_does_not_fit_the_lower_rate_is_taken_out() -> None:
    """11 kHz sampled at 16 kHz would come back as 5 kHz; it lies 60 dB below what it was."""
    sound = tone(1.0, 11000, audio=AudioFormat(sample_rate=48000))
    heard, stream = await through(resample.MANIFEST, sound)
    assert stream.format == AudioFormat()
    assert rms(heard[200:-200]) < 0.5 * 32767 / np.sqrt(2) / 1000


async def test_what_fits_stays() -> None:
    sound = tone(1.0, 1000, audio=AudioFormat(sample_rate=48000))
    heard, _ = await through(resample.MANIFEST, sound, resample.ResampleOptions(8000))
    expected = np.frombuffer(tone(1.0, 1000, audio=AudioFormat(sample_rate=8000)).data, "<i2")
    assert np.abs(heard[100:-100] - expected[100:-100]).max() < 60
