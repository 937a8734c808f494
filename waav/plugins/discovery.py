"""Finds plugins: entry points of what is installed, and files and packages of a folder.

Finding reads files and runs strangers' import code, so it belongs to the start, and into a worker
thread (``trio.to_thread.run_sync(discover, folder)``) where a loop runs. Whatever goes wrong with
one of them becomes a :class:`Failure` that is listed beside the others, never an exception.
"""

import importlib
import importlib.util
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

import attrs

from capabilities import Manifest
from waav.plugins.reasons import reason_of

GROUP = "waav.plugins"
"""The entry points that lead to manifests."""
_DISTRIBUTION = "waav"


class Origin(StrEnum):
    """Who brings a plugin."""

    BUILTIN = "builtin"
    DYNAMIC = "dynamic"


@attrs.frozen
class Found:
    """A manifest, and where it was found."""

    manifest: Manifest
    where: str = "given by the program"
    origin: Origin = Origin.DYNAMIC


@attrs.frozen
class Failure:
    """Something that should have been a plugin and is not."""

    name: str
    where: str
    reason: str
    origin: Origin = Origin.DYNAMIC


@attrs.frozen
class Discovery:
    """What was found, in the order in which it is to be registered."""

    found: tuple[Found, ...] = ()
    failures: tuple[Failure, ...] = ()

    @classmethod
    def of(cls, *manifests: Manifest) -> "Discovery":
        """Make one of manifests at hand: for a program that brings its own plugins."""
        return cls(tuple(map(Found, manifests)))


@attrs.frozen
class _Source:
    """A place that may hold manifests; ``load`` gives them, or raises."""

    name: str
    where: str
    origin: Origin
    load: Callable[[], Any]


def discover(plugin_dir: Path | None = None, *, group: str = GROUP) -> Discovery:
    """Find all plugins: the built-in ones first, then installed ones, then those of the folder.

    Blocks while files are read and modules are imported. Within a kind the order is that of the
    names, so that two starts with the same files find the same.
    """
    results = [
        result
        for source in (*_installed(group), *_in_folder(plugin_dir))
        for result in _manifests(source)
    ]
    return Discovery(
        tuple(each for each in results if isinstance(each, Found)),
        tuple(each for each in results if isinstance(each, Failure)),
    )


def _manifests(source: _Source) -> Iterator[Found | Failure]:
    try:
        loaded = source.load()
    # A module may raise anything while it is imported, sys.exit() too. Ctrl-C is the user's.
    except (Exception, SystemExit) as exc:  # noqa: BLE001
        yield Failure(source.name, source.where, reason_of(exc), source.origin)
        return
    for each in loaded if isinstance(loaded, list | tuple) else [loaded]:
        if isinstance(each, Manifest):
            yield Found(each, source.where, source.origin)
        else:
            reason = f"a {type(each).__name__} stands where a Manifest should"
            yield Failure(source.name, source.where, reason, source.origin)


def _installed(group: str) -> Iterator[_Source]:
    sources = [_of_entry_point(point) for point in entry_points(group=group)]
    yield from sorted(sources, key=lambda each: (each.origin, each.name, each.where))


def _of_entry_point(point: EntryPoint) -> _Source:
    ours = point.dist is not None and point.dist.name == _DISTRIBUTION
    return _Source(
        point.name,
        f"entry point {point.name} = {point.value}",
        Origin.BUILTIN if ours else Origin.DYNAMIC,
        point.load,
    )


def _in_folder(folder: Path | None) -> Iterable[_Source]:
    if folder is None:
        return []
    try:
        paths = sorted(folder.iterdir())
    except OSError as exc:
        error = exc

        def unreadable() -> None:
            raise error

        return [_Source("plugin_dir", str(folder), Origin.DYNAMIC, unreadable)]
    return [
        _Source(path.stem, str(path), Origin.DYNAMIC, lambda file=file: _load_file(file))  # type: ignore[misc]  # mypy does not infer a lambda's default
        for path in paths
        if (file := _module_file(path)) is not None
    ]


def _module_file(path: Path) -> Path | None:
    """The file to be imported for an entry of the folder; None if it is no module."""
    if path.name.startswith(("_", ".")):
        return None
    if path.suffix == ".py" and path.is_file():
        return path
    package = path / "__init__.py"
    return package if package.is_file() else None


def _load_file(file: Path) -> Any:
    module = _import_file(file)
    for name in ("MANIFEST", "MANIFESTS"):
        if hasattr(module, name):
            return getattr(module, name)
    raise AttributeError("it has neither MANIFEST nor MANIFESTS")


def _import_file(file: Path) -> ModuleType:
    """Import a file or a package under a name of its own, so that it can hide no installed module."""
    is_package = file.name == "__init__.py"
    path = file.parent if is_package else file
    name = "waav_plugin_dir_" + re.sub(r"\W", "_", path.name)
    _forget(name)
    importlib.invalidate_caches()
    spec = importlib.util.spec_from_file_location(
        name, file, submodule_search_locations=[str(path)] if is_package else None
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    # Relative imports, and annotations that are evaluated later, look the module up there.
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        _forget(name)
        raise
    return module


def _forget(name: str) -> None:
    for known in [each for each in sys.modules if each == name or each.startswith(f"{name}.")]:
        del sys.modules[known]
