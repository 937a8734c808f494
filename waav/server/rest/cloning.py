"""``/voices/clone`` and ``/voices/{voice_id}``: voices of one's own."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated

import attrs
from msgspec import UNSET, Meta, UnsetType

from capabilities import Capability, ClonedVoice, CloneStatus, ProviderError, Secret
from waav.errors import InvalidRequest
from waav.gateway import Gateway
from waav.security.tenancy import Scope
from waav.server.refusal import Refused
from waav.server.rest.clone_order import Wanted
from waav.server.rest.operation import Reply

_LONGEST_ID = 256


@attrs.frozen(kw_only=True)
class CloneAnswer:
    """A voice of one's own."""

    voice_id: str
    name: str
    provider: str
    status: CloneStatus
    created_at: Annotated[str, Meta(description="RFC 3339; empty if the provider does not tell.")]
    metadata: dict[str, str] | UnsetType = UNSET


@attrs.frozen(kw_only=True)
class CloneQuery:
    """At which provider the voice is."""

    provider: Annotated[str, Meta(description="Id or alias. Required.")] = ""


async def clone_voice(
    gateway: Gateway, body: Wanted, api_key: Secret | None, scope: Scope
) -> Reply[CloneAnswer]:
    """Make a voice.

    It is made from recordings, or from a description, as the provider can. `status` says whether
    it can speak already. A body of up to 64 MiB is taken.
    """
    provider = _named(body.provider)
    request = attrs.evolve(body.request, api_key=api_key)
    voice = await gateway.clone_voice(provider, request, scope)
    made_at = voice.created_at or datetime.now(UTC).isoformat(timespec="seconds")
    return _answer(gateway, provider, attrs.evolve(voice, created_at=made_at))


async def show_voice(
    gateway: Gateway, voice_id: str, query: CloneQuery, api_key: Secret | None, scope: Scope
) -> Reply[CloneAnswer]:
    """Show a voice of one's own."""
    provider = _named(query.provider)
    try:
        voice = await gateway.cloned_voice(provider, _checked(voice_id), api_key, scope)
    except ProviderError as exc:
        raise _unknown(exc, voice_id) from None
    return _answer(gateway, provider, voice)


async def delete_voice(
    gateway: Gateway, voice_id: str, query: CloneQuery, api_key: Secret | None, scope: Scope
) -> Reply[bytes]:
    """Remove a voice of one's own for good."""
    provider = _named(query.provider)
    try:
        await gateway.delete_voice(provider, _checked(voice_id), api_key, scope)
    except ProviderError as exc:
        raise _unknown(exc, voice_id) from None
    return Reply(b"", HTTPStatus.NO_CONTENT)


def _named(provider: str) -> str:
    if not provider.strip():
        raise InvalidRequest("No provider is named", code="missing_provider")
    return provider


def _checked(voice_id: str) -> str:
    """Refuse what no provider calls a voice, and what a path may mean something else by."""
    if len(voice_id) > _LONGEST_ID or not voice_id.isprintable() or voice_id in {".", ".."}:
        text = f"A voice id has at most {_LONGEST_ID} printable characters"
        raise InvalidRequest(text, code="invalid_voice_id")
    return voice_id


def _unknown(exc: ProviderError, voice_id: str) -> Exception:
    if exc.status != HTTPStatus.NOT_FOUND:
        return exc
    text = f"No voice of the id {voice_id[:64]!r} at {exc.provider}"
    return Refused(HTTPStatus.NOT_FOUND, "voice_not_found", text)


def _answer(gateway: Gateway, provider: str, voice: ClonedVoice) -> Reply[CloneAnswer]:
    return Reply(
        CloneAnswer(
            voice_id=voice.id,
            name=voice.name,
            provider=gateway.plugins.registry.find(Capability.CLONING, provider).id,
            status=voice.status,
            created_at=voice.created_at,
            metadata=dict(voice.metadata) or UNSET,
        )
    )
