"""``/voices``: who can speak."""

from collections.abc import Mapping, Sequence
from typing import Annotated, TypeAlias

import attrs
from msgspec import Meta

from capabilities import Capability, ProviderError, Secret, Voice
from waav.errors import PluginFailed, PluginNotRunning
from waav.gateway import Gateway
from waav.security.tenancy import Scope
from waav.server.rest.operation import Reply


@attrs.frozen
class VoiceEntry:
    """One voice. `voice_id` is `id` once more."""

    id: str
    voice_id: str
    name: str
    provider: str
    language: str
    languages: list[str]
    gender: str
    accent: str
    sample: str
    is_cloned: bool


Voices: TypeAlias = dict[str, list[VoiceEntry]] | list[VoiceEntry]
"""By provider, or all in one list."""


@attrs.frozen(kw_only=True)
class VoiceQuery:
    """Which voices to list."""

    provider: Annotated[str, Meta(description="Id or alias; all providers without it.")] = ""
    language: Annotated[
        str, Meta(description="A BCP-47 tag; `en` stands for all kinds of English.")
    ] = ""
    gender: Annotated[str, Meta(description="`male`, `female` or `neutral`.")] = ""
    cloned: Annotated[
        bool | None,
        Meta(description="`true`: only cloned voices, in one list. `false`: only the others."),
    ] = None

    def wants(self, voice: Voice) -> bool:
        """Whether a voice is one of those that are asked for."""
        return (
            (not self.language or any(_speaks(tag, self.language) for tag in _languages(voice)))
            and (not self.gender or voice.gender.lower() == self.gender.lower())
            and (self.cloned is None or voice.cloned == self.cloned)
        )


async def list_voices(
    gateway: Gateway, query: VoiceQuery, api_key: Secret | None, scope: Scope
) -> Reply[Voices]:
    """List the voices.

    Without a query the answer is an object: provider id -> its voices. With `provider` the object
    has that one, and its voices once more under `voices`. With `cloned=true` it is one list. A
    provider that cannot tell its voices is left out; the header `warnings` counts those.
    """
    known, failed = await _known(gateway, query.provider, api_key, scope)
    by_provider = {
        provider: [_entry(provider, voice) for voice in voices if query.wants(voice)]
        for provider, voices in known.items()
    }
    return Reply(_arranged(query, by_provider), headers={"warnings": str(failed)})


async def _known(
    gateway: Gateway, name: str, api_key: Secret | None, scope: Scope
) -> tuple[Mapping[str, Sequence[Voice]], int]:
    """Return the voices by provider, and how many providers could not tell."""
    if not name:
        return await gateway.all_voices(scope)
    provider = gateway.plugins.registry.find(Capability.TTS, name).id
    try:
        return {provider: await gateway.voices(provider, api_key, scope)}, 0
    except (ProviderError, PluginFailed, PluginNotRunning):
        return {provider: ()}, 1


def _arranged(query: VoiceQuery, by_provider: dict[str, list[VoiceEntry]]) -> Voices:
    everyone = [entry for entries in by_provider.values() for entry in entries]
    if query.cloned:
        return everyone
    if query.provider:
        # Also under the name by which the client asked: that is where it will look.
        return {**by_provider, query.provider: everyone, "voices": everyone}
    return by_provider


def _entry(provider: str, voice: Voice) -> VoiceEntry:
    return VoiceEntry(
        id=voice.id,
        voice_id=voice.id,
        name=voice.name,
        provider=provider,
        language=voice.language,
        languages=list(_languages(voice)),
        gender=voice.gender,
        accent=voice.accent,
        sample=voice.sample,
        is_cloned=voice.cloned,
    )


def _languages(voice: Voice) -> Sequence[str]:
    return voice.languages or (voice.language,)


def _speaks(tag: str, wanted: str) -> bool:
    return f"{tag}-".lower().startswith(f"{wanted}-".lower())
