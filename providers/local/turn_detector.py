"""A turn detector that reads the words: a small language model, from files of the operator.

``waav init turn-detector`` fetches them into the plugin's own folder; ``model_path`` and
``tokenizer_path`` name others. Nothing is sent anywhere.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import trio

from capabilities import (
    Ability,
    Capability,
    Download,
    Limits,
    Manifest,
    Plugin,
    PluginContext,
    ProviderRefused,
    TurnQuestion,
    TurnVerdict,
)
from providers._common.worker import Worker
from providers.local.slots import Slots
from providers.local.turn_prompt import prompt

if TYPE_CHECKING:
    from providers.local.turn_text_model import TextModel

ID = "turn-detector"
THRESHOLD = 0.7
_MANY = 64
_SOURCE = "https://huggingface.co/livekit/turn-detector/resolve/main"
_MODEL, _TOKENIZER, _LANGUAGES = "model_quantized.onnx", "tokenizer.json", "languages.json"


@attrs.frozen
class TurnDetectorSettings:
    """``[plugins.providers.turn-detector]``."""

    model_path: str = ""
    """The model; by default ``model_quantized.onnx`` in the plugin's folder."""
    tokenizer_path: str = ""
    """Its tokenizer; by default ``tokenizer.json`` in the plugin's folder."""
    model_url: str = f"{_SOURCE}/{_MODEL}"
    """Where ``waav init`` fetches the model; any mirror."""
    tokenizer_url: str = f"{_SOURCE}/{_TOKENIZER}"
    languages_url: str = ""
    """Of a table with a threshold for each language, if the model has one."""
    sha256: str = ""
    """Of the model; if empty, the one that `waav init` kept beside it when it came."""
    threshold: float = attrs.field(
        default=THRESHOLD, validator=[attrs.validators.ge(0.0), attrs.validators.le(1.0)]
    )
    """0 to 1: for languages of which the model's own table says nothing."""
    threads: int = attrs.field(default=1, validator=attrs.validators.in_(range(1, 65)))
    """For one inference."""


def downloads(settings: TurnDetectorSettings) -> tuple[Download, ...]:
    """Say what ``waav init`` fetches."""
    languages = settings.languages_url
    return (
        *((Download(_LANGUAGES, languages),) if languages else ()),
        Download(_TOKENIZER, settings.tokenizer_url),
        Download(_MODEL, settings.model_url, settings.sha256),
    )


@attrs.frozen
class TextDetector:
    """Keeps :class:`capabilities.TurnDetector`."""

    worker: Worker[TurnQuestion, float]
    slots: Slots
    threshold: float
    thresholds: Mapping[str, float]
    """By language, in lower case: what the model's authors found."""

    async def judge(self, question: TurnQuestion) -> TurnVerdict:
        """Give a verdict on the words."""
        threshold = self._threshold(question)
        if not question.text.strip():
            await trio.lowlevel.checkpoint()
            return TurnVerdict(0.0, threshold)
        with self.slots.take():
            return TurnVerdict(await self.worker.do(question), threshold)

    def _threshold(self, question: TurnQuestion) -> float:
        if question.threshold is not None:
            return question.threshold
        tag = (question.language or "").lower()
        by_language = self.thresholds.get(tag.partition("-")[0], self.threshold)
        return self.thresholds.get(tag, by_language)


@asynccontextmanager
async def open_turn_detector(context: PluginContext) -> AsyncIterator[Plugin]:
    """Load the model, in a thread."""
    model, thresholds = await trio.to_thread.run_sync(_load, context, abandon_on_cancel=True)
    # One at a time: prompts differ in length, and padding them would cost more than it saves.
    worker = Worker[TurnQuestion, float](ID, partial(_score, model), largest=1, tick=0.0)
    slots = Slots(ID, _MANY)
    yield Plugin(turn_detector=TextDetector(worker, slots, context.settings.threshold, thresholds))


def _score(model: "TextModel", questions: Sequence[TurnQuestion]) -> list[float]:
    return [model.score(prompt(each.text, each.before)) for each in questions]


def _load(context: PluginContext) -> tuple["TextModel", Mapping[str, float]]:
    from providers.local.turn_text_model import (  # noqa: PLC0415 - numpy for those who use it
        TextModel,
        read_thresholds,
    )

    settings: TurnDetectorSettings = context.settings
    path = _place(context, settings.model_path, _MODEL)
    words = _place(context, settings.tokenizer_path, _TOKENIZER)
    thresholds = read_thresholds(ID, path.with_name(_LANGUAGES))
    model = TextModel.load(ID, path, words, sha256=settings.sha256, threads=settings.threads)
    return model, thresholds


def _place(context: PluginContext, named: str, usual: str) -> Path:
    if named:
        return Path(named)
    if context.data_dir is None:
        raise ProviderRefused(
            ID,
            f"no model: set cache.path and run `waav init {ID}`, or set model_path and tokenizer_path",
        )
    path = context.data_dir / usual
    if not path.exists():
        raise ProviderRefused(ID, f"no model: {path} is missing; run `waav init {ID}`")
    return path


MANIFEST = Manifest(
    id=ID,
    name="Turn detector (words)",
    description="Tells a pause from the end of a turn by what was said; a model file, no key",
    open=open_turn_detector,
    aliases=("local", "turn-text"),
    version="1",
    settings=TurnDetectorSettings,
    downloads=downloads,
    abilities={
        Capability.TURN_DETECTOR: Ability(
            features=("turn-text",), languages=("multi",), limits=Limits(concurrency=_MANY)
        )
    },
)
