"""Voices of one's own, made, looked after and removed at a scripted vendor, which may be in a mood."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
import trio
from support.servers.elevenlabs import CLONE, KEY, MISSING, Part, parts_of, serve_http
from support.servers.http import Cut, Reply, answer_json, open_http_server
from support.servers.loopback import listen, reset
from trio.testing import MockClock, wait_all_tasks_blocked

from capabilities import (
    Capability,
    ClonedVoice,
    CloneRequest,
    CredentialMissing,
    Plugin,
    ProviderBusy,
    ProviderError,
    ProviderProtocolError,
    ProviderRefused,
    ProviderUnavailable,
    Secret,
    VoiceCloning,
    VoiceSample,
)
from providers.elevenlabs import MANIFEST

Open = Callable[..., AbstractAsyncContextManager[Plugin]]

REQUEST = CloneRequest(
    name="Ann",
    description="warm",
    labels={"accent": "british"},
    samples=(VoiceSample(b"RIFF\0\xff", "audio/wav"), VoiceSample(b"ID3", "audio/mpeg")),
)


def cloning_of(plugin: Plugin) -> VoiceCloning:
    assert plugin.cloning is not None
    return plugin.cloning


async def test_a_voice_lives(open_plugin: Open) -> None:
    """Made, looked after and removed, with the key of who asks."""
    async with open_http_server(serve_http) as server, open_plugin(server.url, key="") as plugin:
        cloning, key = cloning_of(plugin), Secret(KEY)
        made = await cloning.clone(CloneRequest(name="Ann", samples=REQUEST.samples, api_key=key))
        assert made == ClonedVoice(id=CLONE, name="Ann")
        seen = await cloning.voice(CLONE, key)
        assert seen.created_at == "2025-06-15T15:06:40Z"
        assert seen.metadata == {"category": "cloned"}
        await cloning.delete(CLONE, key)
    assert [(each.method, each.target) for each in server.requests] == [
        ("POST", "/v1/voices/add"),
        ("GET", f"/v1/voices/{CLONE}"),
        ("DELETE", f"/v1/voices/{CLONE}"),
    ]


async def test_the_form_is_what_the_vendor_asks_for(open_plugin: Open) -> None:
    async with open_http_server(serve_http) as server, open_plugin(server.url) as plugin:
        await cloning_of(plugin).clone(REQUEST)
    (request,) = server.requests
    assert parts_of(request) == [
        Part("name", b"Ann"),
        Part("description", b"warm"),
        Part("labels", b'{"accent": "british"}'),
        Part("files", b"RIFF\0\xff", "sample-1.wav", "audio/wav"),
        Part("files", b"ID3", "sample-2.mp3", "audio/mpeg"),
    ]


def test_the_manifest_says_what_a_voice_is_made_from() -> None:
    limits = MANIFEST.abilities[Capability.CLONING].cloning
    assert (limits.samples, limits.sample_bytes) == (25, 10 * 1024 * 1024)
    assert not limits.needs_description


@pytest.mark.parametrize("status", [400, 404])
async def test_a_voice_that_does_not_exist_is_404(open_plugin: Open, status: int) -> None:
    async with (
        open_http_server(answer_json(MISSING, status)) as server,
        open_plugin(server.url) as plugin,
    ):
        for ask in (cloning_of(plugin).voice, cloning_of(plugin).delete):
            with pytest.raises(ProviderRefused, match="not found") as refused:
                await ask("nobody")
            assert refused.value.status == 404


@pytest.mark.parametrize("voice_id", ["", ".", ".."])
async def test_an_id_that_would_lead_elsewhere_is_not_sent(
    open_plugin: Open, voice_id: str
) -> None:
    async with open_http_server(serve_http) as server, open_plugin(server.url) as plugin:
        with pytest.raises(ProviderRefused) as refused:
            await cloning_of(plugin).delete(voice_id)
        assert refused.value.status == 404
    assert server.requests == []


async def test_an_id_stays_one_part_of_the_address(open_plugin: Open) -> None:
    async with open_http_server(serve_http) as server, open_plugin(server.url) as plugin:
        with pytest.raises(ProviderRefused):
            await cloning_of(plugin).voice("../v2/voices?x=1")
    assert server.requests[0].target == "/v1/voices/..%2Fv2%2Fvoices%3Fx%3D1"


@pytest.mark.parametrize(
    ("reply", "kind", "status"),
    [
        (answer_json({"detail": {"message": "Invalid API key"}}, 401), ProviderRefused, 401),
        (answer_json({"detail": {"message": "your plan"}}, 403), ProviderRefused, 403),
        (answer_json({"detail": [{"msg": "too short"}]}, 422), ProviderRefused, 422),
        (answer_json({}, 429, Retry_After="7"), ProviderBusy, 429),
        (answer_json({}, 500), ProviderUnavailable, 500),
        (answer_json([]), ProviderProtocolError, None),
        (Cut(), ProviderUnavailable, None),
        (Cut(hard=True), ProviderUnavailable, None),
    ],
    ids=["key", "plan", "sample", "busy", "broken", "odd", "gone", "reset"],
)
async def test_a_refusal_comes_once_and_says_what_to_do(
    open_plugin: Open, reply: Reply, kind: type[ProviderError], status: int | None
) -> None:
    """A voice that may have been made is not asked for again."""
    async with open_http_server(reply) as server, open_plugin(server.url) as plugin:
        with pytest.raises(ProviderError) as told:
            await cloning_of(plugin).clone(REQUEST)
    assert type(told.value) is kind
    assert told.value.status == status
    assert KEY not in str(told.value)
    assert len(server.requests) == 1


async def test_a_vendor_that_hangs_up_in_mid_upload(open_plugin: Open) -> None:
    came = 0

    async def take_a_little(stream: trio.abc.Stream) -> None:
        nonlocal came
        came += len(await stream.receive_some(10_000))
        await reset(stream)

    large = CloneRequest(name="Ann", samples=(VoiceSample(bytes(20_000_000), "audio/wav"),))
    async with (
        listen(take_a_little) as port,
        open_plugin(f"http://127.0.0.1:{port}") as plugin,
    ):
        with pytest.raises(ProviderUnavailable):
            await cloning_of(plugin).clone(large)
    assert 0 < came <= 10_000


async def test_a_voice_may_take_its_time(open_plugin: Open, mock_clock: MockClock) -> None:
    """Longer than any other answer, as a recording is cleaned meanwhile; not for ever."""

    async def serve(stream: trio.abc.Stream) -> None:
        await stream.receive_some()
        while True:
            await wait_all_tasks_blocked()
            mock_clock.jump(10)

    async with (
        listen(serve) as port,
        open_plugin(f"http://127.0.0.1:{port}", read_timeout=30.0) as plugin,
    ):
        with pytest.raises(ProviderUnavailable, match="nothing moved for 240 s"):
            await cloning_of(plugin).clone(REQUEST)
        assert 240 <= trio.current_time() < 300


async def test_a_look_is_tried_again_when_that_may_help(open_plugin: Open) -> None:
    async with (
        open_http_server(answer_json({}, 503), serve_http) as server,
        open_plugin(server.url) as plugin,
    ):
        assert (await cloning_of(plugin).voice(CLONE)).id == CLONE
    assert len(server.requests) == 2


async def test_without_a_key_nothing_is_asked(open_plugin: Open) -> None:
    async with open_http_server(serve_http) as server, open_plugin(server.url, key="") as plugin:
        with pytest.raises(CredentialMissing, match="ElevenLabs API key not configured"):
            await cloning_of(plugin).voice(CLONE)
    assert server.requests == []


def test_the_page_says_how_many_recordings_there_may_be() -> None:
    page = (Path(__file__).parents[3] / "docs/providers/elevenlabs.md").read_text(encoding="utf-8")
    assert f"{MANIFEST.abilities[Capability.CLONING].cloning.samples} recordings" in page
