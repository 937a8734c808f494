"""A cache on disk that outlives the process: ``<root>/ab/ab12...`` and ``ab12....meta`` beside it.

Several processes may share the folder. Nothing is locked: a file appears whole, by renaming, or
not at all, and a reader that falls between the two renames of a writer has a miss.
"""

import logging
import os
import re
import tempfile
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar, TypeVarTuple

import attrs
import msgspec
import trio

log = logging.getLogger(__name__)

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_KEY = re.compile(r"[0-9a-f]{2,128}")
_FOLDER = re.compile(r"[0-9a-f]{2}")
_FILE = re.compile(rf"(?P<key>{_KEY.pattern})(?P<kind>|\.meta|\.\w+\.tmp)")

_STALE = 3600.0
"""Seconds after which a file that belongs to no entry is not one that is being written."""


def wall_clock() -> float:
    """Return the seconds since 1970: the one clock that means the same after a restart."""
    return datetime.now(UTC).timestamp()


@attrs.frozen
class Kept:
    """A value, and how long it may still be used."""

    value: bytes = attrs.field(repr=lambda value: f"<{len(value)} bytes>")
    ttl: float
    """Seconds from now."""


@attrs.frozen
class _Meta:
    expires_at: float
    created_at: float
    size: int


@attrs.define(eq=False)
class FileCache:
    """A ``CacheBackend`` in a folder of its own, which is made when it is first needed."""

    root: Path
    now: Callable[[], float] = wall_clock
    _limiter: trio.CapacityLimiter = attrs.field(
        # A slow disk may hold up these, but not the threads that others work in.
        factory=lambda: trio.CapacityLimiter(4),
        init=False,
        repr=False,
    )
    _complained: bool = attrs.field(default=False, init=False, repr=False)

    async def get(self, key: str) -> bytes | None:
        """Return the value.

        Raises:
            ValueError: the key is not hexadecimal.
        """
        kept = await self.find(key)
        return None if kept is None else kept.value

    async def find(self, key: str) -> Kept | None:
        """Return the value with the rest of its life, for who wants to keep a copy.

        Raises:
            ValueError: the key is not hexadecimal.
        """
        return await self._work(_read, self._path(key), self.now())

    async def put(self, key: str, value: bytes, ttl: float) -> None:
        """Keep the value for ``ttl`` seconds.

        Raises:
            ValueError: the key is not hexadecimal.
        """
        now = self.now()
        await self._work(_write, self._path(key), value, _Meta(now + ttl, now, len(value)))

    async def exists(self, key: str) -> bool:
        """Tell whether there is a value, without reading it.

        Raises:
            ValueError: the key is not hexadecimal.
        """
        return await self._work(_live, self._path(key), self.now()) is not None

    async def delete(self, key: str) -> None:
        """Forget the value, if there is one.

        Raises:
            ValueError: the key is not hexadecimal.
        """
        await self._work(_remove, self._path(key))

    async def sweep(self) -> int:
        """Remove what is expired or broken, and what writers that died have left behind.

        Returns the number of entries and left-over files that are gone.
        """
        removed = 0
        # One folder at a time, so that a cancellation never waits for all 256.
        for folder in await self._work(self._folders) or ():
            removed += await self._work(_sweep, folder, self.now()) or 0
        return removed

    async def sweep_forever(self, interval: float) -> None:
        """Sweep, and again every ``interval`` seconds. A task; ends by cancellation only."""
        while True:
            await self.sweep()
            await trio.sleep(interval)

    def _path(self, key: str) -> Path:
        if not _KEY.fullmatch(key):
            raise ValueError(f"not 2 to 128 lower-case hexadecimal digits: {key[:130]!r}")
        return self.root / key[:2] / key

    def _folders(self) -> list[Path]:
        if not self.root.exists():
            return []
        return [path for path in self.root.iterdir() if _FOLDER.fullmatch(path.name)]

    async def _work(self, function: Callable[[*Ts], T], *args: *Ts) -> T | None:
        """Run ``function`` in a thread; None if the disk does not do as it is told."""
        try:
            return await trio.to_thread.run_sync(function, *args, limiter=self._limiter)
        except OSError as exc:
            if not self._complained:
                self._complained = True
                log.warning(
                    "the cache in %s does not work, and is done without: %s", self.root, exc
                )
            return None


# What follows runs in worker threads. A path is that of a value.


def _read(path: Path, now: float) -> Kept | None:
    meta = _live(path, now)
    if meta is None:
        return None
    with suppress(FileNotFoundError):
        value = path.read_bytes()
        if len(value) == meta.size:
            return Kept(value, meta.expires_at - now)
    return None


def _write(path: Path, value: bytes, meta: _Meta) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # The value first: without its meta it is not yet there for anybody.
    _replace(path, value)
    _replace(_meta_path(path), msgspec.json.encode(meta))


def _live(path: Path, now: float) -> _Meta | None:
    """Return what is known of an entry; one that must not be used is removed."""
    try:
        told = _meta_path(path).read_bytes()
    except FileNotFoundError:
        # A value without meta stays: somebody may be just about to write the meta.
        return None
    with suppress(FileNotFoundError, ValueError, msgspec.DecodeError):
        meta = msgspec.json.decode(told, type=_Meta)
        if now < meta.expires_at and path.stat().st_size == meta.size:
            return meta
    _remove(path)
    return None


def _remove(path: Path) -> None:
    _meta_path(path).unlink(missing_ok=True)
    path.unlink(missing_ok=True)


def _replace(path: Path, data: bytes) -> None:
    handle, name = tempfile.mkstemp(".tmp", f"{path.name}.", path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _sweep(folder: Path, now: float) -> int:
    removed = 0
    for path in list(folder.iterdir()):
        file = _FILE.fullmatch(path.name)
        # Whatever else somebody put here is not ours to remove.
        if file is None or not path.name.startswith(folder.name):
            continue
        if file["kind"] == ".meta":
            removed += _live(folder / file["key"], now) is None
        elif (file["kind"] or not _meta_path(path).exists()) and _is_stale(path, now):
            path.unlink(missing_ok=True)
            removed += 1
    return removed


def _is_stale(path: Path, now: float) -> bool:
    with suppress(FileNotFoundError):
        return now - path.stat().st_mtime > _STALE
    return False


def _meta_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.meta")
