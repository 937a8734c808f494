"""The vendor's list of models -> voices.

Source: ``GET /v1/models``, the vendor's SDK 7.17.0, July 2026. A voice is a model of its own, and is
used by its ``canonical_name``.
"""

import attrs
import msgspec

from capabilities import ProviderProtocolError, Voice
from providers.deepgram.names import ID

_GENDERS = {"feminine": "Female", "masculine": "Male", "neutral": "Neutral"}


@attrs.frozen
class _Details:
    accent: str | None = None
    sample: str | None = None
    tags: tuple[str, ...] | None = None


@attrs.frozen
class _Model:
    canonical_name: str | None = None
    name: str | None = None
    languages: tuple[str, ...] | None = None
    metadata: _Details | None = None


@attrs.frozen
class _Models:
    tts: tuple[_Model, ...]


def read_voices(body: bytes) -> list[Voice]:
    """Return the voices, sorted by id, each once.

    Raises:
        ProviderProtocolError: the answer is none.
    """
    try:
        models = msgspec.json.decode(body, type=_Models)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise ProviderProtocolError(ID, "sent a list of voices that cannot be read") from None
    voices = {model.canonical_name: model for model in models.tts if model.canonical_name}
    return [_voice(name, model) for name, model in sorted(voices.items())]


def _voice(name: str, model: _Model) -> Voice:
    details = model.metadata or _Details()
    # "en" and "en-US" are listed side by side; the name ends in the language in any case.
    languages = model.languages or (name.rpartition("-")[2],)
    genders = [_GENDERS[tag] for tag in details.tags or () if tag in _GENDERS]
    return Voice(
        id=name,
        name=model.name or name,
        language=max(languages, key=len),
        gender=genders[0] if genders else "Unknown",
        accent=details.accent or "",
        sample=details.sample or "",
        languages=languages,
    )
