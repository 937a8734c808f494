"""Google's own packages and our client, given the same tasks, say the same to Google.

What the packages said is in ``tests/oracles/google.json``; see "Oracles" in docs/contributing.md.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from typing import Any

import attrs
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from oracles.record.google import SOUND, open_servers
from oracles.recordings import recording
from oracles.sessions import Shown, differences

from capabilities import (
    STT,
    TTS,
    AudioFormat,
    AudioFrame,
    Encoding,
    Plugin,
    Secret,
    SpeechRequest,
    STTOptions,
)
from providers.google import MANIFEST
from providers.google.accounts import ServiceAccount, assertion, read_account
from providers.google.options import (
    GoogleSettings,
    GoogleSTTOptions,
    GoogleTTSOptions,
    Pronunciation,
    Replacement,
)
from providers.google.protobuf import Field, Fields, Names, Scalar
from providers.google.speech_messages import REQUEST, RESPONSE
from providers.google.stt_wire import MOST_AUDIO
from providers.google.tts_messages import STREAMING_REQUEST, STREAMING_RESPONSE
from waav.testing import hear, open_manifest, say

WAV = AudioFormat(Encoding.WAV, 16000)
RECOGNIZED = {
    "recognize": STTOptions(word_timestamps=True),
    "recognize with all": STTOptions(
        format=WAV,
        language="en-GB",
        model="chirp_3",
        profanity_filter=True,
        diarize=True,
        keywords=("WaaV", "trio"),
        options=GoogleSTTOptions(
            languages=("de-DE", "auto"),
            single_utterance=True,
            speech_start_timeout=5.25,
            endpointing_sensitivity="short",
            min_speakers=2,
            max_speakers=4,
            word_confidence=True,
            spoken_punctuation=True,
            spoken_emojis=True,
            max_alternatives=3,
            custom_prompt="about ships",
            keyword_boost=10.0,
            phrase_sets=("a-set",),
            custom_classes={"ships": ("Aurora",)},
            replacements=(Replacement("one", "1", case_sensitive=True),),
            translate_to="fr-FR",
            denoise=True,
            snr_threshold=20.5,
        ),
    ),
}
CHIRP = SpeechRequest("Hello.", voice="de-DE-Chirp3-HD-Kore", language="de-DE", speed=1.25)
STANDARD = attrs.evolve(CHIRP, voice="de-DE-Standard-A")
FULL = GoogleTTSOptions(
    prompt="calmly",
    pronunciations=(Pronunciation("WaaV", "wɑːv", "X_SAMPA"),),
    text_normalization=False,
    safety={"harassment": "only_high"},
)
SPOKEN = {
    "stream": CHIRP,
    "stream with all": attrs.evolve(CHIRP, options=FULL),
    "rest": STANDARD,
    "rest with all": attrs.evolve(
        STANDARD,
        format=AudioFormat(Encoding.MULAW, 8000),
        options=attrs.evolve(
            FULL,
            gender="female",
            pitch=2.5,
            volume_gain=-3.5,
            effects=("telephony-class-application",),
        ),
    ),
}
SCALARS = {
    Scalar.STRING: {"string"},
    Scalar.BYTES: {"bytes"},
    Scalar.BOOL: {"bool"},
    Scalar.INTEGER: {"int32", "int64"},
    Scalar.FLOAT: {"float"},
    Scalar.DOUBLE: {"double"},
}
# What the packages say about themselves, and may as well be left out.
SELF = "- headers: x-goog-api-client"


@pytest.fixture(scope="module")
def theirs() -> Shown:
    return recording("google")


OpenPlugin = Callable[[GoogleSettings], AbstractAsyncContextManager[Plugin]]


@pytest.fixture
def open_plugin(account: dict[str, str]) -> OpenPlugin:
    keys = {"google_credentials": Secret(json.dumps(account))}
    return lambda settings: open_manifest(MANIFEST, settings, credentials=keys)


@pytest.fixture
async def ours(open_plugin: OpenPlugin) -> Shown:
    """What our client says, given the same tasks."""
    async with open_servers() as servers:
        settings = GoogleSettings(
            base_url=servers.speech.url,
            tts_base_url=servers.tts.url,
            rest_base_url=servers.http.url,
            token_url=f"{servers.http.url}/token",
        )
        async with open_plugin(settings) as plugin:
            stt, tts = parts(plugin.stt, plugin.tts)
            await hear(stt, AudioFrame(SOUND), RECOGNIZED["recognize"])
            await hear_nothing(stt, RECOGNIZED["recognize with all"])
            for request in SPOKEN.values():
                await say(tts, request)
            await tts.voices()
        return servers.shown()


async def hear_nothing(stt: STT, options: STTOptions) -> None:
    async with stt.connect(options) as stream:
        await stream.finish()
        async for _ in stream:
            pass


def parts(stt: STT | None, tts: TTS | None) -> tuple[STT, TTS]:
    assert stt is not None
    assert tts is not None
    return stt, tts


async def test_we_call_as_the_packages_do(ours: Shown, theirs: Shown) -> None:
    besides = [
        # Their library sends no token over a connection without TLS; so it has none here.
        "+ headers: authorization",
        "+ key: authorization: Bearer ***",
        # Their program says how long all may take. Ours ends when the session does.
        "- headers: grpc-timeout",
        SELF,
    ]
    for name in ("recognize", "recognize with all", "stream", "stream with all"):
        own, other = without_sound(ours[name]), without_sound(theirs[name])
        assert differences(own, other) == sorted(besides), name


async def test_we_send_the_same_sound(ours: Shown, theirs: Shown) -> None:
    # How it is cut is up to the sender: their program takes the most that Google does, and we send
    # what has come. What must not happen is a message that is larger.
    own, other = sound_of(ours["recognize"]), sound_of(theirs["recognize"])
    assert sum(own) == sum(other) == len(SOUND)
    assert max(own) <= max(other) == MOST_AUDIO


def sound_of(call: Shown) -> list[int]:
    """Return the sizes of the messages with sound."""
    told = [(count, each["audio"]) for count, each in call["messages"] if "audio" in each]
    return [int(size.split()[0]) for count, size in told for _ in range(count)]


def without_sound(call: Shown) -> Shown:
    messages = [each for each in call["messages"] if "audio" not in each[1]]
    return {**call, "messages": messages, "sizes": call["sizes"][: len(messages)]}


async def test_we_speak_over_rest_as_the_packages_do(ours: Shown, theirs: Shown) -> None:
    for name in ("rest", "rest with all"):
        assert differences(ours[name], theirs[name]) == [SELF], name


async def test_we_list_the_voices_as_the_packages_do(ours: Shown, theirs: Shown) -> None:
    # They say what kind their body is, of a request that has none.
    expected = ["- headers: content-type", SELF]
    assert differences(ours["voices"], theirs["voices"]) == expected


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("speech.v2.StreamingRecognizeRequest", REQUEST),
        ("speech.v2.StreamingRecognizeResponse", RESPONSE),
        ("texttospeech.v1.StreamingSynthesizeRequest", STREAMING_REQUEST),
        ("texttospeech.v1.StreamingSynthesizeResponse", STREAMING_RESPONSE),
    ],
    ids=["recognize", "recognized", "synthesize", "synthesized"],
)
def test_every_field_of_ours_has_their_number_and_kind(
    name: str, table: Fields, theirs: Shown
) -> None:
    assert list(strangers(name, table, theirs["fields"])) == []


def test_a_field_with_another_number_or_kind_shows(theirs: Shown) -> None:
    wrong: Fields = {
        "audio": Field(6, Scalar.BYTES),
        "recognizer": Field(3, Scalar.BYTES),
        "sound": Field(5, Scalar.BYTES),
        "streamingConfig": Field(6, {"config": Field(1, {}, repeated=True)}),
    }
    found = list(strangers("speech.v2.StreamingRecognizeRequest", wrong, theirs["fields"]))
    assert found == [
        "speech.v2.StreamingRecognizeRequest.audio: 5 bytes",
        "speech.v2.StreamingRecognizeRequest.recognizer: 3 string",
        "speech.v2.StreamingRecognizeRequest.sound: missing",
        "speech.v2.StreamingRecognitionConfig.config: 1 speech.v2.RecognitionConfig",
    ]


def strangers(message: str, table: Fields, known: dict[str, list[str]]) -> Iterator[str]:
    """Yield our fields that are not theirs."""
    fields = dict(each.split(" = ") for each in known[message])
    for name, field in table.items():
        kind = fields.get(name, "missing")
        number, _, rest = kind.partition(" ")
        type_ = rest.removeprefix("repeated ")
        same = number == str(field.number) and field.repeated == rest.startswith("repeated ")
        if not same or not _is_kind(field.kind, type_, known):
            yield f"{message}.{name}: {kind}"
        elif isinstance(field.kind, dict):
            yield from strangers(type_, field.kind, known)


def _is_kind(kind: Scalar | Names | Fields, type_: str, known: dict[str, Any]) -> bool:
    match kind:
        case Scalar():
            return type_ in SCALARS[kind]
        case Names(numbers=numbers):
            told = [(name, number) for name, number in numbers.items() if number]
            # The first one is "not set", which is never written.
            return set(known[type_][1:]) == {f"{name} = {number}" for name, number in told}
        case _:
            return type_ in known


def test_we_sign_as_the_packages_do(account: dict[str, str], theirs: Shown) -> None:
    """The same header and claims, but for the times."""
    read = read_account(json.dumps(account))
    assert isinstance(read, ServiceAccount)
    signed = assertion(read, 1000.0)
    token = jwt.decode(signed, RSAKey.import_key(account["private_key"]), algorithms=["RS256"])
    claims = dict(token.claims)
    lifetime = claims.pop("exp") - claims.pop("iat")
    ours = {"header": token.header, "lifetime": lifetime, "claims": claims}
    assert ours == theirs["assertion"]
