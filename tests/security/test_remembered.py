"""A bounded memory whose entries grow old."""

from waav.security.remembered import Remembered


def test_a_value_is_there_until_its_time_is_over() -> None:
    memory = Remembered[str, int](10.0, 8)
    memory.put("a", 1, now=100.0)
    assert memory.get("a", now=109.9) == 1
    assert memory.get("a", now=110.0) is None
    assert memory.get("b", now=100.0) is None


def test_the_one_that_nobody_asks_for_makes_room() -> None:
    memory = Remembered[str, int](10.0, 2)
    for key in "ab":
        memory.put(key, 1, now=0.0)
    assert memory.get("a", now=1.0) == 1
    memory.put("c", 1, now=1.0)
    assert [memory.get(key, now=1.0) for key in "abc"] == [1, None, 1]


def test_a_new_value_lives_its_own_time() -> None:
    memory = Remembered[str, int](10.0, 2)
    memory.put("a", 1, now=0.0)
    memory.put("a", 2, now=5.0)
    assert memory.get("a", now=14.0) == 2


def test_without_a_time_nothing_is_kept() -> None:
    memory = Remembered[str, int](0.0, 8)
    memory.put("a", 1, now=0.0)
    assert memory.get("a", now=0.0) is None
