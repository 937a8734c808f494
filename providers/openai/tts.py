"""Speech: one request for each text, its sound as it comes."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager

import attrs

from capabilities import AudioFrame, ProviderProtocolError, Secret, SpeechRequest, Voice
from providers._common.http import Answer
from providers.openai.api import API
from providers.openai.names import ID
from providers.openai.tts_wire import Frames, given_format, speech_body
from providers.openai.voices import VOICES


@attrs.frozen
class OpenAITTS:
    """The synthesiser."""

    _api: API

    @asynccontextmanager
    async def synthesize(self, request: SpeechRequest) -> AsyncIterator[AsyncIterator[AudioFrame]]:
        """Say one text. Leaving early drops the connection, which ends it on the far side."""
        body = speech_body(request, self._api.settings.voice)
        headers = self._api.headers(request.api_key)
        if not request.text.strip():
            async with aclosing(_nothing()) as frames:
                yield frames
            return
        url = self._api.network.url("audio", "speech")
        async with self._api.http.stream("POST", url, headers=headers, json=body) as answer:
            _check_sound(answer)
            async with aclosing(_frames(answer, Frames(given_format(request)))) as frames:
                yield frames

    async def voices(self, _api_key: Secret | None = None) -> Sequence[Voice]:
        """List the built-in voices."""
        return VOICES


async def _frames(answer: Answer, frames: Frames) -> AsyncGenerator[AudioFrame, None]:
    async for chunk in answer:
        if (frame := frames.take(chunk)) is not None:
            yield frame


async def _nothing() -> AsyncGenerator[AudioFrame, None]:
    return
    yield


def _check_sound(answer: Answer) -> None:
    kind = answer.headers.get("content-type", "audio/").partition(";")[0].strip().lower()
    if not kind.startswith(("audio/", "application/octet-stream")):
        raise ProviderProtocolError(ID, f"answered with {kind[:40]} instead of sound")
