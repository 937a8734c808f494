"""Cutting a stream into recordings."""

import io
import wave

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capabilities import SPEECH, AudioFormat, Encoding
from providers._common.buffered import Flush, Rules, Utterance, Utterances, wav_file

RULES = Rules(most=25_000_000)
FORMATS = [
    AudioFormat(Encoding.LINEAR16, 8000),
    AudioFormat(Encoding.LINEAR16, 16000),
    AudioFormat(Encoding.LINEAR16, 48000, channels=2),
    AudioFormat(Encoding.MULAW, 8000),
    AudioFormat(Encoding.ALAW, 8000),
]
_LOUD = {Encoding.LINEAR16: b"\x00\x20", Encoding.MULAW: b"\x80", Encoding.ALAW: b"\xaa"}
_QUIET = {Encoding.LINEAR16: b"\0\0", Encoding.MULAW: b"\xff", Encoding.ALAW: b"\xd5"}


def loud(duration: float, audio: AudioFormat = SPEECH) -> bytes:
    unit = _LOUD[audio.encoding]
    return unit * (audio.size(duration) // len(unit))


def quiet(duration: float, audio: AudioFormat = SPEECH) -> bytes:
    unit = _QUIET[audio.encoding]
    return unit * (audio.size(duration) // len(unit))


@pytest.mark.pins("D019")
@pytest.mark.parametrize("audio", FORMATS)
def test_a_second_of_silence_is_a_second_at_any_rate_and_in_any_encoding(
    audio: AudioFormat,
) -> None:
    utterances = Utterances(audio, RULES)
    assert utterances.put(quiet(5, audio) + loud(1, audio) + quiet(0.98, audio)) == []
    (utterance,) = utterances.put(quiet(0.02, audio))
    assert utterance.paused
    assert utterance.start == pytest.approx(4.7)
    assert audio.duration(len(utterance.data)) == pytest.approx(0.3 + 1 + 1)


@settings(deadline=None)
@given(st.lists(st.integers(50, 5000), min_size=1))
def test_it_does_not_matter_how_the_stream_is_cut_into_frames(sizes: list[int]) -> None:
    sound = quiet(0.5) + loud(0.6) + quiet(1.3) + loud(0.1) + quiet(2)
    expected = Utterances(SPEECH, RULES).put(sound)
    utterances, found, at, turn = Utterances(SPEECH, RULES), [], 0, 0
    while at < len(sound):
        size = 2 * sizes[turn % len(sizes)]
        found += utterances.put(sound[at : at + size])
        at, turn = at + size, turn + 1
    assert found == expected
    assert len(found) == 2


@pytest.mark.pins("D020")
def test_a_flush_forgets_all_that_was_found_out() -> None:
    utterances = Utterances(SPEECH, RULES)
    assert utterances.put(loud(0.6) + quiet(0.9)) == []
    assert [each.paused for each in utterances.flush()] == [True]
    # The silence before does not count: a whole second has to follow the next word.
    assert utterances.put(loud(0.6) + quiet(0.9)) == []
    (utterance,) = utterances.put(quiet(0.1))
    assert utterance.start == pytest.approx(1.5)
    assert SPEECH.duration(len(utterance.data)) == pytest.approx(1.6)


def test_a_flush_of_silence_gives_nothing() -> None:
    utterances = Utterances(SPEECH, RULES)
    utterances.put(quiet(3) + b"\0\0" * 7)
    assert not utterances.pending
    assert utterances.flush() == []
    (utterance,) = [*utterances.put(loud(0.1)), *utterances.finish()]
    assert utterance.start == pytest.approx(3 + 7 / 16000)


@pytest.mark.pins("D025")
def test_only_a_pause_says_that_the_speaker_has_finished() -> None:
    utterances = Utterances(SPEECH, RULES)
    assert [each.paused for each in utterances.put(loud(1) + quiet(1))] == [True]
    utterances.put(loud(1))
    assert [each.paused for each in utterances.finish()] == [False]
    assert utterances.finish() == []


def test_a_short_recording_waits_for_its_shortest_length() -> None:
    utterances = Utterances(SPEECH, Rules(most=10**6, silence=0.1, shortest=0.5, lead=0.0))
    assert utterances.put(loud(0.1) + quiet(0.38)) == []
    (utterance,) = utterances.put(quiet(0.02))
    assert SPEECH.duration(len(utterance.data)) == pytest.approx(0.5)


@pytest.mark.pins("D021")
@pytest.mark.parametrize("flush", list(Flush))
def test_no_recording_is_larger_than_the_vendor_takes(flush: Flush) -> None:
    rules = Rules(most=40_001, flush=flush, threshold=30_000)
    utterances = Utterances(SPEECH, rules)
    sound = loud(5)
    found = [*utterances.put(sound), *utterances.finish()]
    assert b"".join(each.data for each in found) == sound
    most = 30_000 if flush is Flush.THRESHOLD else 40_000
    assert {len(each.data) for each in found[:-1]} == {most}
    assert [each.start for each in found] == [SPEECH.duration(most * n) for n in range(len(found))]
    assert not any(each.paused for each in found)


def test_g711_is_counted_as_what_it_is_decoded_to() -> None:
    audio = AudioFormat(Encoding.MULAW, 8000)
    found = Utterances(audio, Rules(most=16_000)).put(loud(2, audio))
    assert [len(wav_file(each)) for each in found] == [16_000 + 44]


def test_compressed_sound_is_one_recording_and_has_an_end() -> None:
    utterances = Utterances(AudioFormat(Encoding.MP3), Rules(most=10))
    assert utterances.put(b"12345") == []
    assert [each.data for each in utterances.finish()] == [b"12345"]
    with pytest.raises(ValueError, match="at most 10 bytes"):
        utterances.put(bytes(11))


@pytest.mark.pins("D017", "D018")
@pytest.mark.parametrize("audio", FORMATS)
def test_a_file_is_what_its_header_says(audio: AudioFormat) -> None:
    data = loud(0.1, audio) + quiet(0.1, audio)
    with wave.open(io.BytesIO(wav_file(Utterance(data, audio, 0.0))), "rb") as file:
        assert (file.getnchannels(), file.getsampwidth()) == (audio.channels, 2)
        assert file.getframerate() == audio.sample_rate
        assert file.getnframes() == audio.sample_rate // 5
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    half = len(samples) // 2
    assert abs(int(samples[:half].min())) > 8000
    assert np.abs(samples[half:]).max() <= 8


def test_a_file_that_is_too_short_ends_in_silence() -> None:
    assert wav_file(Utterance(b"\1\2", SPEECH, 0.0), 0.5)[44:] == b"\1\2" + bytes(15998)
