"""Formats, frames and the names that clients and vendors give to encodings."""

import pytest

from capabilities import AudioFormat, AudioFrame, Encoding, parse_encoding


@pytest.mark.parametrize(
    ("name", "encoding"),
    [
        ("linear16", Encoding.LINEAR16),
        ("PCM", Encoding.LINEAR16),
        ("pcm_s16le", Encoding.LINEAR16),
        ("pcm_24000", Encoding.LINEAR16),
        (" ulaw ", Encoding.MULAW),
        ("ulaw_8000", Encoding.MULAW),
        ("g711_alaw", Encoding.ALAW),
        ("mp3_44100_128", Encoding.MP3),
        ("mpeg", Encoding.MP3),
    ],
)
def test_many_names_for_one_encoding(name: str, encoding: Encoding) -> None:
    assert parse_encoding(name) is encoding


def test_an_unknown_encoding_is_named_with_those_that_exist() -> None:
    with pytest.raises(ValueError, match=r"'gsm'.*aac.*wav"):
        parse_encoding("gsm")


@pytest.mark.parametrize(
    ("format", "size", "duration"),
    [
        (AudioFormat(), 3200, 0.1),
        (AudioFormat(Encoding.MULAW, 8000), 8000, 1.0),
        (AudioFormat(Encoding.LINEAR16, 48000, 2), 192000, 1.0),
        (AudioFormat(Encoding.MP3, 24000), 4711, 0.0),
    ],
)
def test_duration(format: AudioFormat, size: int, duration: float) -> None:
    assert AudioFrame(bytes(size), format).duration == pytest.approx(duration)


def test_size_is_in_whole_samples() -> None:
    assert AudioFormat(sample_rate=11025, channels=2).size(0.1) == 1102 * 4


def test_a_frame_does_not_print_its_sound() -> None:
    assert "<640 bytes>" in repr(AudioFrame(bytes(640)))
