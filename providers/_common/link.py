"""The life of a stream on connections that come and go: what to do next, and when. No I/O.

The stream is one recognition for the gateway. A :class:`Link` carries it over as many connections
as it takes: it is told what happens, with the time, and answers with one action after the other;
when there is none it names the time at which to ask again.

A broken connection is replaced, and one that nears the vendor's longest session is replaced before
it breaks; both are the same to the :class:`~providers._common.ledger.Ledger`. The only retry layer
is this one, and only for streams that were once open: who asks for a new stream is told at once
when there is none.
"""

from collections import deque
from collections.abc import Callable, Sequence
from enum import Enum, auto
from math import inf

import attrs

from capabilities import (
    AudioFormat,
    AudioFrame,
    ProviderBusy,
    ProviderClosed,
    ProviderError,
    ProviderProtocolError,
    ProviderRefused,
    ProviderUnavailable,
    Transcript,
)
from providers._common.budget import Budget
from providers._common.ledger import Ledger
from providers._common.link_states import (
    Action,
    Drop,
    Finish,
    KeepAlive,
    Open,
    Play,
    Renew,
    Say,
    State,
    Step,
    Switch,
    after,
)
from providers._common.policy import Policy
from providers._common.progress import Progress
from providers._common.replay import Replay
from providers._common.silence import is_loud
from providers._common.wire import Message, Reply, Signal

SPEECH = 1.0
"""Seconds of loud sound that the vendor has to answer: a click or a cough it need not."""
SWITCH = 5.0
"""Seconds that a second connection waits for a pause or a final; most vendors' idle limit is 10."""
SLACK = 1.0
"""Seconds of sound that may always be sent at once, however slow the pace."""


class _Second(Enum):
    """The connection that shall follow on the current one."""

    NONE = auto()
    ASKED = auto()
    READY = auto()


@attrs.define(eq=False)
class Link:
    """One stream's link. Every method that takes ``now`` takes it by the same clock."""

    provider: str
    audio: AudioFormat
    policy: Policy
    chance: Callable[[], float]
    """A random number from 0 to 1, for the pauses."""
    state: State = attrs.field(default=State.OPEN, init=False)
    error: ProviderError | None = attrs.field(default=None, init=False)
    """Why it is closing; None if all was said."""
    replay: Replay = attrs.field(init=False)
    budget: Budget = attrs.field(init=False)
    replies: list[Message] = attrs.field(factory=list, init=False)
    """What the vendor wants to hear, before any more sound."""
    _ledger: Ledger = attrs.field(init=False)
    _progress: Progress = attrs.field(init=False)
    _speech: int = attrs.field(init=False)
    """Bytes of :data:`SPEECH`."""
    _tempo: float = attrs.field(init=False)
    """Seconds that must pass for each byte."""
    _filling: deque[AudioFrame] = attrs.field(factory=deque, init=False)
    """Silence that is on its way out."""
    _second: _Second = attrs.field(default=_Second.NONE, init=False)
    _opening: bool = attrs.field(default=False, init=False)
    _was_open: bool = attrs.field(default=False, init=False)
    _keepalive: float = attrs.field(init=False)
    # Since when something is so, and when something is due.
    _healthy_since: float = attrs.field(default=-inf, init=False)
    _idle_since: float = attrs.field(default=-inf, init=False)
    _retry_at: float = attrs.field(default=-inf, init=False)
    _audio_at: float = attrs.field(default=-inf, init=False)
    _renew_at: float = attrs.field(default=inf, init=False)
    _finish_by: float = attrs.field(default=inf, init=False)

    def __attrs_post_init__(self) -> None:
        policy = self.policy
        self.replay = Replay(self.audio, policy.keep, policy.shortest_frame, policy.longest_frame)
        self.budget = Budget(policy.losses, policy.refill)
        self._ledger = Ledger(self.replay)
        self._progress = Progress(policy.progress)
        self._speech = self.audio.size(SPEECH)
        self._tempo = 1 / (self.audio.byte_rate * policy.pace) if self.replay.resumable else 0.0
        # Silence in a compressed encoding would take its encoder.
        possible = not policy.silence or self.replay.resumable
        self._keepalive = policy.keepalive if possible else inf

    @property
    def deadline(self) -> float:
        """When to ask for the next action, if nothing happens before."""
        match self.state:
            case State.STREAMING:
                audio_at = self._audio_at if self.replay.ready else inf
                keepalive_at = self._idle_since + self._keepalive
                return min(self._progress.deadline, self._renew_at, audio_at, keepalive_at)
            case State.OPEN:
                return inf if self._opening else self._retry_at
            case State.FINALIZING:
                return self._finish_by
            case State.CONFIGURED | State.CLOSING:
                return inf

    def next(self, now: float) -> Action | None:
        """Return what is to be done now; it counts as done. None: nothing before :attr:`deadline`."""
        match self.state:
            case State.STREAMING:
                return self._next_of_stream(now)
            case State.OPEN if not self._opening and now >= self._retry_at:
                self._opening = True
                return Open()
            case State.FINALIZING if self.replies:
                return Say(self.replies.pop(0))
            case State.FINALIZING if now >= self._finish_by:
                self._give_up_waiting()
        return None

    def _next_of_stream(self, now: float) -> Action | None:
        if now >= self._progress.deadline:
            waited = f"{self.policy.progress:g} s"
            self.lost(
                ProviderUnavailable(self.provider, f"said nothing to speech in {waited}"), now
            )
            return Drop()
        # Without a second connection to look after, which is nearly always, one look is enough.
        if (now >= self._renew_at or self._second is _Second.READY) and (
            action := self._renewal(now)
        ):
            return action
        if self.replies:
            return Say(self.replies.pop(0))
        return self._next_of_sound(now)

    def _next_of_sound(self, now: float) -> Action | None:
        # A line that is being filled is due before the sound that ends the pause.
        if not self._filling and self.replay.ready and now >= self._audio_at:
            return Play(self._take(now))
        if not self._filling and self.replay.ended and not self.replay.waiting:
            self._step(Step.FINISH)
            self._finish_by = now + self.policy.finish_timeout
            return Finish()
        if now >= self._idle_since + self._keepalive:
            self._idle_since = now
            if not self.policy.silence:
                return KeepAlive()
            self._filling += self._ledger.fill(self.policy.silence, self.policy.longest_frame)
        return Play(self._filling.popleft()) if self._filling else None

    def _renewal(self, now: float) -> Action | None:
        if self._second is _Second.READY and (self._ledger.calm or now >= self._renew_at):
            self._step(Step.SWITCH)
            self._begin(now)
            return Switch()
        if self._second is _Second.NONE and now >= self._renew_at:
            self._second, self._renew_at = _Second.ASKED, inf
            return Renew()
        return None

    def _take(self, now: float) -> AudioFrame:
        frame = self._ledger.take()
        self._audio_at = max(self._audio_at, now - SLACK) + len(frame.data) * self._tempo
        self._idle_since = now
        if self._ledger.voiced >= self._speech > 0:
            self._progress.asked(now)
        return frame

    def finish(self) -> None:
        """No sound follows."""
        self.replay.ended = True

    def connected(self) -> None:
        """The connection is open, and the start messages are sent."""
        self._step(Step.CONNECT)

    def ready(self, now: float) -> None:
        """The vendor takes audio."""
        self._step(Step.READY)
        self._was_open = True
        self._begin(now)

    def second_ready(self, now: float) -> None:
        """The connection that was asked for by ``Renew`` takes audio."""
        self._second, self._renew_at = _Second.READY, now + SWITCH

    def second_lost(self, now: float) -> None:
        """It was not made, or broke before it was needed. The first one goes on while it may."""
        self._second, self._renew_at = _Second.NONE, now + SWITCH

    def excuse(self) -> None:
        """The vendor could not be heard: whoever reads is behind."""
        self._ledger.voiced = 0
        self._progress.answered()

    def receive(self, signals: Sequence[Signal]) -> list[Transcript]:
        """Take what a message of the current connection meant; return what the reader shall get."""
        self._progress.answered()
        self.replies += [signal.message for signal in signals if isinstance(signal, Reply)]
        return self._ledger.receive(signals)

    def ended(self, now: float) -> None:
        """The connection ended in good order, or the vendor has nothing more to say on it."""
        if self.state is State.FINALIZING:
            self._leave()
        else:
            self.lost(ProviderClosed(self.provider, "hung up before all was said"), now)

    def lost(self, error: ProviderError, now: float) -> None:
        """The current connection broke, or could not be made."""
        if self.state in (State.STREAMING, State.FINALIZING):
            # Speech that was not answered is no sign of health.
            self.budget.healthy(min(now, self._progress.asked_at) - self._healthy_since)
        if self.state is State.FINALIZING and self.replay.all_settled:
            self._leave()
            return
        losses = self.budget.used + 1
        if self._is_hopeless(error) or not self.budget.take():
            self._leave(self._as_told(error))
            return
        self._step(Step.LOSE)
        self._reset()
        pause = self.policy.backoff.pause(losses, self.chance())
        if isinstance(error, ProviderBusy):
            pause = max(pause, error.retry_after)
        self._retry_at = now + pause

    def _begin(self, now: float) -> None:
        """A connection that has heard nothing is the current one."""
        self._reset()
        self._healthy_since = self._idle_since = self._audio_at = now
        if self.replay.resumable:
            margin = min(self.policy.margin, self.policy.longest_session / 2)
            self._renew_at = now + self.policy.longest_session - margin

    def _reset(self) -> None:
        self._opening = False
        self._second, self._renew_at = _Second.NONE, inf
        self.replies.clear()
        self._filling.clear()
        self._ledger.begin()
        self._progress.answered()

    def _is_hopeless(self, error: ProviderError) -> bool:
        if not self._was_open or not self.replay.resumable:
            return True
        match error:
            case ProviderRefused():
                return True
            case ProviderProtocolError():
                # In mid-stream something may be garbled; at the start we speak different languages.
                return self.state in (State.OPEN, State.CONFIGURED)
            case ProviderBusy(retry_after=pause):
                return pause > self.policy.keep
            case _:
                return False

    def _as_told(self, error: ProviderError) -> ProviderError:
        """Return the error in the class that the contract has for it, before and after the opening."""
        match error:
            case ProviderUnavailable() if self._was_open:
                return ProviderClosed(self.provider, error.message)
            case ProviderClosed() if not self._was_open:
                return ProviderUnavailable(self.provider, error.message)
            case _:
                return error

    def _give_up_waiting(self) -> None:
        # A vendor may have nothing to say about silence, so only speech is missed.
        waited = f"{self.policy.finish_timeout:g} s"
        silent = ProviderClosed(self.provider, f"gave no last words in {waited}")
        self._leave(silent if is_loud(self.replay.unsettled) else None)

    def _leave(self, error: ProviderError | None = None) -> None:
        self._step(Step.LEAVE)
        self.error = error

    def _step(self, step: Step) -> None:
        self.state = after(self.state, step)
