"""A quick cache in front of one that lasts."""

import attrs

from waav.state.files import FileCache
from waav.state.memory import MemoryCache


@attrs.frozen
class LayeredCache:
    """A ``CacheBackend``: memory in front of files.

    A value that is read from a file while somebody deletes it may come back in memory, for the
    rest of its life at most. As a key says all that its value depends on, it is not a wrong one.
    """

    memory: MemoryCache
    files: FileCache

    async def get(self, key: str) -> bytes | None:
        """Return the value; one that only a file had is then in memory too.

        Raises:
            ValueError: the key is not hexadecimal.
        """
        if (value := await self.memory.get(key)) is not None:
            return value
        kept = await self.files.find(key)
        if kept is None:
            return None
        # Only as long as the file: a copy must not outlive what it was made of.
        await self.memory.put(key, kept.value, kept.ttl)
        return kept.value

    async def put(self, key: str, value: bytes, ttl: float) -> None:
        """Keep the value in both, for ``ttl`` seconds.

        Raises:
            ValueError: the key is not hexadecimal.
        """
        await self.files.put(key, value, ttl)
        await self.memory.put(key, value, ttl)

    async def exists(self, key: str) -> bool:
        """Tell whether either has it.

        Raises:
            ValueError: the key is not hexadecimal.
        """
        return await self.memory.exists(key) or await self.files.exists(key)

    async def delete(self, key: str) -> None:
        """Forget the value in both.

        Raises:
            ValueError: the key is not hexadecimal.
        """
        await self.files.delete(key)
        await self.memory.delete(key)
