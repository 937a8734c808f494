"""Where the calls into one plugin run, so that none of them can hold or hurt its caller.

A call is a task of the plugin's own nursery; the caller waits for it in its own. Cancelling the
caller is handed on, but a plugin that does not obey keeps only its own task: the caller leaves.
"""

import logging
from collections.abc import Awaitable, Callable
from math import inf
from typing import Any, Generic, TypeVar, TypeVarTuple

import attrs
import trio

from capabilities import Plugin
from waav.errors import PluginNotRunning
from waav.plugins.changes import Changes
from waav.plugins.hearing import Hearing, Speech
from waav.plugins.lifecycle import Lifecycle, State, Step
from waav.plugins.policy import Policy

log = logging.getLogger(__name__)

R = TypeVar("R")
Ts = TypeVarTuple("Ts")


@attrs.define(eq=False)
class Call(Generic[R]):
    """One call into a plugin, and what came of it."""

    values: tuple[R] | None = None
    """What it returned, once it has."""
    error: BaseException | None = None
    """What it raised."""
    withdrawn: bool = False
    """It was cancelled because the plugin goes away, not because its caller did."""
    _scope: trio.CancelScope = attrs.field(factory=trio.CancelScope)
    _done: trio.Event = attrs.field(factory=trio.Event)

    # A Ctrl-C that falls into a plugin's frames is the program's: trio gives it to the main task.
    # So a KeyboardInterrupt that comes out here is one that the plugin itself has raised.
    @trio.lowlevel.enable_ki_protection
    async def run(self, function: Callable[[*Ts], Awaitable[R]], *args: *Ts) -> None:
        """Be the plugin's task; nothing ever comes out of it."""
        try:
            with self._scope:
                self.values = (await function(*args),)
        # Also Cancelled, which would be re-raised anywhere else: the task ends here in any case,
        # and one that a broken plugin has kept and raises out of season would end the gateway.
        except BaseException as exc:  # noqa: BLE001
            self.error = exc
            self.withdrawn = trio.current_effective_deadline() == -inf
        self._done.set()

    def give_up(self) -> None:
        """Let the caller go; whatever the plugin still does with it, nobody waits for it."""
        self._done.set()

    async def wait(self, timeout: float) -> bool:
        """Return whether it is done within ``timeout`` seconds."""
        with trio.move_on_after(timeout):
            await self._done.wait()
        return self._done.is_set()

    async def take_back(self, patience: float) -> bool:
        """Cancel it; return whether it has ended within ``patience`` seconds. Not cancellable."""
        self._scope.cancel(reason="its caller has gone")
        with trio.move_on_after(patience, shield=True):
            await self._done.wait()
        return self._done.is_set()


@attrs.define
class Tally:
    """How often a plugin was called, and how often in vain."""

    call_count: int = 0
    error_count: int = 0
    last_error: str = ""
    in_a_row: int = 0
    """Broken contracts since the last call that went well."""
    hearing: Hearing = attrs.field(factory=Hearing)
    """What its recogniser has heard; whoever converses with it counts."""
    speech: Speech = attrs.field(factory=Speech)
    """What its voice has said; likewise."""


@attrs.define(eq=False)
class Ward:
    """One plugin as those see it who call it: its state, and where its calls run."""

    id: str
    policy: Policy
    changes: Changes
    lifecycle: Lifecycle
    tally: Tally = attrs.field(factory=Tally)
    plugin: Plugin | None = None
    calls: trio.Nursery | None = None
    """Both are there while the plugin is open; None says that no call may begin."""
    _live: set[Call[Any]] = attrs.field(factory=set, repr=False)
    """Calls that the plugin has not let go of."""

    @property
    def state(self) -> State:
        """Where it is in its life."""
        return self.lifecycle.state

    def take(self, step: Step, reason: str = "") -> None:
        """Take a step of the lifecycle, and let everybody know."""
        self.lifecycle.take(step, trio.current_time(), reason)
        level = logging.WARNING if step is Step.FAIL else logging.INFO
        log.log(level, "plugin %s: %s%s", self.id, self.state, reason and f": {reason}")
        self.changes.ring()

    def fail(self, reason: str) -> None:
        """Take the plugin out of service; harmless if it is already."""
        if self.lifecycle.allows(Step.FAIL):
            self.take(Step.FAIL, reason)

    def running(self) -> Plugin:
        """Return the plugin.

        Raises:
            PluginNotRunning: it is not in service; the message says its state, ``reason`` why.
        """
        if self.state is State.RUNNING and self.plugin is not None and self.calls is not None:
            return self.plugin
        raise self.not_running()

    def not_running(self) -> PluginNotRunning:
        """Say why it is not in service."""
        if self.state is State.RUNNING:
            # It has just fallen, and its keeper has not had the time to find out why.
            return PluginNotRunning(self.id, "closing")
        return PluginNotRunning(self.id, str(self.state), self.lifecycle.reason)

    def start(self, name: str, function: Callable[[*Ts], Awaitable[R]], *args: *Ts) -> Call[R]:
        """Begin a call in the plugin's nursery; ``name`` says what for.

        Raises:
            PluginNotRunning: there is no such nursery now.
        """
        if self.calls is None:
            raise self.not_running()
        call: Call[R] = Call()
        self._live.add(call)
        name = f"plugins/{self.id}/{name}"
        self.calls.start_soon(self._be, call, function, *args, name=name)
        return call

    async def _be(self, call: Call[R], function: Callable[[*Ts], Awaitable[R]], *args: *Ts) -> None:
        await call.run(function, *args)
        self._live.discard(call)

    def give_up(self) -> None:
        """Let the callers of all calls go that the plugin does not let go of."""
        for call in self._live:
            call.give_up()

    async def take_back(self, call: Call[R]) -> None:
        """Cancel a call; a plugin that does not let go of it is taken out of service."""
        patience = self.policy.patience
        if not await call.take_back(patience):
            self.fail(f"did not let go {patience:g} s after it was cancelled")
