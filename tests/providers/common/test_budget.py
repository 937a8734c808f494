"""A budget's story as a table: what happened, and how many reconnects are left."""

import pytest

from providers._common.budget import Budget

LOST = "lost"

STORIES = {
    "fresh": ([], 3, 0),
    "losses in a row": ([LOST, LOST], 1, 2),
    "spent": ([LOST, LOST, LOST], 0, 3),
    "nothing is owed": ([LOST, LOST, LOST, LOST, 10.0], 1, 2),
    "healthy seconds give back": ([LOST, LOST, 10.0], 2, 1),
    "in parts, too": ([LOST, LOST, 5.0, 5.0], 2, 1),
    "a part does not buy one": ([LOST, LOST, LOST, 9.9], 0, 3),
    "but never more than there were": ([1000.0, LOST], 2, 1),
    "time does not run backwards": ([LOST, -50.0], 2, 1),
}


@pytest.mark.parametrize(("story", "left", "used"), STORIES.values(), ids=STORIES)
def test_stories(story: list[str | float], left: int, used: int) -> None:
    budget = Budget(size=3, refill=10)
    for event in story:
        if isinstance(event, float):
            budget.healthy(event)
        else:
            budget.take()
    assert budget.used == used
    assert sum(budget.take() for _ in range(10)) == left


def test_a_vendor_that_accepts_and_hangs_up_after_five_seconds_is_given_up() -> None:
    """Each reconnect works, so nothing ever fails twice in a row."""
    budget = Budget()
    lives = 0
    while budget.take():
        budget.healthy(5)
        lives += 1
    assert lives == 5


def test_a_quiet_caller_whose_line_drops_each_minute_is_kept_for_ever() -> None:
    budget = Budget()
    for _ in range(24 * 60):
        budget.healthy(60)
        assert budget.take()
