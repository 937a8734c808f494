"""The only way to a plugin's capability: its failure becomes PluginFailed, and stays its own."""

import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from math import inf
from types import MappingProxyType
from typing import Any, Generic, TypeVar, TypeVarTuple

import attrs
import trio

from capabilities import (
    Ability,
    Capability,
    ProviderBusy,
    ProviderError,
    ProviderRefused,
    ProviderUnavailable,
)
from waav.errors import PluginFailed, WaavError
from waav.plugins.breaker import Breaker
from waav.plugins.hearing import Hearing, Speech
from waav.plugins.reasons import kinds_of, only_cancelled, permitted, reason_of
from waav.plugins.turnstile import Turnstile
from waav.plugins.ward import Call, Ward

log = logging.getLogger(__name__)

T = TypeVar("T")
R = TypeVar("R")
Ts = TypeVarTuple("Ts")


_GRACE = 1.0
"""Seconds that a plugin which is too slow has to say so."""


def _read_only(mapping: Mapping[str, Any]) -> Mapping[str, Any]:
    return MappingProxyType(dict(mapping))


@attrs.define
class Use:
    """How a capability was used."""

    calls: int = 0
    """That began."""
    open: int = 0
    """That are under way."""
    errors: int = 0
    """Calls that ended with an error of the provider or of the plugin."""
    seconds: float = 0.0
    """How long those took that are over, all together."""


@attrs.define(eq=False)
class Guarded(Generic[T]):
    """One capability of one plugin. It outlives the plugin's restarts."""

    capability: Capability
    ability: Ability
    defaults: Mapping[str, Any] = attrs.field(converter=_read_only, repr=False)
    """``[plugins.providers.<id>.<capability>]``: what the operator sets for every session."""
    client_keys: tuple[str, ...] | None
    """Credentials that a client may bring of its own, by the names of the manifest; None if the
    operator takes none from clients."""
    turnstile: Turnstile
    """Where a conversation takes its place, before it asks."""
    _ward: Ward = attrs.field(repr=False)
    _breaker: Breaker = attrs.field(repr=False)
    use: Use = attrs.field(factory=Use)

    @property
    def id(self) -> str:
        """The plugin's id."""
        return self._ward.id

    @property
    def hearing(self) -> Hearing:
        """What all have heard through the plugin; whoever converses with a recogniser counts."""
        return self._ward.tally.hearing

    @property
    def speech(self) -> Speech:
        """What the plugin has said to all; whoever converses with a voice counts."""
        return self._ward.tally.speech

    @property
    def circuit_open(self) -> bool:
        """Whether the provider has failed too often just now to be asked."""
        return self._breaker.open

    async def run(self, function: Callable[[T, *Ts], Awaitable[R]], *args: *Ts) -> R:
        """Return ``await function(capability, *args)``, run in a task of the plugin's own nursery.

        A whole conversation fits into one call, so that no frame pays for the boundary. The
        function sees the caller's context variables. When the caller is cancelled the function is
        cancelled and waited for, but no longer than the policy's patience: then the plugin counts
        as failed and keeps the task, and the caller leaves. Not isolated is a plugin that blocks
        the loop itself.

        Raises:
            ProviderError: as the provider raised it, also out of its nurseries.
            ProviderUnavailable: also when the circuit is open: it has failed too often just now.
            WaavError: as ``function`` itself raised it.
            PluginFailed: anything else was raised.
            PluginNotRunning: the plugin is not in service, or has gone out of it meanwhile.
        """
        ward = self._ward
        raw: T = getattr(ward.running(), self.capability)
        self._ask_breaker()
        ward.tally.call_count += 1
        call = ward.start(self.capability, function, raw, *args)
        with self._in_use():
            await self._wait(call)
        return self._result(call)

    async def run_within(
        self, seconds: float, function: Callable[[T, *Ts], Awaitable[R]], *args: *Ts
    ) -> R:
        """As :meth:`run`, for a question that has an answer soon: who takes longer has failed.

        Raises:
            ProviderUnavailable: also when ``seconds`` are over.
        """
        late = f"did not answer within {seconds:g} s"

        async def in_time(capability: T, *args: *Ts) -> R:
            with trio.move_on_after(seconds):
                return await function(capability, *args)
            raise ProviderUnavailable(self.id, late)

        # The first deadline is the plugin's own, so that the circuit learns of it; the second one
        # is for a plugin that does not heed the first.
        with trio.move_on_after(seconds + _GRACE):
            return await self.run(in_time, *args)
        raise ProviderUnavailable(self.id, late)

    async def _wait(self, call: Call[R]) -> None:
        try:
            # Who has gone on for so long without an error works: a conversation may last an hour,
            # and its end is as a rule a caller that leaves, which says nothing about the provider.
            if not await call.wait(self._breaker.cooldown):
                self._worked()
                await call.wait(inf)
        except (trio.Cancelled, KeyboardInterrupt):
            await self._ward.take_back(call)
            self._look_back(call)
            raise

    @contextmanager
    def _in_use(self) -> Iterator[None]:
        began = trio.current_time()
        self.use.calls += 1
        self.use.open += 1
        try:
            yield
        finally:
            self.use.open -= 1
            self.use.seconds += trio.current_time() - began

    def _ask_breaker(self) -> None:
        now = trio.current_time()
        if not self._breaker.admit(now):
            wait = self._breaker.wait(now)
            raise ProviderUnavailable(self.id, f"circuit open, next try in {wait:.0f} s")

    def _result(self, call: Call[R]) -> R:
        if call.values is not None:
            self._worked()
            return call.values[0]
        error, call.error = call.error, None
        if error is None or (call.withdrawn and only_cancelled(error)):
            raise self._ward.not_running()
        known = permitted(error)
        if known is None:
            raise self._broke(error) from error
        self._judge(known)
        try:
            raise known
        finally:
            # What holds an error that has been raised here is held by it, until a search for garbage.
            del error, known

    def _look_back(self, call: Call[R]) -> None:
        """What a plugin does when it is cancelled counts only if it breaks the contract."""
        error = call.error
        if error is not None and not only_cancelled(error) and permitted(error) is None:
            self._broke(error)

    def _worked(self) -> None:
        self._breaker.succeeded()
        self._ward.tally.in_a_row = 0

    def _judge(self, error: ProviderError | WaavError) -> None:
        match error:
            case ProviderRefused():
                # Who refuses is there.
                self._breaker.succeeded()
            case ProviderBusy() | WaavError():
                return
            case ProviderError():
                self._breaker.failed(trio.current_time())
        self._count(error)

    def _broke(self, error: BaseException) -> PluginFailed:
        """Count and log a broken contract; enough of them in a row end the plugin's service."""
        ward = self._ward
        log.error("plugin %s broke the contract of %s", self.id, self.capability, exc_info=error)
        self._count(error)
        ward.tally.in_a_row += 1
        if ward.tally.in_a_row >= ward.policy.failures_before_stop:
            ward.fail(f"{ward.tally.in_a_row} calls in a row failed, the last: {reason_of(error)}")
        # The text of a stranger's exception is for the log; the client learns its kind.
        return PluginFailed(self.id, f"unexpected {kinds_of(error)}")

    def _count(self, error: BaseException) -> None:
        self.use.errors += 1
        self._ward.tally.error_count += 1
        self._ward.tally.last_error = reason_of(error)
