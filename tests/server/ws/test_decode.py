"""What a client may send, and what becomes of it."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capabilities import (
    AudioFormat,
    Delivery,
    Emotion,
    Encoding,
    Feeling,
    Secret,
    SpeechRequest,
    STTOptions,
)
from waav.errors import InvalidRequest
from waav.server.ws.decode import KINDS, decode
from waav.server.ws.names import CONFIG, SPEAK, STT, TTS, Names
from waav.server.ws.schema import (
    DEEPEST,
    Authenticate,
    Custom,
    Nothing,
    Ping,
    Say,
    Setup,
    Sound,
    Topic,
)
from waav.session.commands import (
    Clear,
    Configure,
    Interruption,
    NoiseReduction,
    ProcessorChoice,
    Pronunciation,
    Speak,
    STTConfig,
    TTSConfig,
    TurnDetection,
    VoiceDetection,
)


def read(kind: str, **fields: Any) -> Any:
    return decode(msgspec.json.encode({"type": kind, **fields}).decode())


def configure(**fields: Any) -> Configure:
    setup = read("config", **fields)
    assert isinstance(setup, Setup)
    return setup.command


def stt(**fields: Any) -> STTConfig:
    config = configure(stt_config={"provider": "p", **fields}).stt
    assert config is not None
    return config


def tts(**fields: Any) -> TTSConfig:
    config = configure(tts_config={"provider": "p", **fields}).tts
    assert config is not None
    return config


def refused(text: str) -> tuple[str, str]:
    with pytest.raises(InvalidRequest) as caught:
        decode(text)
    return caught.value.code, caught.value.message


def refused_fields(kind: str, **fields: Any) -> tuple[str, str]:
    return refused(msgspec.json.encode({"type": kind, **fields}).decode())


@pytest.mark.parametrize(
    ("message", "request_"),
    [
        ({"type": "clear"}, Clear()),
        ({"type": "stop"}, Clear()),
        ({"type": "interrupt"}, Clear()),
        ({"type": "flush"}, Nothing()),
        ({"type": "ping"}, Ping()),
        ({"type": "ping", "timestamp": 5, "more": 1}, Ping(5)),
        ({"type": "audio"}, Sound(b"")),
        ({"type": "audio", "audio": "aGk="}, Sound(b"hi")),
        ({"type": "audio", "data": "aGk="}, Sound(b"hi")),
        ({"type": "auth", "token": "t"}, Authenticate(Secret("t"))),
        ({"type": "custom", "message_type": "mine", "payload": None}, Custom("mine", b"null")),
        (
            {"type": "custom", "message_type": "mine", "payload": {"a": None, "stt": [1.5]}},
            Custom("mine", b'{"a":null,"stt":[1.5]}'),
        ),
        ({"type": "speak", "text": "a"}, Say(Speak("a"))),
        ({"type": "speak", "text": ""}, Say(Speak(""))),
        ({"type": "speak", "text": "a", "flush": False}, Say(Speak("a", flush=False))),
        (
            {"type": "speak", "text": "a", "allowInterruption": False},
            Say(Speak("a", allow_interruption=False)),
        ),
        (
            {"type": "speak", "text": "a", "voice": "v", "model": "m", "speed": 2, "provider": "p"},
            Say(Speak("a", voice="v", model="m", speed=2.0), provider="p"),
        ),
        ({"type": "speak", "text": "a", "voice_id": "v"}, Say(Speak("a", voice="v"))),
        ({"type": "speak", "text": "a", "voice": None, "model": ""}, Say(Speak("a"))),
        ({"type": "speak", "text": "a", "speed": 99}, Say(Speak("a", speed=4.0))),
        (
            {"type": "speak", "text": "a", "ssml": "<speak>b</speak>"},
            Say(Speak("a", ssml="<speak>b</speak>")),
        ),
        (
            {"type": "speak", "ssml": "<speak>b &amp; <b>c</b></speak>"},
            Say(Speak("b & c", ssml="<speak>b &amp; <b>c</b></speak>")),
        ),
        (
            {"type": "speak", "text": "a", "emotion": {"type": "sad"}, "pitch": 1},
            Say(Speak("a", emotion=Emotion.SAD), ignored=("pitch",)),
        ),
        (
            {"type": "speak", "text": "a", "delivery_style": "soft", "emotion_intensity": 0},
            Say(Speak("a", delivery=Delivery.SOFT, intensity=0)),
        ),
    ],
)
def test_messages(message: dict[str, Any], request_: object) -> None:
    assert decode(msgspec.json.encode(message).decode()) == request_


@pytest.mark.pins("D328")
@pytest.mark.parametrize("stt_key", ["stt_config", "stt", "sttConfig"])
@pytest.mark.parametrize("tts_key", ["tts_config", "tts", "ttsConfig"])
def test_blocks_have_short_names(stt_key: str, tts_key: str) -> None:
    command = configure(**{stt_key: {"provider": "a"}, tts_key: {"provider": "b"}})
    assert command == Configure(STTConfig("a"), TTSConfig("b"))


@pytest.mark.pins("D186")
@pytest.mark.parametrize(
    ("fields", "audio"),
    [
        ({}, True),
        ({"audio": None}, True),
        ({"audio": False}, False),
        ({"audio_disabled": True}, False),
        ({"audio_disabled": False}, True),
        ({"audio": True, "audio_disabled": True}, True),
        ({"audio": False, "audio_disabled": False}, False),
        ({"audio": None, "audio_disabled": True}, False),
    ],
)
def test_audio_can_be_switched_off_in_two_ways(fields: dict[str, Any], *, audio: bool) -> None:
    assert configure(**fields).audio is audio


@pytest.mark.parametrize("key", ["stream_id", "streamId", "session_id"])
def test_a_client_may_name_its_session(key: str) -> None:
    assert configure(**{key: "call-1"}).stream_id == "call-1"


@pytest.mark.parametrize("name", [None, ""])
def test_an_empty_name_is_no_name(name: str | None) -> None:
    assert configure(stream_id=name).stream_id is None


@pytest.mark.parametrize("name", ["a/b", "a\\b", "..", "a..b", "a\0", "a\n", "\x7f", "\x85", "."])
def test_a_name_must_be_fit_for_a_file(name: str) -> None:
    assert refused_fields("config", stream_id=name)[0] == "invalid_stream_id"


def test_a_client_may_leave_the_provider_to_the_operator() -> None:
    command = configure(stt={}, tts={"provider": "gateway"})
    assert command == Configure(STTConfig(""), TTSConfig("gateway"))


def test_stt_defaults() -> None:
    assert stt() == STTConfig("p", STTOptions())


def test_all_stt_options_arrive() -> None:
    config = stt(
        language="de",
        sampleRate=8000,
        channels=2,
        punctuate=False,
        encoding="ulaw",
        model="m",
        api_key="key",
        interim_results=False,
        profanity_filter=True,
        smart_format=True,
        diarize=True,
        keywords=["a"],
        custom_vocabulary=["b"],
        endpointing=300,
        utterance_end_ms=1000,
        filler_words=True,
        word_timestamps=True,
        options={"x": 1},
        forced_final_text="last",
        something_else=[],
    )
    assert config == STTConfig(
        "p",
        STTOptions(
            AudioFormat(Encoding.MULAW, 8000, 2),
            language="de",
            punctuation=False,
            model="m",
            api_key=Secret("key"),
            interim_results=False,
            profanity_filter=True,
            smart_format=True,
            diarize=True,
            keywords=("a", "b"),
            endpointing=0.3,
            utterance_end=1.0,
            filler_words=True,
            word_timestamps=True,
        ),
        {"x": 1},
        "last",
    )


def test_features_count_where_the_block_says_nothing() -> None:
    command = configure(
        stt_config={"provider": "p", "punctuation": True},
        features={"punctuation": False, "speaker_diarization": True, "interim_results": False},
    )
    assert command.stt is not None
    options = command.stt.options
    assert (options.punctuation, options.diarize, options.interim_results) == (True, True, False)


def test_processors_are_names_or_names_with_options() -> None:
    command = configure(
        stt_config={
            "provider": "p",
            "processors": ["high-pass", {"name": "gain", "options": {"db": 3}}],
        },
        tts_config={"provider": "q", "processors": []},
    )
    assert command.stt is not None
    assert command.tts is not None
    assert command.stt.processors == (
        ProcessorChoice("high-pass"),
        ProcessorChoice("gain", {"db": 3}),
    )
    assert command.tts.processors == ()
    assert configure(stt_config={"provider": "p"}).stt.processors is None


def test_audio_features_tell_how_to_listen() -> None:
    command = configure(
        stt_config={"provider": "p"},
        features={"noise_cancellation": True, "echo_cancellation": True},
        audio_features={
            "vad": {"enabled": True, "threshold": 0.4, "silence_ms": 300, "mode": "normal"},
            "turn_detection": {"threshold": 0.8, "silence_ms": 900, "prefix_padding_ms": 10},
            "noise_filtering": {"strength": "medium"},
            "interruption": {
                "enabled": True,
                "min_words": 2,
                "ignore_words": ["genau"],
                "resume_ms": 0,
            },
        },
    )
    assert command.stt is not None
    assert command.stt.vad == VoiceDetection(enabled=True, threshold=0.4, min_silence=0.3)
    assert command.stt.turn == TurnDetection(threshold=0.8, silence=0.9)
    assert command.stt.noise == NoiseReduction(enabled=True, attenuation=24.0)
    assert command.interruption == Interruption(
        enabled=True, min_words=2, ignore_words=("genau",), resume_after=0.0
    )


@pytest.mark.parametrize(
    "block", ["vad", "turn_detection", "noise_filtering", "interruption"], ids=str
)
def test_an_audio_feature_that_is_null_is_not_set(block: str) -> None:
    """As some SDKs write what their user left out."""
    plain = {"stt_config": {"provider": "p"}}
    assert configure(**plain, audio_features={block: None}) == configure(**plain)


@pytest.mark.parametrize(
    ("noise", "expected"),
    [
        ({}, NoiseReduction()),
        ({"enabled": False}, NoiseReduction(enabled=False)),
        (
            {"enabled": True, "strength_value": 0.5, "strength": "low"},
            NoiseReduction(enabled=True, attenuation=20.0),
        ),
    ],
)
def test_how_strongly_noise_is_lowered(noise: dict[str, Any], expected: NoiseReduction) -> None:
    command = configure(stt_config={"provider": "p"}, audio_features={"noise_filtering": noise})
    assert command.stt is not None
    assert command.stt.noise == expected


@pytest.mark.parametrize(
    "wrong",
    [
        {"vad": {"threshold": 2}},
        {"turn_detection": {"silence_ms": 0}},
        {"noise_filtering": {"strength": "strong"}},
        {"interruption": {"min_words": -1}},
        {"interruption": {"ignore_words": ["mhm"] * 101}},
        {"vad": 5},
    ],
    ids=str,
)
def test_a_wrong_audio_feature_is_told_with_its_place(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest, match=r"audio_features"):
        read("config", stt_config={"provider": "p"}, audio_features=wrong)


SAD = Feeling(Emotion.SAD, 1.0, Delivery.SOFT, "as if it rained")


@pytest.mark.parametrize(
    ("fields", "feeling"),
    [
        pytest.param({}, Feeling(), id="nothing"),
        pytest.param(
            {
                "emotion": "sad",
                "emotion_intensity": "high",
                "delivery_style": "soft",
                "emotion_description": "as if it rained",
            },
            SAD,
            id="flat",
        ),
        pytest.param(
            {
                "emotion": {
                    "type": "sad",
                    "intensity": 1,
                    "delivery_style": "soft",
                    "description": "as if it rained",
                }
            },
            SAD,
            id="nested",
        ),
        pytest.param(
            {
                "emotion": {"emotion": "Melancholic", "intensity": "max", "style": "gentle"},
                "emotion_description": "as if it rained",
                "delivery_style": "loud",
            },
            SAD,
            id="nested, with other names, in front of the flat ones",
        ),
        pytest.param({"emotion": {"name": "sad"}}, Feeling(Emotion.SAD), id="by name"),
        pytest.param({"emotion": {}}, Feeling(), id="an empty object"),
        pytest.param({"emotion": "", "delivery_style": ""}, Feeling(), id="empty names"),
        pytest.param({"emotion_intensity": 0}, Feeling(intensity=0), id="no strength at all"),
        pytest.param({"style": 0.5}, Feeling(), id="a vendor's style is not a delivery"),
        pytest.param(
            {"emotion_description": "\N{SNOWMAN}" * 2000},
            Feeling(description="\N{SNOWMAN}" * 1000),
            id="a long description",
        ),
    ],
)
def test_a_feeling_has_two_forms(fields: dict[str, Any], feeling: Feeling) -> None:
    assert tts(**fields).request.feeling == feeling


@pytest.mark.pins("D131")
@pytest.mark.parametrize(
    "fields",
    [
        {"emotion": "flabbergasted"},
        {"emotion": {"type": "flabbergasted"}},
        {"emotion": "sad", "delivery_style": "flabbergasted"},
        {"emotion": "sad", "emotion_intensity": "flabbergasted"},
        {"emotion": {"type": "sad", "style": "flabbergasted"}},
    ],
)
def test_a_feeling_that_nobody_knows_is_told_and_the_rest_goes_on(fields: dict[str, Any]) -> None:
    setup = read("config", tts_config={"provider": "p", "voice_id": "v", **fields})
    assert setup.command.tts.request == SpeechRequest("", voice="v")
    said = read("speak", text="a", voice_id="v", **fields)
    assert said.command == Speak("a", voice="v")
    for notices in (setup.notices, said.notices):
        assert [notice.code for notice in notices] == ["invalid_emotion"]
        assert "'flabbergasted'; known are " in notices[0].message


@pytest.mark.parametrize(("told", "counts"), [(1.5, 1.0), (-1, 0.0)])
def test_an_intensity_out_of_range_is_the_nearest_and_told(told: float, counts: float) -> None:
    setup = read("config", tts_config={"provider": "p", "emotion_intensity": told})
    assert setup.command.tts.request.feeling == Feeling(intensity=counts)
    assert [notice.code for notice in setup.notices] == ["intensity_clamped"]


@pytest.mark.parametrize(
    ("wish", "before", "after"),
    [
        pytest.param({}, {"voice"}, {"voice"}, id="nothing-is-said"),
        pytest.param({"features": {"events": True}}, set(), {"speaking"}, id="events"),
        pytest.param({"features": {"events": False}}, {"speaking"}, set(), id="no-more"),
        pytest.param({"features": {"vad": True}}, set(), {"voice"}, id="vad"),
        pytest.param({"features": {"dead_air": True}}, set(), {"dead_air"}, id="dead-air"),
        pytest.param({"features": {"dead_air": False}}, {"dead_air"}, set(), id="no-dead-air"),
        pytest.param(
            {
                "features": {"vad": True},
                "audio_features": {"vad": {"enabled": False}, "interruption": {"enabled": True}},
            },
            {"speaking"},
            {"speaking", "interruption"},
            id="the-block-counts-before-the-switch",
        ),
    ],
)
def test_what_a_client_wants_to_hear_of(
    wish: dict[str, Any], before: set[Topic], after: set[Topic]
) -> None:
    assert read("config", **wish).topics(frozenset(before)) == after


def test_tts_defaults() -> None:
    assert tts() == TTSConfig("p", SpeechRequest(""))


def test_all_tts_options_arrive() -> None:
    config = tts(
        model="m",
        voice="v",
        speed=1.5,
        format="pcm_mulaw",
        sampleRate=8000,
        connection_timeout=5,
        request_timeout=6,
        api_key="key",
        language="de",
        pitch=1,
        volume=2,
        stability=0.5,
        options={"x": 1},
    )
    request = SpeechRequest(
        "",
        voice="v",
        model="m",
        format=AudioFormat(Encoding.MULAW, 8000),
        speed=1.5,
        language="de",
        pitch=1.0,
        volume=2.0,
        api_key=Secret("key"),
    )
    wanted = TTSConfig("p", request, {"x": 1}, (), 5.0, 6.0, {"stability": 0.5})
    assert config == wanted


@pytest.mark.parametrize("key", ["speaking_rate", "speed", "rate"])
@pytest.mark.parametrize(("asked", "given_"), [(0.01, 0.25), (1.2, 1.2), (9, 4.0)])
def test_a_speed_is_kept_within_reason(key: str, asked: float, given_: float) -> None:
    assert tts(**{key: asked}).request.speed == given_


def test_pronunciations_have_two_forms() -> None:
    items = [{"word": "API", "pronunciation": "A P I"}, {"from": "SQL", "to": "sequel"}]
    wanted = (Pronunciation("API", "A P I"), Pronunciation("SQL", "sequel"))
    assert tts(pronunciations=items).pronunciations == wanted


def test_a_key_goes_before_its_other_names() -> None:
    assert tts(voice_id="right", voice="wrong").request.voice == "right"
    assert tts(voice="wrong", voice_id="right").request.voice == "right"


def _aliases(names: Names) -> list[tuple[str, str]]:
    return list(names.aliases.items())


@pytest.mark.parametrize(
    ("names", "alias", "key"),
    [(names, *pair) for names in (CONFIG, SPEAK, STT, TTS) for pair in _aliases(names)],
)
def test_every_other_name_gives_way_to_the_key_itself(names: Names, alias: str, key: str) -> None:
    assert names.resolve({alias: 1}) == {key: 1}
    assert names.resolve({alias: 1, key: 2}) == {key: 2}
    assert names.resolve({alias: 1, key: None}) == {key: 1}


@pytest.mark.parametrize(
    ("text", "tail"),
    [
        ("", "Input data was truncated"),
        ("{", "Input data was truncated"),
        ("hello", "JSON is malformed"),
        ("[]", "Expected `object`, got `array`"),
        ("null", "Expected `object`, got `null`"),
        ("{}", "Object missing required field `type`"),
        ('{"type": 1}', "Expected `str`, got `int`"),
        ('{"type": "sing"}', "unknown type 'sing'"),
        ('{"type": "speak"}', "Object missing required field `text`"),
        ('{"type": "speak", "text": null}', "Object missing required field `text`"),
        ('{"type": "speak", "text": 1}', "Expected `str | null`, got `int` - at `$.text`"),
        ('{"type": "speak", "text": "a", "flush": "no"}', "Expected `bool`"),
        ('{"type": "speak", "text": "a", "emotion": 1}', "Expected `str | object | null`"),
        ('{"type": "speak", "text": "a", "emotion_intensity": []}', "Expected `float | str"),
        ('{"type": "config", "stt": {"provider": 1}}', "Expected `str`, got `int`"),
        ('{"type": "config", "stt": "p"}', "Expected `object | null`, got `str`"),
        ('{"type": "config", "tts": {"provider": "p", "emotion": 1}}', "Expected `str | object"),
        ('{"type": "config", "audio": "yes"}', "Expected `bool | null`, got `str`"),
        ('{"type": "config", "livekit": 1}', "Expected `object | null`, got `int`"),
        ('{"type": "audio", "audio": "!"}', "Invalid base64 encoded string"),
        ('{"type": "auth"}', "Object missing required field `token`"),
        ('{"type": "custom", "message_type": "x"}', "Object missing required field `payload`"),
        ('{"type": "send_message"}', "Object missing required field `message`"),
        ('{"type": "ping", "timestamp": "now"}', "Expected `int | null`, got `str`"),
        ("[" * 100_000, "Expected `object`, got `array`"),
        ('{"type": "custom", "payload": ' + "[" * 100_000, "maximum recursion depth exceeded"),
        ('{"type": "speak", "text": "a", "speed": 1' + "0" * 400 + "}", ""),
    ],
)
def test_unreadable_messages(text: str, tail: str) -> None:
    code, message = refused(text)
    assert code == "invalid_message"
    assert message.startswith("Invalid message format: " + tail)


@pytest.mark.parametrize(
    ("block", "field", "good", "bad"),
    [
        ("stt_config", "sample_rate", [8000, 48000], [7999, 48001, 16000.5]),
        ("stt_config", "channels", [1, 2], [0, 3]),
        ("stt_config", "encoding", ["PCM16", "alaw", "opus"], ["", "vinyl"]),
        ("stt_config", "endpointing", [0], [-1]),
        ("stt_config", "keywords", [["a"] * 1000], [["a"] * 1001, ["a" * 257], [1]]),
        ("stt_config", "forced_final_text", ["empty"], ["some"]),
        ("tts_config", "sample_rate", [8000, 48000], [0, "24000"]),
        ("tts_config", "audio_format", ["mp3_44100_128"], ["vinyl"]),
        ("tts_config", "connection_timeout", [1], [0, -1]),
        (
            "tts_config",
            "pronunciations",
            [[{"from": "a", "to": "b"}] * 1000],
            [[{"from": "a", "to": "b"}] * 1001, [{}], ["a"]],
        ),
    ],
)
def test_limits_of_blocks(block: str, field: str, good: list[Any], bad: list[Any]) -> None:
    for value in good:
        assert read("config", **{block: {"provider": "p", field: value}})
    for value in bad:
        code, message = refused_fields("config", **{block: {"provider": "p", field: value}})
        assert code == "invalid_message"
        assert f"$.{block}" in message


@pytest.mark.parametrize(
    ("kind", "field", "limit", "what", "more"),
    [
        ("config", "stream_id", 256, "Stream ID", {}),
        ("speak", "text", 102_400, "Speak text", {}),
        ("speak", "ssml", 102_400, "Speak text", {}),
        ("auth", "token", 4096, "Auth token", {}),
        ("send_message", "message", 51_200, "Message content", {"role": "user"}),
        ("sip_transfer", "transfer_to", 256, "SIP transfer_to", {}),
        ("custom", "message_type", 256, "Stream ID", {"payload": None}),
    ],
)
def test_sizes_are_counted_in_bytes(
    kind: str, field: str, limit: int, what: str, more: dict[str, Any]
) -> None:
    code, message = refused_fields(kind, **{field: "é" * (limit // 2) + "1", **more})
    assert code == "field_too_large"
    assert message == f"{what} too large: {limit + 1} bytes (max: {limit} bytes)"
    try:
        read(kind, **{field: "é" * (limit // 2), **more})
    except InvalidRequest as exc:
        assert exc.code != "field_too_large"  # noqa: PT017  # some are refused for another reason


@pytest.mark.parametrize(
    ("payload", "levels"),
    [
        ('"[[["', 0),
        ("[]", 1),
        ('{"[": "{"}', 1),
        ('[{"a": [], "b": {}}, [1]]', 3),
        (r'["\\", ["\"[[", "\\\"[["]]', 2),
    ],
)
def test_the_levels_of_a_payload_are_counted_and_brackets_within_texts_are_not(
    payload: str, levels: int
) -> None:
    around = DEEPEST - levels
    for more, fits in ((0, True), (1, False)):
        nested = "[" * (around + more) + payload + "]" * (around + more)
        text = f'{{"type": "custom", "message_type": "mine", "payload": {nested}}}'
        if fits:
            assert isinstance(decode(text), Custom)
        else:
            assert refused(text) == (
                "invalid_message",
                "Invalid message format: nested more than 128 levels deep",
            )


def test_a_pronunciation_is_bounded_too() -> None:
    item = {"word": "a" * 257, "pronunciation": "a"}
    code, _ = refused_fields("config", tts_config={"provider": "p", "pronunciations": [item]})
    assert code == "field_too_large"


def test_a_text_of_one_mebibyte_is_read_and_one_byte_more_is_not() -> None:
    room = (1 << 20) - len('{"type":"clear","x":""}')
    fits = f'{{"type":"clear","x":"{"x" * room}"}}'
    assert decode(fits) == Clear()
    wanted = ("message_too_large", "Message too large: 1048577 bytes (max 1048576 bytes)")
    assert refused(fits + " ") == wanted


@pytest.mark.parametrize(
    ("message", "code", "text"),
    [
        (
            {"type": "send_message", "message": "a", "role": None},
            "livekit_not_configured",
            "LiveKit client not configured. Send config message with livekit configuration first.",
        ),
        (
            {"type": "sip_transfer", "phone_number": " +4930123 "},
            "livekit_not_configured",
            "Room name not available. Ensure LiveKit is configured.",
        ),
        (
            {"type": "sip_transfer", "transferTo": "tel:1"},
            "invalid_phone_number",
            "Invalid phone n",
        ),
        ({"type": "sip_transfer", "transfer_to": "+"}, "invalid_phone_number", "Invalid phone n"),
        ({"type": "sip_transfer", "transfer_to": "٣"}, "invalid_phone_number", "Invalid phone n"),
        (
            {"type": "custom", "message_type": "mine", "payload": "x" * 51_200},
            "field_too_large",
            "Message content too large: 51202 bytes (max: 51200 bytes)",
        ),
        (
            {"type": "config", "livekit_config": {"room": "r"}, "stt": {"provider": "p"}},
            "not_available",
            "LiveKit rooms are not available in this version",
        ),
    ],
)
def test_what_cannot_be_served_is_refused(message: dict[str, Any], code: str, text: str) -> None:
    told = refused(msgspec.json.encode(message).decode())
    assert told[0] == code
    assert told[1].startswith(text)


def test_parts_that_cannot_be_had_do_not_stop_a_config() -> None:
    setup = read("config", dag={"template": "t"}, realtime_config={}, tts={"provider": "p"})
    assert [notice.code for notice in setup.notices] == ["use_realtime_endpoint", "not_available"]
    assert setup.command == Configure(tts=TTSConfig("p"))


@pytest.mark.parametrize(
    "message",
    [
        {"type": "auth", "token": "sk-secret"},
        {"type": "config", "stt": {"provider": "p", "api_key": "sk-secret"}},
        {"type": "config", "tts": {"provider": "p", "api_key": "sk-secret"}},
    ],
)
def test_a_secret_is_never_shown(message: dict[str, Any]) -> None:
    assert "sk-secret" not in repr(decode(msgspec.json.encode(message).decode()))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
KEYS = st.sampled_from(
    sorted(
        {
            *(
                [
                    "text",
                    "ssml",
                    "flush",
                    "speed",
                    "audio",
                    "data",
                    "token",
                    "message",
                    "role",
                    "payload",
                    "message_type",
                ]
            ),
            *(
                [
                    "provider",
                    "sample_rate",
                    "encoding",
                    "pronunciations",
                    "emotion",
                    "features",
                    "livekit",
                ]
            ),
            *(
                [
                    "timestamp",
                    "transfer_to",
                    "stt",
                    "tts",
                    "streamId",
                    "audio_disabled",
                    "word",
                    "from",
                    "to",
                    "options",
                ]
            ),
        }
    )
)
BLOCKS = st.dictionaries(KEYS, JSON | st.dictionaries(KEYS, JSON, max_size=4), max_size=6)


@given(st.text(st.characters()))
def test_any_text_gives_a_request_or_a_refusal(text: str) -> None:
    refused(text)


@given(JSON)
def test_any_json_gives_a_request_or_a_refusal(value: Any) -> None:
    try:
        text = msgspec.json.encode(value).decode()
    except (OverflowError, ValueError):
        return
    refused(text)


@given(st.sampled_from(sorted(KINDS)), BLOCKS)
def test_any_fields_give_a_request_or_a_refusal(kind: str, fields: dict[str, Any]) -> None:
    try:
        text = msgspec.json.encode({**fields, "type": kind}).decode()
    except (OverflowError, ValueError):
        return
    try:
        assert decode(text) is not None
    except InvalidRequest as exc:
        assert exc.code  # noqa: PT017  # either is fine, any other exception is not
