"""How a plugin would reach a scripted vendor."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from providers._common.http import HTTP, open_http
from providers._common.network import Network
from providers._common.settings import VendorSettings
from support.servers.http import HTTPServer, Reply, open_http_server


async def reach(base_url: str = "http://127.0.0.1", /, **settings: Any) -> Network:
    """The network of a plugin called ``acme`` with these settings."""
    return await Network.of("acme", VendorSettings(**settings), base_url)


@asynccontextmanager
async def open_vendor(
    *replies: Reply, tls: ssl.SSLContext | None = None, **settings: Any
) -> AsyncIterator[tuple[HTTPServer, HTTP]]:
    """An HTTP vendor, and a plugin's way to it."""
    async with (
        open_http_server(*replies, tls=tls) as server,
        open_http(await reach(server.url, **settings)) as http,
    ):
        yield server, http
