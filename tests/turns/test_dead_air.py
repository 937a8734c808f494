"""When silence is dead air: the rule alone."""

from math import inf

import pytest

from waav.turns.dead_air import DeadAirMeter


@pytest.fixture
def meter() -> DeadAirMeter:
    return DeadAirMeter(5.0)


def test_nobody_waits_while_nothing_is_asked_for(meter: DeadAirMeter) -> None:
    assert not meter.asked
    assert meter.expire(1000.0, -inf) is None


def test_a_voice_that_does_not_begin(meter: DeadAirMeter) -> None:
    meter.begin("u1", 10.0)
    assert meter.next_look(10.0) == 15.0
    assert meter.expire(14.9, -inf) is None
    assert meter.expire(15.0, -inf) == 5.0
    assert meter.utterance == "u1"


def test_it_is_told_once_for_each_gap(meter: DeadAirMeter) -> None:
    meter.begin("u1", 0.0)
    assert meter.expire(6.0, -inf) == 6.0
    assert meter.next_look(6.0) == 11.0  # there may be sound again, and again none
    assert meter.expire(60.0, -inf) is None
    meter.heard(60.0)
    assert meter.expire(65.0, -inf) == 5.0


def test_what_the_client_has_still_to_play_is_no_silence(meter: DeadAirMeter) -> None:
    """Twenty seconds were sent at once, and then comes nothing for ten."""
    meter.begin("u1", 0.0)
    meter.heard(1.0)
    assert meter.expire(6.0, until=21.0) is None
    assert meter.expire(26.0, until=21.0) == 5.0


def test_a_pause_on_purpose_begins_it_anew(meter: DeadAirMeter) -> None:
    meter.begin("u1", 2.0)
    meter.go_on(4.0)
    assert meter.expire(8.9, -inf) is None
    assert meter.expire(9.0, -inf) == 5.0
    meter.go_on(10.0)  # the gap was told of, and is still the same
    assert meter.expire(60.0, -inf) is None


def test_an_utterance_that_is_over_is_not_waited_for(meter: DeadAirMeter) -> None:
    meter.begin("u1", 0.0)
    meter.end()
    assert (meter.asked, meter.expire(100.0, -inf)) == (False, None)


def test_one_looks_for_all_utterances(meter: DeadAirMeter) -> None:
    assert not meter.starts
    meter.begin("u1", 0.0)
    assert meter.starts
    with meter.watched():
        meter.begin("u2", 1.0)
        assert not meter.starts
    assert meter.starts


def test_without_a_limit_there_is_none() -> None:
    meter = DeadAirMeter()
    meter.begin("u1", 0.0)
    assert not meter.starts
    assert meter.expire(1e9, -inf) is None
