"""Voice activity detection: the contract, and the values it speaks."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Protocol, TypeAlias

import attrs

from capabilities.audio import SPEECH, AudioFormat, AudioFrame


@attrs.frozen
class SpeechStarted:
    """Somebody began to talk."""

    at: float
    """Seconds since the first sample of the stream."""


@attrs.frozen
class SpeechStopped:
    """Nobody talks any more."""

    at: float
    """Seconds since the first sample of the stream: where the voice ended, not where it was noticed."""


VoiceActivity: TypeAlias = SpeechStarted | SpeechStopped


@attrs.frozen
class VADOptions:
    """How to listen for a voice. ``None`` leaves a choice to the provider."""

    format: AudioFormat = SPEECH
    threshold: float | None = None
    """0 to 1: how sure the detector must be."""
    min_speech: float | None = None
    """Seconds of voice that count as speech."""
    min_silence: float | None = None
    """Seconds of silence that end it."""


class VADStream(Protocol):
    """One stream of sound being watched. Sending and iterating may happen in two tasks."""

    async def send(self, frame: AudioFrame) -> None:
        """Hand over one frame; wait while the detector is not taking more."""
        ...

    async def finish(self) -> None:
        """Say that no frame follows; iteration ends after the last event."""
        ...

    def __aiter__(self) -> AsyncIterator[VoiceActivity]:
        """Yield starts and stops, in turn, beginning with a start."""
        ...


class VAD(Protocol):
    """A provider that can tell a voice from silence and noise."""

    def watch(self, options: VADOptions) -> AbstractAsyncContextManager[VADStream]:
        """Watch one stream for as long as the ``async with`` block lasts.

        Raises:
            ProviderBusy: the limit on streams at one time is reached.
            ProviderRefused: the format or an option is not accepted.
        """
        ...
