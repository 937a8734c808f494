"""Whole gateways on a port: with plugins of a test; with Deepgram, at an address where a test can fail it."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import attrs
import trio

from capabilities import Manifest, Plugin, PluginContext, Secret
from providers._common.settings import VendorSettings
from providers.deepgram import MANIFEST
from support.servers.deepgram import KEY
from waav.config import Config, Server
from waav.config.overload import Overload
from waav.config.schema import Plugins
from waav.config.security import RATE_LIMIT_OFF, Security
from waav.gateway import Gateway, open_gateway
from waav.server.service import serve_gateway
from waav.tasks import open_scoped_nursery

PATIENCE = 0.5
"""Seconds that the client of the vendor waits for anything."""


def _at(url: str) -> Manifest:
    def opening(context: PluginContext) -> AbstractAsyncContextManager[Plugin]:
        keys = {"deepgram_api_key": Secret(KEY)}
        settings = VendorSettings(base_url=url, connect_timeout=PATIENCE, read_timeout=PATIENCE)
        return MANIFEST.open(attrs.evolve(context, settings=settings, credentials=keys))

    return attrs.evolve(MANIFEST, open=opening)


@attrs.frozen
class Serving:
    """A gateway that serves, and where."""

    gateway: Gateway
    port: int

    @property
    def at(self) -> str:
        return f"127.0.0.1:{self.port}"


@asynccontextmanager
async def open_serving(*manifests: Manifest, **sections: Any) -> AsyncIterator[Serving]:
    """Run a gateway that has these plugins and no others, with these sections of a configuration."""
    config = Config(
        **{
            "server": Server(host="127.0.0.1", port=0, shutdown_grace_seconds=1.0),
            "plugins": Plugins(enabled=False),
            # A machine that runs other tests beside this one is late, and must refuse nobody.
            "overload": Overload(enabled=False),
            "security": Security(rate_limit_requests_per_second=RATE_LIMIT_OFF),
            **sections,
        }
    )
    async with (
        open_gateway(config, manifests=manifests) as gateway,
        open_scoped_nursery("the test is over") as nursery,
    ):
        [(_, port)] = await nursery.start(serve_gateway, gateway, trio.Event())
        yield Serving(gateway, port)


@asynccontextmanager
async def gateway_before(url: str) -> AsyncIterator[str]:
    """Run the gateway; give host and port at which clients find it."""
    plain = Config()
    config = attrs.evolve(
        plain,
        server=attrs.evolve(plain.server, host="127.0.0.1", port=0),
        plugins=attrs.evolve(plain.plugins, enabled=False),
        # A machine that runs other tests beside this one is late, and must refuse nobody.
        overload=Overload(enabled=False),
    )
    async with (
        open_gateway(config, manifests=[_at(url)]) as gateway,
        open_scoped_nursery("the test is over") as nursery,
    ):
        [(_, port)] = await nursery.start(serve_gateway, gateway, trio.Event())
        yield f"127.0.0.1:{port}"
