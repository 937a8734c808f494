"""Speech over HTTP: one request, and its answer is the sound, from a pool of kept connections."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

import attrs

from capabilities import Secret
from providers._common.http import HTTP, Answer
from providers._common.network import Network
from providers.elevenlabs.tts_wire import Piece, Speech


@attrs.frozen
class HTTPSpeech:
    """``POST /v1/text-to-speech/{voice}/stream``."""

    _network: Network
    _http: HTTP

    @asynccontextmanager
    async def speak(
        self, speech: Speech, key: Secret | None
    ) -> AsyncIterator[AsyncIterator[Piece]]:
        """Give the sound; leaving drops the connection, so that the vendor stops."""
        url = self._network.url(
            "v1", "text-to-speech", speech.voice, "stream", query=speech.http_query()
        )
        headers = {"xi-api-key": key} if key else {}
        async with (
            self._http.stream("POST", url, headers=headers, json=speech.http_body()) as answer,
            aclosing(_pieces(answer)) as pieces,
        ):
            yield pieces


async def _pieces(answer: Answer) -> AsyncGenerator[Piece, None]:
    async for chunk in answer:
        yield Piece(chunk)
