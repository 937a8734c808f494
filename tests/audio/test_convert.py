"""One format into another, however the stream is cut."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capabilities import AudioFormat, Encoding
from waav.audio.convert import Converter, NotConvertible, convertible

RATES = [8000, 11025, 16000, 22050, 24000, 44100, 48000]


def tone(hertz: float, rate: int, seconds: float = 0.5) -> bytes:
    t = np.arange(int(rate * seconds)) / rate
    return (np.sin(2 * np.pi * hertz * t) * 16000).astype("<i2").tobytes()


def run(source: AudioFormat, target: AudioFormat, *pieces: bytes) -> bytes:
    converter = Converter(source, target)
    return b"".join([*map(converter.feed, pieces), converter.flush()])


def test_no_conversion_hands_the_same_object_on() -> None:
    data = bytes(640)
    assert Converter(AudioFormat(), AudioFormat()).feed(data) is data


@given(
    source=st.builds(
        AudioFormat,
        st.sampled_from([Encoding.LINEAR16, Encoding.MULAW, Encoding.ALAW]),
        st.sampled_from(RATES),
        st.integers(1, 2),
    ),
    target=st.builds(
        AudioFormat,
        st.sampled_from([Encoding.LINEAR16, Encoding.MULAW, Encoding.ALAW]),
        st.sampled_from(RATES),
        st.integers(1, 2),
    ),
    samples=st.integers(0, 3000),
    cuts=st.lists(st.integers(0, 12000), max_size=6),
)
def test_no_sound_is_lost_or_made(
    source: AudioFormat, target: AudioFormat, samples: int, cuts: list[int]
) -> None:
    data = bytes(samples * source.sample_bytes)
    edges = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    pieces = [data[a:b] for a, b in pairwise(edges)]
    out = run(source, target, *pieces)
    expected = samples * target.sample_rate / source.sample_rate
    if source == target:
        assert out == data
    assert abs(len(out) / target.sample_bytes - expected) <= 1


@pytest.mark.pins("D016")
def test_what_does_not_fit_the_lower_rate_is_taken_out() -> None:
    """11 kHz sampled at 8 kHz would come back as 3 kHz; it lies 60 dB below what it was."""
    out = run(AudioFormat(sample_rate=48000), AudioFormat(sample_rate=8000), tone(11000, 48000))
    heard = np.frombuffer(out, "<i2").astype(float)[200:-200]
    assert np.sqrt((heard**2).mean()) < 16000 / np.sqrt(2) / 1000


@pytest.mark.pins("D180")
def test_two_channels_become_their_mean() -> None:
    stereo = np.array([[1000, 3000], [-2000, 2000]], "<i2").tobytes()
    out = run(AudioFormat(channels=2), AudioFormat(), stereo)
    assert np.frombuffer(out, "<i2").tolist() == [2000, 0]


def test_one_channel_fills_two() -> None:
    out = run(AudioFormat(), AudioFormat(channels=2), np.array([5, -7], "<i2").tobytes())
    assert np.frombuffer(out, "<i2").tolist() == [5, 5, -7, -7]


def test_compressed_sound_only_passes_as_it_is() -> None:
    mp3 = AudioFormat(Encoding.MP3, 24000)
    assert Converter(mp3, mp3).feed(b"ID3x") == b"ID3x"
    assert not convertible(mp3, AudioFormat())
    with pytest.raises(NotConvertible, match="mp3 to linear16"):
        Converter(mp3, AudioFormat())
