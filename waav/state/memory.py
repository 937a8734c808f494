"""A cache in this process: one budget in bytes, the least recently used value goes first."""

from collections import OrderedDict

import attrs
import trio

_OVERHEAD = 512
"""Bytes that an entry costs beside its value: key, objects, table; without it, empty values would
be free and their number without bound."""


@attrs.frozen
class _Entry:
    value: bytes
    expires_at: float
    """By trio's clock."""

    @property
    def cost(self) -> int:
        return len(self.value) + _OVERHEAD


@attrs.define(eq=False)
class MemoryCache:
    """A ``CacheBackend`` that lives as long as the process."""

    max_bytes: int = 64 << 20
    """For all entries, with what they cost beside their values; 0 keeps nothing."""
    size: int = attrs.field(default=0, init=False)
    """Bytes in use."""
    _entries: OrderedDict[str, _Entry] = attrs.field(factory=OrderedDict, init=False, repr=False)

    async def get(self, key: str) -> bytes | None:
        """Return the value, which then counts as the most recently used."""
        await trio.lowlevel.checkpoint()
        entry = self._live(key)
        if entry is None:
            return None
        self._entries.move_to_end(key)
        return entry.value

    async def put(self, key: str, value: bytes, ttl: float) -> None:
        """Keep the value for ``ttl`` seconds, unless it alone is above the budget."""
        await trio.lowlevel.checkpoint()
        self._drop(key)
        entry = _Entry(value, trio.current_time() + ttl)
        if entry.cost > self.max_bytes:
            return
        self._entries[key] = entry
        self.size += entry.cost
        while self.size > self.max_bytes:
            self._drop(next(iter(self._entries)))

    async def exists(self, key: str) -> bool:
        """Tell whether there is a value; asking does not count as using it."""
        await trio.lowlevel.checkpoint()
        return self._live(key) is not None

    async def delete(self, key: str) -> None:
        """Forget the value, if there is one."""
        await trio.lowlevel.checkpoint()
        self._drop(key)

    def _live(self, key: str) -> _Entry | None:
        entry = self._entries.get(key)
        if entry is not None and trio.current_time() >= entry.expires_at:
            self._drop(key)
            return None
        return entry

    def _drop(self, key: str) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self.size -= entry.cost
