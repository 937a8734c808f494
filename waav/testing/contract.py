"""What all contract suites need: promises, patience, cancelling everywhere, and what is left behind."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    suppress,
)
from typing import Self

import attrs
import trio

from capabilities import ProviderBusy, ProviderError, ProviderRefused

PATIENCE = 2.0
"""Seconds that leaving a block, or being cancelled, may take on a busy machine."""
_SETTLE = 0.01
"""Seconds between two looks at what is left behind."""


def promise(kept: object, text: str) -> None:
    """Raise AssertionError with ``text`` unless the promise is kept."""
    if not kept:
        raise AssertionError(text)


@asynccontextmanager
async def within(seconds: float, what: str) -> AsyncIterator[None]:
    """Raise AssertionError if the block, which does ``what``, takes longer."""
    start = trio.current_time()
    try:
        with trio.fail_after(seconds):
            yield
    except trio.TooSlowError:
        raise AssertionError(f"{what} takes more than {seconds} s") from None
    # A block that does not let itself be cancelled is only found out when it is through.
    promise(trio.current_time() - start <= seconds, f"{what} takes more than {seconds} s")


@asynccontextmanager
async def whole_check(budget: float) -> AsyncIterator[None]:
    """Hold a suite to its budget; an error of the provider, where all is well, is a broken promise."""
    try:
        async with within(budget, "the whole check"):
            yield
    except ProviderError as error:
        raise AssertionError(f"there is no reason for {error!r}") from error


@attrs.frozen
class Belongings:
    """What a program holds that an implementer might forget to give back."""

    tasks: int
    files: int
    """Open files and sockets; 0 where the system does not tell."""

    @classmethod
    def now(cls) -> Self:
        """Count."""
        files = 0
        with suppress(OSError):
            files = len(os.listdir("/dev/fd"))  # noqa: PTH208 - a Path for each would be wasted
        return cls(trio.lowlevel.current_statistics().tasks_living, files)

    async def check_no_more(self, after: str) -> None:
        """Raise AssertionError if there are more now, and there still are after some patience."""
        with trio.move_on_after(PATIENCE):
            while not self._covers(self.now()):  # noqa: ASYNC110 - there is no event for it
                await trio.sleep(_SETTLE)
        now = self.now()
        promise(
            self._covers(now),
            f"something is left behind after {after}: {self.tasks} tasks and {self.files} files"
            f" before, {now.tasks} and {now.files} now",
        )

    def _covers(self, other: Self) -> bool:
        return other.tasks <= self.tasks and other.files <= self.files


@attrs.define(eq=False)
class _CancelAt(trio.abc.Instrument):
    """Cancels a scope when a task and its children have come to their n-th await."""

    _task: trio.lowlevel.Task
    _scope: trio.CancelScope
    _step: int
    steps: int = 0

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        if self._is_ours(task):
            self.steps += 1
            if self.steps == self._step:
                self._scope.cancel()

    def _is_ours(self, task: trio.lowlevel.Task | None) -> bool:
        while task is not None and task is not self._task:
            task = task.parent_nursery.parent_task if task.parent_nursery else None
        return task is not None


async def cancel_everywhere(
    scenario: Callable[[], Awaitable[None]], what: str, *, most: int
) -> None:
    """Run ``scenario`` cancelled at its first await, then at its second, until one run gets through.

    Each run must end soon, with nothing but the cancellation, and leave nothing behind.
    ``most`` bounds the number of runs.
    """
    before = Belongings.now()
    for step in range(1, most + 1):
        place = f"{what} is cancelled at its await number {step}"
        with trio.CancelScope() as scope:
            watch = _CancelAt(trio.lowlevel.current_task(), scope, step)
            trio.lowlevel.add_instrument(watch)
            start = trio.current_time()
            try:
                await scenario()
            except Exception as error:
                raise AssertionError(f"{place}, and raises {error!r}") from error
            finally:
                trio.lowlevel.remove_instrument(watch)
        await before.check_no_more(place)
        promise(
            not scope.cancel_called or trio.current_time() - start <= 2 * PATIENCE,
            f"{place}, and does not end within {2 * PATIENCE} s",
        )
        if not scope.cancel_called:
            return


Enter = Callable[[], AbstractAsyncContextManager[object]]
"""What opens one stream or request, anew with each call."""


async def check_refused(enter: Enter, what: str) -> None:
    """Raise AssertionError unless entering raises ProviderRefused."""
    try:
        async with enter():
            pass
    except ProviderRefused:
        return
    except Exception as error:
        raise AssertionError(f"{what} must raise ProviderRefused, not {error!r}") from error
    raise AssertionError(f"{what} must raise ProviderRefused, but is accepted")


async def check_limit(enter: Enter, limit: int | None, what: str) -> None:
    """Raise AssertionError unless exactly ``limit`` are let in, and leaving frees the place."""
    if limit is None:
        return
    async with AsyncExitStack() as held:
        for _ in range(limit):
            await held.enter_async_context(enter())
        async with within(PATIENCE, f"refusing a {what} beyond the limit"):
            await _check_busy(enter, f"{what} beyond the limit of {limit}")
    async with enter():
        pass


async def _check_busy(enter: Enter, what: str) -> None:
    try:
        async with enter():
            pass
    except ProviderBusy as busy:
        promise(busy.retry_after > 0, f"{what} must say when to come again")
        return
    except Exception as error:
        raise AssertionError(f"{what} must raise ProviderBusy, not {error!r}") from error
    raise AssertionError(f"{what} must raise ProviderBusy, but is let in")
