"""How one vendor's link is to be treated: numbers, in seconds where nothing else is said."""

from math import inf

import attrs

from providers._common.backoff import Backoff


@attrs.frozen
class Policy:
    """What a vendor needs and promises; part of its client, next to the manifest's limits."""

    says_ready: bool = False
    """It says so before it takes audio; otherwise it takes audio behind the start messages."""
    open_timeout: float = 10.0
    """To connect, say the start messages, and be told to go on."""
    keepalive: float = inf
    """Of no audio, after which something is sent; below the vendor's idle limit."""
    silence: float = 0.0
    """Of silence that is sent then, in the stream's own encoding; 0: the wire's message instead.
    As much as ``keepalive`` where the vendor wants a line that never pauses."""
    progress: float = 20.0
    """Within which the vendor answers speech. It must stay above the longest utterance if nothing
    comes before its end; ``inf`` for a vendor that has nothing to say about music or noise."""
    longest_session: float = inf
    """That one connection may last."""
    margin: float = 30.0
    """Before that, at which the next connection is made."""
    keep: float = 30.0
    """Of sound that is kept for the next connection until a final has acknowledged it."""
    pace: float = inf
    """Times real time: no faster is kept sound sent again, or a recording sent at all."""
    shortest_frame: float = 0.0
    longest_frame: float = 0.25
    """Of sound in one message; never below ``shortest_frame``, but for the last one."""
    losses: int = 5
    """Lost connections that a stream survives without a healthy second between them."""
    refill: float = 30.0
    """Healthy seconds that make up for one of them."""
    backoff: Backoff = Backoff(first=0.25, longest=8.0)
    """The pauses before reconnects. The first loss is made up for at once."""
    send_timeout: float = 10.0
    """In which the vendor takes one message."""
    finish_timeout: float = 5.0
    """In which it says its last words."""
    close_timeout: float = 1.0
    """In which a connection is left politely."""
