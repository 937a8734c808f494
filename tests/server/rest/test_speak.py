"""``POST /speak`` against a scripted voice."""

from contextlib import suppress
from typing import Any

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from support.rest import TONE, Client, Reader, open_rest, voice_plugin

from capabilities import (
    AudioFormat,
    AudioFrame,
    Encoding,
    ProviderBusy,
    ProviderRefused,
    ProviderUnavailable,
    Secret,
    SpeechRequest,
    parse_encoding,
)
from waav.audio.wav import read_wav
from waav.config import Config
from waav.config.schema import Plugins, SpeakDefaults
from waav.errors import InvalidRequest
from waav.gateway import open_gateway
from waav.server.app import create_app
from waav.server.rest.speak import SYNTHESIS_TIMEOUT, TEXT_LIMIT, Order, content_type, read_order

NESTED = {"text": "hello", "tts_config": {"provider": "espeak"}}


async def test_the_answer_is_the_whole_sound(client: Client) -> None:
    answer = await client.post("/speak", json=NESTED)
    assert answer.status_code == 200
    assert await answer.get_data() == TONE.data


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(
            {"text": "hello", "tts_config": {"provider": "espeak", "voice_id": "en", "speed": 2}},
            id="nested",
        ),
        pytest.param(
            {"text": "hello", "ttsConfig": {"provider": "local", "voice": "en", "rate": 2}},
            id="nested-other-names",
        ),
        pytest.param(
            {"text": "hello", "provider": "ESPEAK", "voice_id": "en", "speaking_rate": 2},
            id="flat",
        ),
        pytest.param(
            {"text": "hello", "provider": "espeak", "voice": "en", "speed": 2, "model": None},
            id="flat-other-names",
        ),
    ],
)
async def test_all_forms_of_the_body_mean_the_same(
    client: Client, reader: Reader, body: dict[str, Any]
) -> None:
    answer = await client.post("/speak", json=body)
    assert answer.status_code == 200
    request = reader.requests[0]
    assert (request.text, request.voice, request.speed) == ("hello", "en", 2.0)


@pytest.mark.pins("D206")
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("wav", "audio/wav"),
        ("mp3", "audio/mpeg"),
        ("mpeg", "audio/mpeg"),
        ("mp3_44100_128", "audio/mpeg"),
        ("ogg", "audio/ogg"),
        ("opus", "audio/ogg"),
        ("linear16", "audio/pcm;rate=22050"),
        ("pcm", "audio/pcm;rate=22050"),
        ("pcm16", "audio/pcm;rate=22050"),
        ("pcm_22050", "audio/pcm;rate=22050"),
        ("mulaw", "audio/basic"),
        ("ulaw", "audio/basic"),
        ("g711_ulaw", "audio/basic"),
        ("flac", "application/octet-stream"),
        ("alaw", "application/octet-stream"),
    ],
)
def test_speak_content_types(name: str, expected: str) -> None:
    assert content_type(AudioFormat(parse_encoding(name), 22050)) == expected


@pytest.mark.pins("D207")
@pytest.mark.parametrize(
    ("wanted", "rate", "name", "size"),
    [
        ("linear16", 24000, "linear16", 480),
        ("pcm16", 48000, "linear16", 960),
        ("ulaw", 8000, "mulaw", 80),
        ("wav", 16000, "wav", 44 + 320),
    ],
)
async def test_speak_headers(client: Client, wanted: str, rate: int, name: str, size: int) -> None:
    config = {"provider": "espeak", "audio_format": wanted, "sample_rate": rate}
    answer = await client.post("/speak", json={"text": "hello", "tts_config": config})
    data = await answer.get_data()
    assert answer.headers["x-audio-format"] == name
    assert answer.headers["x-sample-rate"] == str(rate)
    assert answer.headers["content-length"] == str(len(data))
    assert answer.headers["content-type"] == content_type(AudioFormat(Encoding(name), rate))
    assert len(data) == pytest.approx(size, abs=4)  # a resampler may round by a sample


async def test_compressed_sound_passes_through() -> None:
    song = AudioFrame(b"ID3 and more", AudioFormat(Encoding.MP3, 24000))
    plugin = voice_plugin("singer", Reader([song, song]), Encoding.MP3)
    async with open_rest(plugin) as client:
        body = {"text": "la", "provider": "singer", "format": "mp3_24000_64"}
        answer = await client.post("/speak", json=body)
        assert answer.headers["content-type"] == "audio/mpeg"
        assert await answer.get_data() == song.data * 2


async def test_a_wav_file_has_its_true_length(client: Client) -> None:
    answer = await client.post(
        "/speak", json={**NESTED, "tts_config": {"provider": "espeak", "format": "wav"}}
    )
    data = await answer.get_data(as_text=False)
    assert int.from_bytes(data[4:8], "little") == len(data) - 8
    assert int.from_bytes(data[40:44], "little") == len(data) - 44
    assert read_wav(data) == (TONE.format, TONE.data)


@pytest.mark.pins("D208")
async def test_speak_pronunciations_once(client: Client, reader: Reader) -> None:
    """Twice would make "SQL server server" of it, and a part of a word would change too."""
    rules = [{"word": "SQL", "pronunciation": "SQL server"}]
    config = {"provider": "espeak", "pronunciations": rules}
    await client.post("/speak", json={"text": "SQL, NoSQL", "tts_config": config})
    assert reader.requests[0].text == "SQL server, NoSQL"


@pytest.mark.pins("D224")
async def test_speak_no_lost_wakeup(client: Client, autojump_clock: trio.testing.MockClock) -> None:
    """A voice that is done before anybody could wait for it is heard at once, not after 30 s."""
    answer = await client.post("/speak", json=NESTED)
    assert answer.status_code == 200
    assert trio.current_time() == 0


async def test_who_names_no_provider_gets_the_operators(reader: Reader) -> None:
    config = Config(plugins=Plugins(enabled=False), tts=SpeakDefaults("espeak"))
    manifest = voice_plugin("espeak", reader)
    async with open_gateway(config, manifests=[manifest]) as gateway:
        for body in (
            {"text": "x", "provider": ""},
            {"text": "x", "tts_config": {"provider": "gateway"}},
        ):
            answer = await create_app(gateway).test_client().post("/speak", json=body)
            assert answer.status_code == 200


async def test_no_sound_is_an_empty_answer() -> None:
    async with open_rest(voice_plugin("mute", Reader([]))) as client:
        answer = await client.post("/speak", json={"text": "...", "provider": "mute"})
        assert (answer.status_code, await answer.get_data()) == (200, b"")


async def test_a_voice_that_never_ends_is_given_up(autojump_clock: trio.testing.MockClock) -> None:
    reader = Reader(endless=True)
    async with open_rest(voice_plugin("slow", reader)) as client:
        answer = await client.post("/speak", json={"text": "hello", "provider": "slow"})
        error = await answer.get_json()
        assert (answer.status_code, error["code"]) == (504, "tts_timeout")
        assert error["message"] == "TTS synthesis timeout"
        assert trio.current_time() == pytest.approx(SYNTHESIS_TIMEOUT)
        assert reader.left.is_set()


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (ProviderBusy("v", "all lines taken", retry_after=2.5), 429, "provider_busy"),
        (ProviderUnavailable("v", "not there"), 502, "provider_unavailable"),
        (ProviderRefused("v", "wrong key"), 502, "provider_refused"),
        (ZeroDivisionError("/usr/lib/secret"), 502, "plugin_failed"),
    ],
)
async def test_what_a_voice_cannot_do(error: Exception, status: int, code: str) -> None:
    async with open_rest(voice_plugin("v", Reader(error=error))) as client:
        answer = await client.post("/speak", json={"text": "hello", "provider": "v"})
        assert (answer.status_code, (await answer.get_json())["code"]) == (status, code)
        assert answer.headers.get("Retry-After") == ("3" if status == 429 else None)


async def test_a_voice_out_of_service_is_503() -> None:
    async with open_rest(voice_plugin("ill", None)) as client:
        answer = await client.post("/speak", json={"text": "hello", "provider": "ill"})
        assert (answer.status_code, (await answer.get_json())["code"]) == (
            503,
            "provider_unavailable",
        )


@pytest.mark.parametrize(
    ("body", "status", "code", "text"),
    [
        ({**NESTED, "text": " \n"}, 400, "empty_text", "Text cannot be empty"),
        (
            {**NESTED, "text": "ä" * 5121},
            400,
            "text_too_long",
            "Text too long: 10242 bytes exceeds maximum 10240 bytes",
        ),
        (
            {"text": "x", "provider": "nobody"},
            400,
            "unsupported_provider",
            "Unsupported provider: nobody (known for tts: espeak)",
        ),
        (
            {"text": "x", "provider": "espeak", "format": "mp3"},
            400,
            "invalid_audio_format",
            "espeak does not give mp3 audio",
        ),
        (
            {"text": "x", "provider": ""},
            400,
            "missing_provider",
            "No tts provider is named, and tts.provider is not configured",
        ),
        (
            {"tts_config": {"provider": "espeak"}},
            422,
            "invalid_schema",
            "Object missing required field `text`",
        ),
        (
            {"text": "x", "tts_config": {"provider": "espeak", "sample_rate": "fast"}},
            422,
            "invalid_schema",
            "Expected `int`, got `str` - at `$.tts_config.sample_rate`",
        ),
        (
            {"text": "x", "tts_config": []},
            422,
            "invalid_schema",
            "Expected `object`, got `array` - at `$.tts_config`",
        ),
    ],
)
async def test_requests_that_cannot_be_served(
    client: Client, body: Any, status: int, code: str, text: str
) -> None:
    answer = await client.post("/speak", json=body)
    error = await answer.get_json()
    assert (answer.status_code, error["code"], error["message"]) == (status, code, text)


async def test_the_longest_text_is_spoken(client: Client) -> None:
    answer = await client.post("/speak", json={**NESTED, "text": "a" * TEXT_LIMIT})
    assert answer.status_code == 200


async def test_the_clients_own_key_reaches_the_voice_and_no_log(
    client: Client, reader: Reader, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    await client.post("/speak", json={"text": "x", "provider": "espeak", "api_key": "sk-hidden"})
    key = reader.requests[0].api_key
    assert key is not None
    assert key.reveal() == "sk-hidden"
    assert "sk-hidden" not in caplog.text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
KEYS = st.sampled_from(
    ["text", "tts_config", "provider", "voice", "speed", "sample_rate", "pronunciations", "options"]
)


@given(st.dictionaries(KEYS, JSON | st.dictionaries(KEYS, JSON, max_size=4), max_size=6))
def test_any_object_is_an_order_or_a_clear_refusal(raw: dict[str, Any]) -> None:
    with suppress(ValueError, OverflowError, InvalidRequest):
        assert isinstance(read_order(raw), Order)


@pytest.mark.parametrize("nested", [False, True])
async def test_a_client_brings_its_own_key(*, nested: bool) -> None:
    """By the name of the manifest, in either form of the request."""
    reader = Reader()
    async with open_rest(voice_plugin("paid", reader, credentials=("paid_api_key",))) as client:
        for auth, status, code in (
            ({"paid_api_key": "made-up-key"}, 200, None),
            ({"other_api_key": "made-up-key"}, 400, "invalid_auth"),
        ):
            block = {"provider": "paid", "auth": auth}
            sent = {"tts_config": block} if nested else block
            answer = await client.post("/speak", json={"text": "hello", **sent})
            assert answer.status_code == status
            if code is not None:
                error = await answer.get_json()
                assert error["code"] == code
                assert "made-up-key" not in error["message"]
    assert [request.api_key for request in reader.requests] == [Secret("made-up-key")]


async def test_a_provider_with_no_place_left_is_asked_again_later(reader: Reader) -> None:
    limits = {"espeak": {"max_sessions": 1}}
    config = Config(plugins=Plugins(enabled=False, providers=limits))
    manifest = voice_plugin("espeak", reader)
    async with open_gateway(config, manifests=[manifest]) as gateway:
        client = create_app(gateway).test_client()
        taken = gateway.means.tts("espeak").turnstile.slot(SpeechRequest(""))
        async with taken:
            refused = await client.post("/speak", json={"text": "x", "provider": "espeak"})
        assert refused.status_code == 503
        assert refused.headers["retry-after"] == "1"
        assert (await refused.get_json())["code"] == "provider_limit"
        assert reader.requests == []
        answer = await client.post("/speak", json={"text": "x", "provider": "espeak"})
        assert answer.status_code == 200
