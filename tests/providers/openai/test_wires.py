"""The wires alone: what they say, and that they can read anything."""

import json
from typing import Any

import attrs
import cattrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capabilities import (
    SPEECH,
    AudioFormat,
    AudioFrame,
    Delivery,
    Emotion,
    Encoding,
    Feeling,
    Final,
    ProviderError,
    ProviderProtocolError,
    ProviderRefused,
    SpeechBegun,
    SpeechRequest,
    STTOptions,
)
from capabilities.llm import ChatRequest, Message, Role
from providers._common.buffered import Utterance
from providers._common.silence import silence
from providers._common.wire import Acknowledged, Done, Ready
from providers.openai import MANIFEST
from providers.openai.emotion import EXPRESSION, instructions
from providers.openai.file_wire import FileEvents, FileWire
from providers.openai.guidance import choose_model, language_code
from providers.openai.live_session import session_of
from providers.openai.live_wire import LONGEST_TURN, LiveWire
from providers.openai.llm_wire import ChatReader, chat_body
from providers.openai.options import OpenAILLMOptions, OpenAISTTOptions, OpenAITTSOptions
from providers.openai.resampler import Resampler
from providers.openai.sse import Events
from providers.openai.tts_wire import speech_body
from providers.openai.voices import VOICES
from waav.testing.audio import tone
from waav.testing.plugin import check_manifest

LIVE = STTOptions(format=AudioFormat(Encoding.LINEAR16, 24000), model="gpt-live-transcribe")
UTTERANCE = Utterance(bytes(32000), SPEECH, 5.0, paused=True)
KINDS = [
    "error", "session.updated", "input_audio_buffer.committed", "input_audio_buffer.speech_stopped",
    "input_audio_buffer.speech_started", "input_audio_buffer.cleared", "transcript.text.delta",
    "conversation.item.input_audio_transcription.delta", "transcript.text.done",
    "conversation.item.input_audio_transcription.completed", "transcript.text.segment",
    "conversation.item.input_audio_transcription.failed", "new.in.2027",
]  # fmt: skip
FIELDS = [
    "item_id", "delta", "transcript", "text", "error", "audio_end_ms", "audio_start_ms", "logprobs",
    "languages", "segments", "words", "choices", "usage", "tool_calls", "code", "event_id", "index", "function",
]  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats() | st.sampled_from(["a", "", "b"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4)
    ),
    max_leaves=12,
)
EVENTS = st.builds(
    lambda kind, rest: {**rest, "type": kind},
    st.sampled_from(KINDS),
    st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=6),
)


def test_the_manifest_is_whole() -> None:
    check_manifest(MANIFEST)


# Anything may come.


@given(st.lists(EVENTS, max_size=8), st.booleans())
def test_a_session_reads_any_events(events: list[dict[str, Any]], finish: bool) -> None:  # noqa: FBT001
    wire = LiveWire("gpt-live-transcribe", LIVE)
    wire.decode('{"type": "session.updated"}')
    if finish:
        wire.finish()
    for event in events:
        try:
            wire.decode(json.dumps(event))
        except ProviderError:
            break


@pytest.mark.pins("D047")
@pytest.mark.parametrize(
    ("told", "at"),
    [("1250", 1.25), ("0", 0.0), ("null", None), ('"soon"', None)],
)
def test_somebody_begins_to_speak(told: str, at: float | None) -> None:
    wire = LiveWire("gpt-live-transcribe", attrs.evolve(LIVE, interim_results=False))
    kind = "input_audio_buffer.speech_started"
    event = f'{{"type": "{kind}", "item_id": "a", "audio_start_ms": {told}}}'
    assert wire.decode(event) == [SpeechBegun(at)]


@given(st.text() | st.binary())
def test_what_is_no_event_is_a_protocol_error(message: str | bytes) -> None:
    try:
        LiveWire("gpt-live-transcribe", LIVE).decode(message)
    except ProviderProtocolError:
        return
    assert isinstance(json.loads(message), dict)


@given(st.lists(EVENTS, max_size=6))
def test_an_answer_to_a_file_may_be_anything(events: list[dict[str, Any]]) -> None:
    reader = FileEvents(FileWire("gpt-transcribe", STTOptions()), UTTERANCE)
    for event in events:
        try:
            for each in reader.read(event):
                assert 0 <= each.confidence <= 1  # type: ignore[union-attr]  # no SpeechFinal comes
        except ProviderError:
            break


@given(st.lists(st.dictionaries(st.sampled_from(FIELDS), JSON), max_size=6))
def test_an_answer_of_a_model_may_be_anything(events: list[dict[str, Any]]) -> None:
    reader = ChatReader()
    try:
        for event in events:
            reader.read(event)
        reader.end()
    except ProviderError:
        pass


@given(st.lists(st.dictionaries(st.text(), st.text()), max_size=5), st.integers(1, 9))
def test_events_are_the_same_however_the_bytes_are_cut(
    events: list[dict[str, str]], size: int
) -> None:
    told = "".join(
        f": a comment\r\nevent: x\r\ndata: {json.dumps(each)}\r\n\r\n" for each in events
    )
    data = told.encode() + b"data: [DONE]\n\n"
    reader = Events("openai")
    found = [
        event
        for offset in range(0, len(data), size)
        for event in reader.feed(data[offset : offset + size])
    ]
    assert found == events


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999", "9" * 400])
def test_a_number_that_is_none_is_a_protocol_error(number: str) -> None:
    with pytest.raises(ProviderProtocolError):
        LiveWire("gpt-live-transcribe", LIVE).decode(f'{{"type": "x", "n": {number}}}')


# Sessions.


def decode(wire: LiveWire, kind: str, **fields: Any) -> list[Any]:
    return list(wire.decode(json.dumps({"type": kind, **fields})))


def test_a_turn_of_their_voice_detection() -> None:
    wire = LiveWire("gpt-live-transcribe", LIVE)
    assert decode(wire, "session.created") == []
    assert decode(wire, "session.updated") == [Ready()]
    buffer, text = "input_audio_buffer", "conversation.item.input_audio_transcription"
    begun = decode(wire, f"{buffer}.speech_started", audio_start_ms=700, item_id="a")
    assert begun == [SpeechBegun(0.7)]
    assert decode(wire, f"{buffer}.speech_stopped", audio_end_ms=1500, item_id="a") == []
    assert decode(wire, f"{buffer}.committed", item_id="a", previous_item_id=None) == []
    languages, logprobs = [{"code": "de"}], [{"logprob": 0.0}, {"logprob": 0.0}]
    told = {"item_id": "a", "transcript": " hallo ", "languages": languages, "logprobs": logprobs}
    assert decode(wire, f"{text}.completed", **told) == [
        Final("hallo", confidence=1.0, language="de", speech_final=True),
        Acknowledged(1.5),
    ]


def test_a_turn_without_words_is_settled_and_not_told() -> None:
    wire = LiveWire("gpt-realtime-whisper", attrs.evolve(LIVE, model="gpt-realtime-whisper"))
    wire.encode(tone(1.0, audio=LIVE.format))
    wire.finish()
    assert decode(wire, "input_audio_buffer.committed", item_id="a") == []
    done = decode(
        wire, "conversation.item.input_audio_transcription.completed", item_id="a", transcript=""
    )
    assert done == [Acknowledged(1.0), Done()]


def test_a_speech_without_a_pause_is_committed_in_the_middle() -> None:
    wire = LiveWire("gpt-realtime-whisper", attrs.evolve(LIVE, model="gpt-realtime-whisper"))
    sent = [
        json.loads(each) for _ in range(61) for each in wire.encode(tone(1.0, audio=LIVE.format))
    ]
    commits = [each["event_id"] for each in sent if each["type"] == "input_audio_buffer.commit"]
    assert commits == [f"commit-{LONGEST_TURN:.3f}", f"commit-{2 * LONGEST_TURN:.3f}"]


def test_a_commit_of_nothing_at_the_end_is_the_end() -> None:
    wire = LiveWire("gpt-live-transcribe", LIVE)
    decode(wire, "session.updated")
    wire.encode(tone(0.2, audio=LIVE.format))
    (commit,) = wire.finish()
    error = {
        "type": "invalid_request_error",
        "code": "input_audio_buffer_commit_empty",
        "event_id": json.loads(commit)["event_id"],
    }
    assert decode(wire, "error", error=error) == [Done()]


@pytest.mark.pins("D007", "D008")
@pytest.mark.parametrize(("encoding", "name"), [(Encoding.MULAW, "pcmu"), (Encoding.ALAW, "pcma")])
def test_g711_goes_as_it_is_at_8_khz_and_not_at_all_at_others(
    encoding: Encoding, name: str
) -> None:
    options = attrs.evolve(LIVE, format=AudioFormat(encoding, 8000))
    wire = LiveWire("gpt-live-transcribe", options)
    session = json.loads(wire.start()[0])["session"]
    assert session["audio"]["input"]["format"] == {"type": f"audio/{name}"}
    frame = silence(options.format, 0.02)
    assert len(json.loads(wire.encode(frame)[0])["audio"]) == 4 * -(-len(frame.data) // 3)
    with pytest.raises(ProviderRefused):
        LiveWire("gpt-live-transcribe", attrs.evolve(LIVE, format=AudioFormat(encoding, 16000)))


@pytest.mark.pins("D013")
def test_all_options_of_a_session_are_sent() -> None:
    own = OpenAISTTOptions(
        prompt="numbers",
        languages=("en", "fr"),
        logprobs=True,
        turn_detection="server_vad",
        silence_duration_ms=700,
        vad_threshold=0.6,
        vad_prefix_padding_ms=200,
        noise_reduction="far_field",
        noise_reduction_strength=0.5,
        delay="low",
    )
    options = attrs.evolve(LIVE, options=own, keywords=("WaaV",))
    assert session_of("gpt-live-transcribe", options) == {
        "type": "transcription",
        "audio": {
            "input": {
                "format": {"type": "audio/pcm", "rate": 24000},
                "transcription": {
                    "model": "gpt-live-transcribe",
                    "languages": ("en", "fr"),
                    "keywords": ("WaaV",),
                    "prompt": "numbers",
                    "delay": "low",
                },
                "turn_detection": {
                    "type": "server_vad",
                    "threshold": 0.6,
                    "prefix_padding_ms": 200,
                    "silence_duration_ms": 700,
                },
                "noise_reduction": {"type": "far_field", "strength": 0.5},
            }
        },
        "include": ["item.input_audio_transcription.logprobs"],
    }
    semantic = OpenAISTTOptions(turn_detection="semantic_vad", eagerness="high")
    heard = session_of("m-live", attrs.evolve(LIVE, options=semantic))["audio"]["input"]
    assert heard["turn_detection"] == {"type": "semantic_vad", "eagerness": "high"}


def test_a_resampler_gives_every_sample_of_every_turn() -> None:
    resampler = Resampler(16000, 24000)
    for _ in range(2):
        sound = b"".join(resampler.feed(tone(0.02).data) for _ in range(50)) + resampler.finish()
        assert abs(len(sound) // 2 - 24000) <= 2
    assert resampler.finish() == b""


# Choices.


@pytest.mark.pins("D001")
@pytest.mark.parametrize(
    ("options", "chosen"),
    [
        (STTOptions(), ("gpt-transcribe", False)),
        (STTOptions(diarize=True), ("gpt-4o-transcribe-diarize", False)),
        (STTOptions(options=OpenAISTTOptions(via="live")), ("gpt-live-transcribe", True)),
        (STTOptions(model="gpt-realtime-whisper"), ("gpt-realtime-whisper", True)),
        (STTOptions(model="x", options=OpenAISTTOptions(via="live")), ("x", True)),
        (STTOptions(model="live-x", options=OpenAISTTOptions(via="file")), ("live-x", False)),
    ],
)
def test_the_model_says_whether_by_file_or_live(
    options: STTOptions, chosen: tuple[str, bool]
) -> None:
    assert choose_model(options) == chosen


@pytest.mark.parametrize(
    ("tag", "code"),
    [("en-US", "en"), ("de", "de"), ("yue_Hant", "yue"), ("multi", None), ("", None)],
)
def test_languages_are_told_by_their_codes(tag: str, code: str | None) -> None:
    assert language_code(tag) == code


def test_keywords_become_a_prompt_where_there_is_no_list_of_them() -> None:
    options = STTOptions(keywords=("Ada", "Bob"))
    assert FileWire("whisper-1", options).fields()["prompt"] == "Ada, Bob"
    assert "prompt" not in FileWire("gpt-4o-transcribe-diarize", options).fields()


def test_the_speakers_that_may_be_heard_are_sent() -> None:
    own = OpenAISTTOptions(known_speaker_names=("a",), known_speaker_references=("data:x",))
    fields = FileWire("gpt-4o-transcribe-diarize", STTOptions(options=own)).fields()
    assert fields["known_speaker_names[]"] == ["a"]
    assert fields["known_speaker_references[]"] == ["data:x"]


def test_confidence_is_what_the_model_says_of_its_tokens() -> None:
    wire = FileWire("gpt-4o-transcribe", STTOptions())
    (final,) = wire.read(
        {"text": "x", "logprobs": [{"logprob": -0.2}, {"logprob": 0.0}]}, UTTERANCE
    )
    assert isinstance(final, Final)
    assert final.confidence == pytest.approx(0.9048, abs=1e-4)


@pytest.mark.pins("D128", "D129")
def test_every_emotion_and_every_delivery_is_told_in_words() -> None:
    assert EXPRESSION.emotions == frozenset(Emotion) - {Emotion.NEUTRAL}
    assert EXPRESSION.deliveries == frozenset(Delivery) - {Delivery.NORMAL}
    told = {instructions(Feeling(emotion)) for emotion in Emotion}
    told |= {instructions(Feeling(delivery=delivery)) for delivery in Delivery}
    assert len(told) == 22 + 15 - 1
    assert instructions(Feeling()) is None
    assert instructions(Feeling(Emotion.SAD, description="like a robot")) == "like a robot"


def test_text_that_is_too_long_is_refused_before_it_is_sent() -> None:
    assert speech_body(SpeechRequest("ä" * 4096), "marin")["input"] == "ä" * 4096
    with pytest.raises(ProviderRefused):
        speech_body(SpeechRequest("x" * 4097), "marin")
    with pytest.raises(ProviderRefused):
        speech_body(SpeechRequest("x", format=AudioFormat(Encoding.MULAW)), "marin")


def test_voices_are_sorted() -> None:
    assert [voice.id for voice in VOICES] == sorted({voice.id for voice in VOICES})


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        (OpenAISTTOptions, {"temperature": 2.0}),
        (OpenAISTTOptions, {"via": "phone"}),
        (OpenAISTTOptions, {"flush": "never"}),
        (OpenAISTTOptions, {"known_speaker_names": ["a"]}),
        (OpenAISTTOptions, {"noise_reduction_strength": 0.5}),
        (OpenAITTSOptions, {"unknown": 1}),
        (OpenAILLMOptions, {"stop": ["a"] * 5}),
    ],
)
def test_wrong_options_are_refused(kind: type[Any], wrong: dict[str, Any]) -> None:
    converter = cattrs.Converter(forbid_extra_keys=True)
    assert converter.structure({}, kind) == kind()
    with pytest.raises(cattrs.BaseValidationError):
        converter.structure(wrong, kind)


def test_a_bare_request_says_no_more_than_it_must() -> None:
    body = chat_body(ChatRequest((Message(Role.USER, "Hi"),)))
    assert sorted(body) == ["messages", "model", "stream", "stream_options"]


def test_silence_is_heard_as_nothing() -> None:
    wire = LiveWire("gpt-realtime-whisper", attrs.evolve(LIVE, model="gpt-realtime-whisper"))
    assert list(wire.encode(AudioFrame(bytes(48000), LIVE.format))) == []
    (clear,) = wire.finish()
    assert json.loads(clear)["type"] == "input_audio_buffer.clear"
    assert decode(wire, "input_audio_buffer.cleared") == [Done()]
