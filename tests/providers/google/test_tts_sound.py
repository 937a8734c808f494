"""Answers with sound -> frames."""

import base64
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.servers.google import wave

from capabilities import AudioFormat, Encoding, ProviderProtocolError
from providers.google.tts_sound import Cutter, read_wave, streamed_audio, whole_audio

ASKED = AudioFormat(Encoding.LINEAR16, 24000)


def answer(data: bytes) -> dict[str, str]:
    return {"audioContent": base64.b64encode(data).decode()}


@pytest.mark.pins("D120")
def test_the_rate_is_that_of_the_header() -> None:
    audio, data = whole_audio(answer(wave(b"12345678", 16000)), ASKED)
    assert (audio, data) == (AudioFormat(Encoding.LINEAR16, 16000), b"12345678")


def test_g711_in_a_wave_file() -> None:
    audio, data = whole_audio(
        answer(wave(b"1234", 8000, kind=7, width=1)), AudioFormat(Encoding.MULAW, 8000)
    )
    assert (audio, data) == (AudioFormat(Encoding.MULAW, 8000), b"1234")


def test_compressed_sound_stays_as_it_is() -> None:
    asked = AudioFormat(Encoding.MP3, 24000)
    assert whole_audio(answer(b"\xff\xfb..."), asked) == (asked, b"\xff\xfb...")


@pytest.mark.parametrize(
    "wrong", [None, [], {}, {"audioContent": 5}, {"audioContent": "?"}, answer(b"no header")]
)
def test_answers_without_sound(wrong: object) -> None:
    with pytest.raises(ProviderProtocolError):
        whole_audio(wrong, ASKED)


@given(st.binary(max_size=80) | st.binary(max_size=80).map(lambda data: wave(data, 8000)[:90]))
def test_any_bytes_are_a_wave_file_or_a_protocol_error(data: bytes) -> None:
    try:
        audio, sound = read_wave(data)
    except ProviderProtocolError:
        return
    assert audio.sample_rate > 0
    assert len(sound) < len(data)


@given(st.lists(st.binary(max_size=30)))
def test_frames_have_whole_samples_and_follow_each_other(chunks: list[bytes]) -> None:
    cutter = Cutter(ASKED)
    frames = [frame for chunk in chunks for frame in cutter.feed(chunk)]
    whole = b"".join(chunks)
    assert b"".join(frame.data for frame in frames) == whole[: len(whole) // 2 * 2]
    at = 0
    for frame in frames:
        assert frame.data
        assert frame.start == ASKED.duration(at)
        at += len(frame.data)


def test_a_long_stretch_is_cut() -> None:
    frames = list(Cutter(ASKED).feed(bytes(ASKED.size(1.1))))
    assert [frame.duration for frame in frames] == pytest.approx([0.25, 0.25, 0.25, 0.25, 0.1])


@given(st.binary(max_size=60))
def test_any_streamed_answer_is_sound_or_a_protocol_error(data: bytes) -> None:
    with contextlib.suppress(ProviderProtocolError):
        assert isinstance(streamed_audio(data), bytes)
