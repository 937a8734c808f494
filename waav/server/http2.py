"""HTTP/2 as Hypercorn speaks it, with bounds on what a client can make us do for nothing.

Source of what a client may try: RFC 9113, section 10.5, and the attacks known as ping flood, settings
flood, empty frames flood (CVE-2019-9512, 9515, 9518) and rapid reset (CVE-2023-44487).
"""

import re
from collections.abc import Sequence
from typing import Any

import h2.events
import trio
from h2.errors import ErrorCodes
from h2.utilities import SizeLimitDict
from hypercorn.events import Closed, Event, RawData, Updated
from hypercorn.protocol.h2 import H2Protocol

from waav.security.rate import Rates

STEP = 1024
"""Bytes that are read before everybody else has a turn: 60 pings, which is a few milliseconds."""

MOST_IDLE_FRAMES = 1000
"""Frames of a connection that ask for nothing, before it is closed."""
IDLE_RATE = 10.0
"""More of them in each second: a proxy keeps a connection for days, pings, and resets what is broken off."""

MOST_REMEMBERED = 1000
"""Requests of a connection that are over, and known to be; it may have any number of them."""

_IDLE = (h2.events.PingReceived, h2.events.RemoteSettingsChanged, h2.events.StreamReset)

_VISIBLE = re.compile(rb"[!-~]+")
"""What methods and targets are made of. HTTP/1 allows nothing else; here the library passes any bytes on."""


class Http2(H2Protocol):
    """One connection."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        # WebSockets over HTTP/2 (RFC 8441), which Hypercorn offers and we do not have: a browser
        # would use it for wss, and fail.
        self.connection.local_settings.enable_connect_protocol = 0
        self.connection.local_settings.acknowledge()  # not sent yet, so there is no one to wait for
        # The library has no setting for it, and its own 65536 are ten megabytes.
        self.connection._closed_streams = SizeLimitDict(size_limit=MOST_REMEMBERED)  # noqa: SLF001
        self._idle_frames = Rates(IDLE_RATE, MOST_IDLE_FRAMES)

    async def initiate(
        self, headers: list[tuple[bytes, bytes]] | None = None, settings: bytes | None = None
    ) -> None:
        """Begin; with ``headers``, those of a request that was made in HTTP/1.1."""
        await super().initiate(headers, settings)
        if headers is None:
            # With prior knowledge the preface was taken for a request, which nobody would answer.
            await self.send(Updated(idle=True))

    async def handle(self, event: Event) -> None:
        """Take what comes a little at a time: a packet may hold thousands of frames."""
        if not isinstance(event, RawData):
            await super().handle(event)
            return
        for start in range(0, len(event.data), STEP):
            if self.closed:
                return
            await super().handle(RawData(event.data[start : start + STEP]))
            await trio.lowlevel.checkpoint()

    async def _handle_events(self, events: Sequence[h2.events.Event]) -> None:
        for event in events:
            if self.closed:
                return
            await self._handle_event(event)
        await self._flush()

    async def _handle_event(self, event: h2.events.Event) -> None:
        if _asks_for_nothing(event) and not self._idle_frames.take("", trio.current_time()).passes:
            self.connection.close_connection(ErrorCodes.ENHANCE_YOUR_CALM)
            await self._flush()
            await self.send(Closed())
            return
        match event:
            case h2.events.PriorityUpdated():
                return  # deprecated, and a tree of them can be as large as a client wants it
            case h2.events.RequestReceived(stream_id=stream) if _is_malformed(event):
                self.connection.reset_stream(stream, ErrorCodes.PROTOCOL_ERROR)
                return
            case h2.events.DataReceived(stream_id=stream) if stream not in self.streams:
                # The rest of a request that was answered already; to Hypercorn that is an error.
                self.connection.acknowledge_received_data(event.flow_controlled_length, stream)
                return
        await super()._handle_events([event])


def _asks_for_nothing(event: h2.events.Event) -> bool:
    return isinstance(event, _IDLE) or _is_empty(event) or _is_malformed(event)


def _is_empty(event: h2.events.Event) -> bool:
    return isinstance(event, h2.events.DataReceived) and not event.data and not event.stream_ended


def _is_malformed(event: h2.events.Event) -> bool:
    """Tell of a request that Hypercorn cannot read, or takes for a WebSocket, which has other doors."""
    if not isinstance(event, h2.events.RequestReceived):
        return False
    told = dict(event.headers)
    method, path = told.get(b":method", b""), told.get(b":path", b"")
    both_visible = _VISIBLE.fullmatch(method) and _VISIBLE.fullmatch(path)
    return not both_visible or method.upper() == b"CONNECT"
