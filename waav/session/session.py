"""A session is a nursery: :func:`open_session` is the list of its tasks."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from uuid import uuid4

import attrs
import trio

from waav.observe.counters import Counters
from waav.observe.scope import any_scope
from waav.plugins.hearing import Hearing
from waav.session.commands import Command, Configure
from waav.session.control import Control, Order
from waav.session.events import Event
from waav.session.listening import Listening
from waav.session.means import Means
from waav.session.outbox import SIZE, Outbox
from waav.session.output import AudioOut, Output
from waav.session.speaking import Speaking
from waav.session.turn_taking import Heard, TurnTaking
from waav.session.watching import Watching
from waav.tasks import open_scoped_nursery
from waav.turns.barge_in import BargeIn
from waav.turns.dead_air import DeadAirMeter
from waav.turns.playout import Playout

COMMANDS = 16
"""Commands that wait; then the client does, and TCP tells it to slow down."""
NEWS = 16
"""Transcripts that wait until they are looked at; then the provider does."""
DRAIN = 0.5
"""Seconds that providers get for their last words when a session ends."""


@attrs.define(eq=False)
class Session:
    """One client's session: two ways in, two ways out. Made by :func:`open_session`."""

    events: trio.MemoryReceiveChannel[Event]
    """Iterate to learn what happens. Whoever does not for 10 s, though there is news, loses the
    session (:exc:`~waav.errors.SlowClient`)."""
    audio_out: AudioOut
    """Iterate to take the sound of the session's voice; see :class:`AudioOut`."""
    _control: Control
    _listening: Listening
    _speaking: Speaking
    _orders: trio.MemorySendChannel[Order]
    _counters: Counters

    def push_audio(self, data: bytes) -> None:
        """Take sound, in the format of the STT configuration, cut anywhere. Never waits.

        Sound that comes between a configuration and its being ready is kept (5 s). Afterwards,
        sound that its provider is more than 1 s late in taking is dropped, the oldest first.
        Without a configuration that listens there is one event that says so.
        """
        self._counters.frames_in += 1
        if not self._listening.push(data):
            self._control.refuse_audio()

    async def submit(self, command: Command) -> None:
        """Take a command; it is carried out after those before it. Waits while 16 are waiting."""
        ear = None
        if isinstance(command, Configure) and command.audio and command.stt is not None:
            ear = self._listening.expect(command.stt)
        await self._orders.send(Order(command, ear))

    @property
    def stream_id(self) -> str:
        """Unique, unless the client chose it with its first successful configuration."""
        return self._control.stream_id

    @property
    def dropped_frames(self) -> int:
        """Frames of the client that were lost because they came too early or were taken too late."""
        return self._listening.dropped

    @property
    def ignored_clears(self) -> int:
        """How often the client's ``clear`` was ignored, because what plays may not be interrupted."""
        return self._speaking.ignored_clears

    @property
    def statistics(self) -> Mapping[str, Hearing]:
        """What was heard so far, counted, by the id of the provider that heard it."""
        return self._listening.statistics


@asynccontextmanager
async def open_session(means: Means) -> AsyncIterator[Session]:
    """Run a session for as long as the block lasts.

    It listens and speaks once a :class:`~waav.session.commands.Configure` was submitted. Leaving
    the block ends it: what was not said is not said any more, the STT provider gets half a second
    for its last words, and no task is left.

    Raises:
        SlowClient: the events were not read.
    """
    outgoing, events = trio.open_memory_channel[Event](SIZE)
    orders, ordered = trio.open_memory_channel[Order](COMMANDS)
    stream_id = str(uuid4())
    hearing, heard = trio.open_memory_channel[Heard](NEWS)
    counters = means.counters
    outbox = Outbox(outgoing, counters)
    output = Output.open(outbox, Playout(), DeadAirMeter(means.choices.dead_air))
    speaking = Speaking(output)
    # Closing a channel asynchronously is a checkpoint, where a cancellation would hide an error.
    with any_scope(stream_id=stream_id), outgoing, output.audio:
        async with open_scoped_nursery("the session ends") as nursery:
            watching = Watching(hearing, outbox, nursery, means.shedding(outbox))
            barge_in = BargeIn(means.choices.barge_in)
            turns = TurnTaking(outbox, speaking, nursery, hearing, watching, barge_in=barge_in)
            listening = Listening(hearing, outbox, nursery, watching, turns)
            control = Control(means, outbox, listening, watching, speaking, turns, stream_id)
            nursery.start_soon(control.run, ordered, name="session/control")
            nursery.start_soon(turns.run, heard, name="session/turns")
            nursery.start_soon(speaking.run, name="session/speak")
            nursery.start_soon(output.run, name="session/output")
            counters.sessions_started += 1
            session = Session(events, output.audio, control, listening, speaking, orders, counters)
            with counters.sessions.including(session):
                yield session
            with trio.move_on_after(DRAIN):
                await listening.finish()
