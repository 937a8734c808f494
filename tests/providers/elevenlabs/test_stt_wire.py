"""The recogniser's protocol, message by message."""

import json
from base64 import b64decode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.servers.elevenlabs import SESSION, committed, partial, problem, started
from support.stt_vendor import spoken

from capabilities import (
    SPEECH,
    AudioFrame,
    Final,
    Interim,
    ProviderBusy,
    ProviderClosed,
    ProviderError,
    ProviderProtocolError,
    ProviderRefused,
    STTOptions,
    Word,
)
from providers._common.wire import Acknowledged, Done, Ready, Signal
from providers.elevenlabs.options import ElevenLabsSTTOptions
from providers.elevenlabs.stt_wire import ScribeWire

HELLO = ("hello", 0.5, 0.9)
THERE = ("there", 1.0, 1.5)
SECOND = AudioFrame(bytes(SPEECH.size(1.0)))


def wire(options: STTOptions = STTOptions(), **own: Any) -> ScribeWire:  # noqa: B008 - frozen
    return ScribeWire(options, ElevenLabsSTTOptions(**own))


def read(scribe: ScribeWire, *messages: str) -> list[Signal]:
    return [signal for message in messages for signal in scribe.decode(message)]


def finals(signals: list[Signal]) -> list[Final]:
    return [each for each in signals if isinstance(each, Final)]


# What is sent.


def test_sound_goes_out_as_base64_in_json() -> None:
    frame = AudioFrame(b"\x01\x02" * 160)
    scribe = wire(previous_text="Good morning.")
    (first,), (second,) = scribe.encode(frame), scribe.encode(frame)
    assert isinstance(first, str)
    chunk = json.loads(first)
    assert b64decode(chunk.pop("audio_base_64")) == frame.data
    assert chunk == {
        "message_type": "input_audio_chunk",
        "commit": False,
        "sample_rate": 16000,
        "previous_text": "Good morning.",
    }
    assert "previous_text" not in json.loads(second), "only the first chunk may have it"


@pytest.mark.pins("D066")
def test_the_line_is_kept_open_with_an_empty_chunk() -> None:
    (message,) = wire().keepalive()
    chunk = json.loads(message)
    assert (chunk["audio_base_64"], chunk["commit"]) == ("", False)


@pytest.mark.pins("D063")
def test_a_manual_session_commits_at_each_pause_and_at_the_end() -> None:
    scribe = wire(commit_strategy="manual", vad_silence_threshold_secs=0.4)
    speech, silence = AudioFrame(spoken(1)[: SPEECH.size(0.2)]), AudioFrame(bytes(SPEECH.size(0.2)))
    sent = [scribe.encode(each) for each in (silence, silence, silence, speech, silence, silence)]
    assert [len(messages) for messages in sent] == [1, 1, 1, 1, 1, 2]
    assert [len(scribe.encode(silence)) for _ in range(5)] == [1] * 5, "nothing new to commit"
    commits = [json.loads(message) for message in (sent[-1][1], *scribe.finish())]
    assert [(each["audio_base_64"], each["commit"]) for each in commits] == [("", True)] * 2


def test_speech_without_a_pause_is_committed_in_time() -> None:
    """Half a minute is what the vendor recommends at most; it is no end of speech."""
    scribe = wire(commit_strategy="manual")
    loud = AudioFrame(spoken(1)[: SPEECH.size(0.2)] * 5)
    sent = [scribe.encode(loud) for _ in range(31)]
    assert [number for number, messages in enumerate(sent) if len(messages) > 1] == [29]
    (final,) = finals(read(scribe, *committed(HELLO)))
    assert not final.speech_final


def test_the_vendors_detection_leaves_commits_to_the_vendor() -> None:
    scribe = wire()
    loud = AudioFrame(spoken(1))
    assert all(len(scribe.encode(each)) == 1 for each in [loud] + [SECOND] * 5)


# What comes.


@pytest.mark.pins("D064")
def test_the_vendors_name_of_the_session_is_kept() -> None:
    scribe = wire()
    assert read(scribe, started()) == [Ready()]
    assert scribe.session_id == SESSION
    with pytest.raises(ProviderClosed, match=SESSION):
        scribe.decode(problem("transcriber_error"))


def test_of_the_two_messages_for_a_commit_one_counts() -> None:
    timed = read(wire(), *committed(HELLO, THERE))
    plain = read(wire(include_timestamps=False), *committed(HELLO, THERE))
    words = tuple(
        Word(text, start, end, confidence=pytest.approx(0.9048, abs=1e-4))
        for text, start, end in (HELLO, THERE)
    )
    (final,) = finals(timed)
    assert final.text == "hello there"
    assert final.words == words, "without the blanks between them"
    assert (final.language, final.speech_final) == ("en", True)
    assert 0.9 < final.confidence < 0.91
    assert [(each.text, each.words) for each in finals(plain)] == [("hello there", ())]


def test_interim_results_come_if_they_are_wanted() -> None:
    assert read(wire(), partial("hel")) == [Interim("hel", language="en-US")]
    assert read(wire(), partial("")) == []
    assert read(wire(STTOptions(interim_results=False)), partial("hel")) == []


def test_redacted_text_is_the_only_text_of_a_redacted_session() -> None:
    scribe = wire(entity_redaction=("pii",))
    redacted = {
        "message_type": "redacted_transcript",
        "text": "I am Bob",
        "redacted_text": "I am X",
    }
    signals = read(scribe, partial("I am Bob"), *committed(HELLO), json.dumps(redacted))
    assert [each.text for each in finals(signals)] == ["I am X"]
    assert not any(isinstance(each, Interim) for each in signals)


def test_edited_text_takes_the_place_of_the_text() -> None:
    edited = {"message_type": "edited_transcript", "text": "yeah", "edited_text": "Yes."}
    signals = read(wire(transcript_edit="formal"), *committed(HELLO), json.dumps(edited))
    assert [each.text for each in finals(signals)] == ["Yes."]


def test_a_final_settles_the_sound_up_to_its_last_word() -> None:
    scribe = wire()
    for _ in range(4):
        scribe.encode(SECOND)
    assert Acknowledged(1.5) in read(scribe, *committed(HELLO, THERE))


def test_without_times_a_final_settles_half_of_the_silence_behind_it() -> None:
    scribe = wire(include_timestamps=False, vad_silence_threshold_secs=1.0)
    for _ in range(4):
        scribe.encode(SECOND)
    assert Acknowledged(3.5) in read(scribe, *committed(HELLO))


def test_without_times_a_manual_final_settles_what_was_sent_before_its_commit() -> None:
    scribe = wire(include_timestamps=False, commit_strategy="manual")
    scribe.encode(AudioFrame(spoken(1)))
    scribe.encode(SECOND)
    scribe.encode(SECOND)
    assert Acknowledged(1.4) in read(scribe, *committed(HELLO))


def test_an_empty_commit_is_no_final() -> None:
    assert finals(read(wire(), *committed())) == []


# The end.


@pytest.mark.parametrize("strategy", ["vad", "manual"])
def test_the_answer_to_the_last_commit_is_the_end(strategy: str) -> None:
    scribe = wire(commit_strategy=strategy)
    scribe.encode(AudioFrame(spoken(1)))
    scribe.finish()
    assert read(scribe, *committed(("0", 0.0, 0.2)))[-1] == Done()


@pytest.mark.parametrize("kind", ["commit_throttled", "insufficient_audio_activity"])
def test_nothing_to_commit_is_the_end_too_and_in_mid_stream_no_matter(kind: str) -> None:
    scribe = wire()
    assert read(scribe, problem(kind)) == []
    scribe.finish()
    assert read(scribe, problem(kind)) == [Done()]


def test_a_commit_of_the_vendor_that_crosses_our_last_one_is_not_the_end() -> None:
    """Of a recording that is pushed at once the vendor commits several segments after our end."""
    scribe = wire()
    scribe.encode(AudioFrame(spoken(2) + bytes(SPEECH.size(0.2)) + spoken(3, first=2)))
    scribe.finish()
    assert Done() not in read(scribe, *committed(("0", 0.0, 0.2), ("1", 0.4, 0.6)))
    assert Done() in read(scribe, *committed(("2", 1.0, 1.2), ("3", 1.4, 1.6), ("4", 1.8, 2.0)))


def test_a_manual_session_ends_with_its_last_answer() -> None:
    scribe = wire(commit_strategy="manual", vad_silence_threshold_secs=0.3)
    for _ in range(2):
        scribe.encode(AudioFrame(spoken(1)))
        scribe.encode(SECOND)
    scribe.finish()
    assert Done() not in read(scribe, *committed(HELLO), *committed(THERE))
    assert read(scribe, problem("commit_throttled")) == [Done()]


# What goes wrong.


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("auth_error", ProviderRefused),
        ("quota_exceeded", ProviderRefused),
        ("unaccepted_terms", ProviderRefused),
        ("input_error", ProviderRefused),
        ("invalid_request", ProviderRefused),
        ("chunk_size_exceeded", ProviderRefused),
        ("rate_limited", ProviderBusy),
        ("queue_overflow", ProviderBusy),
        ("resource_exhausted", ProviderBusy),
        ("transcriber_error", ProviderClosed),
        ("session_time_limit_exceeded", ProviderClosed),
        ("error", ProviderClosed),
    ],
)
@pytest.mark.pins("D010")
def test_errors_say_what_to_do_next(kind: str, error: type[ProviderError]) -> None:
    with pytest.raises(error) as caught:
        wire().decode(problem(kind, "see key=sk_0123456789abcdef"))
    assert kind.replace("_", " ") in caught.value.message
    assert "0123456789" not in caught.value.message


@pytest.mark.parametrize("message", ["", "{", "[]", '"text"', b"\xff\xfe", "null"])
def test_what_is_no_message_is_a_protocol_error(message: str | bytes) -> None:
    with pytest.raises(ProviderProtocolError):
        wire().decode(message)


def test_a_final_without_text_is_a_protocol_error() -> None:
    with pytest.raises(ProviderProtocolError, match="without text"):
        wire().decode('{"message_type": "committed_transcript_with_timestamps"}')


@pytest.mark.parametrize(
    "message",
    [
        '{"message_type": "brand_new", "text": "x"}',
        "{}",
        '{"message_type": 7}',
        '{"message_type": "warning", "warning": "slow"}',
    ],
)
def test_unknown_messages_and_warnings_mean_nothing(message: str) -> None:
    assert list(wire().decode(message)) == []


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
_WORD = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("text", "start", "end", "type", "logprob", "speaker_id"), _JSON)
)
_MESSAGE = st.fixed_dictionaries(
    {
        "message_type": st.sampled_from(
            [
                "session_started",
                "partial_transcript",
                "committed_transcript_with_timestamps",
                "error",
                "commit_throttled",
                "warning",
            ]
        )
    },
    optional={
        "text": _JSON,
        "words": _JSON | st.lists(_WORD, max_size=4),
        "language_code": _JSON,
        "error": _JSON,
        "session_id": _JSON,
        "warning": _JSON,
    },
)


@given(st.one_of(_JSON, _MESSAGE))
def test_any_message_decodes_or_is_a_provider_error(told: Any) -> None:
    scribe = wire()
    try:
        signals = scribe.decode(json.dumps(told))
    except ProviderError:
        return
    for final in finals(list(signals)):
        assert 0 <= final.confidence <= 1
        times = [(word.start, word.end) for word in final.words]
        assert times == sorted(times, key=lambda each: each[0])
        assert all(start <= end for start, end in times)
