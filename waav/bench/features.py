"""``vad`` and ``denoise``: what it adds to a session when the gateway looks into its sound.

Both are the load of ``relay`` in the same process of the gateway, in turns: plain, and with it. Noise
suppression changes the sound, and with it the time stamps: of it there is the CPU, and no latency.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs

from waav.bench import relay, relay_report
from waav.bench.report import Report
from waav.bench.rig import Rig
from waav.bench.runs import Run
from waav.bench.systems import LISTENS, System

FEATURES: Mapping[str, Mapping[str, Any]] = {
    "vad": {"vad": {"enabled": True}},
    "denoise": {"noise_filtering": {"enabled": True, "strength": "medium"}},
}
"""What a client asks for, as its ``audio_features``."""
STEPS = (10, 50, 100)
_PLAIN = "plain"


def measure(
    name: str, rig: Rig, system: System, how: relay.How, say: Callable[[Run], None]
) -> Report:
    """Measure one of :data:`FEATURES`.

    Raises:
        BenchFailed: the gateway has not what it needs for it, or a process ended.
    """
    plain = attrs.evolve(system, name=_PLAIN, config=LISTENS)
    with_it: Sequence[System] = [
        plain,
        attrs.evolve(system, name=name, config={**LISTENS, "audio_features": FEATURES[name]}),
    ]
    return relay_report.report(relay.compare(rig, with_it, how, say), how, name, _PLAIN)
