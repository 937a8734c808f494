"""Every state of a link with every step, against the table."""

from itertools import product

import pytest

from providers._common.link_states import TRANSITIONS, IllegalStep, State, Step, after

LEGAL = {
    "open connect configured", "open lose open", "open leave closing",
    "configured ready streaming", "configured lose open", "configured leave closing",
    "streaming switch streaming", "streaming finish finalizing", "streaming lose open",
    "streaming leave closing",
    "finalizing lose open", "finalizing leave closing",
}  # fmt: skip


@pytest.mark.parametrize(("state", "step"), list(product(State, Step)))
def test_every_state_with_every_step(state: State, step: Step) -> None:
    """A step leads where the table says, or is refused."""
    target = TRANSITIONS[state].get(step)
    if target is None:
        with pytest.raises(IllegalStep, match=f"no step {step!s} for a link that is {state!s}"):
            after(state, step)
    else:
        assert after(state, step) is target


def test_the_table_says_what_was_meant() -> None:
    """The one place beside the table that knows it, so that no change goes unseen."""
    table = {
        f"{state} {step} {target}"
        for state, steps in TRANSITIONS.items()
        for step, target in steps.items()
    }
    assert table == LEGAL
    assert set(TRANSITIONS) == set(State)


def test_the_start_messages_are_on_every_way_to_streaming() -> None:
    """Whatever is lost goes back to the beginning, where they are sent again."""
    losses = {steps[Step.LOSE] for steps in TRANSITIONS.values() if Step.LOSE in steps}
    assert losses == {State.OPEN}
    ways = {
        (s, e) for s, steps in TRANSITIONS.items() for e, t in steps.items() if t is State.STREAMING
    }
    assert ways == {(State.CONFIGURED, Step.READY), (State.STREAMING, Step.SWITCH)}


def test_from_everywhere_there_is_a_way_out_and_none_back() -> None:
    assert all(Step.LEAVE in TRANSITIONS[state] for state in set(State) - {State.CLOSING})
    assert not TRANSITIONS[State.CLOSING]


def test_the_table_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        TRANSITIONS[State.CLOSING] = {}  # type: ignore[index]  # that is the point
