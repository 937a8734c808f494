"""The audio detector: on a small model that the test makes, in the form of the published one."""

import sys
from math import exp
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio
import trio.testing
from onnx import TensorProto, helper
from support.models import save_model, save_sound_model

from capabilities import (
    AudioFormat,
    AudioFrame,
    Plugin,
    ProviderBusy,
    ProviderRefused,
    ProviderUnavailable,
    TurnQuestion,
    TurnVerdict,
)
from providers.local import smart_turn
from providers.local.smart_turn import (
    MANIFEST,
    SHA256,
    SmartTurnSettings,
    SoundDetector,
    downloads,
)
from providers.local.turn_sound import features
from providers.local.turn_sound_model import SoundModel
from waav import open_gateway
from waav.config import Config
from waav.plugins import State
from waav.testing import check_plugin, open_manifest, question, silence

FILE = "smart-turn-v3.2-cpu.onnx"


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_sound_model(tmp_path_factory.mktemp("models") / FILE)


@pytest.fixture
def settings(path: Path) -> SmartTurnSettings:
    return SmartTurnSettings(model_path=str(path), sha256="")


def detector_of(plugin: Plugin) -> SoundDetector:
    assert isinstance(plugin.turn_detector, SoundDetector)
    return plugin.turn_detector


async def test_the_plugin_passes_the_suite(settings: SmartTurnSettings) -> None:
    await check_plugin(MANIFEST, settings=settings)


async def test_the_verdict_is_what_the_model_makes_of_the_picture(
    settings: SmartTurnSettings,
) -> None:
    sound = question()
    mean = float(features(sound.data).mean())
    async with open_manifest(MANIFEST, settings) as plugin:
        verdict = await detector_of(plugin).judge(TurnQuestion(sound=sound))
        asked = await detector_of(plugin).judge(TurnQuestion(sound=sound, threshold=0.5))
    expected = 1 / (1 + exp(-4 * mean))
    assert verdict == TurnVerdict(pytest.approx(expected, abs=1e-4), 0.6)
    assert (verdict.finished, asked.finished) == (False, True)


async def test_the_operator_chooses_a_threshold(path: Path) -> None:
    settings = SmartTurnSettings(str(path), sha256="", threshold=0.25)
    async with open_manifest(MANIFEST, settings) as plugin:
        verdict = await detector_of(plugin).judge(TurnQuestion(sound=question()))
    assert verdict.threshold == 0.25
    assert verdict.finished


@pytest.mark.parametrize("sound", [None, AudioFrame(b"")], ids=["none", "empty"])
async def test_without_sound_nobody_has_finished(
    sound: AudioFrame | None, settings: SmartTurnSettings
) -> None:
    async with open_manifest(MANIFEST, settings) as plugin:
        verdict = await detector_of(plugin).judge(TurnQuestion("All is said.", sound=sound))
    assert verdict == TurnVerdict(0.0, 0.6)


async def test_sound_in_another_format_is_refused(settings: SmartTurnSettings) -> None:
    other = silence(1.0, AudioFormat(sample_rate=8000))
    async with open_manifest(MANIFEST, settings) as plugin:
        with pytest.raises(ProviderRefused, match="8000"):
            await detector_of(plugin).judge(TurnQuestion(sound=other))


async def test_the_limit_counts_questions(settings: SmartTurnSettings) -> None:
    async with open_manifest(MANIFEST, settings) as plugin:
        detector = detector_of(plugin)
        detector.slots.taken = 64
        with pytest.raises(ProviderBusy, match="all 64 places"):
            await detector.judge(TurnQuestion(sound=question()))
        detector.slots.taken = 0
        with trio.CancelScope() as scope:
            scope.cancel()
            await detector.judge(TurnQuestion(sound=question()))
        assert detector.slots.taken == 0


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "another-picture": ({"shape": ("batch", 80, 3000)}, "not one picture of 80 by 800"),
    "a-flat-one": ({"shape": ("batch", 80)}, "not one picture of 80 by 800"),
    "two-answers": ({"columns": 2}, "the model gives"),
}


@pytest.mark.parametrize(("form", "message"), WRONG.values(), ids=WRONG)
def test_a_model_of_another_form_is_refused(
    form: dict[str, Any], message: str, tmp_path: Path
) -> None:
    if form.get("shape") == ("batch", 80):
        node = helper.make_node("Identity", ["input_features"], ["logits"])
        kind: dict[str, Any] = {"input_features": (TensorProto.FLOAT, ["batch", 80])}
        path = save_model(tmp_path / FILE, [node], kind, {"logits": ["batch", 80]})
    else:
        path = save_sound_model(tmp_path / FILE, **form)
    with pytest.raises(ProviderRefused, match=message):
        SoundModel.load("smart-turn", path)


@pytest.mark.pins("D145")
async def test_another_model_than_the_published_one_is_refused(path: Path) -> None:
    with pytest.raises(ProviderRefused, match=rf"not the expected file.*not {SHA256}"):
        async with open_manifest(MANIFEST, SmartTurnSettings(str(path))):
            pass


def test_a_library_that_is_not_there_is_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ProviderUnavailable, match="onnxruntime does not load"):
        SoundModel.load("smart-turn", path)


@pytest.mark.pins("D146")
async def test_without_a_model_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smart_turn, "_PACKAGE", "no_such_package_of_ours")
    async with open_gateway(Config()) as gateway:
        [status] = [each for each in gateway.plugins.statuses() if each.id == MANIFEST.id]
    # On a busy machine it may be at its second try.
    assert status.state is not State.RUNNING
    with pytest.raises(ProviderRefused, match=r"set cache.path and run `waav init smart-turn`"):
        async with open_manifest(MANIFEST):
            pass


def install(package: Path, model: Path) -> None:
    data = package / "audio/turn/smart_turn/data"
    data.mkdir(parents=True)
    (package / "__init__.py").write_text("raise SystemExit")
    (data / FILE).write_bytes(model.read_bytes())


async def test_the_model_of_an_installed_package_is_found(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The package is not imported: it would end this process."""
    install(tmp_path / "some_voice_agents", path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(smart_turn, "_PACKAGE", "some_voice_agents")
    async with open_manifest(MANIFEST, SmartTurnSettings(sha256="")) as plugin:
        verdict = await detector_of(plugin).judge(TurnQuestion(sound=question()))
    assert verdict.probability > 0


def test_what_is_fetched_follows_the_settings() -> None:
    [model] = downloads(SmartTurnSettings())
    assert (model.name, model.sha256) == (FILE, SHA256)
    [mirror] = downloads(attrs.evolve(SmartTurnSettings(), model_url="http://m/x", sha256=""))
    assert (mirror.url, mirror.sha256) == ("http://m/x", "")
