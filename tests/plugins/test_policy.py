"""When is a failed plugin opened again?"""

from waav.plugins.policy import Policy, Restarts

POLICY = Policy(max_restarts=4, restart_window=100, first_pause=1, longest_pause=5)


def test_pauses_double_up_to_the_longest_and_then_it_is_enough() -> None:
    restarts = Restarts(POLICY)
    assert [restarts.pause(now) for now in range(6)] == [1, 2, 4, 5, None, None]


def test_a_restart_long_ago_is_forgotten() -> None:
    restarts = Restarts(POLICY)
    for now in range(4):
        restarts.pause(now)
    assert restarts.pause(99) is None
    assert restarts.pause(100) == 5  # the first has left the window, three are in it
    assert restarts.pause(1000) == 1


def test_a_policy_of_thousands_of_restarts_does_not_overflow() -> None:
    restarts = Restarts(Policy(max_restarts=5000))
    assert {restarts.pause(0.0) for _ in range(5000)} == {1, 2, 4, 8, 16, 32, 60}
