"""Every state with every step, against the table; and the record of one life."""

from itertools import product

import pytest

from waav.plugins.lifecycle import HISTORY, TRANSITIONS, IllegalStep, Lifecycle, Move, State, Step

ALL = list(product(State, Step))
LEGAL = {
    "discovered register registered", "discovered fail failed",
    "registered init initializing", "registered stop stopping", "registered fail failed",
    "initializing init_done ready", "initializing stop stopping", "initializing fail failed",
    "ready start running", "ready stop stopping", "ready fail failed",
    "running stop stopping", "running fail failed",
    "stopping stop_done stopped", "stopping fail failed",
    "failed register registered",
}  # fmt: skip


@pytest.mark.parametrize(("state", "step"), ALL)
def test_every_state_with_every_step(state: State, step: Step) -> None:
    """A step leads where the table says, or is refused and changes nothing."""
    life = Lifecycle(1.0, state)
    target = TRANSITIONS[state].get(step)
    assert life.allows(step) is (target is not None)
    if target is None:
        with pytest.raises(IllegalStep, match=f"no step {step!s} for a {state!s} plugin"):
            life.take(step, 2.0)
        assert life == Lifecycle(1.0, state)
    else:
        assert life.take(step, 2.0, "because") is target
        assert (life.state, life.since, life.reason) == (target, 2.0, "because")
        assert list(life.history) == [Move(2.0, step, target, "because")]


def test_the_table_says_what_was_meant() -> None:
    """The one place beside the table that knows it, so that no change goes unseen."""
    table = {
        f"{state} {step} {target}"
        for state, steps in TRANSITIONS.items()
        for step, target in steps.items()
    }
    assert table == LEGAL
    assert set(TRANSITIONS) == set(State)


def test_the_table_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        TRANSITIONS[State.STOPPED] = {}  # type: ignore[index]  # that is the point


def test_each_state_can_be_reached_and_all_but_the_last_can_be_left() -> None:
    reached = {target for steps in TRANSITIONS.values() for target in steps.values()}
    assert reached == set(State) - {State.DISCOVERED}
    assert [state for state, steps in TRANSITIONS.items() if not steps] == [State.STOPPED]


def test_an_illegal_step_says_what_is_possible() -> None:
    with pytest.raises(IllegalStep, match=r"\(possible: stop_done, fail\)"):
        Lifecycle(0.0, State.STOPPING).take(Step.START, 1.0)
    with pytest.raises(IllegalStep, match=r"\(possible: nothing\)"):
        Lifecycle(0.0, State.STOPPED).take(Step.START, 1.0)


def test_the_history_of_a_plugin_that_comes_and_goes_is_bounded() -> None:
    life = Lifecycle(0.0)
    for at in range(100):
        life.take(Step.REGISTER, at)
        life.take(Step.FAIL, at, "again")
    assert len(life.history) == HISTORY
    assert life.history[-1] == Move(99, Step.FAIL, State.FAILED, "again")
