"""The list of voices, read without any I/O.

Source: google-cloud-texttospeech 2.38.0, ``ListVoicesResponse`` in JSON, read on 2026-11-21.
"""

from collections.abc import Sequence
from typing import Any

from capabilities import ProviderProtocolError, Voice

_GENDERS = {"MALE": "Male", "FEMALE": "Female", "NEUTRAL": "Neutral"}


def read_voices(answer: Any) -> Sequence[Voice]:
    """Return the voices, sorted by id. An entry that is not understood is left out.

    Raises:
        ProviderProtocolError: it is no list of voices.
    """
    match answer:
        case {"voices": list() as entries}:
            found = {voice.id: voice for entry in entries if (voice := _voice(entry))}
            return [found[id_] for id_ in sorted(found)]
        case dict() if "voices" not in answer:
            # Proto's JSON leaves out a list that is empty.
            return []
        case _:
            raise ProviderProtocolError("google", "answered no list of voices")


def _voice(entry: Any) -> Voice | None:
    match entry:
        case {"name": str(name), "languageCodes": [str(first), *_] as languages} if name:
            several = tuple(each for each in languages if isinstance(each, str))
            return Voice(
                name,
                name,
                first,
                gender=_GENDERS.get(str(entry.get("ssmlGender")), "Unknown"),
                languages=several if len(several) > 1 else (),
            )
        case _:
            return None
