"""The states of a link and the steps between them, and the actions that it asks for.

All that is allowed stands in :data:`TRANSITIONS`; the code and its test read it.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

import attrs

from capabilities import AudioFrame
from providers._common.wire import Message


class State(StrEnum):
    """Where a link is with its current connection."""

    OPEN = "open"
    """It is to be opened, or is being opened."""
    CONFIGURED = "configured"
    """It is open and the start messages are sent; the vendor has not said that it is ready."""
    STREAMING = "streaming"
    FINALIZING = "finalizing"
    """All sound is sent and the vendor knows; its last words are to come."""
    CLOSING = "closing"
    """Nothing more is to come: all was said, or there is an error."""


class Step(StrEnum):
    """What may happen to a link."""

    CONNECT = "connect"
    READY = "ready"
    SWITCH = "switch"
    FINISH = "finish"
    LOSE = "lose"
    LEAVE = "leave"


_S, _E = State, Step

TRANSITIONS: Mapping[State, Mapping[Step, State]] = MappingProxyType({
    _S.OPEN:       {_E.CONNECT: _S.CONFIGURED, _E.LOSE: _S.OPEN, _E.LEAVE: _S.CLOSING},
    _S.CONFIGURED: {_E.READY: _S.STREAMING, _E.LOSE: _S.OPEN, _E.LEAVE: _S.CLOSING},
    # A switch puts a connection that is ready in the place of the one that was streaming.
    _S.STREAMING:  {_E.SWITCH: _S.STREAMING, _E.FINISH: _S.FINALIZING, _E.LOSE: _S.OPEN,
                    _E.LEAVE: _S.CLOSING},
    _S.FINALIZING: {_E.LOSE: _S.OPEN, _E.LEAVE: _S.CLOSING},
    _S.CLOSING:    {},
})  # fmt: skip


class IllegalStep(Exception):
    """The step does not exist in this state: a mistake of ours, not of the vendor."""

    def __init__(self, state: State, step: Step) -> None:
        known = ", ".join(TRANSITIONS[state]) or "nothing"
        super().__init__(f"no step {step!s} for a link that is {state!s} (possible: {known})")


def after(state: State, step: Step) -> State:
    """Return the state that a step leads to.

    Raises:
        IllegalStep: it does not exist there.
    """
    if step not in TRANSITIONS[state]:
        raise IllegalStep(state, step)
    return TRANSITIONS[state][step]


@attrs.frozen
class Open:
    """Make a connection, and say the start messages on it."""


@attrs.frozen
class Renew:
    """Make a second connection, while the first goes on."""


@attrs.frozen
class Switch:
    """Go on with the second connection, and leave the first."""


@attrs.frozen
class Drop:
    """Leave every connection that there is."""


@attrs.frozen
class Play:
    """Send a frame, the stream's or silence."""

    frame: AudioFrame


@attrs.frozen
class Say:
    """Send a message that the wire asked for."""

    message: Message


@attrs.frozen
class KeepAlive:
    """Send the wire's keepalive message."""


@attrs.frozen
class Finish:
    """Send the wire's last messages."""


Action: TypeAlias = Open | Renew | Switch | Drop | Play | Say | KeepAlive | Finish
