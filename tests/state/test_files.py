"""The cache on disk: restarts, rubbish, other writers, and a disk that does not work."""

import json
import logging
import os
from pathlib import Path

import pytest
import trio
import trio.testing
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from waav.state.files import FileCache, wall_clock

KEY = "ab" * 32
DAY = 24 * 3600.0


def _left(cache: FileCache) -> set[str]:
    return {path.name for path in cache.root.rglob("*") if path.is_file()}


def _value(cache: FileCache, key: str = KEY) -> Path:
    return cache.root / key[:2] / key


def _meta(cache: FileCache, key: str = KEY) -> Path:
    return cache.root / key[:2] / f"{key}.meta"


def _age(path: Path, seconds: float) -> None:
    then = wall_clock() - seconds
    os.utime(path, (then, then))


@pytest.fixture
def real(tmp_path: Path) -> FileCache:
    """A cache on the wall clock."""
    return FileCache(tmp_path / "speech")


async def test_a_value_lies_beside_what_is_known_of_it(tmp_path: Path) -> None:
    cache = FileCache(tmp_path, now=lambda: 1000.0)
    await cache.put(KEY, b"sound", 60)

    assert _value(cache).read_bytes() == b"sound"
    assert json.loads(_meta(cache).read_bytes()) == {
        "expires_at": 1060.0,
        "created_at": 1000.0,
        "size": 5,
    }
    assert _left(cache) == {KEY, f"{KEY}.meta"}


async def test_nobody_else_may_read_what_was_said(real: FileCache) -> None:
    await real.put(KEY, b"sound", 60)

    assert _value(real).stat().st_mode & 0o077 == 0
    assert _value(real).parent.stat().st_mode & 0o077 == 0


async def test_a_restart_changes_neither_the_value_nor_its_end(tmp_path: Path) -> None:
    """Another process, whose trio clock began somewhere else, goes on by the same wall clock."""
    await FileCache(tmp_path, now=lambda: 1000.0).put(KEY, b"sound", 60)

    assert await FileCache(tmp_path, now=lambda: 1059.0).get(KEY) == b"sound"
    assert await FileCache(tmp_path, now=lambda: 1060.0).get(KEY) is None


@pytest.mark.pins("D266")
@pytest.mark.parametrize("method", ["get", "exists", "find"])
async def test_who_meets_an_expired_entry_removes_it(
    method: str, files: FileCache, mock_clock: trio.testing.MockClock
) -> None:
    await files.put(KEY, b"sound", 10)
    mock_clock.jump(10)

    assert not await getattr(files, method)(KEY)
    assert _left(files) == set()


@pytest.mark.parametrize(
    "key",
    ["", "a", "AB12", "ab/../../etc", "../../x", "ab12\n", "ab.meta", "xyz", "a" * 129, "ab\0"],
)
async def test_a_key_that_could_be_a_path_is_refused_everywhere(key: str, real: FileCache) -> None:
    with pytest.raises(ValueError, match="hexadecimal"):
        await real.get(key)
    with pytest.raises(ValueError, match="hexadecimal"):
        await real.put(key, b"", 1)
    with pytest.raises(ValueError, match="hexadecimal"):
        await real.exists(key)
    with pytest.raises(ValueError, match="hexadecimal"):
        await real.delete(key)
    assert not real.root.exists()


@pytest.mark.parametrize("method", ["get", "exists"])
@pytest.mark.parametrize("damage", [b"soun", b"sound and more", b""])
async def test_a_value_of_the_wrong_size_is_a_miss_and_removed(
    damage: bytes, method: str, real: FileCache
) -> None:
    await real.put(KEY, b"sound", 60)
    _value(real).write_bytes(damage)

    assert not await getattr(real, method)(KEY)
    assert _left(real) == set()


async def test_a_meta_whose_value_is_gone_is_removed(real: FileCache) -> None:
    await real.put(KEY, b"sound", 60)
    _value(real).unlink()

    assert await real.get(KEY) is None
    assert _left(real) == set()


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(told=st.binary(max_size=200) | st.text().map(lambda text: json.dumps([text]).encode()))
async def test_an_unreadable_meta_is_a_miss_and_removed(told: bytes, real: FileCache) -> None:
    await real.put(KEY, b"sound", 60)
    _meta(real).write_bytes(told)

    assert await real.get(KEY) is None
    assert _left(real) == set()


async def test_a_value_whose_meta_is_still_to_come_is_left_to_its_writer(real: FileCache) -> None:
    await real.put(KEY, b"sound", 60)
    meta = _meta(real).read_bytes()
    _meta(real).unlink()

    assert await real.get(KEY) is None
    assert await real.sweep() == 0
    _meta(real).write_bytes(meta)
    assert await real.get(KEY) == b"sound"


async def test_a_folder_that_cannot_be_written_is_a_miss_and_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "speech").write_text("a file where the folder should be")
    cache = FileCache(tmp_path / "speech")

    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            await cache.put(KEY, b"sound", 60)
            assert await cache.get(KEY) is None
            assert not await cache.exists(KEY)
            await cache.delete(KEY)
            assert await cache.sweep() == 0

    assert len(caplog.records) == 1
    assert str(tmp_path) in caplog.text


async def test_a_write_that_fails_leaves_nothing_behind(real: FileCache) -> None:
    _value(real).mkdir(parents=True)  # nothing can be renamed over a folder

    await real.put(KEY, b"sound", 60)

    assert _left(real) == set()


async def test_an_empty_cache_makes_no_folder(
    real: FileCache, caplog: pytest.LogCaptureFixture
) -> None:
    assert await real.get(KEY) is None
    assert await real.sweep() == 0
    assert not real.root.exists()
    assert not caplog.records


@pytest.mark.pins("D266")
async def test_a_sweep_takes_what_nobody_will_ask_for_again(real: FileCache) -> None:
    old, broken, orphan, meta_only, alive = (
        digits * 4 for digits in ("aa", "ab", "ac", "ad", "ae")
    )
    for key in (old, broken, orphan, meta_only, alive):
        await real.put(key, b"sound", 0.0 if key == old else 60)
    _meta(real, broken).write_bytes(b"{")
    _meta(real, orphan).unlink()
    _age(_value(real, orphan), DAY)
    _value(real, meta_only).unlink()
    temporary = real.root / "ae" / f"{alive}.k3j_x9.tmp"
    temporary.write_bytes(b"half a sou")
    _age(temporary, DAY)

    assert await real.sweep() == 5
    assert _left(real) == {alive, f"{alive}.meta"}
    assert await real.get(alive) == b"sound"


async def test_a_sweep_leaves_alone_what_is_being_written_and_what_is_not_ours(
    real: FileCache,
) -> None:
    await real.put(KEY, b"sound", 60)
    fresh = real.root / "ab" / f"{KEY}.k3j_x9.tmp"
    strangers = [
        real.root / "ab" / "README.txt",
        real.root / "ab" / "cdcd",  # a key, but not in its folder
        real.root / "models" / KEY,
    ]
    (real.root / "models").mkdir()
    for path in (fresh, *strangers):
        path.write_bytes(b"?")
    for path in strangers:
        _age(path, DAY)

    assert await real.sweep() == 0
    assert all(path.exists() for path in (fresh, *strangers))


@pytest.mark.pins("D266")
async def test_the_sweeper_comes_back(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    """Sweeps at 0, 60 and 120 s; what ends at 90 s goes with the third, and nobody asked for it."""
    send, receive = trio.open_memory_channel[int](0)

    class Telling(FileCache):
        async def sweep(self) -> int:
            removed = await super().sweep()
            await send.send(removed)
            return removed

    cache = Telling(tmp_path, now=autojump_clock.current_time)
    await cache.put(KEY, b"sound", 90)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(cache.sweep_forever, 60.0, name="cache/sweep")
        assert [await receive.receive() for _ in range(3)] == [0, 0, 1]
        nursery.cancel_scope.cancel()

    assert _left(cache) == set()


async def test_two_caches_share_a_folder(real: FileCache) -> None:
    """As two processes do that are configured alike."""
    other = FileCache(real.root)
    await real.put(KEY, b"sound", 60)

    assert await other.get(KEY) == b"sound"
    await other.delete(KEY)
    assert await real.get(KEY) is None
