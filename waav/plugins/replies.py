"""What a handler of custom messages has returned -> answers that can be sent, of some size. No I/O."""

from typing import Any

import msgspec

from capabilities import Replies

MOST = 64
"""Answers to one message."""
MOST_BYTES = 1 << 20
"""Of all of them together."""


def answers_of(result: Any) -> list[bytes | msgspec.Raw]:
    """Return the answers in their order: binary ones, and JSON.

    Raises:
        TypeError, ValueError, RecursionError: it is no data, or there is too much of it.
    """
    match result:
        case None:
            given: tuple[Any, ...] = ()
        case Replies(answers=several):
            given = several
        case _:
            given = (result,)
    if len(given) > MOST:
        raise ValueError(f"{len(given)} answers to one message (max: {MOST})")
    # Several within several were dropped by the gateways that clients know, and are here.
    answers = [_written(each) for each in given if not isinstance(each, Replies)]
    if (size := sum(len(memoryview(each)) for each in answers)) > MOST_BYTES:
        raise ValueError(f"answers of {size} bytes to one message (max: {MOST_BYTES})")
    return answers


def _written(answer: Any) -> bytes | msgspec.Raw:
    if isinstance(answer, bytes | bytearray):
        return bytes(answer)
    return msgspec.Raw(msgspec.json.encode(answer))
