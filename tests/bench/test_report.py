"""Tables and pictures, and what is said of runs that say nothing."""

import xml.etree.ElementTree as ET

import attrs
import pytest

from waav.bench.histogram import Histogram
from waav.bench.relay import How
from waav.bench.relay_report import report
from waav.bench.report import Curve, machine, picture, table
from waav.bench.runs import Run


def histogram(*milliseconds: float) -> Histogram:
    result = Histogram()
    for each in milliseconds:
        result.record(int(each * 1e6))
    return result


RUN = Run(
    system="bare",
    sessions=10,
    sent=1000,
    arrived=1000,
    heard=1000,
    forward=histogram(1, 1, 1, 1),
    around=histogram(2, 2, 2, 2),
    lateness=histogram(0.1),
    seconds=2.0,
    cpu=0.1,
    waited=0.0,
    rss=1 << 20,
    load_cpu=0.5,
    lost=0,
)
GATEWAY = attrs.evolve(RUN, system="gateway", cpu=0.15, forward=histogram(3, 3, 3, 3))


def test_everything_stands_beside_the_bare_relay() -> None:
    found = report([GATEWAY, RUN], How())
    ours, theirs = found.data["runs"]
    assert ours["cpu_per_frame_us"] == pytest.approx(150)
    assert ours["cpu_per_frame_ratio"] == pytest.approx(1.5)
    assert ours["p99_ratio"] == pytest.approx(3, rel=0.02)
    assert theirs["cpu_per_frame_ratio"] == 1.0
    head, gateway, bare, *_ = found.text.splitlines()
    assert head.split()[:2] == ["system", "sessions"]
    assert gateway.split()[:4] == ["gateway", "10", "150", "1.50"]
    assert bare.split()[0] == "bare"


def test_rounds_are_put_together() -> None:
    [told] = report([RUN, attrs.evolve(RUN, cpu=0.3)], How()).data["runs"]
    assert told["frames_arrived"] == 2000
    assert told["cpu_per_frame_us"] == pytest.approx(200)


def test_a_load_that_was_late_measured_itself() -> None:
    late = attrs.evolve(RUN, lateness=histogram(5))
    assert "the load itself was late" in late.invalid
    assert late.invalid in report([late], How()).text


def test_a_core_that_others_used_is_no_place_to_measure() -> None:
    assert "others had the core for 25%" in attrs.evolve(RUN, waited=0.5).invalid
    assert not RUN.invalid


def test_sound_that_was_changed_on_the_way_has_a_price_and_no_latency() -> None:
    changed = attrs.evolve(RUN, arrived=0, forward=histogram(), around=histogram())
    [told] = report([changed], How()).data["runs"]
    assert told["p99_ms"] is None
    assert told["cpu_per_frame_us"] == pytest.approx(100)


@pytest.mark.parametrize("change", [{"forward": histogram(30)}, {"lost": 1}])
def test_who_is_late_or_loses_sessions_is_not_asked_for_more(change: dict[str, object]) -> None:
    assert not RUN.exhausted
    assert attrs.evolve(RUN, **change).exhausted


def test_a_system_that_nobody_can_look_into_has_no_price() -> None:
    [told] = report([attrs.evolve(RUN, cpu=None, waited=None, rss=None)], How()).data["runs"]
    assert told["cpu_per_frame_us"] is None
    assert told["cpu_per_frame_ratio"] is None
    assert told["rss_per_session_bytes"] is None


def test_a_table_is_aligned() -> None:
    text = table(("name", "n"), [["a", 1.234], ["longer", None], ["b", 1234.5]])
    assert text.splitlines() == ["name       n", "a       1.23", "longer     -", "b       1234"]


def test_a_picture_is_an_svg_with_a_line_for_each_system() -> None:
    curves = [Curve("a <b>", [(10, 0.5), (20, 5.0)]), Curve("c", [(10, 50.0)])]
    root = ET.fromstring(picture("t", "x", "y", curves, {"20": 20.0}))
    names = [each.text for each in root.iter() if each.tag.endswith("text")]
    assert "a <b>" in names
    assert len([each for each in root.iter() if each.tag.endswith("polyline")]) == 2


def test_a_picture_of_nothing_is_one_too() -> None:
    assert ET.fromstring(picture("t", "x", "y", [], {})) is not None


def test_the_machine_is_described() -> None:
    assert {"processor", "cores", "kernel", "python", "waav", "at"} <= machine().keys()
