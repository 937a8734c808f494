"""Messages between a worker and its supervisor, however the bytes are cut."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waav.observe.fleet import News, Report
from waav.observe.metrics import Sample
from waav.server.workers.messages import (
    MAX_MESSAGE,
    AskOthers,
    Begin,
    Incoming,
    Message,
    Nonsense,
    Others,
    Ready,
    Release,
    Reported,
    Stop,
    Take,
    Taken,
    encode,
)

REPORT = Report(3, 1.5, ready=True, samples=(Sample("waav_sessions", 3.0, {"a": "b"}, 2),))
MESSAGES: list[Message] = [
    Ready(),
    Take(1, (("global", ""), ("client", "10.0.0.1"))),
    Release(1),
    AskOthers(2),
    Reported(REPORT),
    Begin(),
    Stop(),
    Taken(1, None),
    Taken(2, "client"),
    Others(2, News((REPORT,), (Sample("waav_dead_air_total", math.inf),))),
]


@given(st.lists(st.integers(1, 40), min_size=1))
def test_all_of_them_arrive_however_they_are_cut(cuts: list[int]) -> None:
    data = b"".join(map(encode, MESSAGES))
    incoming, received, at = Incoming(), list[Message](), 0
    while at < len(data):
        size = cuts[at % len(cuts)]
        received += incoming.feed(data[at : at + size])
        at += size
    assert received == MESSAGES


@pytest.mark.parametrize(
    "data",
    [
        pytest.param((3).to_bytes(4) + b"\xc1\xc1\xc1", id="no-msgpack"),
        pytest.param((1).to_bytes(4) + b"\x01", id="a-number"),
        pytest.param((MAX_MESSAGE + 1).to_bytes(4), id="too-long"),
    ],
)
def test_nonsense_is_told_from_messages(data: bytes) -> None:
    with pytest.raises(Nonsense):
        list(Incoming().feed(data))
