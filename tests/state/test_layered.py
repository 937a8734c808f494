"""Memory in front of files: what is where, and for how long."""

import trio
import trio.testing

from waav.state.files import FileCache
from waav.state.layered import LayeredCache
from waav.state.memory import MemoryCache

KEY = "ab" * 32


async def test_both_get_what_is_put(files: FileCache) -> None:
    cache = LayeredCache(MemoryCache(), files)
    await cache.put(KEY, b"sound", 10)

    assert await cache.memory.get(KEY) == b"sound"
    assert await cache.files.get(KEY) == b"sound"


async def test_after_a_restart_the_file_is_read_once(files: FileCache) -> None:
    await files.put(KEY, b"sound", 10)
    cache = LayeredCache(MemoryCache(), files)

    assert await cache.exists(KEY)
    assert await cache.get(KEY) == b"sound"
    await files.delete(KEY)
    assert await cache.get(KEY) == b"sound"


async def test_the_copy_in_memory_does_not_outlive_the_file(
    files: FileCache, mock_clock: trio.testing.MockClock
) -> None:
    await files.put(KEY, b"sound", 10)
    cache = LayeredCache(MemoryCache(), files)
    mock_clock.jump(9)
    assert await cache.get(KEY) == b"sound"

    mock_clock.jump(1)

    assert await cache.get(KEY) is None
    assert cache.memory.size == 0


async def test_what_memory_has_no_room_for_comes_from_the_file(files: FileCache) -> None:
    cache = LayeredCache(MemoryCache(0), files)
    await cache.put(KEY, b"sound", 10)

    assert await cache.get(KEY) == b"sound"


async def test_what_is_deleted_is_gone_from_both(files: FileCache) -> None:
    cache = LayeredCache(MemoryCache(), files)
    await cache.put(KEY, b"sound", 10)
    await cache.delete(KEY)

    assert not await cache.memory.exists(KEY)
    assert not await cache.files.exists(KEY)
