"""Text to speech: the contract, and the values it speaks."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

import attrs

from capabilities.audio import AudioFormat, AudioFrame, Encoding
from capabilities.emotion import Feeling
from capabilities.secret import Secret


@attrs.frozen
class SpeechRequest:
    """What is to be said, and how. ``None`` leaves a choice to the provider."""

    text: str
    voice: str | None = None
    """A voice's id; the provider's own default if None."""
    model: str | None = None
    format: AudioFormat = AudioFormat(Encoding.LINEAR16, 24000)
    """What to give: an encoding and a rate of those that the provider's ability names, the nearest
    to what the listener wants. The provider says in each frame what it really sent; the gateway
    converts the rest."""
    speed: float = 1.0
    """1.0 is the voice's own pace; within the speeds of the provider's ability."""
    language: str | None = None
    """A BCP-47 tag."""
    pitch: float | None = None
    volume: float | None = None
    feeling: Feeling = Feeling()
    """How to say it, as far as the provider's ability names it."""
    ssml: bool = False
    """``text`` is SSML; only for a provider with the feature ``ssml``."""
    api_key: Secret | None = None
    """Used instead of the gateway's own key, for this request only."""
    auth: Mapping[str, Secret] = attrs.field(factory=dict)
    """The same for a provider that needs several credentials: by the names of its manifest, used
    instead of all of the gateway's own. Empty if the client brought none."""
    options: Any = None
    """The provider's own options: an instance of the class that its manifest names, or None."""


@attrs.frozen
class Voice:
    """A provider's named speaker."""

    id: str
    name: str
    language: str
    """A BCP-47 tag."""
    gender: str = "Unknown"
    """``Male``, ``Female``, ``Neutral`` or ``Unknown``."""
    accent: str = ""
    sample: str = ""
    """The address of a recording, or empty."""
    languages: tuple[str, ...] = ()
    """All that it speaks, if more than one."""
    cloned: bool = False
    owner: str = ""
    """As in :attr:`CloneRequest.owner`; empty if the provider keeps none."""


class TTS(Protocol):
    """A provider that can speak."""

    def synthesize(
        self, request: SpeechRequest
    ) -> AbstractAsyncContextManager[AsyncIterator[AudioFrame]]:
        """Say one text. Iterating gives its sound, in order, as early as it is there.

        Leaving the block before the end stops the synthesis, also on the far side. Each frame
        carries the format it really has; all frames of one request have the same. Blank text gives
        no frame and no error.

        Raises:
            ProviderUnavailable: no connection could be made, or the sound stopped coming.
            ProviderBusy: the limit on requests at one time is reached.
            ProviderRefused: key, plan, voice or option not accepted; a retry will not help.
            ProviderClosed: the far side hung up in the middle (while iterating).
        """
        ...

    async def voices(self, api_key: Secret | None = None, /) -> Sequence[Voice]:
        """List the voices, sorted by id.

        Args:
            api_key: used instead of the gateway's own key.

        Raises:
            ProviderError: as for :meth:`synthesize`.
        """
        ...
