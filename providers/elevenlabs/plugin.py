"""Opens the plugin: one TLS context, one pool of connections, and what uses them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from capabilities import Plugin, PluginContext
from providers._common.http import open_http
from providers._common.network import Network
from providers.elevenlabs.cloning import open_cloning
from providers.elevenlabs.settings import ID, ElevenLabsSettings
from providers.elevenlabs.stt import ElevenLabsSTT
from providers.elevenlabs.tts import ElevenLabsTTS
from providers.elevenlabs.tts_http import HTTPSpeech
from providers.elevenlabs.tts_socket import SocketSpeech
from providers.elevenlabs.voices import Voices


@asynccontextmanager
async def open_plugin(context: PluginContext) -> AsyncIterator[Plugin]:
    """Open it; connections are made when they are needed, and a key is missed only then."""
    settings: ElevenLabsSettings = context.settings
    network = await Network.of(ID, settings, settings.host)
    async with (
        open_http(network) as http,
        open_cloning(network, http, context.credentials) as cloning,
    ):
        yield Plugin(
            stt=ElevenLabsSTT(network, context.credentials),
            tts=ElevenLabsTTS(
                {"http": HTTPSpeech(network, http), "websocket": SocketSpeech(network)},
                Voices(network, http),
                context.credentials,
                settings.voice,
            ),
            cloning=cloning,
        )
