"""What the supervisor counts for all workers together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waav.observe.fleet import News, Report
from waav.observe.metrics import Sample
from waav.security.limits import EVERYBODY, Capacities, Counts, Key
from waav.server.workers.desk import Desk
from waav.server.workers.messages import AskOthers, Others, Release, Reported, Take, Taken

ALICE: Key = ("client", "alice")


def desk(most: int = 3, *workers: int) -> Desk:
    made = Desk(Counts(Capacities(everybody=most)))
    for worker in workers:
        made.open(worker)
        made.begin(worker)
    return made


def test_the_limit_is_that_of_all_together() -> None:
    counted = desk(3, 0, 1)
    answers = [counted.answer(number % 2, Take(number, (EVERYBODY,))) for number in range(5)]
    assert answers == [
        Taken(0, None), Taken(1, None), Taken(2, None), Taken(3, "global"), Taken(4, "global"),
    ]  # fmt: skip
    counted.answer(0, Release(2))
    assert counted.answer(1, Take(5, (EVERYBODY,))) == Taken(5, None)


@pytest.mark.pins("D259")
def test_what_a_dead_worker_held_is_free() -> None:
    counted = desk(3, 0, 1)
    for number in range(3):
        counted.answer(0, Take(number, (EVERYBODY, ALICE)))
    assert counted.answer(1, Take(0, (EVERYBODY,))) == Taken(0, "global")
    counted.close(0)
    assert counted.answer(1, Take(1, (EVERYBODY,))) == Taken(1, None)


def test_what_was_refused_is_given_back_to_no_effect() -> None:
    """A worker releases whatever it has asked for: also what it has stopped waiting for."""
    counted = desk(1, 0)
    counted.answer(0, Take(0, (EVERYBODY,)))
    counted.answer(0, Take(1, (EVERYBODY,)))
    counted.answer(0, Release(1))
    counted.answer(0, Release(7))
    assert counted.answer(0, Take(2, (EVERYBODY,))) == Taken(2, "global")


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 9), st.booleans())))
def test_never_more_than_the_limit_and_never_a_slot_lost(
    steps: list[tuple[int, int, bool]],
) -> None:
    counted, held = desk(4, 0, 1, 2), set[tuple[int, int]]()
    for worker, number, takes in steps:
        mine = (worker, number)
        if takes and mine not in held:
            answer = counted.answer(worker, Take(number, (EVERYBODY,)))
            assert (answer == Taken(number, None)) == (len(held) < 4)
            if answer == Taken(number, None):
                held.add(mine)
        else:
            counted.answer(worker, Release(number))
            held.discard(mine)
    for worker in range(3):
        counted.close(worker)
    assert counted.counts.snapshot()["global"].held == 0


def report(sessions: int) -> Report:
    figures = Sample("waav_sessions", sessions), Sample("waav_sessions_started_total", 10)
    return Report(sessions, 1.0, ready=True, samples=figures)


def test_a_worker_hears_of_the_others_that_serve() -> None:
    counted = desk(9, 0, 1)
    counted.open(2)  # waits in case one dies
    for worker in range(3):
        counted.answer(worker, Reported(report(worker)))
    none_ended = (Sample("waav_workers_ended_total", 0),)
    assert counted.answer(0, AskOthers(5)) == Others(5, News((report(1),), none_ended))


def test_what_the_dead_have_counted_is_kept_and_what_they_had_open_is_not() -> None:
    """A total that falls would look like a restart of everything."""
    counted = desk(9, 0, 1)
    for worker in (0, 1):
        counted.answer(worker, Reported(report(4)))
    for _ in range(2):
        counted.close(1)
        counted.open(1)
        counted.answer(1, Reported(report(4)))
    counted.close(1)
    assert counted.answer(0, AskOthers(0)) == Others(
        0,
        News(
            (),
            (Sample("waav_workers_ended_total", 3), Sample("waav_sessions_started_total", 30)),
        ),
    )


def test_a_worker_begins_once() -> None:
    counted = desk(9)
    counted.open(0)
    assert (counted.begin(0), counted.begin(0), counted.serving) == (True, False, 1)
    counted.close(0)
    assert counted.serving == 0
