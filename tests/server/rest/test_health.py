"""The health pages."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import attrs
import pytest
import trio
from support.providers import Ears, plugin
from support.rest import Client, Reader, open_rest, voice_plugin

from capabilities import Manifest
from waav.config import Config
from waav.config.overload import Overload
from waav.config.schema import Plugins
from waav.gateway import Gateway, open_gateway
from waav.observe.fleet import Fleet, News, Report
from waav.observe.metrics import Sample
from waav.server.app import create_app
from waav.version import __version__

AT_EASE = {
    "stage": "normal",
    "loop_lag_seconds": pytest.approx(0.0, abs=10.0),
    "memory_share": pytest.approx(0.0, abs=1.0),
}


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
            "workers": 1,
            "sessions": 0,
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
            "load": AT_EASE,
            "workers_ready": 1,
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
            {"status": "UNAVAILABLE", "checks": {}, "load": AT_EASE, "workers_ready": 0},
        )


@attrs.frozen
class Others:
    """Other workers, in a row; each has one session."""

    ready: tuple[bool, ...]

    async def others(self) -> News:
        reports = (Report(1, 100.0, ready=ready, samples=FIGURES) for ready in self.ready)
        return News(tuple(reports), past=FIGURES)


FIGURES = (Sample("waav_sessions_started_total", 5),)


@asynccontextmanager
async def open_worker(*manifests: Manifest, others: Fleet) -> AsyncIterator[tuple[Gateway, Client]]:
    config = Config(plugins=Plugins(enabled=False), overload=Overload(enabled=False))
    async with open_gateway(config, manifests=manifests) as gateway:
        gateway.fleet = others
        yield gateway, create_app(gateway).test_client()


async def test_one_worker_that_is_ready_is_enough() -> None:
    for ready in (True, False), (False, False):
        async with open_worker(others=Others(ready)) as (_, client):
            answer = await client.get("/health/ready")
            assert answer.status_code == (200 if any(ready) else 503)
            assert (await answer.get_json())["workers_ready"] == sum(ready)


async def test_nobody_is_ready_who_was_told_to_stop() -> None:
    """At once, and whatever the other workers said a second ago."""
    voice = voice_plugin("good", Reader())
    async with open_worker(voice, others=Others((True,))) as (gateway, client):
        assert (await client.get("/health/ready")).status_code == 200
        gateway.stopping.set()
        answer = await client.get("/health/ready")
        assert answer.status_code == 503
        assert (await answer.get_json())["status"] == "UNAVAILABLE"


async def test_all_workers_are_seen_through_any_of_them() -> None:
    async with open_worker(others=Others((True, False))) as (gateway, client):
        async with gateway.open_session():
            shown = await (await client.get("/health")).get_json()
        assert (shown["workers"], shown["sessions"], shown["uptime_seconds"]) == (3, 3, 100.0)
        text = await (await client.get("/metrics")).get_data(as_text=True)
        assert "waav_sessions_started_total 16.0" in text  # one here, twice five there, five past
