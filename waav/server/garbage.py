"""Python's search for garbage, kept short: a full one would hold the event loop for a tenth of a second.

What a connection leaves behind, or a session, a request, an error, is freed at once, without a search: its
parts are in no circle. The collector does not know that, and looks through all that lives, the
libraries and every session, again and again: 90 ms at 60 sessions. So whatever outlived a search for
young garbage, some milliseconds, is not looked at any more, until nobody is there whom it could disturb.
A library may leave circles that we have not found, so on a server that is never alone a search comes
when too much has been spared. That is counted in objects: memory that a search frees stays with the
process in part, so a limit in bytes would let ever more garbage lie.

With it goes back to the system what was freed between things that live: the C library keeps that, a
third of what 60 sessions had needed.
"""

import ctypes
import gc
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

import trio

from waav.tasks import open_scoped_nursery

INTERVAL = 60.0
"""Seconds between two looks at whether nobody is there."""
GROWTH = 50_000
"""Objects that may be spared beside those that the last search has left, some 20 MiB: worth a pause.
To free half a million took 1.2 s."""


@asynccontextmanager
async def short_searches(
    alone: Callable[[], bool], spared: Callable[[], int] = gc.get_freeze_count
) -> AsyncIterator[None]:
    """Spare what is old, for as long as the block lasts. For a process that is all ours.

    Args:
        alone: whether nobody is there now whom a long search could disturb.
        spared: how many objects are not looked at.
    """
    search()
    gc.callbacks.append(spare)
    async with open_scoped_nursery("the server ends") as nursery:
        nursery.start_soon(_search_now_and_then, alone, spared, name="server/garbage")
        try:
            yield
        finally:
            gc.callbacks.remove(spare)
            gc.unfreeze()


def search() -> None:
    """Look through everything, and do not look at what is left again."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    _trim()(0)


@cache
def _trim() -> Callable[[int], Any]:
    """Return glibc's ``malloc_trim(3)``: 8 ms for 100 MiB; elsewhere nothing is like it."""
    return getattr(ctypes.CDLL(None), "malloc_trim", lambda _: None)


def spare(phase: str, info: dict[str, int]) -> None:
    """Be told by the collector of a search: do not look again at what outlived one."""
    if phase == "stop" and info["generation"] > 0:
        gc.freeze()


async def _search_now_and_then(alone: Callable[[], bool], spared: Callable[[], int]) -> None:
    least = spared()
    while True:
        await trio.sleep(INTERVAL)
        if alone() or spared() - least > GROWTH:
            search()
            least = spared()
