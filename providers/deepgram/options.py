"""What a session may set for this vendor, beyond what it may set for all of them.

Names and ranges are the vendor's, of 2026; see docs/providers/deepgram.md. What concerns money or
privacy is never set unless the session or the operator does.
"""

from typing import Any, Literal, TypeAlias

import attrs
from attrs.validators import and_, ge, le, max_len, optional

_Texts: TypeAlias = tuple[str, ...]


def _texts() -> Any:
    return attrs.field(default=(), validator=max_len(100))


def _between(least: float, most: float) -> Any:
    return attrs.field(default=None, validator=optional(and_(ge(least), le(most))))


@attrs.frozen(kw_only=True)
class DeepgramSTTOptions:
    """For listening. What a model does not have is refused when the stream is opened."""

    version: str | None = None
    """Nova: of the model, ``latest`` if not set."""
    language_hint: _Texts = _texts()
    """Languages to expect, where the model detects them (``language`` is ``multi``, or
    ``flux-general-multi``)."""
    keyterm: _Texts = _texts()
    """Nova-3, Flux: words and phrases to expect, beside the session's own ``keywords``."""
    keywords: _Texts = _texts()
    """Nova-2 and older: words to expect, ``word`` or ``word:boost``, beside the session's own."""
    endpointing: bool = True
    """Nova: false switches off the finding of pauses; how long one is, is the session's
    ``endpointing``."""
    vad_events: bool | None = None
    """Nova: say when somebody begins to speak, before the words. Flux always does."""
    multichannel: bool | None = None
    """Nova: hear each channel by itself. Words then name theirs as ``channel-0`` and so on."""
    diarize_model: Literal["v1", "latest"] | None = None
    """Nova: tell speakers apart with this version; ``latest`` if only the session's ``diarize`` is
    set."""
    numerals: bool | None = None
    """Write numbers as digits."""
    dictation: bool | None = None
    """Nova: "comma" becomes a comma."""
    redact: _Texts = _texts()
    """Take out: ``numbers``, ``aggressive_numbers``; Nova also ``pci``, ``ssn``, ``true``."""
    detect_entities: bool | None = None
    """Nova: find names, numbers and so on. The session does not get them."""
    replace: _Texts = _texts()
    """Nova: ``word:another`` puts the other in its place."""
    search: _Texts = _texts()
    """Nova: words to look for by their sound. The session does not get the findings."""
    extra: _Texts = _texts()
    """Nova: ``key:value``, which comes back in the vendor's records."""
    tag: _Texts = _texts()
    """Labels of the request in the vendor's usage reports."""
    mip_opt_out: bool | None = None
    """Keep the sound out of the vendor's training; it may cost more."""
    eot_threshold: float | None = _between(0.5, 1.0)
    """Flux: how sure it must be that a turn has ended; 1.0 leaves that to the timeout. 0.7 if not
    set."""
    eager_eot_threshold: float | None = _between(0.3, 0.9)
    """Flux: how sure for an early guess, which shows as an interim."""
    eot_timeout_ms: int | None = _between(500, 60_000)
    """Flux: milliseconds of silence that end a turn in any case. If not set, the session's
    ``utterance_end`` counts, then 5000."""

    def given(self) -> set[str]:
        """The names of those that are set."""
        fields = attrs.fields(type(self))
        return {each.name for each in fields if getattr(self, each.name) != each.default}


FLUX_ONLY = frozenset({"eot_threshold", "eager_eot_threshold", "eot_timeout_ms"})
"""What Nova does not have."""
FLUX = FLUX_ONLY | {"language_hint", "keyterm", "numerals", "redact", "tag", "mip_opt_out"}
"""All that Flux has."""


@attrs.frozen(kw_only=True)
class DeepgramTTSOptions:
    """For speaking."""

    transport: Literal["websocket", "rest"] | None = None
    """How to ask. If not set: by WebSocket, unless the sound or an option can only be had by REST."""
    bit_rate: int | None = _between(4_000, 650_000)
    """Of compressed sound, in bits a second; the vendor knows which ones go. REST only."""
    expressivity: float | None = _between(-2.0, 2.0)
    """Flux voices, by WebSocket: how lively."""
    tag: _Texts = _texts()
    """Labels of the request in the vendor's usage reports. Aura: REST only."""
    mip_opt_out: bool | None = None
    """Keep the text out of the vendor's training; it may cost more."""
