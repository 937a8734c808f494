"""A turn detector that listens: it tells a pause from an end by how something was said.

The model is ``pipecat-ai/smart-turn-v3`` (BSD-2-Clause), an 8.7 MB file: found where
``model_path`` says, in the plugin's folder, or in the package ``pipecat-ai`` if that is installed.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import trio

from capabilities import (
    TURN_SOUND,
    Ability,
    Capability,
    Download,
    Encoding,
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

if TYPE_CHECKING:
    from providers.local.turn_sound_model import SoundModel

ID = "smart-turn"
THRESHOLD = 0.6
SHA256 = "2bb026316b14a660486a75b1733cd3fbab8c2fd0314dc9af7be49f8cca967e4f"
"""Of ``smart-turn-v3.2-cpu.onnx`` as it is in the package pipecat-ai 1.14.0."""
_FILE = "smart-turn-v3.2-cpu.onnx"
_URL = f"https://huggingface.co/pipecat-ai/smart-turn-v3/resolve/main/{_FILE}"
_PACKAGE = "pipecat"
_MANY = 64


@attrs.frozen
class SmartTurnSettings:
    """``[plugins.providers.smart-turn]``."""

    model_path: str = ""
    """The model; by default the one in the plugin's folder, else that of the package pipecat-ai."""
    model_url: str = _URL
    """Where ``waav init`` fetches it; any mirror."""
    sha256: str = SHA256
    """Of the model; empty takes any."""
    threshold: float = attrs.field(
        default=THRESHOLD, validator=[attrs.validators.ge(0.0), attrs.validators.le(1.0)]
    )
    """0 to 1: how sure it must be."""
    threads: int = attrs.field(default=1, validator=attrs.validators.in_(range(1, 65)))
    """For one inference."""


@attrs.frozen
class SoundDetector:
    """Keeps :class:`capabilities.TurnDetector`."""

    worker: Worker[bytes, float]
    slots: Slots
    threshold: float

    async def judge(self, question: TurnQuestion) -> TurnVerdict:
        """Give a verdict on the sound."""
        threshold = self.threshold if question.threshold is None else question.threshold
        sound = question.sound
        if sound is None or not sound.data:
            await trio.lowlevel.checkpoint()
            return TurnVerdict(0.0, threshold)
        if sound.format != TURN_SOUND:
            raise ProviderRefused(ID, f"sound must be {TURN_SOUND}, not {sound.format}")
        with self.slots.take():
            return TurnVerdict(await self.worker.do(sound.data), threshold)


@asynccontextmanager
async def open_smart_turn(context: PluginContext) -> AsyncIterator[Plugin]:
    """Load the model, in a thread."""
    model = await trio.to_thread.run_sync(_load, context, abandon_on_cancel=True)
    # One at a time: together they would all wait for the last, and no call would be shorter.
    worker = Worker[bytes, float](ID, partial(_score, model), largest=1, tick=0.0)
    yield Plugin(turn_detector=SoundDetector(worker, Slots(ID, _MANY), context.settings.threshold))


def _score(model: "SoundModel", sounds: Sequence[bytes]) -> list[float]:
    return [model.score(sound) for sound in sounds]


def _load(context: PluginContext) -> "SoundModel":
    from providers.local.turn_sound_model import SoundModel  # noqa: PLC0415 - numpy

    settings: SmartTurnSettings = context.settings
    path = _place(context, settings)
    return SoundModel.load(ID, path, sha256=settings.sha256, threads=settings.threads)


def _place(context: PluginContext, settings: SmartTurnSettings) -> Path:
    if settings.model_path:
        return Path(settings.model_path)
    places = [] if context.data_dir is None else [context.data_dir / _FILE]
    spec = find_spec(_PACKAGE)
    if spec is not None and spec.origin is not None:
        places.append(Path(spec.origin).parent / "audio/turn/smart_turn/data" / _FILE)
    for path in places:
        if path.exists():
            return path
    text = f"no model: set cache.path and run `waav init {ID}`, or set model_path to {_FILE}"
    raise ProviderRefused(ID, text)


def downloads(settings: SmartTurnSettings) -> tuple[Download, ...]:
    """Say what ``waav init`` fetches."""
    return (Download(_FILE, settings.model_url, settings.sha256),)


MANIFEST = Manifest(
    id=ID,
    name="Smart Turn (sound)",
    description="Tells a pause from the end of a turn by how it was said; a model file, no key",
    open=open_smart_turn,
    aliases=("turn-audio",),
    version="1",
    settings=SmartTurnSettings,
    downloads=downloads,
    abilities={
        Capability.TURN_DETECTOR: Ability(
            features=("turn-audio",),
            languages=("multi",),
            encodings=(Encoding.LINEAR16,),
            sample_rates=(TURN_SOUND.sample_rate,),
            limits=Limits(concurrency=_MANY),
        )
    },
)
