"""Faults that cannot be in a state, on a transport; and why."""

from collections.abc import Callable
from typing import TypeAlias

from waav.testing.fault_talks import State
from waav.testing.relay_line import ANSWERS, CLOSES
from waav.testing.relay_wire import Fault, Transport

_Where: TypeAlias = Callable[[Transport, State, bool], bool]
"""Whether it is there, on a transport, in a state, and for what is asked for once."""

_IMPOSSIBLE: tuple[tuple[frozenset[Fault], _Where, str], ...] = (
    (
        frozenset({*CLOSES, Fault.DOUBLED, Fault.SWAPPED, Fault.SWALLOWED}),
        lambda transport, _state, _once: transport is not Transport.WEBSOCKET,
        "there are no messages on this transport, only bytes",
    ),
    (
        frozenset({*ANSWERS, Fault.HUGE}),
        lambda transport, _state, _once: transport is Transport.HTTP2,
        "the relay does not look into HTTP/2",
    ),
    (
        frozenset({Fault.TLS}),
        lambda _transport, state, _once: state is not State.CONNECTING,
        "TLS is agreed on while connecting",
    ),
    (
        frozenset(ANSWERS),
        lambda _transport, state, _once: state is State.CLOSING,
        "who leaves does not ask again",
    ),
    (
        frozenset({Fault.REFUSED, *ANSWERS}),
        lambda _transport, state, once: once and state is not State.CONNECTING,
        "it is asked for once",
    ),
    (
        frozenset({Fault.RUBBISH, Fault.HUGE}),
        lambda transport, state, once: (
            once and transport is Transport.HTTP and state is not State.CONNECTING
        ),
        "in the middle of an answer it is answer",
    ),
)


def why_not(transport: Transport, fault: Fault, state: State, *, once: bool = False) -> str:
    """Say why a cell cannot be; empty if it can.

    Args:
        transport: what is spoken.
        fault, state: of the cell.
        once: one thing is asked for, and not again when it fails: a text of a voice, an answer.
    """
    reasons = (
        reason
        for faults, is_there, reason in _IMPOSSIBLE
        if fault in faults and is_there(transport, state, once)
    )
    return next(reasons, "")
