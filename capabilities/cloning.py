"""Voices of one's own: the contract, and the values it speaks."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol

import attrs

from capabilities.secret import Secret


class CloneStatus(StrEnum):
    """How far a voice is."""

    READY = "ready"
    PROCESSING = "processing"
    FAILED = "failed"


@attrs.frozen
class VoiceSample:
    """A recording of somebody who speaks."""

    data: bytes = attrs.field(repr=False)
    """The whole file."""
    media_type: str
    """As HTTP calls it, for example ``audio/wav``: told from the data, not from what a client says."""


@attrs.frozen(kw_only=True)
class CloneRequest:
    """The voice that is wanted: like these recordings, or like this description."""

    name: str
    description: str = ""
    samples: tuple[VoiceSample, ...] = ()
    sample_text: str = ""
    """What a designed voice says as a first try."""
    remove_background_noise: bool = False
    labels: Mapping[str, str] = attrs.field(factory=dict)
    owner: str = ""
    """Whose it is among those who share the gateway's own key: to be kept with the voice, and told
    with it, by a provider that can. Empty for everybody's."""
    api_key: Secret | None = None
    """Used instead of the gateway's own key."""


@attrs.frozen(kw_only=True)
class ClonedVoice:
    """A voice that was made."""

    id: str
    """Speaks as :attr:`SpeechRequest.voice`."""
    name: str
    status: CloneStatus = CloneStatus.READY
    created_at: str = ""
    """RFC 3339, if the provider tells it."""
    metadata: Mapping[str, str] = attrs.field(factory=dict)
    owner: str = ""
    """As in :attr:`CloneRequest.owner`."""


@attrs.frozen
class CloneLimits:
    """What a provider makes voices from."""

    samples: int = 0
    """The most recordings; 0 if it takes none, and designs a voice from a description."""
    sample_bytes: int = 10 * 1024 * 1024
    """Of one recording."""
    needs_description: bool = False


class VoiceCloning(Protocol):
    """A provider at which voices can be made.

    A voice that does not exist is a :exc:`~capabilities.ProviderRefused` whose ``status`` is 404.
    """

    async def clone(self, request: CloneRequest) -> ClonedVoice:
        """Make a voice. It may still be in the making when this returns.

        Raises:
            ProviderRefused: key, plan, name or recordings not accepted; nothing was made.
            ProviderUnavailable: not reached, or not in time; the voice may have been made.
        """
        ...

    async def voice(self, voice_id: str, api_key: Secret | None = None) -> ClonedVoice:
        """Look after a voice.

        Raises:
            ProviderError: as for :meth:`clone`.
        """
        ...

    async def delete(self, voice_id: str, api_key: Secret | None = None) -> None:
        """Remove a voice for good.

        Raises:
            ProviderError: as for :meth:`clone`.
        """
        ...
