"""Nothing said is lost and nothing is told twice, wherever the line breaks."""

from typing import Any

import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from support.stt_vendor import NAME, Heard, Line, Vendor, answers, converse, place, spoken
from trio.testing import MockClock

from capabilities import ProviderClosed
from providers._common.backoff import Backoff
from providers._common.policy import Policy
from providers._common.wire import Message

WORDS = 10

BREAKS = st.lists(st.tuples(st.integers(1, 40), st.booleans()), max_size=8)
"""After how many messages each connection breaks, and whether what it says about that one is heard."""


def breaking(breaks: list[tuple[int, bool]]) -> Vendor:
    def misheard(line: Line, message: Message) -> bool:
        if line.number >= len(breaks):
            return False
        after, silently = breaks[line.number]
        if len(line.got) < after:
            return False
        # Either the sound is lost and what was said to that before it, or all of it came through.
        if not silently:
            line.say(*answers(line, message))
        line.reset(ProviderClosed(NAME, "reset"), lose=silently)
        return True

    return Vendor(misheard)


@settings(max_examples=60, deadline=None)
@given(
    breaks=BREAKS,
    pause=st.sampled_from([0.001, 0.3, 2.0]),
    how=st.fixed_dictionaries(
        {
            "frame": st.sampled_from([0.013, 0.02, 0.1, 0.33]),
            "tell_end": st.booleans(),
            "live": st.booleans(),
        }
    ),
)
def test_no_word_is_lost_and_none_comes_twice(
    breaks: list[tuple[int, bool]], pause: float, how: dict[str, Any]
) -> None:
    # The first connection has to get ready, as a stream that never opened is nobody's to resume.
    breaks = [(after + 1, silently) for after, silently in breaks]
    vendor = breaking(breaks)
    policy = Policy(
        says_ready=True,
        losses=20,
        backoff=Backoff(first=pause),
        keepalive=0.5,
        silence=0.1,
        longest_frame=0.25,
    )
    heard = run(vendor, policy, **how)
    assert heard.error is None
    assert heard.places == [place(n) for n in range(WORDS)]
    assert heard.words == [str(n) for n in range(WORDS)]
    assert vendor.open_lines == 0


@settings(max_examples=30, deadline=None)
@given(BREAKS, st.floats(2.0, 8.0), st.floats(0.1, 0.9), st.sampled_from([1.5, 4.0, float("inf")]))
def test_no_word_is_lost_either_where_sessions_are_short_and_the_vendor_is_slow(
    breaks: list[tuple[int, bool]], longest: float, part: float, pace: float
) -> None:
    vendor = breaking([(after + 1, silently) for after, silently in breaks])
    policy = Policy(
        says_ready=True,
        losses=20,
        longest_session=longest,
        margin=longest * part,
        pace=pace,
        finish_timeout=60,
    )
    heard = run(vendor, policy)
    assert heard.error is None
    assert heard.places == [place(n) for n in range(WORDS)]
    assert vendor.open_lines == 0


def run(vendor: Vendor, policy: Policy, **how: Any) -> Heard:
    async def within_bounds() -> Heard:
        with trio.fail_after(300):
            return await converse(vendor, spoken(WORDS), policy, **how)

    return trio.run(within_bounds, clock=MockClock(autojump_threshold=0))
