"""A whole handler of custom messages in one file: clients keep notes with it, and read them again.

Put it into the folder that ``plugins.plugin_dir`` names. A client then says, over its WebSocket,

    {"type": "custom", "message_type": "notes/add", "payload": {"text": "buy milk"}}

and gets ``{"type": "plugin_response", "message_type": "notes/add", "payload": {"notes": 1}}``.
docs/plugins/messages.md goes through this file.
"""

from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import attrs

from capabilities import (
    Ability,
    Capability,
    CustomMessage,
    Manifest,
    Plugin,
    PluginContext,
    ProviderRefused,
    Replies,
)

ID = "notes"
ADD, LIST = "notes/add", "notes/list"


@attrs.frozen
class NotesSettings:
    """What the operator may set under ``[plugins.providers.notes]``."""

    most: int = attrs.field(default=100, validator=attrs.validators.ge(1))
    """Notes that are kept of one owner; the oldest goes."""
    owners: int = attrs.field(default=1000, validator=attrs.validators.ge(1))
    """Owners whose notes are kept; who has said nothing for longest goes."""


@attrs.define
class Notebook:
    """The notes. It decides, and knows nothing of messages: a test needs no gateway for it."""

    most: int
    owners: int
    _notes: OrderedDict[str, list[str]] = attrs.field(factory=OrderedDict)

    def add(self, owner: str, text: str) -> int:
        """Keep a note; return how many there are now."""
        notes = self._notes.setdefault(owner, [])
        notes.append(text)
        del notes[: -self.most]
        self._notes.move_to_end(owner)
        if len(self._notes) > self.owners:
            self._notes.popitem(last=False)
        return len(notes)

    def of(self, owner: str) -> list[str]:
        """Return somebody's notes, the oldest first."""
        return list(self._notes.get(owner, ()))


@attrs.frozen
class NotesHandler:
    """The handler: what a client says -> what the notebook does -> what the client hears."""

    notebook: Notebook

    async def handle(self, message: CustomMessage) -> object:
        """Keep a note, or tell all of them, each with an answer of its own."""
        owner = _owner(message)
        if message.type == LIST:
            return Replies({"text": text} for text in self.notebook.of(owner))
        match message.payload:
            case {"text": str(text)} if text.strip():
                return {"notes": self.notebook.add(owner, text)}
            case _:
                # A client reads this: "Plugin handler error: notes: a note needs a text".
                raise ProviderRefused(ID, "a note needs a text")


def _owner(message: CustomMessage) -> str:
    """Whose notes these are: the tenant's, and where nobody is known, the session's own."""
    tenant = message.principal and message.principal.id
    if tenant:
        return f"tenant {tenant}"
    if message.stream_id:
        return f"stream {message.stream_id}"
    raise ProviderRefused(ID, "say config before notes")


@asynccontextmanager
async def open_notes(context: PluginContext) -> AsyncIterator[Plugin]:
    """Bring the handler. One with a database would connect to it here, around the ``yield``."""
    settings: NotesSettings = context.settings
    yield Plugin(ws_handler=NotesHandler(Notebook(settings.most, settings.owners)))


MANIFEST = Manifest(
    id=ID,
    name="Notes",
    description="Keeps notes of clients while the gateway runs",
    open=open_notes,
    settings=NotesSettings,
    abilities={Capability.WS_HANDLER: Ability(message_types=(ADD, LIST))},
)
