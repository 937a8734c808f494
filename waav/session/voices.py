"""The voices of all providers: listed, kept for a while, made and removed."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar, TypeVarTuple

import attrs
import trio

from capabilities import (
    TTS,
    Capability,
    ClonedVoice,
    CloneRequest,
    Manifest,
    ProviderError,
    ProviderRefused,
    ProviderUnavailable,
    Secret,
    Voice,
    VoiceCloning,
)
from waav.errors import Forbidden, WaavError
from waav.plugins import Guarded, Plugins
from waav.security.tenancy import Scope
from waav.session.clone_rules import check_wish
from waav.session.keys import own_keys

LIFETIME = 600.0
"""Seconds for which a provider's list of voices is believed."""
_NOT_FOUND = 404
MOST_LISTS = 64
"""Lists that are kept, of all providers and keys; then those go that were asked for first."""
CLONE_TIMEOUT = 120.0
"""Seconds in which a provider must have taken a wish for a voice."""
ANSWER_TIMEOUT = 30.0
"""Seconds in which it must answer anything else about a voice."""

EVERYTHING = Scope()
"""What a program sees that embeds the gateway: all that its key opens."""

R = TypeVar("R")
Ts = TypeVarTuple("Ts")


@attrs.frozen
class _Kept:
    asked_at: float
    voices: Sequence[Voice]


@attrs.define(eq=False)
class Voices:
    """The voices that can be had through these plugins, each with the key of who asks.

    Whoever brings a key of their own sees all that is in their account. With the operator's key a
    voice that says whose it is is there for that tenant alone, and nobody removes what is not theirs.
    """

    _plugins: Plugins
    _lists: dict[tuple[str, str], _Kept] = attrs.Factory(dict)
    """By provider and fingerprint of the key, which is empty for our own; the oldest first."""
    _changes: int = 0
    """How often a list has become untrue: one that was asked for before that is not kept."""

    async def of(
        self, provider: str, api_key: Secret | None = None, scope: Scope = EVERYTHING
    ) -> Sequence[Voice]:
        """List a provider's voices, asked for at most every ten minutes for each key.

        Raises:
            UnknownProvider, PluginNotRunning: there is no such provider now.
            ClientKeyRefused: there must not be a key.
            ProviderError, PluginFailed: it could not tell.
        """
        tts = self._plugins.tts(provider)
        key = _own_key(tts, api_key)
        voices = await self._all_of(tts, key)
        return voices if key else [each for each in voices if scope.may_use(each.owner or None)]

    async def _all_of(self, tts: Guarded[TTS], key: Secret | None) -> Sequence[Voice]:
        whose = tts.id, key.fingerprint if key else ""
        kept = self._lists.get(whose)
        if kept is not None and trio.current_time() - kept.asked_at < LIFETIME:
            return kept.voices
        changes = self._changes
        voices = await tts.run(_list, key)
        if changes == self._changes:
            self._keep(whose, _Kept(trio.current_time(), voices))
        return voices

    async def all(self, scope: Scope = EVERYTHING) -> tuple[Mapping[str, Sequence[Voice]], int]:
        """List the voices of all providers that run, by id; and how many of them could not tell."""
        known: dict[str, Sequence[Voice]] = {}
        speaking = [status.id for status in self._plugins.statuses() if _speaks(status.manifest)]

        async def ask(provider: str) -> None:
            try:
                known[provider] = await self.of(provider, scope=scope)
            except (ProviderError, WaavError):
                return  # logged where it failed; a listing shows those that can be had

        async with trio.open_nursery() as nursery:
            for provider in speaking:
                nursery.start_soon(ask, provider, name=f"voices/{provider}")
        return {provider: known[provider] for provider in sorted(known)}, len(speaking) - len(known)

    async def clone(
        self, provider: str, request: CloneRequest, scope: Scope = EVERYTHING
    ) -> ClonedVoice:
        """Make a voice.

        Raises:
            Forbidden: with the operator's key, and nobody says for whom.
            InvalidRequest: there is no such provider, it cannot make a voice from this, or there
                must not be a key.
            PluginNotRunning: it is not in service now.
            ProviderError, PluginFailed: it could not; the voice may have been made all the same.
        """
        cloning = self._plugins.cloning(provider)
        key = _own_key(cloning, request.api_key)
        if not key:
            scope.check()
        wish = attrs.evolve(request, api_key=key, owner="" if key else scope.tenant or "")
        check_wish(cloning.id, wish, cloning.ability.cloning)
        try:
            return await _ask(cloning, CLONE_TIMEOUT, _clone, wish)
        finally:
            self._forget(cloning.id)

    async def look_up(
        self, provider: str, voice_id: str, api_key: Secret | None, scope: Scope = EVERYTHING
    ) -> ClonedVoice:
        """Look after a voice that was made; raises as :meth:`delete`."""
        cloning = self._plugins.cloning(provider)
        key = _own_key(cloning, api_key)
        voice = await _ask(cloning, ANSWER_TIMEOUT, _look_up, voice_id, key)
        if not key and not scope.may_use(voice.owner or None):
            raise ProviderRefused(cloning.id, "no such voice", status=_NOT_FOUND)
        return voice

    async def delete(
        self, provider: str, voice_id: str, api_key: Secret | None, scope: Scope = EVERYTHING
    ) -> None:
        """Remove a voice for good.

        Raises:
            UnknownProvider, PluginNotRunning: there is no such provider now.
            ClientKeyRefused: there must not be a key.
            ProviderRefused: with the status 404 if there is no such voice.
            Forbidden: it is in the operator's account, and everybody's.
            ProviderError, PluginFailed: it could not.
        """
        cloning = self._plugins.cloning(provider)
        key = _own_key(cloning, api_key)
        if not key and not scope.is_operator:
            voice = await self.look_up(provider, voice_id, None, scope)
            if not scope.owns(voice.owner or None):
                raise Forbidden("This voice is everybody's here, and stays")
        try:
            await _ask(cloning, ANSWER_TIMEOUT, _delete, voice_id, key)
        finally:
            self._forget(cloning.id)

    def _keep(self, whose: tuple[str, str], kept: _Kept) -> None:
        self._lists.pop(whose, None)
        self._lists[whose] = kept
        while len(self._lists) > MOST_LISTS:
            del self._lists[next(iter(self._lists))]

    def _forget(self, provider: str) -> None:
        """Forget the lists of a provider under every key: some keys are of one account."""
        self._changes += 1
        self._lists = {whose: kept for whose, kept in self._lists.items() if whose[0] != provider}


async def _ask(
    cloning: Guarded[VoiceCloning],
    patience: float,
    function: Callable[[VoiceCloning, *Ts], Awaitable[R]],
    *args: *Ts,
) -> R:
    with trio.move_on_after(patience):
        return await cloning.run(function, *args)
    raise ProviderUnavailable(cloning.id, f"no answer within {patience:.0f} s")


# Functions, because what runs inside the plugin's boundary is given the plugin's own object.
async def _list(tts: TTS, api_key: Secret | None) -> Sequence[Voice]:
    return await tts.voices(api_key)


async def _clone(cloning: VoiceCloning, request: CloneRequest) -> ClonedVoice:
    return await cloning.clone(request)


async def _look_up(cloning: VoiceCloning, voice_id: str, api_key: Secret | None) -> ClonedVoice:
    return await cloning.voice(voice_id, api_key)


async def _delete(cloning: VoiceCloning, voice_id: str, api_key: Secret | None) -> None:
    await cloning.delete(voice_id, api_key)


def _own_key(provider: Guarded[Any], api_key: Secret | None) -> Secret | None:
    return own_keys(provider, api_key, {})[0]


def _speaks(manifest: Manifest | None) -> bool:
    return manifest is not None and Capability.TTS in manifest.abilities
