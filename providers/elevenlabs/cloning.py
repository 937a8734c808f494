"""Voices of one's own: made from recordings at once (the vendor's "instant voice cloning")."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager

import attrs

from capabilities import ClonedVoice, CloneRequest, ProviderRefused, Secret
from providers._common.credentials import choose_key
from providers._common.http import HTTP, open_http
from providers._common.network import Network
from providers.elevenlabs import cloning_wire
from providers.elevenlabs.settings import ID, KEY, NAME

_MAKING = 240.0  # seconds: what the vendor's own package waits for an answer
_NO_SUCH_VOICE = 404


@attrs.frozen
class ElevenLabsCloning:
    """Makes voices, looks after them and removes them. Made by :func:`open_cloning`."""

    _network: Network
    _http: HTTP
    _uploads: HTTP
    """Patient enough for the making of a voice."""
    _credentials: Mapping[str, Secret]

    async def clone(self, request: CloneRequest) -> ClonedVoice:
        """Make a voice: ``POST /v1/voices/add``. Sent once, because it may have worked."""
        told = await self._uploads.fetch_json(
            "POST",
            self._network.url("v1", "voices", "add"),
            headers=self._headers(request.api_key),
            data=cloning_wire.form_of(request),
            files=cloning_wire.parts_of(request),
        )
        return cloning_wire.read_new(told, request.name)

    async def voice(self, voice_id: str, api_key: Secret | None = None) -> ClonedVoice:
        """Look after a voice: ``GET /v1/voices/{id}``."""
        url, headers = self._place(voice_id), self._headers(api_key)
        with _unknown_is_404():
            told = await self._http.fetch_json("GET", url, headers=headers, idempotent=True)
        return cloning_wire.read_voice(told)

    async def delete(self, voice_id: str, api_key: Secret | None = None) -> None:
        """Remove a voice for good: ``DELETE /v1/voices/{id}``."""
        url, headers = self._place(voice_id), self._headers(api_key)
        with _unknown_is_404():
            await self._http.fetch("DELETE", url, headers=headers)

    def _place(self, voice_id: str) -> str:
        try:
            return self._network.url("v1", "voices", voice_id)
        except ProviderRefused as exc:
            # No voice can have such an id.
            raise ProviderRefused(ID, exc.message, status=_NO_SUCH_VOICE) from exc

    def _headers(self, own: Secret | None) -> dict[str, str | Secret]:
        return {"xi-api-key": choose_key(ID, NAME, own, self._credentials, KEY)}


@asynccontextmanager
async def open_cloning(
    network: Network, http: HTTP, credentials: Mapping[str, Secret]
) -> AsyncIterator[ElevenLabsCloning]:
    """Open it for as long as the block lasts."""
    patience = max(network.settings.read_timeout, _MAKING)
    patient = attrs.evolve(network.settings, read_timeout=patience)
    async with open_http(attrs.evolve(network, settings=patient)) as uploads:
        yield ElevenLabsCloning(network, http, uploads, credentials)


@contextmanager
def _unknown_is_404() -> Iterator[None]:
    """The vendor has had several statuses for a voice that does not exist; the contract has one."""
    try:
        yield
    except ProviderRefused as exc:
        if cloning_wire.is_unknown(exc):
            raise ProviderRefused(ID, exc.message, status=_NO_SUCH_VOICE) from exc
        raise
