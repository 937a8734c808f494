"""A whole gateway on a real port, with scripted providers, for tests of who is let in."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import attrs
import httpx
import trio

from capabilities import Manifest
from support.clients import open_client
from support.providers import Ears, Mouth, plugin
from waav.config import Config
from waav.config.auth import Auth
from waav.config.overload import Overload
from waav.config.rules import check
from waav.config.schema import Plugins, Server
from waav.config.security import RATE_LIMIT_OFF, Security
from waav.gateway import Gateway, open_gateway
from waav.server.service import serve_gateway
from waav.tasks import open_scoped_nursery

FREE = Security(rate_limit_requests_per_second=RATE_LIMIT_OFF)


@attrs.frozen
class House:
    gateway: Gateway
    port: int
    stopping: trio.Event

    @property
    def at(self) -> str:
        return f"127.0.0.1:{self.port}"

    def call(self, path: str = "/ws", **headers: str) -> Any:
        return open_client(f"ws://{self.at}{path}", **headers)

    def used(self) -> dict[str, int]:
        """Slots that are held, by what they count."""
        return {scope: use.held for scope, use in self.gateway.limiter.counts.snapshot().items()}

    async def nobody_is_left(self) -> None:
        """Wait until no slot is held."""
        with trio.fail_after(5):
            while any(self.used().values()):  # noqa: ASYNC110  # it ends behind the client's back
                await trio.sleep(0.01)


@asynccontextmanager
async def open_house(
    auth: Auth, manifests: Sequence[Manifest] = (), **sections: Any
) -> AsyncIterator[House]:
    config = Config(
        **{
            "auth": auth,
            "server": Server(host="127.0.0.1", port=0),
            "plugins": Plugins(enabled=False),
            "overload": Overload(enabled=False),
            "security": FREE,
            **sections,
        }
    )
    assert not list(check(config))
    stopping = trio.Event()
    speech = plugin("ears", Ears()), plugin("mouth", mouth=Mouth())
    async with (
        open_gateway(config, manifests=[*speech, *manifests]) as gateway,
        open_scoped_nursery("the test is over") as nursery,
    ):
        [(_, port)] = await nursery.start(serve_gateway, gateway, stopping)
        yield House(gateway, port, stopping)


@asynccontextmanager
async def open_rest(house: House, **options: Any) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=f"http://{house.at}", **options) as client:
        yield client


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
