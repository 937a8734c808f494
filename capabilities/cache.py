"""A store for bytes that may be lost at any time: the contract."""

from typing import Protocol


class CacheBackend(Protocol):
    """Keeps values for a while.

    A key is 2 to 128 lower-case hexadecimal digits, best a digest of all that the value depends
    on: whoever finds a value under the key may use it, whoever stored it.

    No method raises because an entry is missing, broken or out of reach: a cache that fails is a
    miss. An expired entry is never given, and is removed by whichever method meets it.

    Raises:
        ValueError: the key is none (from any method, unless the backend has no need to refuse it).
    """

    async def get(self, key: str) -> bytes | None:
        """Return the value, or None if there is none that may be used."""
        ...

    async def put(self, key: str, value: bytes, ttl: float) -> None:
        """Keep ``value`` for ``ttl`` seconds (finite), in place of what was there.

        It may be dropped earlier, also at once: when it is too big, when there is no room.
        """
        ...

    async def exists(self, key: str) -> bool:
        """Tell whether :meth:`get` would find a value now."""
        ...

    async def delete(self, key: str) -> None:
        """Forget the value, if there is one."""
        ...
