"""What a gateway has counted, read when somebody asks: the numbers behind ``/metrics``."""

from collections.abc import Iterable, Iterator

import trio

from capabilities import Capability
from waav.gateway import Gateway
from waav.observe.counters import Counters
from waav.observe.load import Load
from waav.observe.metrics import Sample, process_samples
from waav.observe.watchdog import Watchdog
from waav.plugins import PluginStatus
from waav.plugins.boundary import Use
from waav.plugins.hearing import Hearing, Latency, Speech
from waav.speech.cache import SpeechCache
from waav.state.layered import LayeredCache
from waav.state.memory import MemoryCache
from waav.version import __version__


def samples_of(gateway: Gateway) -> list[Sample]:
    """Read everything, for this process; on the loop, and without waiting."""
    return [
        Sample("waav_build_info", 1, {"version": __version__}),
        Sample("waav_uptime_seconds", gateway.uptime),
        Sample("waav_tasks", trio.lowlevel.current_statistics().tasks_living),
        Sample("waav_sessions", gateway.sessions),
        *_counted(gateway.counters),
        *(sample for status in gateway.plugins.statuses() for sample in _plugin(status)),
        *(_cache(gateway.means.cache) if gateway.means.cache else ()),
        *_load(gateway.load),
        *_held(gateway.watchdog),
        *process_samples(),
    ]


def _counted(counters: Counters) -> Iterator[Sample]:
    sockets, sessions = counters.sockets.read(), counters.sessions.read()
    yield from _totals(
        {
            "waav_sessions_started": counters.sessions_started,
            "waav_websocket_received_bytes": sockets["bytes_in"],
            "waav_websocket_sent_bytes": sockets["bytes_out"],
            "waav_websocket_received_messages": counters.messages_in,
            "waav_websocket_sent_messages": counters.messages_out,
            "waav_audio_received_frames": counters.frames_in,
            "waav_audio_dropped_frames": sessions["dropped_frames"],
            "waav_audio_sent_frames": counters.frames_out,
            "waav_ignored_clears": sessions["ignored_clears"],
            "waav_dead_air": counters.dead_air,
        }
    )
    yield from _by("waav_sessions_ended", "code", counters.connections_ended)
    yield from _by("waav_refused", "code", counters.refused)
    yield from _by("waav_utterances", "how", counters.utterances)
    yield from _by("waav_interruptions", "by", counters.interruptions)
    yield from _by("waav_errors", "code", counters.errors)


def _plugin(status: PluginStatus) -> Iterator[Sample]:
    yield Sample("waav_plugin_state", 1, {"plugin": status.id, "state": str(status.state)})
    for capability, use in status.uses.items():
        yield from _use(status, capability, use)
    labels = {"provider": status.id}
    if status.hearing is not None:
        yield from _hearing(status.hearing, labels)
    if status.speech is not None:
        yield from _speech(status.speech, labels)


def _use(status: PluginStatus, capability: Capability, use: Use) -> Iterator[Sample]:
    labels = {"provider": status.id, "capability": str(capability)}
    numbers = {
        "waav_provider_calls_total": use.calls,
        "waav_provider_calls_open": use.open,
        "waav_provider_errors_total": use.errors,
        "waav_provider_call_seconds_total": use.seconds,
        "waav_provider_circuit_open": capability in status.open_circuits,
    }
    return (Sample(name, float(value), labels) for name, value in numbers.items())


def _hearing(hearing: Hearing, labels: dict[str, str]) -> Iterator[Sample]:
    numbers = {
        "waav_stt_streams": hearing.streams,
        "waav_stt_audio_seconds": hearing.audio,
        "waav_stt_interims": hearing.interims,
        "waav_stt_finals": hearing.finals,
    }
    yield from _totals(numbers, labels)
    yield _latency("waav_stt_first_interim_seconds", hearing.first_interim, labels)
    yield _latency("waav_stt_first_final_seconds", hearing.first_final, labels)


def _speech(speech: Speech, labels: dict[str, str]) -> Iterator[Sample]:
    yield Sample("waav_tts_audio_seconds_total", speech.audio, labels)
    yield _latency("waav_tts_first_sound_seconds", speech.first_sound, labels)


def _cache(cache: SpeechCache) -> Iterator[Sample]:
    found = cache.found
    yield from _totals(
        {
            "waav_cache_hits": found.hits,
            "waav_cache_shared": found.shared,
            "waav_cache_misses": found.misses,
        }
    )
    match cache.backend:
        case MemoryCache(size=size) | LayeredCache(memory=MemoryCache(size=size)):
            yield Sample("waav_cache_memory_bytes", size)
        case _:
            pass  # of a cache of somebody else's only they know its size


def _load(load: Load) -> Iterator[Sample]:
    yield Sample("waav_loop_lag_p99_seconds", load.lag.p99)
    yield Sample("waav_loop_lag_max_seconds", load.lag.worst)
    yield Sample("waav_load_stage", load.stage)
    yield Sample("waav_memory_used_ratio", load.memory)
    yield from _totals(
        {
            "waav_load_refused": load.refused,
            "waav_load_shed": load.shed,
            "waav_load_evicted": load.evicted,
        }
    )
    entered = {stage.name.lower(): count for stage, count in load.entered.items()}
    yield from _by("waav_load_stage_entered", "stage", entered)


def _held(watchdog: Watchdog) -> Iterator[Sample]:
    # Copies: its thread may add to them while they are read.
    yield from _by("waav_loop_held", "plugin", dict(watchdog.times))
    yield from _by("waav_loop_held_seconds", "plugin", dict(watchdog.seconds))
    yield Sample("waav_loop_held_longest_seconds", watchdog.longest)


def _totals(numbers: dict[str, float], labels: dict[str, str] | None = None) -> Iterable[Sample]:
    return (Sample(f"{name}_total", value, labels or {}) for name, value in numbers.items())


def _by(name: str, label: str, numbers: dict[str, int] | dict[str, float]) -> Iterable[Sample]:
    return (Sample(f"{name}_total", value, {label: each}) for each, value in numbers.items())


def _latency(name: str, latency: Latency, labels: dict[str, str]) -> Sample:
    return Sample(name, latency.total, labels, latency.count)
