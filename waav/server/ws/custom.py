"""``custom`` messages on their way to the handlers of plugins, and answers on their way back."""

from collections.abc import AsyncGenerator, Sequence

import attrs
import msgspec
import trio

from capabilities import CustomMessage, Principal, ProviderError, WSHandler
from waav.errors import InvalidRequest, WaavError
from waav.observe.counters import ByLabel
from waav.plugins import Guarded
from waav.plugins.replies import answers_of
from waav.server.errors import describe
from waav.server.ws.encode import handler_failed, plugin_response

WAITING = 16
"""Messages of one client that wait; one more is refused, because sound comes the same way."""
PATIENCE = 10.0
"""Seconds that one handler has for one message."""


@attrs.frozen
class Errand:
    """One message, and who handles it."""

    type: str
    payload: bytes = attrs.field(repr=False)
    """JSON. Read anew for each handler, none of which must see what another has done to it; and
    read late, because what waits takes less room so."""
    stream_id: str
    principal: Principal | None
    handlers: Sequence[Guarded[WSHandler]]

    def message(self) -> CustomMessage:
        """Return the message as a handler gets it."""
        payload = msgspec.json.decode(self.payload)
        return CustomMessage(self.type, payload, self.stream_id, self.principal)


@attrs.define(eq=False)
class Errands:
    """One client's messages to handlers: taken by who reads the socket, run by a task of their own."""

    _errors: ByLabel = attrs.Factory(ByLabel)
    """Those that the client is told of, by code."""
    _put: trio.MemorySendChannel[Errand] = attrs.field(init=False)
    _waiting: trio.MemoryReceiveChannel[Errand] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._put, self._waiting = trio.open_memory_channel[Errand](WAITING)

    def take(self, errand: Errand) -> None:
        """Let a message wait for its turn.

        Raises:
            InvalidRequest: nobody handles its type, or too many wait already.
        """
        if not errand.handlers:
            text = f"Unknown custom message type: {errand.type}"
            raise InvalidRequest(text, code="unknown_custom_type")
        try:
            self._put.send_nowait(errand)
        except trio.WouldBlock:
            text = f"Plugin handler error: {WAITING} messages are waiting for an answer"
            raise InvalidRequest(text, code="custom_queue_full") from None

    async def run(self) -> AsyncGenerator[str | bytes, None]:
        """Yield what the client gets: for each message, handler by handler, answers or one error."""
        async for errand in self._waiting:
            for handler in errand.handlers:
                try:
                    answers = await handler.run_within(PATIENCE, _handled, errand.message())
                except (ProviderError, WaavError) as exc:
                    self._errors.note(describe(exc)[0])
                    answers = [handler_failed(exc)]
                for answer in answers:
                    yield answer


async def _handled(handler: WSHandler, message: CustomMessage) -> list[str | bytes]:
    # In the plugin's own task: an answer that cannot be written is the plugin's fault.
    return [
        answer if isinstance(answer, bytes) else plugin_response(message.type, answer)
        for answer in answers_of(await handler.handle(message))
    ]
