"""A thread that notices when the event loop is held, and says by whom. It never touches the loop.

Most of what can go wrong in a session is a matter of milliseconds; a plugin that computes, or calls
something that blocks, for a quarter of a second is heard in every call of the process.
"""

import logging
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

import attrs

log = logging.getLogger(__name__)

INTERVAL = 0.05
"""Seconds between two looks."""
DEEPEST = 40
"""Frames of a stack that the log shows, from the innermost."""
NOBODY = "none"
"""In place of a plugin's id."""


@attrs.frozen
class Home:
    """Where a plugin's code lives."""

    plugin: str
    module: str
    """The module that opens it."""
    package: str
    """The package of that module, with everything in it; empty for a module that is in none."""

    def closeness(self, module: str) -> int:
        """Say how surely code of a module is the plugin's; 0 if it is not."""
        if module == self.module:
            return sys.maxsize
        inside = module == self.package or module.startswith(f"{self.package}.")
        return len(self.package) if self.package and inside else 0


def culprit(stack: Sequence[str], homes: Sequence[Home]) -> str | None:
    """Return the id of the plugin whose code runs; None if that is nobody's, or may be that of several.

    Args:
        stack: the names of the modules whose code runs, the innermost first.
        homes: those of all plugins.
    """
    for module in stack:
        near = {home.plugin: home.closeness(module) for home in homes}
        most = max(near.values(), default=0)
        nearest = [plugin for plugin, closeness in near.items() if most and closeness == most]
        if len(nearest) == 1:
            return nearest[0]
    return None


@attrs.define(eq=False)
class Watchdog:
    """How often, and for how long, the loop was held so far. Written by one thread, read by any."""

    beat: Callable[[], float]
    """When the loop was last known to run, by ``time.perf_counter``."""
    frame: Callable[[], FrameType | None]
    """What the loop's thread is doing."""
    homes: Callable[[], Sequence[Home]]
    limit: float = 0.25
    """Seconds."""
    times: Counter[str] = attrs.Factory(Counter)
    """By plugin, :data:`NOBODY` among them."""
    seconds: dict[str, float] = attrs.Factory(dict)
    """Likewise."""
    longest: float = 0.0
    """Seconds."""
    _looked: float = attrs.Factory(time.perf_counter)
    _held: tuple[float, str] | None = None
    """The last beat before it was held, and by whom it is."""

    def look(self, now: float) -> None:
        """Look once, at the time ``now``: one warning when the loop is held, one word when it is free."""
        beat, late = self.beat(), now - self._looked - INTERVAL
        self._looked = now
        if self._held is None:
            frame = self.frame()
            if now - beat > self.limit and frame is not None and not _waits(frame):
                self._begin(beat, now, late, frame)
        elif beat != self._held[0]:
            self._end(beat)

    def _begin(self, beat: float, now: float, late: float, frame: FrameType) -> None:
        modules = [_module(each) for each, _ in traceback.walk_stack(frame)]
        plugin = culprit(modules, self.homes()) or NOBODY
        self._held = beat, plugin
        # capture_locals stays off: a stack shows code, and what it works with is nobody's business.
        shown = traceback.StackSummary.extract(traceback.walk_stack(frame), limit=DEEPEST)
        shown.reverse()
        stood = " (and so was this watch)" if late > self.limit else ""
        _warn(
            "".join(shown.format()).rstrip(),
            "the event loop is held for %.2f s%s, by plugin: %s",
            *(now - beat, stood, plugin),
        )

    def _end(self, beat: float) -> None:
        since, plugin = self._held or (beat, NOBODY)
        held, self._held = beat - since, None
        self.times[plugin] += 1
        self.seconds[plugin] = self.seconds.get(plugin, 0.0) + held
        self.longest = max(self.longest, held)
        log.info(
            "the event loop is free again; it was held for %.2f s, by plugin: %s", held, plugin
        )


@contextmanager
def open_watchdog(
    beat: Callable[[], float], homes: Callable[[], Sequence[Home]], limit: float | None
) -> Iterator[Watchdog]:
    """Watch the loop of this thread for as long as the block lasts.

    Args:
        beat: when the loop was last known to run, by ``time.perf_counter``.
        homes: where plugins live; called in the thread that watches.
        limit: seconds; None does not watch.
    """
    loop, over = threading.get_ident(), threading.Event()
    dog = Watchdog(beat, lambda: sys._current_frames().get(loop), homes, limit or 0.0)  # noqa: SLF001  # its name in the documentation

    def watch() -> None:
        while not over.wait(INTERVAL):
            dog.look(time.perf_counter())

    thread = threading.Thread(target=watch, name="watchdog", daemon=True)
    if limit is not None:
        thread.start()
    try:
        yield dog
    finally:
        over.set()
        if limit is not None:
            thread.join(INTERVAL)


def _warn(stack: str, message: str, *args: object) -> None:
    """Log a warning with a stack that is not the caller's."""
    if log.isEnabledFor(logging.WARNING):
        place = __file__, 0, message, args
        log.handle(log.makeRecord(log.name, logging.WARNING, *place, None, sinfo=stack))


def _waits(frame: FrameType) -> bool:
    """Whether trio waits for the next event: then the loop is free, and only its clock a test's."""
    return frame.f_code.co_name == "get_events" and _module(frame).startswith("trio._core.")


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))
