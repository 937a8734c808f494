"""A whole gateway on a real port, with scripted providers."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

import attrs
import pytest
import trio
from support.clients import Client, open_client
from support.providers import Ears, Mouth, plugin

from waav.config import Config
from waav.config.overload import Overload
from waav.config.security import RATE_LIMIT_OFF, Security
from waav.gateway import Gateway, open_gateway
from waav.server.service import serve_gateway
from waav.tasks import open_scoped_nursery

UNLIMITED = Security(rate_limit_requests_per_second=RATE_LIMIT_OFF, max_connections_per_ip=10_000)


@pytest.fixture
def ears() -> Ears:
    return Ears()


@pytest.fixture
def mouth() -> Mouth:
    return Mouth()


@pytest.fixture
def config() -> Config:
    """A test file may have another."""
    return Config()


@attrs.frozen
class Server:
    """Where to find it, and how to stop it."""

    gateway: Gateway
    port: int
    stopping: trio.Event

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self) -> AbstractAsyncContextManager[Client]:
        """A WebSocket client of its own making, connected to /ws."""
        return open_client(f"ws://127.0.0.1:{self.port}/ws")


@pytest.fixture
async def server(ears: Ears, mouth: Mouth, config: Config) -> AsyncIterator[Server]:
    local = attrs.evolve(
        config,
        server=attrs.evolve(config.server, host="127.0.0.1", port=0),
        plugins=attrs.evolve(config.plugins, enabled=False),
        # A machine that runs other tests beside this one is late, and must refuse nobody.
        overload=config.overload if config.overload != Overload() else Overload(enabled=False),
        # All clients of a test are one address; a test of the limits has its own.
        security=config.security if config.security != Security() else UNLIMITED,
    )
    manifests = plugin("ears", ears), plugin("mouth", mouth=mouth)
    stopping = trio.Event()
    async with (
        open_gateway(local, manifests=manifests) as gateway,
        open_scoped_nursery("the test is over") as nursery,
    ):
        [(_, port)] = await nursery.start(serve_gateway, gateway, stopping)
        yield Server(gateway, port, stopping)
