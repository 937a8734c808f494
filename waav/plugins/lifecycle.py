"""A plugin's life: the states, the steps between them, and the record of one life.

All that is allowed stands in :data:`TRANSITIONS`; the code, its test and the diagram in
docs/plugins/lifecycle.md read it. No clock: the caller says what time it is.
"""

from collections import deque
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

import attrs

from waav.errors import WaavError

HISTORY = 32
"""Moves that are remembered: four whole lives, enough to see a plugin that comes and goes."""


class State(StrEnum):
    """Where a plugin is in its life."""

    DISCOVERED = "discovered"
    REGISTERED = "registered"
    INITIALIZING = "initializing"
    READY = "ready"
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"


class Step(StrEnum):
    """What may happen to a plugin."""

    REGISTER = "register"
    INIT = "init"
    INIT_DONE = "init_done"
    START = "start"
    STOP = "stop"
    STOP_DONE = "stop_done"
    FAIL = "fail"


_S, _E = State, Step

TRANSITIONS: Mapping[State, Mapping[Step, State]] = MappingProxyType({
    _S.DISCOVERED:   {_E.REGISTER: _S.REGISTERED, _E.FAIL: _S.FAILED},
    # A registered plugin may have to wait for others, so it may be stopped or fail before it opens.
    _S.REGISTERED:   {_E.INIT: _S.INITIALIZING, _E.STOP: _S.STOPPING, _E.FAIL: _S.FAILED},
    _S.INITIALIZING: {_E.INIT_DONE: _S.READY, _E.STOP: _S.STOPPING, _E.FAIL: _S.FAILED},
    _S.READY:        {_E.START: _S.RUNNING, _E.STOP: _S.STOPPING, _E.FAIL: _S.FAILED},
    _S.RUNNING:      {_E.STOP: _S.STOPPING, _E.FAIL: _S.FAILED},
    _S.STOPPING:     {_E.STOP_DONE: _S.STOPPED, _E.FAIL: _S.FAILED},
    _S.STOPPED:      {},
    # A failed plugin stays in the list so that an operator can see why; a restart is a fresh
    # registration.
    _S.FAILED:       {_E.REGISTER: _S.REGISTERED},
})  # fmt: skip


class IllegalStep(WaavError):
    """The step does not exist in this state: a mistake of ours, not of the plugin."""

    def __init__(self, state: State, step: Step) -> None:
        known = ", ".join(TRANSITIONS[state]) or "nothing"
        super().__init__(f"no step {step!s} for a {state!s} plugin (possible: {known})")


@attrs.frozen
class Move:
    """One step that was taken."""

    at: float
    step: Step
    state: State
    """The state that it led to."""
    reason: str


@attrs.define
class Lifecycle:
    """One plugin's life so far."""

    since: float
    """When it came into its state; the caller's clock."""
    state: State = State.DISCOVERED
    reason: str = ""
    """Why it is in its state, where that needs a reason."""
    history: deque[Move] = attrs.field(factory=lambda: deque(maxlen=HISTORY), repr=False)

    def allows(self, step: Step) -> bool:
        """Tell whether the step exists from here."""
        return step in TRANSITIONS[self.state]

    def take(self, step: Step, now: float, reason: str = "") -> State:
        """Take one step and return where it led.

        Raises:
            IllegalStep: the table has no such step; nothing has changed.
        """
        if not self.allows(step):
            raise IllegalStep(self.state, step)
        self.state = TRANSITIONS[self.state][step]
        self.since, self.reason = now, reason
        self.history.append(Move(now, step, self.state, reason))
        return self.state
