"""How a plugin would reach a scripted vendor."""

from typing import Any

from providers._common.network import Network
from providers._common.settings import VendorSettings


async def reach(base_url: str = "http://127.0.0.1", **settings: Any) -> Network:
    """The network of a plugin called ``acme`` with these settings."""
    return await Network.of("acme", VendorSettings(**settings), base_url)
