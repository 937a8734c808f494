"""Silence is silent in each encoding, and speech is told from it."""

import pytest

from capabilities import AudioFormat, AudioFrame, Encoding
from providers._common.silence import is_loud, silence
from waav.audio.convert import Converter
from waav.testing import tone

RAW = (Encoding.LINEAR16, Encoding.MULAW, Encoding.ALAW)


@pytest.mark.pins("D007")
@pytest.mark.parametrize(
    ("audio", "data"),
    [
        (AudioFormat(Encoding.LINEAR16, 16000, 1), bytes(3200)),
        (AudioFormat(Encoding.LINEAR16, 24000, 2), bytes(9600)),
        (AudioFormat(Encoding.MULAW, 8000, 1), b"\xff" * 800),
        (AudioFormat(Encoding.MULAW, 8000, 2), b"\xff" * 1600),
        (AudioFormat(Encoding.ALAW, 8000, 1), b"\xd5" * 800),
    ],
)
def test_silence_is_made_for_encoding_rate_and_channels(audio: AudioFormat, data: bytes) -> None:
    assert silence(audio, 0.1) == AudioFrame(data, audio)
    assert not is_loud(silence(audio, 0.1))


@pytest.mark.parametrize("encoding", sorted(set(Encoding) - set(RAW)))
def test_compressed_silence_would_take_an_encoder(encoding: Encoding) -> None:
    with pytest.raises(ValueError, match=f"no silence can be made in {encoding}"):
        silence(AudioFormat(encoding), 0.1)
    assert not is_loud(AudioFrame(bytes(range(256)), AudioFormat(encoding)))


@pytest.mark.parametrize("encoding", sorted(RAW))
@pytest.mark.parametrize("level", [0.0, 0.02, 0.05, 0.9])
def test_the_same_sound_is_loud_in_each_encoding(encoding: Encoding, level: float) -> None:
    sound = tone(0.2, level=level, audio=AudioFormat(sample_rate=8000))
    there = Converter(sound.format, AudioFormat(encoding, 8000))
    assert is_loud(AudioFrame(there.feed(sound.data) + there.flush(), there.target)) is (
        level > 0.03
    )


@pytest.mark.parametrize(
    ("encoding", "zero"), [(Encoding.MULAW, b"\x00"), (Encoding.ALAW, b"\x00")]
)
def test_a_zero_byte_is_no_silence_in_g711(encoding: Encoding, zero: bytes) -> None:
    assert is_loud(AudioFrame(zero, AudioFormat(encoding, 8000)))
