"""What one client and its session have to say to each other: a loop for each direction."""

import logging
from contextlib import aclosing, suppress
from datetime import UTC, datetime
from itertools import chain
from typing import assert_never

import attrs
import trio

from waav.errors import InvalidRequest, WaavError
from waav.gateway import Gateway
from waav.observe.counters import Counters
from waav.server.websocket import WebSocket
from waav.server.ws.custom import Errand, Errands
from waav.server.ws.decode import decode
from waav.server.ws.encode import authenticated, encode, pong, refusal
from waav.server.ws.identity import Identity
from waav.server.ws.schema import (
    Authenticate,
    Custom,
    Nothing,
    Ping,
    Request,
    Say,
    Setup,
    Sound,
    Topic,
)
from waav.session.commands import Clear
from waav.session.events import Event, Failed, Ready
from waav.session.session import Session
from waav.tasks import already_here

log = logging.getLogger(__name__)

AUDIO_LIMIT = 5 << 20
"""Bytes of one binary message."""


@attrs.define(eq=False)
class Talk:
    """One client's conversation with its session. Each loop is run by a task of the connection."""

    socket: WebSocket
    session: Session
    gateway: Gateway
    identity: Identity
    leave: trio.Event
    """Set when the client is to go: by the server, and here when the session has said its last word."""
    over: bool = False
    """The session has."""
    _ready: trio.Event = attrs.Factory(trio.Event)
    _voice: str | None = None
    """The TTS provider, as the client calls it."""
    _asked: frozenset[Topic] = attrs.field(
        default=attrs.Factory(lambda talk: _topics_of(talk.gateway), takes_self=True)
    )
    """What the client wants to hear of beside what everybody gets."""
    _warned: frozenset[str] = frozenset()
    _errands: Errands | None = None
    """None: the client has asked nothing of a plugin, as most never do."""
    _counters: Counters = attrs.field(
        default=attrs.Factory(lambda talk: talk.gateway.counters, takes_self=True)
    )

    @property
    def used_at(self) -> float:
        """When something was last said on either side; pings to the client and pongs are nothing."""
        return max(self.socket.last_received, self.socket.last_sent)

    async def from_client(self, nursery: trio.Nursery) -> None:
        """Do what the client asks for, one message at a time, until it leaves.

        Args:
            nursery: ends with the conversation; for tasks that few clients need.
        """
        async for message in self.socket:
            self._counters.messages_in += 1
            try:
                if isinstance(message, bytes):
                    self._hear(message)
                    continue
                await self._obey(decode(message), nursery)
            except InvalidRequest as exc:
                await self._refuse(exc)
            # One read may bring hundreds of small requests; others have their turn between them.
            await trio.lowlevel.checkpoint()

    async def events_to_client(self) -> None:
        """Tell the client what the session has to tell, until it has nothing more."""
        async for first in self.session.events:
            for event in chain((first,), already_here(self.session.events)):
                await self._tell_of(event)
                if self.over:
                    return
        self._end()

    async def _tell_of(self, event: Event) -> None:
        for text in encode(event, now_ms=_wall_clock_ms(), asked=self._asked):
            await self.tell(text)
        match event:
            case Ready():
                self._ready.set()
            case Failed(recoverable=False):
                self._end()
            case _:
                pass

    def _end(self) -> None:
        self.over = True
        self.leave.set()

    async def audio_to_client(self) -> None:
        """Hand over the session's voice."""
        # It travels apart from the events, and must not overtake the first of them.
        await self._ready.wait()
        out = self.session.audio_out
        async for frame in out:
            with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
                await self.socket.send(frame.data, unless=out.is_withdrawn)
                self._counters.messages_out += 1

    async def answers_to_client(self, errands: Errands) -> None:
        """Carry out what the client asks of plugins, one message at a time, and hand over the answers."""
        async with aclosing(errands.run()) as answers:
            async for answer in answers:
                await self.tell(answer)

    async def tell(self, message: str | bytes) -> None:
        """Send one message. A client that has left is no error: ``from_client`` ends by itself."""
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            await self.socket.send(message)
            self._counters.messages_out += 1

    async def _refuse(self, exc: InvalidRequest) -> None:
        self._counters.errors.note(exc.code)
        await self.tell(refusal(exc))

    def _hear(self, data: bytes) -> None:
        if len(data) > AUDIO_LIMIT:
            raise InvalidRequest(
                f"Audio frame too large: {len(data)} bytes (max: {AUDIO_LIMIT} bytes)",
                code="audio_too_large",
            )
        if data:
            self.session.push_audio(data)

    async def _obey(self, request: Request, nursery: trio.Nursery) -> None:
        """Answer, or pass a command on; waits while the session has enough of them."""
        match request:
            case Setup():
                await self._set_up(request)
            case Say():
                await self._say(request)
            case Clear():
                await self.session.submit(request)
            case Sound(data=data):
                self._hear(data)
            case Ping(timestamp=timestamp):
                await self.tell(pong(timestamp, now_ms=_wall_clock_ms()))
            case Authenticate(token=token):
                await self.identity.confirm(token)
                await self.tell(authenticated(self.identity.tenant))
            case Custom():
                if self._errands is None:
                    self._errands = Errands(self._counters.errors)
                    nursery.start_soon(self.answers_to_client, self._errands, name="ws/custom")
                self._errands.take(self._errand(request))
            case Nothing():
                pass
            case _:
                assert_never(request)

    def _errand(self, request: Custom) -> Errand:
        return Errand(
            request.type,
            request.payload,
            self.session.stream_id if self._ready.is_set() else "",
            self.identity.principal,
            self.gateway.plugins.ws_handlers(request.type),
        )

    async def _set_up(self, request: Setup) -> None:
        """Configure the session, after a word on what cannot be had."""
        for notice in request.notices:
            await self._refuse(notice)
        self._asked = request.topics(self._asked)
        if request.command.tts is not None:
            self._voice = request.command.tts.provider
        await self.session.submit(request.command)

    async def _say(self, request: Say) -> None:
        """Let the session speak, with the voice it has."""
        self._warn(request.ignored)
        for notice in request.notices:
            await self._refuse(notice)
        if request.provider and not self._is_voice(request.provider):
            text = "The provider cannot change within a session; that of tts_config speaks"
            notice = InvalidRequest(text, code="provider_change_unsupported")
            await self._refuse(notice)
        await self.session.submit(request.command)

    def _is_voice(self, name: str) -> bool:
        """Say whether a name leads to the provider that speaks, if any does."""
        if self._voice is None or name == self._voice:
            return True
        try:
            return self.gateway.means.tts(name).id == self.gateway.means.tts(self._voice).id
        except WaavError:
            return False

    def _warn(self, ignored: tuple[str, ...]) -> None:
        """Log, once in a session, which fields have no effect."""
        news = set(ignored) - self._warned
        if news:
            self._warned |= news
            log.warning("not supported, ignored: %s", ", ".join(sorted(news)))


def _topics_of(gateway: Gateway) -> frozenset[Topic]:
    """Say what a client hears of that has said nothing: it must know who stops the agent."""
    return frozenset({"interruption"} if gateway.means.choices.barge_in.enabled else ())


def _wall_clock_ms() -> int:
    return int(datetime.now(UTC).timestamp() * 1000)
