"""The listings of plugins and providers: made from what is plugged in, never written down."""

from collections.abc import AsyncIterator

import pytest
from support.providers import Ears, plugin
from support.rest import Client, Reader, open_rest, voice_plugin


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
        "state": "running",
        "metrics": {"call_count": 1, "error_count": 0, "last_error": ""},
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


async def test_an_unknown_type_is_refused_with_its_place(client: Client) -> None:
    answer = await client.get("/providers?type=video")
    assert answer.status_code == 422
    assert "$.type" in (await answer.get_json())["message"]
