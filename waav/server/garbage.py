"""Python's search for garbage, kept short: a full one would hold the event loop for a tenth of a second.

What a session leaves behind is freed at once, without a search: it has no cycles. The collector does
not know that, and looks through all that lives, the libraries and every session, again and again:
90 ms at 60 sessions. So whatever outlived a search for young garbage, some milliseconds, is not
looked at any more, until nobody is there whom it could disturb.
"""

import gc
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import trio

from waav.tasks import open_scoped_nursery

INTERVAL = 60.0
"""Seconds between two looks at whether nobody is there."""


@asynccontextmanager
async def short_searches(alone: Callable[[], bool]) -> AsyncIterator[None]:
    """Spare what is old, for as long as the block lasts. For a process that is all ours.

    Args:
        alone: whether nobody is there now whom a long search could disturb.
    """
    search()
    gc.callbacks.append(spare)
    async with open_scoped_nursery("the server ends") as nursery:
        nursery.start_soon(_search_when, alone, name="server/garbage")
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


def spare(phase: str, info: dict[str, int]) -> None:
    """Be told by the collector of a search: do not look again at what outlived one."""
    if phase == "stop" and info["generation"] > 0:
        gc.freeze()


async def _search_when(alone: Callable[[], bool]) -> None:
    while True:
        await trio.sleep(INTERVAL)
        if alone():
            search()
