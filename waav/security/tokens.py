"""API secrets: the tokens that the operator has written into the configuration."""

import hmac
import secrets
from collections.abc import Iterable
from hashlib import blake2b
from typing import Self

import attrs
import trio

from capabilities import Denied, Presented, Principal, Secret
from waav.config.auth import ApiSecret

WRONG = Denied("Unauthorized: Invalid API secret")


@attrs.frozen
class ApiSecrets:
    """A strategy. How long it looks says nothing about the secrets, not even their lengths.

    Digests of one size are compared instead of texts, and always all of them. They are made with a
    key that lives as long as the process, so that nobody can choose a token by its digest.
    """

    _key: bytes = attrs.field(repr=False)
    _known: tuple[tuple[bytes, Principal], ...] = attrs.field(repr=False)

    @classmethod
    def of(cls, entries: Iterable[ApiSecret]) -> Self:
        """Take the secrets of the configuration; ids and secrets differ."""
        key = secrets.token_bytes(32)
        known = ((_digest(entry.secret, key), Principal(entry.id)) for entry in entries)
        return cls(key, tuple(known))

    async def authenticate(self, presented: Presented) -> Principal | Denied:
        """Compare with all secrets."""
        await trio.lowlevel.checkpoint()
        shown = _digest(presented.token, self._key)
        matches = [who for digest, who in self._known if hmac.compare_digest(digest, shown)]
        return matches[0] if matches else WRONG


def _digest(token: Secret, key: bytes) -> bytes:
    return blake2b(token.reveal().encode(), digest_size=32, key=key).digest()
