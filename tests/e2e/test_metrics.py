"""What `/metrics` says of a gateway that was talked with, over a real socket."""

from typing import Any

import httpx
import pytest
import trio
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_open
from prometheus_client.parser import text_string_to_metric_families as read_plain
from support.providers import Ears, Mouth

from capabilities import Final, Interim, ProviderRefused
from waav.observe.families import FAMILIES
from waav.server.errors import NORMAL

Values = dict[tuple[str, frozenset[tuple[str, str]]], float]


async def scrape(server: Any) -> tuple[list[Any], Values]:
    async with httpx.AsyncClient(base_url=server.url) as client:
        answer = await client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    families = list(read_plain(answer.text))
    values: Values = {}
    for family in families:
        for sample in family.samples:
            key = sample.name, frozenset(sample.labels.items())
            assert key not in values
            values[key] = sample.value
    return families, values


async def talk(server: Any, ears: Ears) -> None:
    async with server.client() as client:
        await client.configure()
        for _ in range(10):
            await client.socket.send(bytes(640))
        ears.say(Interim("hel"), Final("hello", speech_final=True))
        await client.expect("stt_result")
        await client.expect("stt_result")
        await client.send(type="speak", text="abc")
        await client.expect("tts_playback_complete")


@pytest.mark.pins("D333")
async def test_a_talk_is_counted(server: Any, ears: Ears) -> None:
    await talk(server, ears)
    with trio.fail_after(10):
        while server.gateway.sessions:  # noqa: ASYNC110  # it ends behind the client's back
            await trio.sleep(0.01)
    _, values = await scrape(server)

    def value(name: str, **labels: str) -> float:
        return values[name, frozenset(labels.items())]

    assert value("waav_sessions") == 0
    assert value("waav_sessions_started_total") == 1
    assert value("waav_sessions_ended_total", code=str(NORMAL)) == 1
    assert value("waav_audio_received_frames_total") == 10
    assert value("waav_audio_sent_frames_total") == 3
    assert value("waav_audio_dropped_frames_total") == 0
    assert value("waav_websocket_received_messages_total") == 12
    assert value("waav_websocket_sent_messages_total") == 1 + 2 + 3 + 1
    assert value("waav_websocket_received_bytes_total") > 10 * 640
    assert value("waav_websocket_sent_bytes_total") > 3 * 4800
    assert value("waav_utterances_total", how="spoken") == 1
    assert value("waav_provider_calls_total", provider="mouth", capability="tts") == 1
    assert value("waav_provider_calls_open", provider="ears", capability="stt") == 0
    assert value("waav_provider_circuit_open", provider="ears", capability="stt") == 0
    assert value("waav_plugin_state", plugin="ears", state="running") == 1
    assert value("waav_stt_streams_total", provider="ears") == 1
    assert value("waav_stt_audio_seconds_total", provider="ears") == pytest.approx(0.2)
    assert value("waav_stt_finals_total", provider="ears") == 1
    assert value("waav_tts_audio_seconds_total", provider="mouth") == pytest.approx(0.3)
    assert value("waav_tts_first_sound_seconds_count", provider="mouth") == 1
    assert value("waav_cache_misses_total") == 1
    assert value("waav_cache_memory_bytes") > 3 * 4800
    assert value("waav_load_stage") == 0
    assert value("waav_tasks") > 1
    assert value("waav_dead_air_total") == 0


async def test_names_are_unique_and_counters_only_grow(server: Any, ears: Ears) -> None:
    await talk(server, ears)
    families, before = await scrape(server)
    await talk(server, ears)
    again, after = await scrape(server)
    names = [family.name for family in families]
    assert len(set(names)) == len(names)
    kinds = {family.name.removesuffix("_total"): family.kind for family in FAMILIES}
    assert {family.name: family.type for family in families}.items() <= kinds.items()
    growing = {
        (sample.name, frozenset(sample.labels.items()))
        for family in again
        if family.type in {"counter", "summary"}
        for sample in family.samples
    }
    assert before.keys() <= after.keys()
    assert all(after[key] >= before.get(key, 0) for key in growing)
    assert any(after[key] > before[key] for key in growing & before.keys())
    key = "waav_cache_hits_total", frozenset[tuple[str, str]]()
    assert (before[key], after[key]) == (0, 1)


async def test_what_went_wrong_is_counted(server: Any, mouth: Mouth) -> None:
    mouth.fail = ProviderRefused("mouth", "no")
    async with server.client() as client:
        await client.configure()
        await client.send(type="speak", text="abc")
        await client.expect_error("tts_error")
        await client.expect("tts_playback_complete")
        await client.send(type="dance")
        await client.expect_error("invalid_message")
    async with await trio.open_tcp_stream("127.0.0.1", server.port) as stream:
        await stream.send_all(b"GET /nowhere HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\n\r\n")
        assert b" 404 " in await stream.receive_some()
    _, values = await scrape(server)
    told = {(name, *dict(labels).values()): value for (name, labels), value in values.items()}
    assert told["waav_errors_total", "tts_error"] == 1
    assert told["waav_errors_total", "invalid_message"] == 1
    assert told["waav_utterances_total", "failed"] == 1
    assert told["waav_refused_total", "not_found"] == 1
    errors = frozenset({("provider", "mouth"), ("capability", "tts")})
    assert values["waav_provider_errors_total", errors] == 1


async def test_sessions_that_are_open_are_counted_as_they_go(server: Any) -> None:
    async with server.client() as client:
        await client.configure()
        await client.socket.send(bytes(640))
        with trio.fail_after(10):
            while not server.gateway.counters.frames_in:  # noqa: ASYNC110  # it is on its way
                await trio.sleep(0.01)
        _, values = await scrape(server)
    nothing = frozenset[tuple[str, str]]()
    assert values["waav_sessions", nothing] == 1
    assert values["waav_websocket_received_bytes_total", nothing] > 640


async def test_the_other_format_for_who_asks_for_it(server: Any, ears: Ears) -> None:
    await talk(server, ears)
    accept = "application/openmetrics-text; version=1.0.0, text/plain;q=0.5"
    async with httpx.AsyncClient(base_url=server.url) as client:
        answer = await client.get("/api/metrics", headers={"Accept": accept})
    assert answer.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    assert "waav_sessions_started" in {family.name for family in read_open(answer.text)}
