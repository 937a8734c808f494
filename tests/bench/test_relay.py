"""The whole way: a load, three relays, a vendor; no time is judged here."""

import socket

import pytest

from waav.bench import features, relay
from waav.bench.process import BenchFailed
from waav.bench.relay_report import report
from waav.bench.rig import Rig
from waav.bench.runs import Run
from waav.bench.systems import System, direct, running, yardstick

HANDSHAKE = (
    b"GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: d2FhdiBiZW5jaG1hcmsgMQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
HOW = relay.How(steps=(2,), seconds=1.0, rounds=1)


def test_every_frame_comes_through_all_relays_and_ours_has_a_ratio(
    rig: Rig, system: System
) -> None:
    told: list[Run] = []
    bare = yardstick("bare", rig.folder, rig.cores, rig.far_end)
    obvious = yardstick("obvious", rig.folder, rig.cores, rig.far_end)
    with bare as least, obvious as nearest:
        systems = [system, least, nearest, direct(rig.far_end)]
        runs = relay.compare(rig, systems, HOW, told.append)
    assert told == runs
    assert [each.system for each in runs] == ["gateway", "bare", "obvious", "direct"]
    for each in runs:
        # Two sessions, fifty frames a second: one more or less at the edges of the second.
        assert each.sent == pytest.approx(100, abs=4)
        assert (each.arrived, each.lost) == (each.sent, 0)
        assert each.around.count == pytest.approx(each.sent / 5, abs=4)
        assert (each.cpu_per_frame is None) == (each.system == "direct")
    found = report(runs, HOW)
    ours = found.data["runs"][0]
    assert ours["cpu_per_frame_ratio"] > 0
    assert ours["p99_ratio"] > 0
    assert "<svg" in found.picture


def test_denoise_has_a_price_though_it_changes_the_sound(rig: Rig, system: System) -> None:
    data = features.measure("denoise", rig, system, HOW, lambda _: None).data
    plain, with_it = data["runs"]
    assert (plain["system"], with_it["system"]) == ("plain", "denoise")
    assert with_it["frames_arrived"] > 0
    assert with_it["p99_ms"] is None
    assert with_it["cpu_per_frame_ratio"] > 0


@pytest.mark.parametrize("said", [b"", b"GET /ws HTTP/1.1\r\n", HANDSHAKE])
def test_the_bare_relay_has_nothing_to_do_with_a_client_that_is_gone(rig: Rig, said: bytes) -> None:
    """Else whatever is measured after it on the same core would seem slow."""
    with yardstick("bare", rig.folder, rig.cores, rig.far_end) as bare:
        with socket.create_connection(bare.address) as client:
            client.send(said)
            if said == HANDSHAKE:
                assert client.recv(4096).startswith(b"HTTP/1.1 101")
        run = relay.run(bare, rig, 1, 0.5)
    assert run.arrived == run.sent > 0
    assert run.core is not None
    assert run.core < 0.2


def test_a_gateway_that_runs_already_is_measured_without_its_process(
    rig: Rig, system: System
) -> None:
    host, port = system.address
    run = relay.run(running(f"http://{host}:{port}", None), rig, 1, 0.2)
    assert run.arrived == run.sent > 0
    assert run.cpu_per_frame is None


def test_nobody_listens_there(rig: Rig) -> None:
    with pytest.raises(BenchFailed, match="1 of 1 sessions did not come to be"):
        relay.run(running("http://127.0.0.1:1", None), rig, 1, 0.2)


@pytest.mark.parametrize("url", ["https://example.com", "example.com", "ws://h"])
def test_an_address_that_the_load_does_not_speak_to(url: str) -> None:
    with pytest.raises(BenchFailed, match="plain http"):
        running(url, None)
