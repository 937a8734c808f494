"""A client of the WebSocket protocol, as somebody else would write it."""

import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import attrs
import trio
from websockets.trio.client import ClientConnection, connect

QUIET = logging.getLogger("support.clients")
"""The library's debug records show what a test sends, tokens among it."""
QUIET.setLevel(logging.ERROR)

STT = {"provider": "ears", "language": "en-US", "sample_rate": 16000, "channels": 1}
TTS = {"provider": "mouth", "sample_rate": 24000}


@attrs.define(eq=False)
class Client:
    """Sends JSON and sound; remembers what came."""

    socket: ClientConnection
    sound: bytearray = attrs.Factory(bytearray)

    async def send(self, **message: Any) -> None:
        await self.socket.send(json.dumps(message))

    async def configure(self, **message: Any) -> dict[str, Any]:
        """Send a config, with both sides if none is named; return ``ready``."""
        await self.send(type="config", **(message or {"stt_config": STT, "tts_config": TTS}))
        return await self.expect("ready")

    async def next(self) -> dict[str, Any]:
        """Return the next JSON message; sound on the way is kept."""
        with trio.fail_after(20):
            while True:
                message = await self.socket.recv()
                if isinstance(message, str):
                    read: dict[str, Any] = json.loads(message)
                    return read
                self.sound += message

    async def expect(self, kind: str) -> dict[str, Any]:
        """Return the next JSON message, which is of this type."""
        message = await self.next()
        assert message["type"] == kind, message
        return message

    async def expect_error(self, code: str) -> dict[str, Any]:
        message = await self.expect("error")
        assert message["code"] == code, message
        return message


@asynccontextmanager
async def open_client(url: str, **headers: str) -> AsyncIterator[Client]:
    async with connect(
        url,
        additional_headers=headers,
        proxy=None,
        compression=None,
        max_size=None,
        logger=QUIET,
    ) as socket:
        yield Client(socket)
