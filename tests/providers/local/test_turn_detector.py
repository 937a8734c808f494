"""The text detector as a plugin: what it is asked, what it compares with, and what it says if a file is missing."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import trio
import trio.testing
from support.models import WORDS, save_text_model, save_tokenizer

from capabilities import (
    Capability,
    Plugin,
    ProviderBusy,
    ProviderClosed,
    ProviderError,
    ProviderRefused,
    Said,
    TurnDetector,
    TurnQuestion,
    TurnVerdict,
)
from providers.local import turn_text_model
from providers.local.turn_detector import MANIFEST, TextDetector, TurnDetectorSettings, downloads
from waav import open_gateway
from waav.config import Config
from waav.config.schema import Cache
from waav.plugins import PluginStatus, State
from waav.testing import check_plugin, open_manifest

SAID = ["what", "is", "the", "weather", "please", "morning", "and"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that is sure after "please", thinks so after "weather", and of nothing else."""
    folder = tmp_path_factory.mktemp("models")
    table = np.full((len(WORDS) + len(SAID), 1), 0.05)
    table[len(WORDS) + SAID.index("please")] = 0.9
    table[len(WORDS) + SAID.index("weather")] = 0.4
    save_text_model(folder / "model.onnx", table, "prob", flat=True)
    save_tokenizer(folder / "tokenizer.json", SAID)
    return folder


@pytest.fixture
def settings(folder: Path) -> TurnDetectorSettings:
    return TurnDetectorSettings(
        model_path=str(folder / "model.onnx"), tokenizer_path=str(folder / "tokenizer.json")
    )


def detector_of(plugin: Plugin) -> TextDetector:
    assert isinstance(plugin.turn_detector, TextDetector)
    return plugin.turn_detector


async def test_the_plugin_passes_the_suite(settings: TurnDetectorSettings) -> None:
    await check_plugin(MANIFEST, settings=settings)


def test_nothing_heavy_is_imported_before_it_opens() -> None:
    program = (
        "import sys, providers.local.turn_detector, providers.local.smart_turn;"
        "sys.exit(any(each in sys.modules for each in ('numpy', 'onnxruntime', 'tokenizers')))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


async def test_the_newest_words_decide(settings: TurnDetectorSettings) -> None:
    async with open_manifest(MANIFEST, settings) as plugin:
        detector = detector_of(plugin)
        before = (Said("agent", "What is the weather please"),)
        paused = await detector.judge(TurnQuestion("What is the", before))
        ended = await detector.judge(TurnQuestion("What is the weather, please?", before))
    assert paused == TurnVerdict(pytest.approx(0.05), 0.7)
    assert ended == TurnVerdict(pytest.approx(0.9), 0.7)
    assert (paused.finished, ended.finished) == (False, True)


@pytest.mark.parametrize("text", ["", " \n", "…"])
async def test_without_words_nobody_has_finished(text: str, settings: TurnDetectorSettings) -> None:
    async with open_manifest(MANIFEST, settings) as plugin:
        before = (Said("user", "please"),)
        verdict = await detector_of(plugin).judge(TurnQuestion(text, before))
    assert verdict == TurnVerdict(0.0, 0.7)


@pytest.mark.pins("D151")
@pytest.mark.parametrize(
    ("language", "asked", "threshold"),
    [
        ("en", None, 0.3),
        ("en-US", None, 0.3),
        ("EN-gb", None, 0.5),
        ("de", None, 0.7),
        (None, None, 0.7),
        ("en", 0.45, 0.45),
        ("de", 0.0, 0.0),
    ],
)
async def test_the_session_chooses_else_the_language_else_the_operator(
    language: str | None, asked: float | None, threshold: float, tmp_path: Path, folder: Path
) -> None:
    for name in ("model.onnx", "tokenizer.json"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    (tmp_path / "languages.json").write_text('{"en": {"threshold": 0.3}, "en-GB": 0.5}')
    settings = TurnDetectorSettings(str(tmp_path / "model.onnx"), str(tmp_path / "tokenizer.json"))
    async with open_manifest(MANIFEST, settings) as plugin:
        asking = TurnQuestion("the weather", language=language, threshold=asked)
        verdict = await detector_of(plugin).judge(asking)
    assert verdict == TurnVerdict(pytest.approx(0.4), threshold)
    assert verdict.finished == (threshold <= 0.4)


class Gate:
    """Holds the model's thread until it is opened."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.threads: list[int] = []

    def score(self, prompt: str) -> float:
        self.threads.append(threading.get_ident())
        assert self.opened.wait(20)
        if "weather" in prompt:
            raise ValueError("the model broke")
        return 0.5


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    gate = Gate()
    monkeypatch.setattr(turn_text_model.TextModel, "score", gate.score)
    yield gate
    gate.opened.set()


async def test_the_model_computes_off_the_loop(gate: Gate, settings: TurnDetectorSettings) -> None:
    """While the model is at work in its thread, the loop goes on: it is what opens the gate."""
    async with open_manifest(MANIFEST, settings) as plugin, trio.open_nursery() as nursery:
        nursery.start_soon(detector_of(plugin).judge, TurnQuestion("please"))
        while not gate.threads:
            await trio.testing.wait_all_tasks_blocked(0.001)
        gate.opened.set()
    assert gate.threads != [threading.get_ident()]


async def test_who_comes_when_all_places_are_taken_is_told_so(
    gate: Gate, settings: TurnDetectorSettings
) -> None:
    async with open_manifest(MANIFEST, settings) as plugin:
        detector = detector_of(plugin)
        async with trio.open_nursery() as nursery:
            for _ in range(64):
                nursery.start_soon(detector.judge, TurnQuestion("please"))
            await trio.testing.wait_all_tasks_blocked()
            with pytest.raises(ProviderBusy, match="all 64 places are taken"):
                await detector.judge(TurnQuestion("please"))
            gate.opened.set()
        assert len(gate.threads) == 64
        assert detector.slots.taken == 0


async def test_who_leaves_while_waiting_leaves_nothing(
    gate: Gate, settings: TurnDetectorSettings
) -> None:
    async with open_manifest(MANIFEST, settings) as plugin:
        detector = detector_of(plugin)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(detector.judge, TurnQuestion("please"))
            await trio.testing.wait_all_tasks_blocked()
            async with trio.open_nursery() as leaving:
                for _ in range(5):
                    leaving.start_soon(detector.judge, TurnQuestion("please"))
                await trio.testing.wait_all_tasks_blocked()
                assert detector.slots.taken == 6
                leaving.cancel_scope.cancel()
            assert detector.slots.taken == 1
            gate.opened.set()
        assert len(gate.threads) == 1, "what nobody waits for is not computed"
        assert (await detector.judge(TurnQuestion("please"))).probability == 0.5


async def test_a_question_that_breaks_the_model_breaks_no_other(
    gate: Gate, settings: TurnDetectorSettings
) -> None:
    gate.opened.set()
    verdicts: dict[str, object] = {}

    async def ask(detector: TurnDetector, text: str) -> None:
        try:
            verdicts[text] = await detector.judge(TurnQuestion(text))
        except ProviderError as error:
            verdicts[text] = type(error)

    async with open_manifest(MANIFEST, settings) as plugin:
        async with trio.open_nursery() as nursery:
            for text in ("please", "the weather", "please and"):
                nursery.start_soon(ask, detector_of(plugin), text)
        assert detector_of(plugin).slots.taken == 0
    right = TurnVerdict(0.5, 0.7)
    assert verdicts == {"please": right, "the weather": ProviderClosed, "please and": right}


@pytest.mark.pins("D146")
async def test_without_a_cache_path_it_says_what_to_set() -> None:
    status = await status_in(Config())
    assert status.state is State.FAILED
    assert "no model: set cache.path and run `waav init turn-detector`" in status.reason


@pytest.mark.pins("D146")
async def test_a_missing_file_is_named_with_the_command_that_fetches_it(tmp_path: Path) -> None:
    config = Config(cache=Cache(path=tmp_path))
    status = await status_in(config)
    place = tmp_path / "plugins" / "turn-detector" / "model_quantized.onnx"
    assert status.state is State.FAILED
    assert f"{place} is missing; run `waav init turn-detector`" in status.reason


@pytest.mark.pins("D146")
async def test_a_missing_file_of_the_operator_is_named(tmp_path: Path) -> None:
    settings = TurnDetectorSettings(str(tmp_path / "a.onnx"), str(tmp_path / "t.json"))
    with pytest.raises(ProviderError, match=r"a.onnx cannot be read: No such file"):
        async with open_manifest(MANIFEST, settings):
            pass


@pytest.mark.pins("D145")
async def test_another_model_than_the_pinned_one_is_refused(folder: Path) -> None:
    paths = str(folder / "model.onnx"), str(folder / "tokenizer.json")
    settings = TurnDetectorSettings(*paths, sha256="ab" * 32)
    with pytest.raises(ProviderRefused, match="is not the expected file"):
        async with open_manifest(MANIFEST, settings):
            pass


async def status_in(config: Config) -> PluginStatus:
    """Return what `/plugins` shows of it once it has failed; on a busy machine it may be at its second try."""
    async with open_gateway(config) as gateway:
        with trio.fail_after(60):
            while True:
                [status] = [each for each in gateway.plugins.statuses() if each.id == MANIFEST.id]
                if status.state is State.FAILED:
                    return status
                await trio.testing.wait_all_tasks_blocked(0.001)


def test_what_is_fetched_follows_the_settings() -> None:
    tokenizer, model = downloads(TurnDetectorSettings(sha256="ab" * 32))
    assert (tokenizer.name, tokenizer.sha256) == ("tokenizer.json", "")
    assert (model.name, model.sha256) == ("model_quantized.onnx", "ab" * 32)
    assert model.url.startswith("https://")
    mirror = TurnDetectorSettings(model_url="http://m/x", languages_url="http://m/l")
    languages, _, model = downloads(mirror)
    assert (languages.name, languages.url) == ("languages.json", "http://m/l")
    assert model.url == "http://m/x"


def test_settings_have_bounds() -> None:
    for name, wrong in [("threshold", 1.5), ("threshold", -0.1), ("threads", 0)]:
        with pytest.raises(ValueError, match=name):
            TurnDetectorSettings(**{name: wrong})


def test_the_manifest_says_what_it_looks_at() -> None:
    ability = MANIFEST.abilities[Capability.TURN_DETECTOR]
    assert ability.features == ("turn-text",)
    assert ability.limits.concurrency == 64
