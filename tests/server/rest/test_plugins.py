"""The listings of plugins and providers: made from what is plugged in, never written down."""

from collections.abc import AsyncIterator

import attrs
import pytest
import trio
from support.providers import Ears, next_event, plugin
from support.rest import Client, Reader, open_rest, voice_plugin
from trio.testing import MockClock

from capabilities import Capability, Delivery, Emotion, Expression, Final, Interim
from waav.config import Config
from waav.config.schema import Plugins
from waav.gateway import open_gateway
from waav.server.app import create_app
from waav.session.commands import Configure, STTConfig
from waav.session.events import Ready


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    plugins = (
        voice_plugin("espeak", Reader(), aliases=("local", "e-speak"), version="1.2"),
        voice_plugin("ill", None, credentials=("deepgram_api_key",)),
        plugin("ears", Ears()),
    )
    async with open_rest(*plugins) as opened:
        yield opened


async def test_all_plugins_are_listed_and_counted(client: Client) -> None:
    listed = await (await client.get("/plugins")).get_json()
    assert [entry["id"] for entry in listed["plugins"]] == ["ears", "espeak", "ill"]
    assert [entry["state"] for entry in listed["plugins"]] == ["running", "running", "failed"]
    counts = [listed[f"{kind}_count"] for kind in ("stt", "tts", "realtime")]
    assert counts == [1, 2, 0]


async def test_an_entry_has_all_keys(client: Client) -> None:
    await client.post("/speak", json={"text": "hello", "provider": "espeak"})
    entry = await (await client.get("/plugins/espeak")).get_json()
    assert entry.pop("health") in {"healthy", "unknown"}
    assert entry == {
        "id": "espeak",
        "name": "Espeak",
        "type": "dynamic",
        "capabilities": ["tts"],
        "features": ["streaming"],
        "aliases": ["local", "e-speak"],
        "version": "1.2",
        "description": "",
        "models": ["one"],
        "languages": ["en-US"],
        "message_types": [],
        "state": "running",
        "metrics": {"call_count": 1, "error_count": 0, "last_error": "", "stt": None},
    }


@pytest.mark.pins("D004")
async def test_what_a_recogniser_has_heard_is_shown(autojump_clock: MockClock) -> None:
    ears = Ears()
    config = Config(plugins=Plugins(enabled=False))
    async with open_gateway(config, manifests=[plugin("ears", ears)]) as gateway:
        client = create_app(gateway).test_client()
        entry = await (await client.get("/plugins/ears")).get_json()
        nothing = {"streams": 0, "audio_seconds": 0.0, "interims": 0, "finals": 0}
        assert entry["metrics"]["stt"] == {
            **nothing,
            "first_interim_ms": None,
            "first_final_ms": None,
        }
        for _ in range(2):
            async with gateway.open_session() as session:
                await session.submit(Configure(stt=STTConfig("ears")))
                await next_event(session, Ready)
                session.push_audio(bytes(16000))
                await trio.sleep(0.25)
                ears.say(Interim("a"), Final("a b"))
                await next_event(session)
                await next_event(session)
        entry = await (await client.get("/plugins/ears")).get_json()
    assert entry["metrics"]["stt"] == {
        "streams": 2,
        "audio_seconds": 1.0,
        "interims": 2,
        "finals": 2,
        "first_interim_ms": 250.0,
        "first_final_ms": 250.0,
    }


@pytest.mark.parametrize("name", ["espeak", "ESPEAK", "Local", "e_speak"])
async def test_a_plugin_is_found_by_any_of_its_names(client: Client, name: str) -> None:
    entry = await (await client.get(f"/plugins/{name}")).get_json()
    assert entry["id"] == "espeak"


async def test_an_unknown_plugin_is_404(client: Client) -> None:
    answer = await client.get("/plugins/nobody")
    assert (answer.status_code, (await answer.get_json())["code"]) == (404, "plugin_not_found")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["ears", "espeak", "ill"]),
        ("?type=stt", ["ears"]),
        ("?type=tts", ["espeak", "ill"]),
        ("?type=realtime", []),
    ],
)
async def test_providers_by_capability(client: Client, query: str, expected: list[str]) -> None:
    listed = await (await client.get(f"/providers{query}")).get_json()
    assert [entry["id"] for entry in listed["providers"]] == expected


async def test_a_provider_without_its_key_is_not_configured(client: Client) -> None:
    listed = await (await client.get("/providers")).get_json()
    configured = {entry["id"]: entry["configured"] for entry in listed["providers"]}
    assert configured == {"ears": True, "espeak": True, "ill": False}


async def test_the_emotions_that_a_provider_has_are_listed() -> None:
    expression = Expression(frozenset({Emotion.SAD, Emotion.HAPPY}), frozenset({Delivery.SOFT}))
    manifest = voice_plugin("actor", Reader())
    ability = attrs.evolve(manifest.abilities[Capability.TTS], expression=expression)
    actor = attrs.evolve(manifest, abilities={Capability.TTS: ability})
    async with open_rest(actor, plugin("ears", Ears())) as client:
        listed = await (await client.get("/providers")).get_json()
    told = [(each["emotions"], each["delivery_styles"]) for each in listed["providers"]]
    assert told == [(["happy", "sad"], ["soft"]), ([], [])]


async def test_an_unknown_type_is_refused_with_its_place(client: Client) -> None:
    answer = await client.get("/providers?type=video")
    assert answer.status_code == 422
    assert "$.type" in (await answer.get_json())["message"]
