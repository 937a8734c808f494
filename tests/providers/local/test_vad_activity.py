"""Probabilities become starts and stops that say where the voice was, not when it was noticed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capabilities import SpeechStarted, SpeechStopped, VoiceActivity
from providers.local.vad_activity import Activity, Rule

MARKS = {"x": 0.9, "-": 0.4, ".": 0.1}
"""A voice, something between, and silence, at a threshold of 0.5."""


def activity(min_speech: float = 0.3, min_silence: float = 0.4) -> Activity:
    return Activity(Rule.of(0.5, min_speech, min_silence, per_second=10.0), 10.0)


def heard(watching: Activity, pattern: str) -> list[VoiceActivity]:
    events = [watching.feed(MARKS[mark]) for mark in pattern]
    return [event for event in events if event is not None]


@pytest.mark.parametrize(
    ("pattern", "events"),
    [
        pytest.param("..........", [], id="silence"),
        pytest.param("..xx......x..xx", [], id="clicks"),
        pytest.param("..xxx....", [SpeechStarted(0.2), SpeechStopped(0.5)], id="a-word"),
        pytest.param("..xxx...", [SpeechStarted(0.2)], id="not-yet-over"),
        pytest.param("xxx...xx....", [SpeechStarted(0.0), SpeechStopped(0.8)], id="a-pause"),
        pytest.param("xxx.-.-", [SpeechStarted(0.0)], id="doubt-ends-nothing"),
        pytest.param("xxx.-..", [SpeechStarted(0.0), SpeechStopped(0.3)], id="silence-ends-it"),
        pytest.param("-----x-x", [SpeechStarted(0.5)], id="doubt-within-a-beginning"),
        pytest.param("--------", [], id="doubt-starts-nothing"),
    ],
)
def test_what_is_speech(pattern: str, events: list[VoiceActivity]) -> None:
    assert heard(activity(), pattern) == events


def test_an_event_comes_with_the_chunk_that_decides_it() -> None:
    watching = activity()
    assert heard(watching, "xx") == []
    assert heard(watching, "x") == [SpeechStarted(0.0)]
    assert heard(watching, "...") == []
    assert heard(watching, ".") == [SpeechStopped(0.3)]


def test_the_end_of_the_sound_stops_speech_where_the_voice_ended() -> None:
    assert activity().finish(1.0) is None
    talking = activity()
    heard(talking, "xxxx")
    assert talking.finish(0.35) == SpeechStopped(0.35)
    assert talking.finish(0.35) is None, "it is said once"
    fading = activity()
    heard(fading, "xxxx..")
    assert fading.finish(0.6) == SpeechStopped(0.4)


def test_idle_is_when_silence_would_change_nothing() -> None:
    watching = activity()
    assert watching.idle
    heard(watching, "x")
    assert not watching.idle
    heard(watching, ".")
    assert watching.idle
    heard(watching, "xxx...")
    assert not watching.idle
    heard(watching, ".")
    assert watching.idle


@pytest.mark.parametrize(
    ("threshold", "release"), [(0.5, 0.35), (0.1, 0.01), (0.005, 0.005), (1.0, 0.85), (0.0, 0.0)]
)
def test_silence_is_clearly_below_the_threshold(threshold: float, release: float) -> None:
    rule = Rule.of(threshold, 0.1, 0.3, per_second=31.25)
    assert rule.release == pytest.approx(release)
    assert (rule.min_speech, rule.min_silence) == (4, 10)


def test_a_limit_that_is_a_whole_number_of_chunks_is_that_number() -> None:
    rule = Rule.of(0.5, 0.096, 0.0, per_second=31.25)
    assert (rule.min_speech, rule.min_silence) == (3, 1)


@given(
    st.lists(st.floats(0, 1), max_size=300),
    st.floats(0, 1),
    st.floats(0, 1),
    st.floats(0, 1),
)
def test_whatever_comes_events_take_turns_and_keep_the_limits(
    probabilities: list[float], threshold: float, min_speech: float, min_silence: float
) -> None:
    rule = Rule.of(threshold, min_speech, min_silence, per_second=10.0)
    watching = Activity(rule, 10.0)
    last = 0.0
    for count, probability in enumerate(probabilities, 1):
        was = watching.speaking
        event = watching.feed(probability)
        assert (event is not None) == (was != watching.speaking)
        if event is None:
            continue
        assert isinstance(event, SpeechStopped if was else SpeechStarted)
        needed = rule.min_silence if was else rule.min_speech
        assert last <= event.at <= (count - needed) / 10.0
        first = probabilities[round(event.at * 10)]
        assert first < rule.release if was else first >= threshold
        last = event.at
    end = watching.finish(len(probabilities) / 10.0)
    assert end is None or last <= end.at <= len(probabilities) / 10.0
