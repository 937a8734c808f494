"""The client's half of HTTP/2, without any I/O: orders and bytes in, events and bytes out.

The one file that knows ``h2``. What is bounded here: a frame (16 KiB), a header block (64 KiB in at
most 64 pieces), and what one stream (256 KiB) or all together may send ahead of being read.
"""

import logging
from collections.abc import Iterator
from contextlib import suppress
from typing import TypeAlias

import attrs
import h2.events
from h2.config import H2Configuration
from h2.connection import ConnectionInputs, H2Connection, H2ConnectionStateMachine
from h2.errors import ErrorCodes
from h2.exceptions import H2Error, StreamClosedError
from h2.frame_buffer import FrameBuffer
from h2.settings import SettingCodes, Settings
from hyperframe.frame import Frame

from providers._common.grpc.headers import Fields
from providers._common.grpc.messages import Unreadable

# It logs headers, and there are keys in them.
logging.getLogger("hpack").setLevel(logging.WARNING)

MAX_CALLS = 100
"""At one time on one connection, also if the server would take more."""
STREAM_WINDOW = 256 * 1024
# No call may be held up because others are read slowly, so there is room for all of them.
CONNECTION_WINDOW = MAX_CALLS * STREAM_WINDOW

_HEAD_SIZE = 9
_FIRST_WINDOW = 65_535
_PING = b"waavping"


@attrs.frozen
class Answered:
    """A header block: the head of an answer, or the only one that there is."""

    stream: int
    fields: Fields = attrs.field(repr=False)


@attrs.frozen
class Trailed:
    """The header block behind the data."""

    stream: int
    fields: Fields = attrs.field(repr=False)


@attrs.frozen
class Sent:
    """A piece of a stream's data."""

    stream: int
    data: bytes = attrs.field(repr=lambda data: f"<{len(data)} bytes>")
    size: int
    """What it has taken of the windows: the data and its padding."""


@attrs.frozen
class Ended:
    """The server has said all that it had to say on a stream."""

    stream: int


@attrs.frozen
class Reset:
    """The server has broken a stream off."""

    stream: int
    code: int
    """Of HTTP/2."""

    @property
    def refused(self) -> bool:
        """Whether the server says that it has done nothing about the stream."""
        return self.code == ErrorCodes.REFUSED_STREAM


@attrs.frozen
class GoingAway:
    """The server takes no new streams, and has not looked at those above ``last``."""

    last: int
    why: str = ""
    """In the server's own words."""


@attrs.frozen
class Greeted:
    """The server's settings have come, or changed."""


@attrs.frozen
class Widened:
    """A window has become larger."""


Event: TypeAlias = Answered | Trailed | Sent | Ended | Reset | GoingAway | Greeted | Widened


class Wire:
    """One connection's state. No method waits; after any of them ``take`` may have bytes to write."""

    def __init__(self) -> None:
        self._h2 = _Connection()
        self._h2.initiate_connection()
        self._h2.increment_flow_control_window(CONNECTION_WINDOW - _FIRST_WINDOW)

    @property
    def free(self) -> int:
        """How many more streams may be opened now."""
        most = min(MAX_CALLS, self._h2.remote_settings.max_concurrent_streams)
        return most - self._h2.open_outbound_streams

    def open(self, headers: list[tuple[str, str]]) -> int:
        """Open a stream and return its number."""
        stream = self._h2.get_next_available_stream_id()
        self._h2.send_headers(stream, headers)
        return stream

    def room(self, stream: int) -> int:
        """How many bytes ``send`` takes now: at most one frame; 0 or less while a window is shut."""
        return min(self._h2.local_flow_control_window(stream), self._h2.max_outbound_frame_size)

    def send(self, stream: int, data: bytes) -> None:
        """Send data, no more than there is room for."""
        self._h2.send_data(stream, data)

    def finish(self, stream: int) -> None:
        """Say that nothing follows on the stream."""
        self._h2.end_stream(stream)

    def reset(self, stream: int) -> None:
        """Break the stream off: CANCEL."""
        # The server's own reset may have come a moment before.
        with suppress(StreamClosedError):
            self._h2.reset_stream(stream, ErrorCodes.CANCEL)

    def acknowledge(self, stream: int, size: int) -> None:
        """Give back what data has taken of the windows; the stream may be gone already."""
        self._h2.acknowledge_received_data(size, stream)

    def ping(self) -> None:
        """Ask for any answer."""
        self._h2.ping(_PING)

    def close(self) -> None:
        """Say goodbye to the server."""
        self._h2.close_connection()

    def take(self) -> bytes:
        """Return the bytes that are to be written next; empty if there are none."""
        return self._h2.data_to_send()

    def receive(self, data: bytes) -> list[Event]:
        """Read what the server sent.

        Raises:
            Unreadable: it is no HTTP/2, or goes beyond a bound; the connection is of no use any more.
        """
        try:
            return list(_translated(self._h2.receive_data(data)))
        except H2Error as exc:
            raise Unreadable(f"not the HTTP/2 it should be: {exc}") from exc


def _translated(events: list[h2.events.Event]) -> Iterator[Event]:
    for event in events:
        match event:
            case h2.events.ResponseReceived(stream_id=stream, headers=headers):
                yield Answered(stream, dict(headers))
            case h2.events.TrailersReceived(stream_id=stream, headers=headers):
                yield Trailed(stream, dict(headers))
            case h2.events.DataReceived(stream_id=stream, data=data, flow_controlled_length=size):
                yield Sent(stream, data, size)
            case h2.events.StreamEnded(stream_id=stream):
                yield Ended(stream)
            case h2.events.StreamReset(stream_id=stream, error_code=code):
                yield Reset(stream, int(code))
            case h2.events.ConnectionTerminated(last_stream_id=last, additional_data=why):
                yield GoingAway(last or 0, (why or b"").decode("utf-8", "replace"))
            case h2.events.RemoteSettingsChanged():
                yield Greeted()
                yield Widened()
            case h2.events.WindowUpdated():
                yield Widened()
            case _:
                # Answers to pings, acknowledgements, extensions: that they came is all they say.
                pass


class _Connection(H2Connection):
    """``h2``'s connection, with bounds looked at earlier and GOAWAY taken for what it is.

    ``h2`` closes at once when the server is going away and drops what was to be written. In gRPC
    it is the beginning of a graceful end: the streams that are open go on (h2 issue 1181).
    """

    def __init__(self) -> None:
        super().__init__(H2Configuration(client_side=True))
        self.state_machine = _States()
        self.incoming_buffer = _Frames()
        settings = {
            SettingCodes.ENABLE_PUSH: 0,
            SettingCodes.INITIAL_WINDOW_SIZE: STREAM_WINDOW,
            SettingCodes.MAX_HEADER_LIST_SIZE: self.DEFAULT_MAX_HEADER_LIST_SIZE,
        }
        self.local_settings = Settings(client=True, initial_values=settings)

    def clear_outbound_data_buffer(self) -> None:
        """Keep what was to be written; only GOAWAY asks for it to be dropped."""


class _States(H2ConnectionStateMachine):
    _transitions = {  # noqa: RUF012 - as the parent has it, where nobody changes it
        (state, happens): (effect, state if happens is ConnectionInputs.RECV_GOAWAY else then)
        for (state, happens), (effect, then) in H2ConnectionStateMachine._transitions.items()  # noqa: SLF001 - the table is what has to differ
    }


class _Frames(FrameBuffer):
    """Looks at a frame's length when its head is there; ``h2`` first waits for all of the frame."""

    def __next__(self) -> Frame:
        if len(self._data) >= _HEAD_SIZE:
            self._validate_frame_length(int.from_bytes(self._data[:3], "big"))
        return super().__next__()
