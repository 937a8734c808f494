"""The voices of an account: ``GET /v2/voices``, page by page."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs

from capabilities import ProviderProtocolError, Secret, Voice
from providers._common.http import HTTP
from providers._common.network import Network
from providers.elevenlabs.cloning_wire import owner_in
from providers.elevenlabs.settings import ID

PAGE = 100
"""Voices in one answer: the most that the vendor gives."""
MOST_PAGES = 100

_GENDERS = {"male": "Male", "female": "Female", "neutral": "Neutral", "non-binary": "Neutral"}


@attrs.frozen
class Voices:
    """Fetches the list."""

    _network: Network
    _http: HTTP

    async def fetch(self, key: Secret) -> Sequence[Voice]:
        """Return all voices, sorted by id.

        Raises:
            ProviderError: as for :meth:`capabilities.TTS.voices`.
        """
        found: dict[str, Voice] = {}
        token: str | None = None
        for _ in range(MOST_PAGES):
            query = {"page_size": PAGE, "next_page_token": token, "include_total_count": False}
            url = self._network.url("v2", "voices", query=query)
            page = await self._http.fetch_json(
                "GET", url, headers={"xi-api-key": key}, idempotent=True
            )
            voices, token = read_page(page)
            found |= {voice.id: voice for voice in voices}
            if token is None:
                break
        return [found[voice_id] for voice_id in sorted(found)]


def read_page(page: Any) -> tuple[list[Voice], str | None]:
    """Read one answer: its voices, and the token of the next one if there is one.

    Raises:
        ProviderProtocolError: it is no list of voices.
    """
    match page:
        case {"voices": list(listed), **more}:
            token = more.get("next_page_token") if more.get("has_more") else None
            return list(_voices(listed)), token if isinstance(token, str) and token else None
        case _:
            raise ProviderProtocolError(ID, "answered something that is no list of voices")


def _voices(listed: Sequence[Any]) -> Iterator[Voice]:
    for each in listed:
        match each:
            case {"voice_id": str(voice_id)} if voice_id:
                yield _voice(voice_id, each)
            case _:
                raise ProviderProtocolError(ID, "listed a voice without an id")


def _voice(voice_id: str, told: Mapping[str, Any]) -> Voice:
    labels = _mapping(told.get("labels"))
    languages = tuple(_languages(labels, told))
    category = told.get("category")
    return Voice(
        id=voice_id,
        name=_text(told.get("name")) or voice_id,
        # A voice that says nothing speaks whatever its model speaks.
        language=languages[0] if languages else "multi",
        gender=_GENDERS.get(_text(labels.get("gender")).lower(), "Unknown"),
        accent=_text(labels.get("accent")),
        sample=_text(told.get("preview_url")),
        languages=languages if len(languages) > 1 else (),
        cloned=category == "cloned"
        or (category == "professional" and told.get("is_owner") is True),
        owner=owner_in(told),
    )


def _languages(labels: Mapping[str, Any], told: Mapping[str, Any]) -> list[str]:
    """Return the tags of a voice's languages, that of its label first, each once."""
    named = _text(labels.get("language"))
    verified = told.get("verified_languages")
    entries = [_mapping(each) for each in verified] if isinstance(verified, list) else []
    tags = [_text(each.get("locale")) or _text(each.get("language")) for each in entries]
    main = [tag for tag in tags if named and tag.partition("-")[0] == named] or [named]
    return [tag for tag in dict.fromkeys([*main[:1], *tags]) if tag]


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
