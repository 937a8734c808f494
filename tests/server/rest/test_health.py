"""The health pages."""

import pytest
import trio
from support.providers import Ears, plugin
from support.rest import Client, Reader, open_rest, voice_plugin

from waav.version import __version__


@pytest.mark.parametrize("path", ["/", "/health"])
async def test_the_gateway_says_ok_and_which_one_it_is(
    path: str, autojump_clock: trio.testing.MockClock
) -> None:
    async with open_rest() as client:
        await trio.sleep(90)
        answer = await client.get(path)
        assert answer.status_code == 200
        assert await answer.get_json() == {
            "status": "OK",
            "version": __version__,
            "uptime_seconds": 90,
        }


async def test_alive_is_ok_and_nothing_else(client: Client) -> None:
    answer = await client.get("/health/live")
    assert await answer.get_json() == {"status": "OK"}


async def test_ready_while_one_plugin_of_each_kind_runs() -> None:
    plugins = voice_plugin("good", Reader()), voice_plugin("ill", None), plugin("ears", Ears())
    async with open_rest(*plugins) as client:
        answer = await client.get("/health/ready")
        assert answer.status_code == 200
        assert await answer.get_json() == {
            "status": "OK",
            "checks": {
                "stt": {"ok": True, "running": ["ears"], "not_running": []},
                "tts": {"ok": True, "running": ["good"], "not_running": ["ill"]},
            },
        }


async def test_not_ready_when_the_only_voice_is_ill() -> None:
    async with open_rest(voice_plugin("ill", None), plugin("ears", Ears())) as client:
        answer = await client.get("/health/ready")
        assert answer.status_code == 503
        checks = (await answer.get_json())["checks"]
        assert (checks["stt"]["ok"], checks["tts"]["ok"]) == (True, False)


async def test_not_ready_without_any_plugin() -> None:
    async with open_rest() as client:
        answer = await client.get("/health/ready")
        assert (answer.status_code, await answer.get_json()) == (
            503,
            {"status": "UNAVAILABLE", "checks": {}},
        )
