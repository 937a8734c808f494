"""RIFF files: what we write others read, and the other way round."""

import io
import wave

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capabilities import AudioFormat, Encoding
from waav.audio.wav import read_wav, wav_header


@pytest.mark.parametrize("format", [AudioFormat(), AudioFormat(sample_rate=44100, channels=2)])
def test_the_standard_library_reads_what_we_write(format: AudioFormat) -> None:
    sound = bytes(range(200)) * 4
    with wave.open(io.BytesIO(wav_header(format, len(sound)) + sound)) as file:
        assert (file.getframerate(), file.getnchannels()) == (format.sample_rate, format.channels)
        assert file.readframes(10_000) == sound


def test_we_read_what_the_standard_library_writes() -> None:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setparams((2, 2, 8000, 0, "NONE", ""))
        writer.writeframes(b"\1\2\3\4" * 7)
    assert read_wav(file.getvalue()) == (
        AudioFormat(sample_rate=8000, channels=2),
        b"\1\2\3\4" * 7,
    )


def test_a_header_of_unknown_length_means_all_there_is() -> None:
    assert read_wav(wav_header(AudioFormat()) + b"abcde") == (AudioFormat(), b"abcd")


def test_other_chunks_are_passed_over() -> None:
    whole = wav_header(AudioFormat(), 4) + b"abcd"
    noisy = whole[:12] + b"LIST" + (3).to_bytes(4, "little") + b"xyz\0" + whole[12:]
    assert read_wav(noisy)[1] == b"abcd"


def test_telephone_files_are_understood() -> None:
    header = bytearray(wav_header(AudioFormat(sample_rate=8000), 3))
    header[20:22], header[34:36] = b"\7\0", b"\x08\0"
    assert read_wav(bytes(header) + b"\xff\xff\xff") == (
        AudioFormat(Encoding.MULAW, 8000),
        b"\xff\xff\xff",
    )


@given(st.binary(max_size=300) | st.binary(max_size=100).map(wav_header(AudioFormat(), 50).__add__))
def test_any_bytes_give_sound_or_a_clear_error(data: bytes) -> None:
    try:
        format, sound = read_wav(data)
    except ValueError as exc:
        assert "WAV" in str(exc)  # noqa: PT017 - either outcome is right
    else:
        assert len(sound) % format.sample_bytes == 0
