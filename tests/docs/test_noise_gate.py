"""The example of a processor, noise_gate.py, keeps all promises and does what it says."""

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from capabilities import AudioFormat
from waav.plugins import Discovery, open_plugins
from waav.session.commands import ProcessorChoice
from waav.session.processing import open_pipeline
from waav.testing import check_plugin, silence, tone

EXAMPLE = Path(__file__).parents[2] / "docs/examples/noise_gate.py"
SPEECH = AudioFormat()


@pytest.fixture
def gate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("noise_gate", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


async def test_it_passes_the_suite(gate: ModuleType) -> None:
    await check_plugin(gate.MANIFEST)


@pytest.mark.pins("D284")
async def test_in_a_pipeline_it_silences_what_is_between_words(gate: ModuleType) -> None:
    word, hiss = tone(0.5, level=0.5).data, tone(1.0, level=0.004).data
    async with open_plugins(Discovery.of(gate.MANIFEST)) as plugins:
        choice = ProcessorChoice("noise_gate", {"hold": 0.1})
        async with open_pipeline(plugins, [choice], SPEECH, SPEECH) as pipeline:
            heard = await pipeline.feed(word) + await pipeline.feed(hiss)
    assert heard[: len(word)] == word
    after = np.frombuffer(heard[len(word) :], "<i2")
    assert after[:1500].any(), "it is held open"
    assert not after[2600:].any(), "and then closed"


async def test_it_does_not_matter_how_the_sound_is_cut(gate: ModuleType) -> None:
    sound = tone(0.3).data + tone(0.5, level=0.004).data + silence(0.1).data + tone(0.1).data
    whole = await gate.GateStream(SPEECH, gate.GateOptions()).feed(sound)
    stream = gate.GateStream(SPEECH, gate.GateOptions())
    pieces = [await stream.feed(sound[at : at + 34]) for at in range(0, len(sound), 34)]
    assert b"".join(pieces) == whole
