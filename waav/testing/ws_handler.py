"""The contract of :class:`capabilities.WSHandler`: a function that tries it, and a fake that keeps it."""

import json
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

import attrs
import trio

from capabilities import Ability, CustomMessage, Principal, ProviderError, WSHandler
from waav.plugins.replies import answers_of
from waav.testing.contract import cancel_everywhere, promise, whole_check, within

TYPE = "fake/echo"
_PATIENCE = 10.0
"""Seconds that the gateway gives a handler for a message."""
_PAYLOADS: tuple[Any, ...] = (
    None,
    True,
    -1,
    1e308,
    "",
    "text \U0001f642 \x00",
    "x" * 50_000,
    [],
    [[[1, None]]],
    {},
    {"": {"a": [1, "b"]}},
    json.loads("[" * 128 + "]" * 128),
)
"""What a client may send, whatever a handler wants."""


@attrs.define(eq=False)
class FakeWSHandler:
    """A handler that answers each message with its own payload."""

    types: tuple[str, ...] = (TYPE,)
    delay: float = 0.0
    """Seconds before each answer."""
    error: ProviderError | None = None
    """Raised instead."""
    answers: Mapping[str, Any] = attrs.field(factory=dict)
    """By type: what it answers instead."""
    messages: list[CustomMessage] = attrs.field(factory=list, init=False)
    """All that it was sent, the newest last."""

    async def handle(self, message: CustomMessage) -> Any:
        """Answer."""
        self.messages.append(message)
        await trio.sleep(self.delay)
        if self.error is not None:
            raise self.error
        return self.answers.get(message.type, message.payload)


async def check_ws_handler(
    handler: WSHandler,
    ability: Ability,
    *,
    payloads: Iterable[Any] = (),
    cancels: int = 60,
    budget: float = 60.0,
) -> None:
    """Raise AssertionError at the first promise of :class:`WSHandler` that is not kept.

    Args:
        handler: the implementer.
        ability: what its manifest says: it gets messages of each type that is named there.
        payloads: what clients are meant to send; it must be answered, and not refused. Whatever
            else a client may send comes too, and may be refused.
        cancels: the most runs that are cancelled, each at another await.
        budget: seconds for all of it.
    """
    types, meant = ability.message_types, list(payloads)
    promise(types, "a manifest names the message types that are handled")
    async with whole_check(budget):
        for name in types:
            for payload in _PAYLOADS:
                await _ask(handler, CustomMessage(name, payload), may_refuse=True)
                # A known client, in a session.
                known = CustomMessage(name, payload, "a-stream", Principal("a-tenant"))
                await _ask(handler, known, may_refuse=True)
            for payload in meant:
                await _ask(handler, CustomMessage(name, payload, "a-stream"), may_refuse=False)
            usual = CustomMessage(name, meant[0] if meant else None, "a-stream")
            ask = partial(_ask, handler, usual, may_refuse=not meant)
            await cancel_everywhere(ask, f"handling {name}", most=cancels)


async def _ask(handler: WSHandler, message: CustomMessage, *, may_refuse: bool) -> None:
    what = f"handling {message.type} with {str(message.payload)[:40]!r}"
    try:
        async with within(_PATIENCE, what):
            result = await handler.handle(message)
    except ProviderError:
        if may_refuse:
            return
        raise
    except AssertionError:
        raise
    except Exception as error:
        raise AssertionError(f"{what} raises {error!r}") from error
    try:
        answers_of(result)
    except Exception as error:
        raise AssertionError(f"{what} gives no answer that can be sent: {error}") from error
