"""Every metric by name: what it counts, how it is read, and what several processes have together."""

from typing import Literal, TypeAlias

import attrs

Kind: TypeAlias = Literal["counter", "gauge", "summary"]
Together: TypeAlias = Literal["sum", "most"]


@attrs.frozen
class Family:
    """What is known about all samples of one name."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    together: Together = "sum"
    """What several processes have together."""


_BY_PROVIDER = ("provider",)
_BY_USE = ("provider", "capability")
_OF_PYTHON = ("version", "implementation", "major", "minor", "patchlevel")

FAMILIES: tuple[Family, ...] = (
    Family("waav_build_info", "gauge", "1, for the version that runs.", ("version",), "most"),
    Family("waav_uptime_seconds", "gauge", "Since the gateway opened.", (), "most"),
    Family("waav_tasks", "gauge", "Trio tasks."),
    Family(
        "waav_workers_ended_total",
        "counter",
        "Workers that died or were ended; one took the place.",
    ),
    # sessions and connections
    Family("waav_sessions", "gauge", "Sessions that are open."),
    Family("waav_sessions_started_total", "counter", "Sessions that were opened."),
    Family(
        "waav_sessions_ended_total",
        "counter",
        "Sessions of WebSockets that are over, by the code that the gateway closed with.",
        ("code",),
    ),
    Family(
        "waav_refused_total",
        "counter",
        "Connections and requests that the doors sent away, by error code.",
        ("code",),
    ),
    Family("waav_websocket_received_bytes_total", "counter", "From WebSocket clients, framed."),
    Family("waav_websocket_sent_bytes_total", "counter", "To WebSocket clients, framed."),
    Family("waav_websocket_received_messages_total", "counter", "Text and binary."),
    Family("waav_websocket_sent_messages_total", "counter", "Text and binary."),
    # sound and speech
    Family("waav_audio_received_frames_total", "counter", "Pieces of sound, as clients cut them."),
    Family(
        "waav_audio_dropped_frames_total",
        "counter",
        "Of those, the ones that a recogniser did not take in time.",
    ),
    Family("waav_audio_sent_frames_total", "counter", "Pieces of speech that clients took."),
    Family(
        "waav_utterances_total",
        "counter",
        "Texts to be spoken that are over: spoken, failed or cleared.",
        ("how",),
    ),
    Family(
        "waav_interruptions_total",
        "counter",
        "Utterances that had begun and were cut off, by the user or by the client.",
        ("by",),
    ),
    Family("waav_ignored_clears_total", "counter", "While what played might not be interrupted."),
    Family(
        "waav_dead_air_total",
        "counter",
        "Times that a client heard nothing for too long although something was to be said.",
    ),
    Family(
        "waav_errors_total", "counter", "Errors that WebSocket clients were told of.", ("code",)
    ),
    # providers and plugins
    Family("waav_provider_calls_total", "counter", "Conversations that began.", _BY_USE),
    Family("waav_provider_calls_open", "gauge", "Conversations that are under way.", _BY_USE),
    Family("waav_provider_errors_total", "counter", "Conversations that failed.", _BY_USE),
    Family(
        "waav_provider_call_seconds_total",
        "counter",
        "How long those conversations took that are over.",
        _BY_USE,
    ),
    Family(
        "waav_provider_circuit_open",
        "gauge",
        "1 while a provider is not asked because it failed too often.",
        _BY_USE,
        "most",
    ),
    Family(
        "waav_plugin_state",
        "gauge",
        "1 for the state that a plugin is in; of several workers, how many.",
        ("plugin", "state"),
    ),
    Family("waav_stt_streams_total", "counter", "Recognitions.", _BY_PROVIDER),
    Family("waav_stt_audio_seconds_total", "counter", "Sound that was heard.", _BY_PROVIDER),
    Family("waav_stt_interims_total", "counter", "Interim results.", _BY_PROVIDER),
    Family("waav_stt_finals_total", "counter", "Final results.", _BY_PROVIDER),
    Family(
        "waav_stt_first_interim_seconds",
        "summary",
        "Of each recognition, from its first sound to its first interim; a silence counts too.",
        _BY_PROVIDER,
    ),
    Family("waav_stt_first_final_seconds", "summary", "Likewise.", _BY_PROVIDER),
    Family("waav_tts_audio_seconds_total", "counter", "Sound that was made.", _BY_PROVIDER),
    Family(
        "waav_tts_first_sound_seconds",
        "summary",
        "Of each request, until its first sound.",
        _BY_PROVIDER,
    ),
    Family("waav_cache_hits_total", "counter", "Speech that was kept from before."),
    Family(
        "waav_cache_shared_total", "counter", "Speech that was heard while it was made for others."
    ),
    Family("waav_cache_misses_total", "counter", "Speech that had to be made."),
    Family("waav_cache_memory_bytes", "gauge", "Speech that is kept in memory."),
    # the event loop, and how much it has to do
    Family(
        "waav_loop_lag_p99_seconds", "gauge", "How late tasks run, of the last 10 s.", (), "most"
    ),
    Family("waav_loop_lag_max_seconds", "gauge", "Likewise, the longest.", (), "most"),
    Family("waav_loop_held_total", "counter", "Times that the loop was held.", ("plugin",)),
    Family("waav_loop_held_seconds_total", "counter", "How long it was held.", ("plugin",)),
    Family("waav_loop_held_longest_seconds", "gauge", "The longest time.", (), "most"),
    Family("waav_load_stage", "gauge", "0 normal, 1 refuse, 2 shed, 3 evict.", (), "most"),
    Family("waav_load_stage_entered_total", "counter", "From above or below.", ("stage",)),
    Family("waav_load_refused_total", "counter", "Who was sent away because of the load."),
    Family("waav_load_shed_total", "counter", "Sessions that had to do without something."),
    Family("waav_load_evicted_total", "counter", "Idle sessions that were ended."),
    Family("waav_memory_used_ratio", "gauge", "Of the memory that may be used.", (), "most"),
    # the process
    Family("process_cpu_seconds_total", "counter", "Of all threads, user and system."),
    Family("process_resident_memory_bytes", "gauge", "In memory."),
    Family("process_virtual_memory_bytes", "gauge", "Addressed."),
    Family("process_start_time_seconds", "gauge", "Since 1970.", (), "most"),
    Family("process_open_fds", "gauge", "Open file descriptors."),
    Family("process_max_fds", "gauge", "How many each process may have.", (), "most"),
    Family("python_gc_objects_collected_total", "counter", "Garbage.", ("generation",)),
    Family("python_gc_objects_uncollectable_total", "counter", "Lost.", ("generation",)),
    Family("python_gc_collections_total", "counter", "Collections.", ("generation",)),
    Family("python_info", "gauge", "1, for the Python that runs.", _OF_PYTHON, "most"),
)
