"""WebSocket handlers: a client's own messages to a plugin. The contract, and the values it speaks."""

from collections.abc import Iterable
from typing import Any, Protocol

import attrs

from capabilities.auth import Principal


@attrs.frozen
class CustomMessage:
    """What a client sends as ``{"type": "custom", "message_type": ..., "payload": ...}``."""

    type: str
    """One of ``Ability.message_types``."""
    payload: Any = attrs.field(default=None, repr=False)
    """Plain data, as JSON has it, of at most 51 200 bytes and 128 levels; whatever a client likes to
    send."""
    stream_id: str = ""
    """Of the client's session; empty before that is ready."""
    principal: Principal | None = None
    """Who the client is; None for somebody whom nobody knows."""


def _in_order(answers: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(answers)


@attrs.frozen
class Replies:
    """Several answers to one message, in this order."""

    answers: tuple[Any, ...] = attrs.field(converter=_in_order)
    """Each as :meth:`WSHandler.handle` may give it alone, but None is the answer ``null``."""


class WSHandler(Protocol):
    """Answers messages of the types that the manifest names (``Ability.message_types``)."""

    async def handle(self, message: CustomMessage) -> object:
        """Do what the message asks for, and return the answer.

        None is no answer. ``bytes`` go to the client as a binary message. :class:`Replies` are
        several. Anything else is plain data (what ``json`` writes, attrs classes and dataclasses
        too) and becomes the ``payload`` of a ``plugin_response``. There are at most 64 answers to a
        message, of 1 MiB all together.

        Messages of one client come one at a time and in their order, those of many clients many at
        a time. It may be cancelled at any time: the client has left, or 10 s are over.

        Raises:
            ProviderRefused: what is asked for cannot be done; the client may read the message.
            ProviderBusy: not now, but after ``retry_after`` seconds.
            ProviderUnavailable: whom the handler needs cannot be reached, or is too slow.
        """
        ...
