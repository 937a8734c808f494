"""Speech to text: the contract, and the values it speaks."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol, TypeAlias

import attrs

from capabilities.audio import SPEECH, AudioFormat, AudioFrame
from capabilities.secret import Secret


@attrs.frozen
class Word:
    """One recognised word."""

    text: str
    start: float
    """Seconds since the first sample of the stream."""
    end: float
    confidence: float | None = None
    """0 to 1."""
    speaker: str | None = None


@attrs.frozen
class Interim:
    """What was said so far, as it looks now. A later transcript replaces it."""

    text: str
    confidence: float = 0.0
    """0 to 1; 0 where the provider says nothing about it."""
    language: str | None = None
    words: tuple[Word, ...] = ()


@attrs.frozen
class Final:
    """Words that will not change any more. The next transcript goes on behind them."""

    text: str
    confidence: float = 0.0
    """0 to 1; 0 where the provider says nothing about it."""
    language: str | None = None
    words: tuple[Word, ...] = ()
    speech_final: bool = False
    """The provider also says, in the same breath, that the speaker has finished."""


@attrs.frozen
class SpeechFinal:
    """The speaker has finished, says the provider; the words came before."""


@attrs.frozen
class SpeechBegun:
    """The user has begun to talk, says the provider; the words come later."""

    at: float | None = None
    """Seconds since the first sample of the stream, if the provider tells."""


Transcript: TypeAlias = Interim | Final | SpeechFinal | SpeechBegun


@attrs.frozen
class STTOptions:
    """How to listen. ``None`` leaves a choice to the provider."""

    format: AudioFormat = SPEECH
    """Of the frames that will be sent: one that the manifest names."""
    language: str = "en-US"
    """A BCP-47 tag."""
    model: str | None = None
    api_key: Secret | None = None
    """Used instead of the gateway's own key, for this stream only."""
    auth: Mapping[str, Secret] = attrs.field(factory=dict)
    """The same for a provider that needs several credentials: by the names of its manifest, used
    instead of all of the gateway's own. Empty if the client brought none."""
    interim_results: bool = True
    punctuation: bool = True
    profanity_filter: bool | None = None
    smart_format: bool | None = None
    diarize: bool | None = None
    filler_words: bool | None = None
    word_timestamps: bool | None = None
    keywords: tuple[str, ...] = ()
    endpointing: float | None = None
    """Seconds of silence after which the provider shall call the words final."""
    utterance_end: float | None = None
    """Seconds of silence after which the provider shall call the speech final."""
    options: Any = None
    """The provider's own options: an instance of the class that its manifest names, or None."""


class STTStream(Protocol):
    """One open recognition. Sending and iterating may happen in two tasks."""

    async def send(self, frame: AudioFrame) -> None:
        """Hand over one frame; wait while the provider is not taking more.

        Raises:
            ProviderClosed: the far side ended the stream.
        """
        ...

    async def finish(self) -> None:
        """Say that no frame follows; iteration ends after the last transcript."""
        ...

    def __aiter__(self) -> AsyncIterator[Transcript]:
        """Yield transcripts in the order in which they were said.

        Raises:
            ProviderClosed: the far side ended the stream before it was finished.
            ProviderProtocolError: it said something unreadable.
        """
        ...


class STT(Protocol):
    """A provider that can recognise speech."""

    def connect(self, options: STTOptions) -> AbstractAsyncContextManager[STTStream]:
        """Open a recognition for as long as the ``async with`` block lasts.

        Entering the block returns when the provider takes audio. Leaving it, at any moment and
        also by cancellation, ends the recognition on the far side and gives back what it held.

        Raises:
            ProviderUnavailable: no connection could be made.
            ProviderBusy: the limit on streams at one time is reached.
            ProviderRefused: key, plan or option not accepted; a retry will not help.
        """
        ...
