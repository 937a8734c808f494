"""Numbers of many objects are one number."""

import attrs
import pytest

from waav.observe.counters import MOST_LABELS, OTHER, ByLabel, Totals


@attrs.define(eq=False)
class Socket:
    bytes_in: int = 0


def test_what_lives_counts_and_what_has_lived_goes_on_counting() -> None:
    totals, old, young = Totals(("bytes_in",)), Socket(10), Socket(1)
    with totals.including(young):
        with totals.including(old):
            old.bytes_in += 5
            assert totals.read() == {"bytes_in": 16}
        young.bytes_in += 1
        assert totals.read() == {"bytes_in": 17}
    assert totals.read() == {"bytes_in": 17}


def test_a_crash_loses_nothing() -> None:
    totals = Totals(("bytes_in",))
    with pytest.raises(RuntimeError), totals.including(Socket(3)):
        raise RuntimeError
    assert totals.read() == {"bytes_in": 3}


def test_a_plugin_that_invents_codes_does_not_fill_the_memory() -> None:
    counts = ByLabel()
    for number in range(1000):
        counts.note(f"code-{number}")
    counts.note("code-1")
    assert len(counts) == MOST_LABELS + 1
    assert (counts["code-1"], counts[OTHER], counts.total()) == (2, 1000 - MOST_LABELS, 1001)
