"""Text to speech: one text in, sound out as it comes, over HTTP or a WebSocket."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from typing import Protocol

import attrs

from capabilities import AudioFormat, AudioFrame, Secret, SpeechRequest, Voice
from providers._common.credentials import choose_key
from providers.elevenlabs.settings import ID, KEY, NAME
from providers.elevenlabs.tts_wire import Piece, Speech
from providers.elevenlabs.voices import Voices


class Transport(Protocol):
    """A way to have a text spoken."""

    def speak(
        self, speech: Speech, key: Secret | None
    ) -> AbstractAsyncContextManager[AsyncIterator[Piece]]:
        """Give the sound, in pieces that may tear samples. ``None``: the speech has a token.

        Raises:
            ProviderError: as for :meth:`capabilities.TTS.synthesize`.
        """
        ...


@attrs.frozen
class ElevenLabsTTS:
    """The synthesiser."""

    _transports: Mapping[str, Transport]
    """By the option ``transport``."""
    _voices: Voices
    _credentials: Mapping[str, Secret]
    _voice: str
    """Speaks if a request names nobody."""

    @asynccontextmanager
    async def synthesize(self, request: SpeechRequest) -> AsyncIterator[AsyncIterator[AudioFrame]]:
        """Say one text."""
        if not request.text.strip():
            yield _no_frames()
            return
        speech = Speech.of(request, self._voice)
        key = None if speech.own.single_use_token else self._key(request.api_key)
        transport = self._transports[speech.own.transport]
        async with (
            transport.speak(speech, key) as pieces,
            aclosing(frames_of(pieces, speech.audio)) as frames,
        ):
            yield frames

    async def voices(self, api_key: Secret | None = None) -> Sequence[Voice]:
        """List the voices of an account."""
        return await self._voices.fetch(self._key(api_key))

    def _key(self, own: Secret | None) -> Secret:
        return choose_key(ID, NAME, own, self._credentials, KEY)


async def frames_of(
    pieces: AsyncIterator[Piece], audio: AudioFormat
) -> AsyncGenerator[AudioFrame, None]:
    """Yield a sound in whole samples, each frame with its place and its words."""
    width, size, rest = audio.sample_bytes or 1, 0, b""
    waiting = ""
    async for piece in pieces:
        for sound, text in piece.cut(audio):
            data = rest + sound if rest else sound
            whole = len(data) - len(data) % width
            said = None if text is None else waiting + text
            if whole:
                yield AudioFrame(data[:whole], audio, audio.duration(size), said)
                size += whole
            # Words so close to each other that there is no sound between them.
            waiting = "" if whole else said or ""
            rest = data[whole:]


async def _no_frames() -> AsyncGenerator[AudioFrame, None]:
    no_frames: tuple[AudioFrame, ...] = ()
    for frame in no_frames:
        yield frame
