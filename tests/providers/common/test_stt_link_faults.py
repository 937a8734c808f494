"""Fourteen faults in five states, once and again and again: recovery or one typed error.

Either every word is heard once and at its place, or those that were heard are the first ones and one
error says why there are no more. In any case nothing is left behind, and it ends in time.
"""

from collections.abc import Callable
from itertools import product

import pytest
import trio
from support.stt_vendor import NAME, Heard, Line, Vendor, answers, converse, place, spoken

from capabilities import (
    ProviderBusy,
    ProviderClosed,
    ProviderError,
    ProviderProtocolError,
    ProviderRefused,
    ProviderUnavailable,
)
from providers._common.link_states import State
from providers._common.policy import Policy
from providers._common.wire import Message
from waav.testing.contract import Belongings

WORDS = 12
POLICY = Policy(says_ready=True, progress=1, open_timeout=3, losses=3)

Fault = ProviderError | Callable[[Line, Message], None]


def end_in_order(line: Line, _message: Message) -> None:
    line.end()


def say_nothing(_line: Line, _message: Message) -> None:
    pass


def say_rubbish(line: Line, _message: Message) -> None:
    line.say("rubbish")


def repeat_finals(line: Line, message: Message) -> None:
    for answer in answers(line, message):
        line.say(*[answer] * (3 if answer.startswith("final") else 1))


def turn_finals_round(line: Line, message: Message) -> None:
    """Each final comes behind the next one."""
    for answer in answers(line, message):
        if answer.startswith("final") and not line.held:
            line.held.append(answer)
        else:
            swapped = [*line.held, answer] if answer == "done" else [answer, *line.held]
            line.say(*swapped)
            line.held.clear()


def never_say_final(line: Line, message: Message) -> None:
    line.say(*(each for each in answers(line, message) if each.startswith(("ready", "interim"))))


FAULTS: dict[str, Fault] = {
    "refuses the connection": ProviderUnavailable(NAME, "cannot be reached"),
    "resets it": ProviderClosed(NAME, "hung up without a goodbye"),
    "closes with 1000": end_in_order,
    "closes with 1008": ProviderRefused(NAME, "closed the connection (1008)"),
    "closes with 1011": ProviderClosed(NAME, "closed the connection (1011)"),
    "closes with 1013": ProviderBusy(NAME, "closed the connection (1013)"),
    "answers 401": ProviderRefused(NAME, "answered HTTP 401"),
    "answers 429": ProviderBusy(NAME, "answered HTTP 429", retry_after=2),
    "answers 503": ProviderUnavailable(NAME, "answered HTTP 503"),
    "says nothing": say_nothing,
    "says rubbish, or 10 MB": say_rubbish,
    "says finals twice": repeat_finals,
    "says finals out of order": turn_finals_round,
    "never says a final": never_say_final,
}
assert len(FAULTS) == 14

ERRORS: dict[tuple[str, str], type[ProviderError]] = {
    # Before the stream is open, whoever opens it is told at once.
    **{("resets it", s): ProviderUnavailable for s in ("open", "configured")},
    **{("closes with 1011", s): ProviderUnavailable for s in ("open", "configured")},
    ("closes with 1000", "configured"): ProviderUnavailable,
    ("says nothing", "configured"): ProviderUnavailable,
    ("says rubbish, or 10 MB", "configured"): ProviderProtocolError,
    **{("refuses the connection", s): ProviderUnavailable for s in ("open", "configured")},
    **{("answers 503", s): ProviderUnavailable for s in ("open", "configured")},
    **{("closes with 1013", s): ProviderBusy for s in ("open", "configured")},
    **{("answers 429", s): ProviderBusy for s in ("open", "configured")},
    # A refusal is one whenever it comes, but for the time when all is said.
    **{("closes with 1008", s): ProviderRefused for s in State if s is not State.CLOSING},
    **{("answers 401", s): ProviderRefused for s in State if s is not State.CLOSING},
    # Only at the end it shows that words are missing. From the last word on it is no fault.
    **{("never says a final", s): ProviderClosed for s in ("configured", "streaming")},
}
"""What is told if it happens on the first connection only; all else costs no word."""


class Trouble:
    """Makes a vendor have a fault in a state, on some connections."""

    def __init__(self, fault: Fault, state: State, *, always: bool) -> None:
        self.fault, self.state, self.always = fault, state, always
        self.vendor = Vendor(self.misheard, self.on_open, self.on_close)

    def concerns(self, line: Line) -> bool:
        return self.always or line.number == 0

    def on_open(self, line: Line) -> ProviderError | None:
        if (
            self.state is State.OPEN
            and self.concerns(line)
            and isinstance(self.fault, ProviderError)
        ):
            return self.fault
        return None

    def on_close(self, line: Line) -> ProviderError | float | None:
        if self.state is State.CLOSING and self.concerns(line):
            return self.fault if isinstance(self.fault, ProviderError) else 60.0
        return None

    def misheard(self, line: Line, message: Message) -> bool:
        if line.broken is not None or line.ended:
            return True
        if not self.concerns(line) or not self.is_due(line, message):
            return False
        if isinstance(self.fault, ProviderError):
            line.reset(self.fault)
        else:
            self.fault(line, message)
        return True

    def is_due(self, line: Line, message: Message) -> bool:
        match self.state:
            case State.CONFIGURED:
                return True
            case State.STREAMING:
                return line.sound > 40_000 or (message == "finish" and line.sound > 0)
            case State.FINALIZING:
                return message == "finish"
            case _:
                return False


def check(heard: Heard) -> None:
    """Whatever else happened."""
    assert heard.places == [place(int(word)) for word in heard.words], "each at its place, none cut"
    assert len(set(heard.words)) == len(heard.words), "none twice"
    if heard.error is None:
        assert set(heard.words) == {str(n) for n in range(WORDS)}, "none lost"


@pytest.mark.parametrize(
    ("name", "state"), list(product(FAULTS, State)), ids=lambda each: str(each).replace(" ", "-")
)
async def test_a_fault_that_happens_once(
    name: str, state: State, autojump_clock: trio.testing.MockClock
) -> None:
    trouble = Trouble(FAULTS[name], state, always=False)
    before = Belongings.now()
    heard = await converse(trouble.vendor, spoken(WORDS), POLICY)
    check(heard)
    assert type(heard.error) is ERRORS.get((name, state.value), type(None))
    assert trouble.vendor.open_lines == 0
    assert Belongings.now().tasks == before.tasks
    assert trio.current_time() < 30


@pytest.mark.parametrize(
    ("name", "state"), list(product(FAULTS, State)), ids=lambda each: str(each).replace(" ", "-")
)
async def test_a_fault_that_happens_again_and_again(
    name: str, state: State, autojump_clock: trio.testing.MockClock
) -> None:
    trouble = Trouble(FAULTS[name], state, always=True)
    before = Belongings.now()
    heard = await converse(trouble.vendor, spoken(WORDS), POLICY)
    check(heard)
    assert trouble.vendor.open_lines == 0
    assert len(trouble.vendor.lines) <= 1 + POLICY.losses + 1
    assert Belongings.now().tasks == before.tasks
    assert trio.current_time() < 40
