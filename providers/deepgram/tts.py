"""Text to speech: one WebSocket or one REST request for each text."""

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager, suppress
from typing import Self

import attrs
import trio

from capabilities import (
    AudioFormat,
    AudioFrame,
    ProviderClosed,
    ProviderError,
    ProviderUnavailable,
    Secret,
    SpeechRequest,
    Voice,
)
from providers._common.headers import Headers
from providers._common.http import HTTP
from providers._common.websocket import WebSocket, connect
from providers.deepgram.account import Account
from providers.deepgram.messages import Warning  # noqa: A004 - the vendor's own word
from providers.deepgram.names import ID
from providers.deepgram.tts_wire import Finished, Speech, plan
from providers.deepgram.voices import read_voices

log = logging.getLogger(__name__)

_GOODBYE = 0.5
"""Seconds that the last words to the vendor may take."""


@attrs.frozen
class DeepgramTTS:
    """The synthesiser."""

    account: Account
    http: HTTP

    @asynccontextmanager
    async def synthesize(self, request: SpeechRequest) -> AsyncIterator[AsyncIterator[AudioFrame]]:
        """Say one text."""
        if not request.text.strip():
            async with aclosing(_nothing()) as frames:
                yield frames
            return
        speech = plan(request)
        headers = self.account.headers(request.api_key)
        async with (
            self._open(speech, headers) as chunks,
            aclosing(_frames(chunks, speech.format)) as frames,
        ):
            yield frames

    async def voices(self, api_key: Secret | None = None) -> Sequence[Voice]:
        """List the voices, sorted by id."""
        url = self.account.network.url("v1", "models")
        headers = self.account.headers(api_key)
        return read_voices(await self.http.fetch("GET", url, headers=headers, idempotent=True))

    def _open(
        self, speech: Speech, headers: Headers
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        url = self.account.network.url(speech.version, "speak", query=speech.query)
        if speech.rest:
            return self.http.stream("POST", url, headers=headers, json={"text": speech.text})
        return self._open_websocket(speech, url, headers)

    @asynccontextmanager
    async def _open_websocket(
        self, speech: Speech, url: str, headers: Headers
    ) -> AsyncIterator["_Conversation"]:
        network = self.account.network
        async with connect(network, url, headers=headers) as socket:
            conversation = _Conversation(socket, speech, network.settings.read_timeout)
            try:
                for message in speech.begin():
                    await socket.send(message)
                yield conversation
            finally:
                with trio.move_on_after(_GOODBYE, shield=True), suppress(ProviderError):
                    for message in speech.end(early=not conversation.finished):
                        await socket.send(message)


@attrs.define(eq=False)
class _Conversation:
    """The sound on a WebSocket, up to the end of the text."""

    _socket: WebSocket
    _speech: Speech
    _patience: float
    finished: bool = attrs.field(default=False, init=False)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        try:
            with trio.fail_after(self._patience):
                return await self._next()
        except trio.TooSlowError:
            waited = f"{self._patience:g} s"
            raise ProviderUnavailable(ID, f"no sound came for {waited}") from None

    async def _next(self) -> bytes:
        while not self.finished:
            message = await anext(self._socket, None)
            if message is None:
                raise ProviderClosed(ID, "hung up before all was said")
            match self._speech.decode(message):
                case bytes(sound):
                    return sound
                case Finished():
                    self.finished = True
                case Warning() as warning:
                    log.warning("%s: %s: %s", ID, warning.code, warning.description)
                case None:
                    pass
        raise StopAsyncIteration


async def _frames(
    chunks: AsyncIterator[bytes], audio: AudioFormat
) -> AsyncGenerator[AudioFrame, None]:
    """Give chunks, which may be cut anywhere, as frames of whole samples."""
    unit, size, torn = audio.sample_bytes or 1, 0, b""
    async for chunk in chunks:
        data = torn + chunk
        whole = len(data) - len(data) % unit
        data, torn = data[:whole], data[whole:]
        if data:
            yield AudioFrame(data, audio, audio.duration(size))
            size += len(data)


async def _nothing() -> AsyncGenerator[AudioFrame, None]:
    return
    yield
