"""Where the metrics are, and what they never say."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from support.rest import Client, Reader, voice_plugin

from capabilities import Secret
from waav.config import Config
from waav.config.credentials import Providers
from waav.config.metrics import Metrics
from waav.config.rules import check
from waav.config.schema import Plugins
from waav.errors import ConfigError
from waav.gateway import open_gateway
from waav.server.app import create_app


@asynccontextmanager
async def open_with(metrics: Metrics, **config: object) -> AsyncIterator[Client]:
    settings = Config(metrics=metrics, plugins=Plugins(enabled=False), **config)  # type: ignore[arg-type]
    async with open_gateway(settings, manifests=[voice_plugin("v", Reader())]) as gateway:
        yield create_app(gateway).test_client()


async def test_the_operator_chooses_the_path() -> None:
    async with open_with(Metrics(path="/internal/figures")) as client:
        answer = await client.get("/internal/figures")
        assert (answer.status_code, (await client.get("/metrics")).status_code) == (200, 404)
        paths = (await (await client.get("/openapi.json")).get_json())["paths"]
        assert "/internal/figures" in paths
        assert "/metrics" not in paths


async def test_the_operator_switches_them_off() -> None:
    async with open_with(Metrics(enabled=False)) as client:
        assert (await client.get("/metrics")).status_code == 404
        assert "/metrics" not in (await (await client.get("/openapi.json")).get_json())["paths"]


async def test_a_path_that_is_taken_is_refused() -> None:
    async with open_gateway(Config(plugins=Plugins(enabled=False))) as gateway:
        taken = Config(metrics=Metrics(path="/speak"))
        gateway.config = taken
        with pytest.raises(ConfigError, match=r"metrics\.path"):
            create_app(gateway)


@pytest.mark.parametrize("path", ["", "metrics", "/", "/a//b", "/metrics/", "/<x>", "/a?b", "/ü"])
def test_a_path_that_is_none_is_refused(path: str) -> None:
    (mistake,) = check(Config(metrics=Metrics(path=path)))
    assert mistake.path == ("metrics", "path")


async def test_no_secret_is_among_them() -> None:
    secret = Secret("this-is-hidden-from-everybody")
    providers = Providers(deepgram_api_key=secret)
    async with open_with(Metrics(), providers=providers) as client:
        text = await (await client.get("/metrics")).get_data(as_text=True)
    assert secret.reveal() not in text
