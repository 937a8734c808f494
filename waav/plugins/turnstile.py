"""How many conversations a provider may have at one time, for each capability and each key."""

from contextlib import AbstractAsyncContextManager, nullcontext

import attrs

from capabilities import Capability, Secret, SpeechRequest, STTOptions
from waav.security.limits import Key, Limiter

OPERATOR = "operator"
"""How the operator's own key is called where a client's has a fingerprint."""


@attrs.frozen
class Turnstile:
    """The way into one capability of one provider."""

    limiter: Limiter | None = None
    """None: as many as want to."""
    name: str = ""
    """``table.capability``: the provider's table in the configuration, which sets the limit."""

    @classmethod
    def of(cls, limiter: Limiter | None, table: str | None, capability: Capability) -> "Turnstile":
        """Make the way into a capability; ``table`` is None if the operator has set no limit."""
        return cls() if table is None else cls(limiter, f"{table}.{capability}")

    def slot(self, asked: STTOptions | SpeechRequest) -> AbstractAsyncContextManager[None]:
        """Hold a place for what is asked for, with the key that it is asked with.

        Raises:
            LimitReached: at the start of the block: that key has no place left.
        """
        if self.limiter is None:
            return nullcontext()
        key: Key = ("credential", f"{self.name}:{_whose(asked)}")
        return self.limiter.slot([key])


def _whose(asked: STTOptions | SpeechRequest) -> str:
    """Return what tells two keys apart and does not lead back to either."""
    keys: dict[str, Secret] = {**asked.auth}
    if asked.api_key:
        keys["api_key"] = asked.api_key
    told = sorted(f"{name}={key.fingerprint}" for name, key in keys.items())
    return ",".join(told) or OPERATOR
