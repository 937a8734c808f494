"""What each client does in each fault of its vendor."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import TypeAlias

from capabilities import (
    ProviderBusy,
    ProviderClosed,
    ProviderError,
    ProviderProtocolError,
    ProviderRefused,
    ProviderUnavailable,
)
from waav.testing import (
    Cell,
    Fault,
    Outcome,
    State,
)

# What is expected. A row says it for the state of connecting and for the three that follow; while it
# closes nobody listens to an error. ``None`` is: nothing is told, and all is said.

Ways: TypeAlias = frozenset[type[ProviderError] | None]
Expected: TypeAlias = Mapping[Fault, tuple[Ways, Ways]]


def ways(*kinds: type[ProviderError] | None) -> Ways:
    return frozenset(kinds)


FINE = ways(None)
LOST = ways(ProviderUnavailable)
GONE = ways(ProviderClosed)
BUSY = ways(ProviderBusy)
REFUSED = ways(ProviderRefused)
ILLEGIBLE = ways(ProviderProtocolError)
AS_ASKED = FINE | LOST
"""A client that has to be told that it may speak has not been; others find a new connection."""

ASKING: Expected = {
    Fault.REFUSED: (LOST, FINE),
    Fault.RESET: (LOST, FINE),
    Fault.END: (LOST, FINE),
    Fault.HTTP_401: (REFUSED, REFUSED),
    Fault.HTTP_402: (REFUSED, REFUSED),
    Fault.HTTP_429: (BUSY, FINE),
    Fault.HTTP_500: (LOST, FINE),
    Fault.HTTP_503: (LOST, FINE),
    Fault.TLS: (LOST, FINE),
    Fault.RUBBISH: (ILLEGIBLE, FINE),
    Fault.DRIBBLE: (FINE, FINE),
}
"""Streams of recognition live on when a connection is gone."""
LISTENING: Expected = {
    **ASKING,
    Fault.CLOSE_1000: (AS_ASKED, FINE),
    Fault.CLOSE_1008: (REFUSED, REFUSED),
    Fault.CLOSE_1011: (AS_ASKED, FINE),
    Fault.CLOSE_1013: (FINE | BUSY, FINE),
    # Who is silent to the end is not asked again: the speaker waits for an answer.
    Fault.SILENCE: (LOST, GONE | FINE),
    Fault.SWALLOWED: (LOST | GONE, GONE | FINE),
    Fault.DOUBLED: (FINE, FINE),
    Fault.SWAPPED: (FINE, FINE),
    # Where five at once read ten megabytes, it may take longer than they are patient here.
    Fault.HUGE: (FINE | ILLEGIBLE | LOST, FINE),
}
FLUX_EXPECTED: Expected = {
    **LISTENING,
    # Its vendor hangs up without a goodbye when all is said, and then nobody asks anew.
    Fault.HTTP_401: (REFUSED, REFUSED | FINE),
    Fault.HTTP_402: (REFUSED, REFUSED | FINE),
}
UPLOADING: Expected = {
    # Nothing is asked before there is an utterance, and what may pass is asked twice more.
    **{fault: (later, later) for fault, (_, later) in ASKING.items()},
    Fault.TLS: (GONE, GONE),
    Fault.SILENCE: (FINE, FINE),
    Fault.RUBBISH: (ILLEGIBLE, ILLEGIBLE),
    Fault.HUGE: (ILLEGIBLE, ILLEGIBLE),
}
CALLING: Expected = {
    **ASKING,
    # Until there is a token the refusal may be over.
    Fault.REFUSED: (LOST | FINE, FINE),
    Fault.SILENCE: (LOST, GONE | FINE),
}
DOWNLOADING: Expected = {
    **{fault: (first, first) for fault, (first, _) in ASKING.items()},
    Fault.RESET: (LOST, GONE),
    Fault.END: (LOST, GONE),
    Fault.SILENCE: (LOST, LOST),
    # A long sound.
    Fault.HUGE: (FINE | ILLEGIBLE, FINE),
}
SPEAKING: Expected = {
    **DOWNLOADING,
    Fault.CLOSE_1000: (GONE, GONE),
    Fault.CLOSE_1008: (REFUSED, REFUSED),
    Fault.CLOSE_1011: (GONE, GONE),
    Fault.CLOSE_1013: (BUSY, BUSY),
    Fault.RUBBISH: (ILLEGIBLE, ILLEGIBLE),
    Fault.SWALLOWED: (LOST, LOST),
    Fault.DOUBLED: (FINE, FINE),
    Fault.SWAPPED: (FINE, FINE),
    # Behind the last message nobody reads any more.
    Fault.HUGE: (ILLEGIBLE, ILLEGIBLE | FINE),
}
SOCKET: Expected = {
    **SPEAKING,
    # Its vendor has no other word for the end that can be relied on, but a voice makes a sound.
    Fault.CLOSE_1000: (GONE, GONE | FINE),
}
STREAMED: Expected = {
    **DOWNLOADING,
    # Its head is that of the connection, and the call may still be unanswered then.
    Fault.RESET: (LOST, LOST | GONE),
    Fault.END: (LOST, LOST | GONE),
    # In the middle of a frame it is what the frame holds.
    Fault.RUBBISH: (ILLEGIBLE, ILLEGIBLE | GONE),
}
EXPECTED: Mapping[str, Expected] = {
    "deepgram-nova": LISTENING,
    "deepgram-flux": FLUX_EXPECTED,
    "deepgram-speak": SPEAKING,
    "deepgram-rest": DOWNLOADING,
    "elevenlabs-scribe": LISTENING,
    "elevenlabs-http": DOWNLOADING,
    "elevenlabs-socket": SOCKET,
    "openai-file": UPLOADING,
    "openai-live": LISTENING,
    "openai-speech": DOWNLOADING,
    "openai-chat": DOWNLOADING,
    "google-speech": CALLING,
    "google-streamed": STREAMED,
    "google-whole": DOWNLOADING,
}


LEAVING = frozenset(f"{fault}/{State.CLOSING}" for fault in Fault)
UNMET: Mapping[str, AbstractSet[str]] = {
    # Who leaves before there is an utterance has asked for nothing.
    "openai-file": LEAVING,
    # By then all may have come, or what the relay strikes is gone.
    "google-streamed": LEAVING,
    "google-whole": LEAVING,
}
"""Faults that may come too late to be met."""


def fits(cell: Cell, expected: Expected) -> bool:
    """Whether a cell went as its row says."""
    if cell.outcome is Outcome.NOT_APPLICABLE:
        return True
    if cell.state is State.CLOSING:
        return cell.error is None
    connecting, later = expected[cell.fault]
    kinds = connecting if cell.state is State.CONNECTING else later
    return (None if cell.error is None else type(cell.error)) in kinds
