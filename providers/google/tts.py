"""Text to speech by Google: streamed over gRPC where voice and options allow it, else whole over REST."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager

import attrs
import trio

from capabilities import AudioFrame, ProviderUnavailable, Secret, SpeechRequest, Voice
from providers._common.grpc import Call, Channel
from providers._common.http import HTTP
from providers.google.identity import Identities
from providers.google.tts_sound import Cutter, streamed_audio, whole_audio
from providers.google.tts_wire import (
    METHOD,
    can_stream,
    resolve,
    streaming_messages,
    whole_body,
)
from providers.google.voices import read_voices

_MOST_BODY = 64 * 1024 * 1024
"""Bytes of an answer with whole sound: 5000 letters are some six minutes, 24 MB in base64."""


@attrs.frozen(eq=False)
class GoogleTTS:
    """The synthesiser."""

    _channel: Channel
    _http: HTTP
    _identities: Identities
    _default_voice: str
    _patience: float
    """Seconds that may pass between two pieces of sound."""

    @asynccontextmanager
    async def synthesize(self, request: SpeechRequest) -> AsyncIterator[AsyncIterator[AudioFrame]]:
        """Say one text."""
        if not request.text.strip():
            async with aclosing(_nothing()) as frames:
                yield frames
            return
        request = resolve(request, self._default_voice)
        say = self._streamed if can_stream(request) else self._whole
        async with say(request) as frames:
            yield frames

    @asynccontextmanager
    async def _streamed(self, request: SpeechRequest) -> AsyncIterator[AsyncIterator[AudioFrame]]:
        messages = streaming_messages(request)
        identity = await self._identities.of(request.api_key)
        headers = await self._identities.headers(identity)
        async with self._channel.call(METHOD, metadata=headers) as call:
            for message in messages:
                await call.send(message)
            await call.finish()
            # Waited for here, so that a refusal is told where the request is made.
            first = await self._next(call)
            async with aclosing(self._frames(first, call, Cutter(request.format))) as frames:
                yield frames

    async def _frames(
        self, message: bytes | None, call: Call, cutter: Cutter
    ) -> AsyncGenerator[AudioFrame, None]:
        while message is not None:
            for frame in cutter.feed(streamed_audio(message)):
                yield frame
            message = await self._next(call)

    async def _next(self, call: Call) -> bytes | None:
        with trio.move_on_after(self._patience):
            return await anext(call, None)
        raise ProviderUnavailable("google", f"no sound came for {self._patience:g} s")

    @asynccontextmanager
    async def _whole(self, request: SpeechRequest) -> AsyncIterator[AsyncIterator[AudioFrame]]:
        body = whole_body(request)
        identity = await self._identities.of(request.api_key)
        headers = await self._identities.headers(identity)
        answer = await self._http.fetch_json(
            "POST", "/v1/text:synthesize", headers=headers, json=body, max_body=_MOST_BODY
        )
        audio, data = whole_audio(answer, request.format)
        async with aclosing(_cut(Cutter(audio), data)) as frames:
            yield frames

    async def voices(self, api_key: Secret | None = None) -> Sequence[Voice]:
        """List Google's voices of all languages."""
        headers = await self._identities.headers(await self._identities.of(api_key))
        answer = await self._http.fetch_json("GET", "/v1/voices", headers=headers, idempotent=True)
        return read_voices(answer)


async def _cut(cutter: Cutter, data: bytes) -> AsyncGenerator[AudioFrame, None]:
    for frame in cutter.feed(data):
        await trio.lowlevel.checkpoint()
        yield frame


async def _nothing() -> AsyncGenerator[AudioFrame, None]:
    return
    yield
