"""What leaves is what the listener asked for, in pieces that can be stopped."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capabilities import AudioFormat, AudioFrame, Encoding
from waav.audio.shape import LONGEST_FRAME, Shaper
from waav.audio.wav import read_wav

VOICE = AudioFormat(sample_rate=22050)


def shape(target: AudioFormat, frames: Iterable[AudioFrame]) -> tuple[Shaper, list[AudioFrame]]:
    shaper = Shaper(target)
    pieces = [piece for frame in frames for piece in shaper.feed(frame)]
    return shaper, [*pieces, *shaper.flush()]


@pytest.mark.pins("D078")
def test_a_minute_in_one_piece_leaves_in_short_ones() -> None:
    minute = AudioFrame(bytes(VOICE.size(60)), VOICE)
    shaper, pieces = shape(AudioFormat(sample_rate=24000), [minute])
    assert max(piece.duration for piece in pieces) <= LONGEST_FRAME
    assert shaper.duration == pytest.approx(60, abs=0.001)


def test_words_stay_with_the_sound_in_which_they_begin() -> None:
    """Also where a frame is cut, and where a resampler holds its sound back."""
    second = bytes(VOICE.size(0.25))
    said = [AudioFrame(second, VOICE, text=text) for text in ("Good ", "", "day")]
    _, pieces = shape(AudioFormat(sample_rate=24000), said)
    assert "".join(piece.text or "" for piece in pieces) == "Good day"
    (place,) = [piece.start for piece in pieces if piece.text == "day"]
    assert place == pytest.approx(0.5, abs=0.1)


def test_words_that_are_not_known_stay_so() -> None:
    known, unknown = (AudioFrame(bytes(VOICE.size(0.1)), VOICE, text=text) for text in ("a", None))
    _, pieces = shape(VOICE, [known, unknown, known])
    assert [piece.text for piece in pieces] == ["a", None, None]


@given(
    st.lists(st.integers(1, 4000), max_size=20),
    st.sampled_from([Encoding.LINEAR16, Encoding.MULAW]),
    st.sampled_from([8000, 22050, 48000]),
)
def test_frames_follow_each_other_without_a_gap(
    sizes: list[int], encoding: Encoding, rate: int
) -> None:
    target = AudioFormat(encoding, rate)
    _, pieces = shape(target, [AudioFrame(bytes(2 * size), VOICE) for size in sizes])
    position = 0.0
    for piece in pieces:
        assert piece.format == target
        assert piece.start == pytest.approx(position)
        assert len(piece.data) % target.sample_bytes == 0
        position += piece.duration


def test_a_wav_file_begins_with_its_header() -> None:
    target = AudioFormat(Encoding.WAV, 8000)
    shaper, pieces = shape(target, [AudioFrame(bytes(VOICE.size(0.5)), VOICE)])
    format, sound = read_wav(b"".join(piece.data for piece in pieces))
    assert format == AudioFormat(sample_rate=8000)
    assert shaper.duration == pytest.approx(len(sound) / 16000)


def test_compressed_sound_passes_as_it_comes() -> None:
    mp3 = AudioFormat(Encoding.MP3, 24000)
    frames = [AudioFrame(b"a" * 5000, mp3), AudioFrame(b"b", mp3)]
    shaper, pieces = shape(mp3, frames)
    assert [piece.data for piece in pieces] == [frame.data for frame in frames]
    assert shaper.duration == 0.0
