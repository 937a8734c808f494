"""Keys at an address (JWKS): fetched by one task, kept, and fetched anew when that may help."""

import logging
from math import inf

import attrs
import trio

from capabilities import ProviderError, ProviderUnavailable
from waav.security.http import Peer
from waav.security.keys import VerifyingKey, read_entries, read_key, some

REFRESH = 600.0
"""Seconds after which keys are fetched anew, whether or not somebody asks."""
LEAST_PAUSE = 60.0
"""Seconds between two fetches because of a key that is not known."""
RETRY = 5.0
"""Seconds until the next attempt, as long as there are no keys at all."""
STALE = 24 * 3600.0
"""Seconds for which keys are used when nobody can be reached for new ones."""
MOST_BYTES = 256 * 1024
"""Of a set of keys."""

log = logging.getLogger(__name__)


@attrs.define(eq=False)
class RemoteKeys:
    """The keys of one address. :meth:`keep` is its task; all times are trio's."""

    _peer: Peer
    _keys: tuple[VerifyingKey, ...] = ()
    _fetched: float = -inf
    _tried: float = -inf
    """When the last attempt ended."""
    _failed: bool = False
    _wanted: trio.Event = attrs.field(factory=trio.Event)
    _attempted: trio.Event = attrs.field(factory=trio.Event)
    """Of the attempt that is under way, or else of the next one."""

    async def find(self, algorithm: str, kid: str | None) -> tuple[VerifyingKey, ...]:
        """Return the keys that a token with this header may have been signed with.

        Where there is none, the keys are fetched anew first, if that was not just done.

        Raises:
            ProviderUnavailable: there are no keys, or none that are fresh enough.
        """
        await trio.lowlevel.checkpoint()
        found = self._fitting(algorithm, kid)
        if not found and self._may_ask():
            attempted = self._attempted
            self._wanted.set()
            await attempted.wait()
            found = self._fitting(algorithm, kid)
        # With the keys of yesterday alone, "unknown" would be a guess.
        if not found and self._failed:
            raise ProviderUnavailable(self._peer.name, "no keys")
        return found

    async def keep(self) -> None:
        """Fetch, and fetch anew, for ever."""
        while True:
            await self._attempt()
            done, self._attempted = self._attempted, trio.Event()
            self._wanted = trio.Event()
            done.set()
            with trio.move_on_after(REFRESH if self._keys else RETRY):
                await self._wanted.wait()

    async def first(self) -> None:
        """Return when it was tried once to fetch the keys."""
        if self._tried == -inf:
            await self._attempted.wait()

    def _fitting(self, algorithm: str, kid: str | None) -> tuple[VerifyingKey, ...]:
        if trio.current_time() - self._fetched > STALE:
            return ()
        return tuple(key for key in self._keys if key.fits(algorithm, kid))

    def _may_ask(self) -> bool:
        pause = LEAST_PAUSE if self._keys else RETRY
        return trio.current_time() >= self._tried + pause

    async def _attempt(self) -> None:
        try:
            self._keys = await self._fetch()
        except (ProviderError, ValueError) as exc:
            self._failed = True
            log.warning("the keys of auth.jwt.jwks_url cannot be fetched: %s", exc)
        else:
            self._failed, self._fetched = False, trio.current_time()
        self._tried = trio.current_time()

    async def _fetch(self) -> tuple[VerifyingKey, ...]:
        answer = await self._peer.ask("GET", most=MOST_BYTES)
        if answer.status != 200:
            raise ProviderError(self._peer.name, f"answered with {answer.status}")
        found: list[VerifyingKey] = []
        for entry in read_entries(answer.body):
            # All at once would hold everybody up.
            await trio.lowlevel.checkpoint()
            if (key := read_key(entry, shared=False)) is not None:
                found.append(key)
        return some(found)
