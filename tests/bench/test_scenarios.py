"""The other benchmarks, with as little as goes: they run, and what they count is right."""

from functools import partial

from waav.bench import idle, interrupt, overload, soak, speak, start
from waav.bench.rig import Rig
from waav.bench.systems import System, gateway


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


def test_nothing_is_left_behind_that_soak_would_not_see(rig: Rig, system: System) -> None:
    said: list[str] = []
    found = soak.measure(rig, system, said.append, sessions=2, minutes=0.01, sequential=3)
    assert [each["when"] for each in found.data["looks"]] == [
        "at first",
        "after 0.01 min of 2",
        "after 3 one by one",
    ]
    assert all(each["files"] > 0 for each in found.data["looks"])
    assert len(said) == 2
