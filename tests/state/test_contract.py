"""What every cache backend keeps to, tried on each of them."""

from typing import TypeAlias

import pytest
import trio
import trio.testing
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from capabilities.cache import CacheBackend
from waav.state.files import FileCache
from waav.state.layered import LayeredCache
from waav.state.memory import MemoryCache

KEY = "ab" * 32
OTHER = "cd" * 32
Clock: TypeAlias = trio.testing.MockClock


@pytest.fixture(params=["memory", "files", "layered"])
def cache(request: pytest.FixtureRequest, files: FileCache) -> CacheBackend:
    made: dict[str, CacheBackend] = {
        "memory": MemoryCache(),
        "files": files,
        "layered": LayeredCache(MemoryCache(), files),
    }
    return made[request.param]


async def test_what_was_put_is_found_under_its_key_only(cache: CacheBackend) -> None:
    await cache.put(KEY, b"sound", 10)

    assert await cache.get(KEY) == b"sound"
    assert await cache.exists(KEY)
    assert await cache.get(OTHER) is None
    assert not await cache.exists(OTHER)


async def test_nothing_is_a_value_too(cache: CacheBackend) -> None:
    await cache.put(KEY, b"", 10)

    assert await cache.get(KEY) == b""
    assert await cache.exists(KEY)


async def test_the_last_one_wins(cache: CacheBackend) -> None:
    await cache.put(KEY, b"long and old", 10)
    await cache.put(KEY, b"new", 10)

    assert await cache.get(KEY) == b"new"


async def test_what_is_deleted_is_gone_and_may_be_deleted_again(cache: CacheBackend) -> None:
    await cache.put(KEY, b"sound", 10)
    await cache.delete(KEY)
    await cache.delete(KEY)

    assert await cache.get(KEY) is None
    assert not await cache.exists(KEY)


async def test_a_value_lives_as_long_as_was_said_and_no_longer(
    cache: CacheBackend, mock_clock: Clock
) -> None:
    await cache.put(KEY, b"sound", 10)

    mock_clock.jump(9.5)
    assert await cache.get(KEY) == b"sound"
    mock_clock.jump(0.5)
    assert await cache.get(KEY) is None
    assert not await cache.exists(KEY)


async def test_putting_again_begins_a_new_life(cache: CacheBackend, mock_clock: Clock) -> None:
    await cache.put(KEY, b"sound", 10)
    mock_clock.jump(9)
    await cache.put(KEY, b"sound", 10)
    mock_clock.jump(9)

    assert await cache.get(KEY) == b"sound"


async def test_every_method_is_a_checkpoint(cache: CacheBackend) -> None:
    """A session that only ever hits the cache still lets others run, and can be cancelled."""
    with trio.testing.assert_checkpoints():
        await cache.put(KEY, b"sound", 10)
    with trio.testing.assert_checkpoints():
        await cache.get(KEY)
    with trio.testing.assert_checkpoints():
        await cache.exists(KEY)
    with trio.testing.assert_checkpoints():
        await cache.delete(KEY)


@settings(
    max_examples=20,
    deadline=None,
    # One cache for all examples is right: each writes over what the one before left.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(value=st.binary(max_size=4096))
async def test_any_bytes_come_back_as_they_were(cache: CacheBackend, value: bytes) -> None:
    await cache.put(KEY, value, 10)

    assert await cache.get(KEY) == value


async def test_many_at_once_get_one_whole_value(cache: CacheBackend) -> None:
    """Writers of one key do not mix; a reader between them has a whole value or a miss."""
    values = [bytes([number]) * 1000 for number in range(8)]
    seen: list[bytes | None] = []

    async def read() -> None:
        seen.append(await cache.get(KEY))

    async with trio.open_nursery() as nursery:
        for value in values:
            nursery.start_soon(cache.put, KEY, value, 10)
            nursery.start_soon(read)

    assert set(seen) <= {None, *values}
    assert await cache.get(KEY) in values
