"""One budget in bytes, and who has to go."""

import pytest
import trio.testing
from hypothesis import given, settings
from hypothesis import strategies as st

from waav.config.schema import Cache
from waav.state.memory import MemoryCache


async def _kept(cache: MemoryCache, keys: str) -> str:
    return "".join([key for key in keys if await cache.exists(key)])


@pytest.mark.pins("D265")
def test_64_mib_unless_told_otherwise() -> None:
    assert MemoryCache().max_bytes == 64 * 1024 * 1024
    assert Cache().memory_max_bytes == MemoryCache().max_bytes


@pytest.mark.pins("D267")
async def test_bytes_and_not_their_number_decide_what_goes() -> None:
    """A big value pushes out as many old ones as its bytes need; small ones live together."""
    cache = MemoryCache(10_000)
    for key in "abcd":
        await cache.put(key, bytes(1000), 60)
    assert await _kept(cache, "abcd") == "abcd"

    await cache.put("e", bytes(6000), 60)

    assert await _kept(cache, "abcde") == "cde"


async def test_the_one_that_was_used_last_goes_last() -> None:
    cache = MemoryCache(5_000)
    for key in "abc":
        await cache.put(key, bytes(1000), 60)
    await cache.get("a")
    await cache.exists("b")  # asking is not using

    await cache.put("d", bytes(1000), 60)

    assert await _kept(cache, "abcd") == "acd"


async def test_a_value_above_the_budget_is_not_kept_and_pushes_nobody_out() -> None:
    """What was there under its key is old and goes; the others stay."""
    cache = MemoryCache(3_000)
    await cache.put("a", b"small", 60)
    await cache.put("b", b"small", 60)

    await cache.put("b", bytes(3_000), 60)

    assert await _kept(cache, "ab") == "a"


async def test_values_without_bytes_are_not_free() -> None:
    cache = MemoryCache(10_000)
    for number in range(1000):
        await cache.put(f"{number:04x}", b"", 60)

    assert sum([await cache.exists(f"{number:04x}") for number in range(1000)]) < 20


async def test_a_budget_of_nothing_keeps_nothing() -> None:
    cache = MemoryCache(0)
    await cache.put("a", b"", 60)

    assert not await cache.exists("a")


@pytest.mark.pins("D266")
@pytest.mark.parametrize("method", ["get", "exists"])
async def test_an_expired_value_gives_its_bytes_back_when_it_is_met(
    method: str, mock_clock: trio.testing.MockClock
) -> None:
    cache = MemoryCache()
    await cache.put("a", bytes(1000), 10)
    mock_clock.jump(10)
    assert cache.size > 1000

    await getattr(cache, method)("a")

    assert cache.size == 0


_STEPS = st.lists(
    st.tuples(
        st.sampled_from(["put", "get", "delete"]), st.sampled_from("abcdef"), st.integers(0, 3000)
    )
)


@settings(max_examples=50, deadline=None)
@given(steps=_STEPS)
async def test_the_budget_holds_whatever_happens(steps: list[tuple[str, str, int]]) -> None:
    cache = MemoryCache(5_000)
    for step, key, size in steps:
        match step:
            case "put":
                await cache.put(key, bytes(size), 60)
            case "get":
                await cache.get(key)
            case _:
                await cache.delete(key)
        values = [await cache.get(key) for key in "abcdef"]
        held = sum(len(value) for value in values if value is not None)
        assert held <= cache.size <= 5_000

    for key in "abcdef":
        await cache.delete(key)
    assert cache.size == 0
