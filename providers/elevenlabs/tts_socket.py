"""Speech over a WebSocket of its own: the text goes in, pieces of sound come back."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

import attrs
import trio

from capabilities import ProviderClosed, ProviderUnavailable, Secret
from providers._common.network import Network
from providers._common.websocket import WebSocket, connect
from providers.elevenlabs.settings import ID
from providers.elevenlabs.tts_wire import Piece, Speech, decode


@attrs.frozen
class SocketSpeech:
    """``/v1/text-to-speech/{voice}/stream-input``."""

    _network: Network

    @asynccontextmanager
    async def speak(
        self, speech: Speech, key: Secret | None
    ) -> AsyncIterator[AsyncIterator[Piece]]:
        """Give the sound; leaving closes the connection, so that the vendor stops."""
        url = self._network.url(
            "v1", "text-to-speech", speech.voice, "stream-input", query=speech.socket_query()
        )
        headers = {"xi-api-key": key} if key else {}
        async with connect(self._network, url, headers=headers) as socket:
            for message in speech.socket_messages():
                await socket.send(message)
            async with aclosing(self._pieces(socket)) as pieces:
                yield pieces

    async def _pieces(self, socket: WebSocket) -> AsyncGenerator[Piece, None]:
        spoken = False
        while (message := await self._next(socket)) is not None:
            piece = decode(message)
            if piece.sound:
                spoken = True
                yield piece
            if piece.last:
                return
        if not spoken:
            raise ProviderClosed(ID, "hung up before there was any sound")

    async def _next(self, socket: WebSocket) -> str | bytes | None:
        patience = self._network.settings.read_timeout
        try:
            with trio.fail_after(patience):
                # The vendor's own client takes a normal close for the end, last piece or not.
                return await anext(socket, None)
        except trio.TooSlowError:
            raise ProviderUnavailable(ID, f"no sound came for {patience:g} s") from None
