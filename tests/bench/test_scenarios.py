"""The other benchmarks, with as little as goes: they run, and what they count is right."""

import os
import sys
import time
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from waav.bench import idle, interrupt, overload, soak, speak, start
from waav.bench.loop import Beat, Loop
from waav.bench.rig import Rig
from waav.bench.stage import Stage
from waav.bench.systems import ROOM, System, gateway
from waav.bench.tally import Tally
from waav.config.load import load


def test_sessions_start_and_leave(rig: Rig, system: System) -> None:
    told = start.run(rig, system, count=6, at_once=3, frames=2)
    assert (told["ready"], told["failures"]) == (6, {})
    assert 0 < told["p50_ms"] <= told["max_ms"]
    assert told["cpu_per_session_ms"] > 0


def test_what_is_spoken_comes_whole_and_in_order(rig: Rig, system: System) -> None:
    told = speak.over_websocket(rig, system, sessions=2, seconds=1.0)
    assert told["texts"] == told["whole"] > 0
    assert (told["wrong"], told["failures"]) == (0, 0)
    assert told["to_voice_p99_ms"] > 0
    assert told["to_sound_p99_ms"] > told["to_voice_p50_ms"]


def test_what_is_spoken_over_rest_comes_whole(rig: Rig, system: System) -> None:
    told = speak.over_rest(system, 2)
    assert (told["whole"], told["wrong"]) == (2, 0)


def test_whoever_is_too_many_is_refused_and_counted(rig: Rig) -> None:
    with gateway(rig.folder, rig.cores, rig.far_end, sessions=2) as small:
        told = overload.run(rig, small, sessions=2, factor=5, seconds=1.0)
    assert told["attempts"] >= 7
    assert told["reasons"] == {"503": told["attempts"]}
    assert (told["accepted"], told["lost"]) == (0, {})
    assert 0 < told["refusal_p50_ms"] <= told["refusal_max_ms"]
    assert "x 5" in overload.report([told]).text


def test_only_overload_measures_a_gateway_that_does_less_when_it_is_late(
    rig: Rig, tmp_path: Path
) -> None:
    for sessions, acts in ((ROOM, False), (2, True)):
        with gateway(tmp_path, rig.cores, rig.far_end, sessions=sessions):
            told = load(tmp_path / "gateway.toml", environ={}, dotenv=None, strict=True)
        assert told.config.overload.enabled is acts


def empty_stage() -> Stage:
    far_end: Any = SimpleNamespace(tally=None)
    sound: Any = None
    return Stage(Loop(), far_end, sound)


def test_a_frame_that_is_late_is_not_lost() -> None:
    """They take 200 ms, and are counted for 100."""
    stage, start, step = empty_stage(), time.monotonic_ns(), 1e7
    crowd: Any = SimpleNamespace(count=lambda _: None)

    def tally() -> Tally:
        return stage.far_end.tally

    def send(number: int, _late: int) -> None:
        tally().sent += tally().counts(start + int(number * step))

    def arrive(number: int, _late: int) -> None:
        tally().arrive(start + int(number * step), time.monotonic_ns())

    stage.loop.beats += [Beat(send, step, start), Beat(arrive, step, start + 200_000_000)]
    told = overload._count(stage, crowd, 0.1)
    assert told["arrived"] == told["sent"] > 5


@pytest.mark.skipif(sys.platform != "linux", reason="benchmarks need Linux")
def test_what_earlier_sessions_have_left_behind_is_no_memory_for_free() -> None:
    stage, pid = empty_stage(), os.getpid()
    before = stage.empty(pid)
    left = b"." * (32 << 20)
    assert stage.empty(pid) == before
    assert len(left) > 0
    assert stage.empty(None) is None


def test_idle_sessions_have_a_weight(rig: Rig) -> None:
    opening = partial(gateway, rig.folder, rig.cores, rig.far_end)
    found = idle.measure(rig, opening, [3], settle=0.1)
    kinds = [(each["kind"], each["sessions"]) for each in found.data["seen"]]
    assert kinds == [(kind, many) for kind in ("listening", "not listening") for many in (0, 3, 0)]


def test_interruptions_end_in_silence(rig: Rig) -> None:
    plugins = interrupt.write_plugin(rig.folder)
    with gateway(rig.folder, rig.cores, rig.far_end, plugins=plugins) as system:
        data = interrupt.measure(system, sessions=2, seconds=2.0).data
    assert data["interruptions"] >= 2
    assert data["stale_frames"] == 0


def test_a_share_of_few_interruptions_is_not_beyond_the_longest() -> None:
    figures = interrupt.Tally([0.01, 0.02], [1, 1], [0.01, 0.02]).figures()
    assert figures["to_silence_p99_ms"] <= figures["to_silence_max_ms"]


def test_nothing_is_left_behind_that_soak_would_not_see(
    rig: Rig, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")  # a gateway next door needs none
    said: list[str] = []
    found = soak.measure(rig, system, said.append, sessions=2, minutes=0.01, sequential=3, rest=0.1)
    assert [each["when"] for each in found.data["looks"]] == [
        "at first",
        "after 0.01 min of 2",
        "after 3 one by one",
        "after 0.1 s of rest",
    ]
    assert all(each["files"] > 0 and each["tasks"] > 0 for each in found.data["looks"])
    first, *later = found.data["looks"]
    for each in later:  # not in the middle of a goodbye: a session has more than six tasks
        assert each["tasks"] < first["tasks"] + 6
    assert len(said) == 3
