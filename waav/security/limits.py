"""How many at one time: exact counts by key, and slots that are taken at once or refused at once."""

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol, TypeAlias

import attrs

from waav.config import Config
from waav.errors import LimitReached, Scope

__all__ = ["EVERYBODY", "Capacities", "Counts", "Key", "Limiter", "LocalLimiter", "Scope", "Use"]

Key: TypeAlias = tuple[Scope, str]
"""Whom a slot counts for: an address as :mod:`waav.security.addresses` groups it, a tenant's id, a
provider's key as :mod:`waav.plugins.turnstile` names it. Never a secret."""

EVERYBODY: Key = ("global", "")
"""The key of what all share."""


@attrs.frozen
class Capacities:
    """How many slots there are for each key; None for as many as are wanted."""

    everybody: int | None = None
    client: int | None = None
    tenant: int | None = None
    credentials: Mapping[str, int] = attrs.field(factory=dict)
    """By the name of the provider's table in the configuration."""

    @classmethod
    def of(cls, config: Config) -> "Capacities":
        """Return what the operator has set; every process that reads the same file agrees."""
        security = config.security
        return cls(
            security.max_websocket_connections,
            security.max_connections_per_ip,
            security.max_connections_per_tenant,
            config.plugins.max_sessions,
        )

    def of_key(self, key: Key) -> int | None:
        """Return how many slots this key has."""
        match key:
            case ("global", _):
                return self.everybody
            case ("client", _):
                return self.client
            case ("tenant", _):
                return self.tenant
            case ("credential", whose):
                return self.credentials.get(whose.partition(".")[0])


@attrs.frozen
class Use:
    """How a limit is used, for those who watch."""

    held: int
    """Slots that are taken now, of all keys of this scope."""
    refused: int
    """How often there was none, since the start."""


@attrs.define(eq=False)
class Counts:
    """The slots of one gateway, however many processes it has: exactly one of them holds this.

    Nothing here waits, so nothing comes between looking and taking. It remembers only keys that
    hold a slot.
    """

    capacities: Capacities
    _held: Counter[Key] = attrs.field(factory=Counter, init=False)
    _totals: Counter[Scope] = attrs.field(factory=Counter, init=False)
    _refused: Counter[Scope] = attrs.field(factory=Counter, init=False)

    def take(self, keys: Iterable[Key]) -> Key | None:
        """Take a slot of each key, or none at all and return the first key that is full.

        A key that stands there twice counts once.
        """
        wanted = dict.fromkeys(keys)
        for key in wanted:
            most = self.capacities.of_key(key)
            if most is not None and self._held[key] >= most:
                self._refused[key[0]] += 1
                return key
        for key in wanted:
            self._held[key] += 1
            self._totals[key[0]] += 1
        return None

    def release(self, keys: Iterable[Key]) -> None:
        """Give back what :meth:`take` took for the same keys.

        Raises:
            ValueError: one of them holds no slot; the others are given back all the same.
        """
        strange: list[Key] = []
        for key in dict.fromkeys(keys):
            if key not in self._held:
                strange.append(key)
                continue
            self._totals[key[0]] -= 1
            self._held[key] -= 1
            if not self._held[key]:
                del self._held[key]
        if strange:
            raise ValueError(f"{len(strange)} slots are given back that nobody has taken")

    def snapshot(self) -> Mapping[Scope, Use]:
        """Return how each limit is used now; no key is told."""
        return {scope: Use(self._totals[scope], self._refused[scope]) for scope in _SCOPES}


_SCOPES: tuple[Scope, ...] = ("global", "client", "tenant", "credential")


class Limiter(Protocol):
    """Who gives slots, whichever process counts them."""

    def slot(self, keys: Sequence[Key]) -> AbstractAsyncContextManager[None]:
        """Hold a slot of each key for as long as the block lasts; given back on every way out.

        Raises:
            LimitReached: at the start of the block: one key has none left, and none was taken.
        """
        ...


@attrs.frozen
class LocalLimiter:
    """The limiter of a gateway that is one process."""

    counts: Counts

    @classmethod
    def of(cls, config: Config) -> "LocalLimiter":
        """Make one with the limits of a configuration."""
        return cls(Counts(Capacities.of(config)))

    @asynccontextmanager
    async def slot(self, keys: Sequence[Key]) -> AsyncIterator[None]:
        """See :meth:`Limiter.slot`; it never waits."""
        taken = tuple(keys)
        full = self.counts.take(taken)
        if full is not None:
            raise LimitReached(full[0])
        try:
            yield
        finally:
            self.counts.release(taken)
