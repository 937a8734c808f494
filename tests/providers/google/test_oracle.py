"""Google's own packages as oracle: they write and read our bytes, and talk with our server."""

import json
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio
from support.servers import google as far
from support.servers.google import open_google_server, rest_reply
from support.servers.http import open_http_server
from support.stt_vendor import spoken

from capabilities import AudioFrame, SpeechRequest, STTOptions
from providers.google.options import GoogleSTTOptions, GoogleTTSOptions, Pronunciation
from providers.google.stt_request import start_message
from providers.google.tts_wire import streaming_messages, whole_body
from waav.testing import hear, say

pytest.importorskip("google.cloud.speech_v2")
pytest.importorskip("google.cloud.texttospeech_v1")

ORACLE = Path(__file__).parents[2] / "support" / "oracles" / "google.py"

STARTS = {
    "plain": STTOptions(),
    "full": STTOptions(
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
            keyword_boost=10.0,
            custom_classes={"ships": ("Aurora",)},
            translate_to="fr-FR",
            denoise=True,
            snr_threshold=20.5,
            custom_prompt="about ships",
        ),
    ),
}
CHIRP = SpeechRequest("Hello.", voice="de-DE-Chirp3-HD-Kore", language="de-DE", speed=1.25)
FULL = attrs.evolve(
    CHIRP,
    options=GoogleTTSOptions(
        prompt="calmly",
        pronunciations=(Pronunciation("WaaV", "wɑːv", "X_SAMPA"),),
        text_normalization=False,
        safety={"harassment": "only_high"},
    ),
)


async def ask(what: str, *arguments: str, **given: Any) -> Any:
    """Run the oracle, as a program of its own: gRPC has threads."""
    run = partial(
        subprocess.run,
        # -P: its folder must not come first, or its own name would hide Google's package.
        [sys.executable, "-P", str(ORACLE), what, *arguments],
        input=json.dumps(given).encode(),
        capture_output=True,
        timeout=60,
        check=False,
    )
    done = await trio.to_thread.run_sync(run)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return json.loads(done.stdout)


async def test_every_message_is_byte_for_byte_theirs() -> None:
    """They read ours without a field that they do not know, and write the same bytes again."""
    ours = {
        "StreamingRecognizeRequest": [start_message("r", each) for each in STARTS.values()],
        "StreamingSynthesizeRequest": [
            part for each in (CHIRP, FULL) for part in streaming_messages(each)
        ],
    }
    given = {kind: [each.hex() for each in messages] for kind, messages in ours.items()}
    assert await ask("rewrite", **given) == given


async def test_every_field_of_ours_has_their_number_and_kind() -> None:
    assert await ask("compare") == []


async def test_whole_requests_are_json_of_theirs() -> None:
    bodies = [whole_body(CHIRP), whole_body(FULL)]
    assert await ask("json", bodies=bodies) == bodies


async def test_their_recogniser_client_and_ours_say_the_same(open_house: Any) -> None:
    """Same path, same first message, same sound, and both understand what our server says."""
    async with open_google_server() as google:
        theirs = await ask("recognize", str(google.port), sound=spoken(3).hex())
        said = google.calls[0]
    async with open_house() as house:
        options = STTOptions(word_timestamps=True)
        ours = await hear(house.plugin.stt, AudioFrame(spoken(3)), options, step=0.48)
        mine = house.google.calls[0]
    assert said.method == mine.method
    assert said.sent[0]["streamingConfig"] == mine.sent[0]["streamingConfig"]
    assert said.sent[0]["recognizer"] == mine.sent[0]["recognizer"]
    assert _sound(said) == _sound(mine) == spoken(3)
    finals = [each for each in ours if hasattr(each, "speech_final")]
    assert theirs == [[each.text, each.words[0].end] for each in finals]
    # What both carry; the rest is theirs: a compression that we do not use, and statistics.
    for name in ("te", "content-type", ":path", ":method"):
        assert said.metadata[name] == mine.metadata[name]


def _sound(call: far.Call) -> bytes:
    return b"".join(message["audio"] for message in call.sent[1:])


async def test_their_speaker_client_and_ours_say_the_same(open_house: Any) -> None:
    async with open_google_server(far.synthesise) as google:
        theirs = await ask("synthesize", str(google.port))
        said = google.calls[0]
    async with open_house(far.synthesise) as house:
        frames = await say(house.plugin.tts, CHIRP)
        mine = house.google.calls[0]
    assert said.method == mine.method
    assert said.sent == mine.sent
    assert bytes.fromhex(theirs)[: len(far.SPOKEN)] == b"".join(frame.data for frame in frames)


async def test_their_rest_client_and_ours_say_the_same(open_house: Any) -> None:
    async with open_http_server(rest_reply()) as rest:
        theirs = await ask("rest", str(rest.port))
        said = {each.target.partition("?")[0]: each for each in rest.requests}
    async with open_house() as house:
        whole = attrs.evolve(CHIRP, voice="de-DE-Standard-A")
        await say(house.plugin.tts, whole)
        voices = await house.plugin.tts.voices()
        mine = {each.target: each for each in house.rest.requests}
    assert theirs == [voice.id for voice in voices][::-1]
    for path in ("/v1/text:synthesize", "/v1/voices"):
        assert said[path].method == mine[path].method
    assert said["/v1/text:synthesize"].json == mine["/v1/text:synthesize"].json
