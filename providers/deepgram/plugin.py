"""The plugin while it is open: a pool of HTTP connections, and the way to the vendor."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from capabilities import Plugin, PluginContext
from providers._common.http import open_http
from providers._common.network import Network
from providers.deepgram.account import Account
from providers.deepgram.names import BASE_URL, ID
from providers.deepgram.stt import DeepgramSTT
from providers.deepgram.tts import DeepgramTTS


@asynccontextmanager
async def open_plugin(context: PluginContext) -> AsyncIterator[Plugin]:
    """Open it. Nothing is asked of the vendor, so a key may as well come with a session."""
    network = await Network.of(ID, context.settings, BASE_URL)
    async with open_http(network) as http:
        account = Account(network, context.credentials)
        yield Plugin(stt=DeepgramSTT(account), tts=DeepgramTTS(account, http))
