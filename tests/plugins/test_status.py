"""The catalogue is made from the registry, and is plain data."""

import json
from collections.abc import Callable

import pytest

from capabilities import Ability, Capability, Limits, Manifest
from waav.plugins import Registry, catalogue


@pytest.mark.pins("D286")
def test_catalogue_generated(manifest: Callable[..., Manifest]) -> None:
    registry = Registry()
    assert catalogue(registry) == []
    registry.register(manifest("zeta"))
    heard = Ability(
        features=("streaming",),
        languages=("kn", "hi"),
        models=("m1", "m2"),
        sample_rates=(16000,),
        limits=Limits(idle_timeout=10, concurrency=4),
    )
    abilities = {Capability.TTS: Ability(), Capability.STT: heard}
    registry.register(
        manifest("gnani", abilities=abilities, aliases=("gnani.ai",), version="2", description="d")
    )
    first, second = catalogue(registry)
    assert second["id"] == "zeta"
    assert {key: value for key, value in first.items() if key != "capabilities"} == {
        "id": "gnani",
        "name": "Gnani",
        "version": "2",
        "description": "d",
        "aliases": ["gnani.ai"],
    }
    assert list(first["capabilities"]) == ["stt", "tts"]
    assert first["capabilities"]["stt"] == {
        "features": ["streaming"],
        "languages": ["kn", "hi"],
        "models": ["m1", "m2"],
        "encodings": ["linear16"],
        "sample_rates": [16000],
        "channels": 1,
        "limits": {
            "idle_timeout": 10,
            "longest_session": None,
            "frame_bytes": 1 << 20,
            "text_bytes": 100 * 1024,
            "concurrency": 4,
        },
    }
    assert json.loads(json.dumps(catalogue(registry), allow_nan=False)) == catalogue(registry)


def test_the_catalogue_follows_the_registry(manifest: Callable[..., Manifest]) -> None:
    registry = Registry()
    registry.register(manifest("a"))
    registry.register(manifest("b"))
    registry.unregister("a")
    assert [entry["id"] for entry in catalogue(registry)] == ["b"]
