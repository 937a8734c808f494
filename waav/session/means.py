"""What a session works with, and shares with all others."""

from collections.abc import Callable

import attrs

from capabilities import STT, TTS
from waav.errors import InvalidRequest
from waav.plugins import Guarded, Plugins
from waav.speech.cache import SpeechCache
from waav.turns.endpointing import Waits

ANY = frozenset({"", "gateway"})
"""How clients say that the operator shall choose the provider."""


def default_waits(provider: str) -> Waits:  # noqa: ARG001 - the same for all
    """Return the times of the contract."""
    return Waits()


@attrs.frozen
class Means:
    """Providers, the operator's choices among them, and the cache of what was said."""

    plugins: Plugins
    cache: SpeechCache | None = None
    """None keeps nothing."""
    waits: Callable[[str], Waits] = default_waits
    """For the id of an STT provider: how long a session waits before it decides itself that the
    speaker has finished."""
    default_stt: str | None = None
    default_tts: str | None = None
    """For clients that name no provider."""

    def stt(self, name: str) -> Guarded[STT]:
        """Return the provider that listens.

        Raises:
            InvalidRequest: there is no such provider, or none is named and there is no default.
            PluginNotRunning: it is not in service now.
        """
        return self.plugins.stt(_chosen(name, self.default_stt, "stt"))

    def tts(self, name: str) -> Guarded[TTS]:
        """Return the provider that speaks; raises as :meth:`stt`."""
        return self.plugins.tts(_chosen(name, self.default_tts, "tts"))


def _chosen(name: str, default: str | None, capability: str) -> str:
    chosen = default if name in ANY else name
    if chosen is None:
        raise InvalidRequest(
            f"No {capability} provider is named, and {capability}.provider is not configured",
            code="missing_provider",
        )
    return chosen
