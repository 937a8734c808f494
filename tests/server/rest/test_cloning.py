"""``/voices/clone`` and ``/voices/{voice_id}``, with a scripted provider."""

import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any

import pytest
import trio
from quart import Quart
from support.rest import Client, open_rest

from capabilities import (
    CloneLimits,
    CredentialMissing,
    ProviderBusy,
    ProviderError,
    ProviderProtocolError,
    ProviderRefused,
    ProviderUnavailable,
    Secret,
    Voice,
    VoiceSample,
)
from waav.audio.wav import wav_header
from waav.server.rest.table import OPERATIONS
from waav.session.voices import CLONE_TIMEOUT
from waav.testing import FakeCloning, FakeTTS, manifest_of, question

Start = Callable[..., Awaitable[Any]]
MIB = 1024 * 1024
SPOKEN = question()
WAV = wav_header(SPOKEN.format, len(SPOKEN.data)) + SPOKEN.data
TEXT = base64.b64encode(WAV).decode()
BOUNDARY = "----boundary-7"
FORM = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
WISH = {"provider": "elevenlabs", "name": "Me", "audio_samples": [TEXT]}
AT_ONCE = next(each.upload.at_once for each in OPERATIONS if each.upload)


class Speaker(FakeTTS):
    """Counts how often its list of voices was asked for."""

    asked = 0

    async def voices(self, _api_key: Secret | None = None) -> Sequence[Voice]:
        self.asked += 1
        return await super().voices(_api_key)


@pytest.fixture
def cloning() -> FakeCloning:
    return FakeCloning(CloneLimits(samples=20, sample_bytes=10 * MIB))


@pytest.fixture
def designing() -> FakeCloning:
    """Makes voices from a description."""
    return FakeCloning(CloneLimits(samples=0, needs_description=True))


@pytest.fixture
def speaker() -> Speaker:
    return Speaker()


@pytest.fixture
async def client(
    cloning: FakeCloning, designing: FakeCloning, speaker: Speaker
) -> AsyncIterator[Client]:
    plugins = (
        manifest_of("elevenlabs", tts=speaker, cloning=cloning, aliases=("eleven",)),
        manifest_of("hume", cloning=designing),
        manifest_of("mute", tts=FakeTTS()),
    )
    async with open_rest(*plugins) as opened:
        yield opened


@pytest.fixture
def app(client: Client) -> Quart:
    """What ``start`` serves."""
    return client.app


def form(fields: dict[str, str], files: dict[str, bytes]) -> bytes:
    """A form as browsers write it."""
    parts = [(f'name="{name}"', value.encode()) for name, value in fields.items()]
    parts += [
        (f'name="{name}"; filename="blob"\r\nContent-Type: audio/x-unknown', data)
        for name, data in files.items()
    ]
    return (
        b"".join(
            f"--{BOUNDARY}\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode()
            + data
            + b"\r\n"
            for head, data in parts
        )
        + f"--{BOUNDARY}--\r\n".encode()
    )


async def code_of(answer: Any) -> str:
    """Status and code, after a look at the form of the error."""
    error = await answer.get_json()
    assert error.keys() == {"error", "message", "code", "request_id"}
    assert error["error"] == error["message"] != ""
    return f"{answer.status_code} {error['code']}"


async def test_a_voice_is_made_from_recordings(client: Client, cloning: FakeCloning) -> None:
    sent = {
        **WISH,
        "name": " Me ",
        "description": "Calm",
        "audio_samples": [TEXT, f"data:audio/mpeg;base64,{TEXT}"],
        "remove_background_noise": True,
        "labels": {"accent": "none"},
    }
    answer = await client.post("/voices/clone", json=sent)
    made = await answer.get_json()
    assert answer.status_code == 200
    assert datetime.fromisoformat(made.pop("created_at")).tzinfo is not None
    assert made == {
        "voice_id": "voice-1",
        "name": "Me",
        "provider": "elevenlabs",
        "status": "ready",
        "metadata": {"accent": "none"},
    }
    (request,) = cloning.requests
    # What the data says counts, not what the URL says.
    assert request.samples == (VoiceSample(WAV, "audio/wav"),) * 2
    assert (request.name, request.description, request.labels) == ("Me", "Calm", {"accent": "none"})
    assert request.remove_background_noise
    assert request.api_key is None


@pytest.mark.parametrize("name", ["audio_samples", "audio_files", "audioSamples"])
async def test_recordings_have_several_names(
    client: Client, cloning: FakeCloning, name: str
) -> None:
    sent = {"provider": "Eleven", "name": "Me", name: [TEXT], "labels": ["warm", "low"]}
    answer = await client.post("/api/voices/clone", json=sent)
    made = await answer.get_json()
    assert (made["provider"], made["metadata"]) == ("elevenlabs", {"warm": "", "low": ""})
    assert [len(each.samples) for each in cloning.requests] == [1]


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ('{"a": "b"}', {"a": "b"}),
        ('["a", "b"]', {"a": "", "b": ""}),
        ("warm", {"warm": ""}),
        ("", {}),
    ],
)
async def test_a_form_says_the_same(
    client: Client, cloning: FakeCloning, labels: str, expected: dict[str, str]
) -> None:
    fields = {"provider": "elevenlabs", "name": "Me", "removeBackgroundNoise": "true"}
    body = form({**fields, "labels": labels}, {"audio_0": WAV, "audio_1": WAV, "my voice": WAV})
    answer = await client.post("/voices/clone", data=body, headers=FORM)
    assert answer.status_code == 200
    (request,) = cloning.requests
    assert request.samples == (VoiceSample(WAV, "audio/wav"),) * 3
    assert request.labels == expected
    assert request.remove_background_noise


@pytest.mark.pins("D210")
async def test_a_voice_is_designed_from_a_description(
    client: Client, designing: FakeCloning
) -> None:
    """Whoever takes no recordings says so, and makes a voice without."""
    sent = {"provider": "hume", "name": "New", "description": "Old and wise", "sample_text": "Hm."}
    assert (await client.post("/voices/clone", json=sent)).status_code == 200
    assert designing.requests[0].sample_text == "Hm."
    answer = await client.post("/voices/clone", json={**sent, "audio_samples": [TEXT]})
    assert await code_of(answer) == "400 AUDIO_SAMPLES_NOT_SUPPORTED"
    assert "takes no recordings" in (await answer.get_json())["message"]


@pytest.mark.pins("D209", "D212", "D221")
@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"name": ""}, "400 INVALID_NAME"),
        ({"name": " \n"}, "400 INVALID_NAME"),
        ({"name": None}, "400 INVALID_NAME"),
        ({"name": "x" * 257}, "400 INVALID_NAME"),
        ({"provider": ""}, "400 MISSING_PROVIDER"),
        ({"provider": None}, "400 MISSING_PROVIDER"),
        ({"provider": "nobody"}, "400 UNSUPPORTED_PROVIDER"),
        ({"provider": "mute"}, "400 UNSUPPORTED_PROVIDER"),
        ({"provider": "hume", "audio_samples": []}, "400 MISSING_DESCRIPTION"),
        ({"audio_samples": []}, "400 MISSING_AUDIO"),
        ({"audio_samples": None}, "400 MISSING_AUDIO"),
        ({"audio_samples": [TEXT] * 21}, "400 TOO_MANY_FILES"),
        ({"audio_samples": [""] * 101}, "400 TOO_MANY_FILES"),
        ({"audio_samples": ["not base64"]}, "400 INVALID_AUDIO"),
        ({"audio_samples": [""]}, "400 INVALID_AUDIO"),
        ({"audio_samples": ["aGVsbG8gd29ybGQ="]}, "400 INVALID_AUDIO"),
        ({"audio_samples": TEXT[:100]}, "400 INVALID_SCHEMA"),
        ({"audio_samples": [1]}, "400 INVALID_SCHEMA"),
        ({"audio_samples": [[TEXT[:100]]]}, "400 INVALID_SCHEMA"),
        ({"labels": "x"}, "400 INVALID_SCHEMA"),
        ({"name": 7}, "400 INVALID_SCHEMA"),
        ({"description": "x" * 70_000}, "413 BODY_TOO_LARGE"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
async def test_a_mistake_is_the_clients_and_has_its_code(
    client: Client, cloning: FakeCloning, change: dict[str, Any], expected: str
) -> None:
    answer = await client.post("/voices/clone", json={**WISH, **change})
    assert await code_of(answer) == expected
    assert cloning.requests == []


@pytest.mark.parametrize(
    ("data", "headers", "expected"),
    [
        (b"{", {"Content-Type": "application/json"}, "400 INVALID_JSON"),
        (b"[]", {"Content-Type": "application/json"}, "400 INVALID_REQUEST"),
        (b"", {}, "415 UNSUPPORTED_MEDIA_TYPE"),
        (
            b"a=b",
            {"Content-Type": "application/x-www-form-urlencoded"},
            "415 UNSUPPORTED_MEDIA_TYPE",
        ),
        (b"x", {"Content-Type": "multipart/form-data"}, "400 INVALID_FORM"),
        (b"x", FORM, "400 INVALID_FORM"),
        (form({"provider": "elevenlabs", "labels": "{"}, {}), FORM, "400 INVALID_SCHEMA"),
        (form({"provider": "elevenlabs", "name": "x"}, {}), FORM, "400 MISSING_AUDIO"),
        (
            form({"provider": "elevenlabs", "name": "x"}, {"audio_0": b"MZ"}),
            FORM,
            "400 INVALID_AUDIO",
        ),
        (
            form({"provider": "elevenlabs", "name": "x"}, {f"audio_{n}": WAV for n in range(21)}),
            FORM,
            "400 TOO_MANY_FILES",
        ),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
async def test_a_body_of_another_form_is_refused(
    client: Client, data: bytes, headers: dict[str, str], expected: str
) -> None:
    answer = await client.post("/voices/clone", data=data, headers=headers)
    assert await code_of(answer) == expected


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (CredentialMissing("elevenlabs", "no key"), "400 MISSING_API_KEY"),
        (ProviderRefused("elevenlabs", "key not accepted", status=401), "502 ELEVENLABS_401"),
        (ProviderRefused("elevenlabs", "too short", status=422), "502 ELEVENLABS_422"),
        (ProviderUnavailable("elevenlabs", "broken", status=500), "502 ELEVENLABS_500"),
        (ProviderUnavailable("elevenlabs", "no network"), "502 REQUEST_FAILED"),
        (ProviderProtocolError("elevenlabs", "no JSON"), "502 PARSE_ERROR"),
        (ProviderBusy("elevenlabs", "later", retry_after=3), "429 PROVIDER_BUSY"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
@pytest.mark.pins("D222")
async def test_what_the_provider_does_wrong_is_told_everywhere_alike(
    client: Client, cloning: FakeCloning, error: ProviderError, expected: str
) -> None:
    cloning.error = error
    asked = "/voices/v?provider=elevenlabs"
    for answer in (
        await client.post("/voices/clone", json=WISH),
        await client.get(asked),
        await client.delete(asked),
    ):
        assert await code_of(answer) == expected
        assert ("Retry-After" in answer.headers) == expected.startswith("429")


async def test_a_voice_can_be_looked_after_and_removed(
    client: Client, cloning: FakeCloning
) -> None:
    made = await (await client.post("/voices/clone", json=WISH)).get_json()
    path = f"/voices/{made['voice_id']}?provider=elevenlabs"
    shown = await (await client.get(path)).get_json()
    assert shown == {**made, "created_at": ""}
    gone = await client.delete(path)
    assert (gone.status_code, await gone.get_data()) == (204, b"")
    assert cloning.voices == {}
    for answer in (await client.get(path), await client.delete(path)):
        assert await code_of(answer) == "404 VOICE_NOT_FOUND"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/voices/v", "400 MISSING_PROVIDER"),
        ("/voices/v?provider=%20", "400 MISSING_PROVIDER"),
        ("/voices/v?provider=nobody", "400 UNSUPPORTED_PROVIDER"),
        (f"/voices/{'x' * 257}?provider=elevenlabs", "400 INVALID_VOICE_ID"),
        ("/voices/%2e%2e?provider=elevenlabs", "400 INVALID_VOICE_ID"),
        ("/voices/a%0Ab?provider=elevenlabs", "400 INVALID_VOICE_ID"),
    ],
)
async def test_a_voice_that_cannot_be(client: Client, path: str, expected: str) -> None:
    for answer in (await client.get(path), await client.delete(path)):
        assert await code_of(answer) == expected


async def test_a_clients_key_is_for_all_of_it(client: Client, cloning: FakeCloning) -> None:
    own = {"X-Provider-Api-Key": "made-up"}
    await client.post("/voices/clone", json=WISH, headers=own)
    await client.get("/voices/voice-1?provider=elevenlabs", headers=own)
    await client.delete("/voices/voice-1?provider=elevenlabs", headers=own)
    assert set(cloning.keys) == {Secret("made-up")}


async def test_the_list_of_voices_is_asked_for_anew_after_a_change(
    client: Client, speaker: Speaker
) -> None:
    async def listed() -> int:
        await client.get("/voices?provider=elevenlabs")
        await client.get("/voices?provider=elevenlabs")
        return speaker.asked

    assert await listed() == 1
    await client.post("/voices/clone", json=WISH)
    assert await listed() == 2
    await client.delete("/voices/voice-1?provider=elevenlabs")
    assert await listed() == 3


async def test_a_provider_that_never_answers_is_given_up(
    client: Client, cloning: FakeCloning, autojump_clock: trio.testing.MockClock
) -> None:
    cloning.delay = 10 * CLONE_TIMEOUT
    answer = await client.post("/voices/clone", json=WISH)
    assert await code_of(answer) == "502 REQUEST_FAILED"
    assert trio.current_time() < 2 * CLONE_TIMEOUT


async def send(running: Any, head: str, *pieces: bytes) -> bytes:
    """Send a request on a real socket; return the answer, which may come before all is sent."""
    received = bytearray()
    async with await running.connect() as stream:

        async def write() -> None:
            try:
                await stream.send_all(
                    f"POST /voices/clone HTTP/1.1\r\nhost: x\r\n{head}\r\n".encode()
                )
                for piece in pieces:
                    await stream.send_all(piece)
            except trio.BrokenResourceError:
                pass  # it was told enough

        async with trio.open_nursery() as nursery:
            nursery.start_soon(write)
            with trio.fail_after(30):
                while b"}" not in received:
                    received += await stream.receive_some(65536) or b"}"
            nursery.cancel_scope.cancel()
    return bytes(received)


def large(size: int) -> bytes:
    """A recording of so many bytes."""
    return wav_header(SPOKEN.format, size - 44) + bytes(range(251)) * (size // 251)


@pytest.mark.pins("D223")
@pytest.mark.parametrize("kind", ["json", "form"])
async def test_eight_megabytes_of_sound_are_taken(
    start: Start, cloning: FakeCloning, kind: str
) -> None:
    """On a real socket, beyond the limit of every other path."""
    sound = large(8 * MIB)
    if kind == "json":
        text = base64.b64encode(sound).decode()
        body, name = json.dumps({**WISH, "audio_samples": [text]}).encode(), "application/json"
    else:
        body = form({"provider": "elevenlabs", "name": "Me"}, {"audio_0": sound})
        name = FORM["Content-Type"]
    head = f"content-type: {name}\r\ncontent-length: {len(body)}\r\n"
    answer = await send(await start({}), head, body)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert cloning.requests[0].samples == (VoiceSample(sound, "audio/wav"),)


@pytest.mark.pins("D209")
async def test_a_recording_beyond_what_the_provider_takes_is_refused(
    client: Client, cloning: FakeCloning
) -> None:
    body = form({"provider": "elevenlabs", "name": "Me"}, {"audio_0": large(10 * MIB + 500)})
    answer = await client.post("/voices/clone", data=body, headers=FORM)
    assert await code_of(answer) == "413 AUDIO_TOO_LARGE"
    assert cloning.requests == []


@pytest.mark.pins("D209")
@pytest.mark.parametrize("announced", [True, False])
async def test_a_body_beyond_all_limits_is_refused(start: Start, *, announced: bool) -> None:
    """On a real socket: at once if its length is told, else at the first byte too many."""
    piece, count = b'{"audio_samples": ["' + b"A" * (MIB - 20), 65
    head = "content-type: application/json\r\n"
    if announced:
        answer = await send(await start({}), f"{head}content-length: {count * MIB}\r\n")
    else:
        chunk = b"100000\r\n"
        pieces = [chunk + piece + b"\r\n", *[chunk + b"A" * MIB + b"\r\n"] * (count - 1)]
        answer = await send(await start({}), f"{head}transfer-encoding: chunked\r\n", *pieces)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"BODY_TOO_LARGE" in answer
    assert b"64 MiB" in answer


async def test_clients_that_leave_in_the_middle_leave_nothing(
    start: Start, cloning: FakeCloning
) -> None:
    """On real sockets: as many as there may be hold the places; when they go, those are free."""
    running = await start({})
    head = b"POST /voices/clone HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
    half = head + b"content-length: 1000000\r\n\r\n" + b'{"audio_samples": ["' + b"A" * 100_000
    body = json.dumps(WISH).encode()
    whole = f"content-type: application/json\r\ncontent-length: {len(body)}\r\n"

    async def ask_until(status: bytes) -> bytes:
        with trio.fail_after(10):
            while not (answer := await send(running, whole, body)).startswith(status):
                await trio.lowlevel.checkpoint()
        return answer

    held = [await running.connect() for _ in range(AT_ONCE)]
    for stream in held:
        await stream.send_all(half)
    answer = await ask_until(b"HTTP/1.1 503 ")
    assert b"TOO_MANY_UPLOADS" in answer
    assert b"retry-after: " in answer.lower()
    asked = len(cloning.requests)
    for stream in held:
        await stream.aclose()
    await ask_until(b"HTTP/1.1 200 ")
    assert len(cloning.requests) == asked + 1
