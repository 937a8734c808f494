"""Sound to test with is what it says it is."""

import wave
from pathlib import Path

import pytest

from capabilities import SPEECH, AudioFormat, Encoding
from waav.testing import cut, question, read_wav, silence, tone, write_wav

STEREO = AudioFormat(Encoding.LINEAR16, 8000, 2)


def test_the_question_is_two_seconds_of_what_recognisers_like() -> None:
    frame = question()
    assert frame.format == SPEECH
    assert 1.8 < frame.duration < 2.2


def test_silence_and_tones_last_as_long_as_asked() -> None:
    assert silence(0.5).duration == tone(0.5).duration == 0.5
    assert set(silence(0.5).data) == {0}
    assert tone(0.25, audio=STEREO).duration == 0.25


def test_a_tone_is_as_loud_as_asked_and_in_all_channels() -> None:
    samples = memoryview(tone(0.1, 1000, level=0.25, audio=STEREO).data).cast("h").tolist()
    assert max(samples) == pytest.approx(0.25 * 32767, abs=2)
    assert samples[::2] == samples[1::2]


def test_cut_loses_nothing_and_counts_on() -> None:
    frames = list(cut(tone(0.1), 1000))
    assert b"".join(frame.data for frame in frames) == tone(0.1).data
    assert [frame.start for frame in frames[:3]] == pytest.approx([0, 500 / 16000, 1000 / 16000])


def test_a_wav_file_comes_back_as_it_was_written(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", tone(0.1, audio=STEREO))
    assert read_wav(tmp_path / "a.wav") == tone(0.1, audio=STEREO)


def test_only_16_bit_samples_are_read(tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "b.wav"), "wb") as file:
        file.setparams((1, 1, 8000, 1, "NONE", ""))
        file.writeframes(b"\x80")
    with pytest.raises(ValueError, match="8 bits"):
        read_wav(tmp_path / "b.wav")


def test_only_linear16_is_made() -> None:
    with pytest.raises(ValueError, match="mulaw"):
        silence(1, AudioFormat(Encoding.MULAW))
