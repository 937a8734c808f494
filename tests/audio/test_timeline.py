"""What a detector says of its own count of seconds, as seconds of the stream that it got in parts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waav.audio.timeline import MOST_JUMPS, SLACK, Timeline


def handed(*parts: tuple[float, float]) -> Timeline:
    timeline = Timeline()
    for start, duration in parts:
        timeline.hand(start, duration)
    return timeline


@pytest.mark.parametrize(
    ("parts", "at", "place"),
    [
        pytest.param([], 0.5, 0.5, id="nothing-came"),
        pytest.param([(0.0, 1.0), (1.0, 1.0)], 1.5, 1.5, id="all-came"),
        pytest.param([(3.0, 1.0)], 0.25, 3.25, id="it-came-late"),
        pytest.param([(0.0, 1.0), (4.0, 1.0)], 0.5, 0.5, id="before-what-was-dropped"),
        pytest.param([(0.0, 1.0), (4.0, 1.0)], 1.5, 4.5, id="behind-what-was-dropped"),
        pytest.param([(0.0, 1.0), (4.0, 1.0), (7.0, 1.0)], 2.5, 7.5, id="twice"),
        pytest.param([(2.0, 1.0)], -0.1, 1.9, id="a-voice-that-began-before-all"),
    ],
)
def test_where_it_is(parts: list[tuple[float, float]], at: float, place: float) -> None:
    assert handed(*parts).find(at) == pytest.approx(place)


def test_some_samples_more_or_less_are_no_jump() -> None:
    timeline = handed((0.0, 1.0), (1.0 + SLACK / 2, 1.0), (2.0 - SLACK / 2, 1.0))
    assert timeline.find(2.5) == pytest.approx(2.5)


@given(
    st.lists(st.tuples(st.floats(0, 10), st.floats(0.01, 1)), min_size=1, max_size=2 * MOST_JUMPS)
)
def test_the_last_that_was_handed_over_is_always_found(gaps: list[tuple[float, float]]) -> None:
    timeline, end = Timeline(), 0.0
    for gap, duration in gaps:
        timeline.hand(end + gap, duration)
        end += gap + duration
    assert timeline.find(timeline.received) == pytest.approx(end, abs=2 * SLACK)
