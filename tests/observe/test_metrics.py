"""Samples, added up and written."""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_open
from prometheus_client.parser import text_string_to_metric_families as read_plain

from waav.observe.families import FAMILIES, Family
from waav.observe.metrics import Sample, process_samples, render, together

Read = Callable[[str], Iterable[Any]]
PLAIN, OPEN = "", "application/openmetrics-text; version=1.0.0"


def example(family: Family, number: float = 2.0) -> Sample:
    labels = {name: f"a {name}" for name in family.labels}
    return Sample(family.name, number, labels, 3 if family.kind == "summary" else 0)


@pytest.mark.parametrize(("accept", "read"), [(PLAIN, read_plain), (OPEN, read_open)])
def test_every_family_can_be_read_back(accept: str, read: Read) -> None:
    text, content_type = render(map(example, FAMILIES), accept)
    assert content_type.startswith(accept.partition(";")[0] or "text/plain; version=0.0.4")
    families = list(read(text.decode()))
    names = [family.name.removesuffix("_total") for family in FAMILIES]
    assert [family.name for family in families] == names
    for told, family in zip(families, FAMILIES, strict=True):
        assert (told.type, told.documentation) == (family.kind, family.help)
        for sample in told.samples:
            assert sample.labels == {name: f"a {name}" for name in family.labels}
            assert sample.value == (3.0 if sample.name.endswith("_count") else 2.0)


def test_names_keep_to_the_habits() -> None:
    """One prefix, units as words, and counters that say that they are."""
    names = [family.name for family in FAMILIES]
    assert len(set(names)) == len(names)
    for family in FAMILIES:
        assert family.name.startswith(("waav_", "process_", "python_"))
        assert family.name.endswith("_total") == (family.kind == "counter")
        assert not family.name.endswith(("_ms", "_kb", "_millis"))
        assert family.help.endswith(".")


def test_labels_cannot_break_the_text() -> None:
    sample = Sample("waav_errors_total", 1, {"code": 'a"\n\\b'})
    (family,) = read_plain(render([sample])[0].decode())
    assert family.samples[0].labels == sample.labels


def test_of_the_process_nothing_is_without_a_family() -> None:
    names = {family.name for family in FAMILIES}
    told = {sample.name for sample in process_samples()}
    assert told <= names
    assert {"process_cpu_seconds_total", "python_info", "process_open_fds"} <= told


def test_several_processes_have_the_sum_of_what_was_counted() -> None:
    one = [Sample("waav_refused_total", 2, {"code": "a"}), Sample("waav_uptime_seconds", 9)]
    other = [Sample("waav_refused_total", 3, {"code": "a"}), Sample("waav_uptime_seconds", 4)]
    third = [Sample("waav_refused_total", 1, {"code": "b"})]
    assert together([*one, *other, *third]) == [
        Sample("waav_refused_total", 5, {"code": "a"}),
        Sample("waav_uptime_seconds", 9),
        Sample("waav_refused_total", 1, {"code": "b"}),
    ]


def test_a_mean_of_several_processes_is_that_of_all_together() -> None:
    one = Sample("waav_tts_first_sound_seconds", 1.5, {"provider": "a"}, 2)
    other = Sample("waav_tts_first_sound_seconds", 4.0, {"provider": "a"}, 8)
    (both,) = together([one, other])
    assert (both.value, both.count) == (5.5, 10)


@given(st.lists(st.tuples(st.sampled_from(FAMILIES), st.integers(0, 1000))))
def test_the_order_of_processes_does_not_matter(given: list[tuple[Family, int]]) -> None:
    samples = [example(family, number) for family, number in given]

    def values(several: Iterable[Sample]) -> dict[str, float]:
        return {sample.name: sample.value for sample in together(several)}

    assert values(samples) == values(samples[::-1]) == values(together(samples))


def test_a_sample_can_travel() -> None:
    samples = [example(family) for family in FAMILIES]
    assert msgspec.json.decode(msgspec.json.encode(samples), type=list[Sample]) == samples
