"""Silero's network through onnxruntime: many streams in one call, each with a memory of its own.

The files are made by ``tests/support/silero_network.py`` and checked before they are loaded.
Everything here is synchronous and belongs into a thread.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import attrs
import numpy as np

from providers.local.onnx_files import open_model, read_checked
from providers.local.vad_chunks import Chunks

ID = "silero"
_MODELS = Path(__file__).with_name("models")
FILES = {
    16000: (
        _MODELS / "silero_16k.onnx",
        "25f3d42133b477f1ad66b232866c68defea54269c8ae9af5906167eb50b9fc8e",
    ),
    8000: (
        _MODELS / "silero_8k.onnx",
        "b9ad6f67c25a14c0c1e652b5319e95257be1473f454e199c26a026f949e0ea30",
    ),
}
"""For each rate the network, and its SHA-256."""

_CELLS = 256

Memory: TypeAlias = bytes
"""What the network remembers of one stream: float32 [256]."""
EMPTY: Memory = bytes(4 * _CELLS)
"""Of a stream that begins."""
Heard: TypeAlias = tuple[float, Memory]
"""How probable a voice is in one chunk, 0 to 1, and what to remember for the next."""


@attrs.frozen
class Network:
    """The loaded network of one rate, which any thread may call."""

    _session: Any = attrs.field(repr=False)
    rate: int

    def hear(self, chunks: Sequence[bytes], memories: Sequence[Memory]) -> list[Heard]:
        """Hear one chunk of each stream in one call; no stream's result depends on the others.

        Chunks are those of ``vad_chunks`` at this rate. All is joined and cut as bytes, which takes
        a tenth of what as many small arrays do.
        """
        many = len(chunks)
        sound = np.frombuffer(b"".join(chunks), "<i2").reshape(many, -1)
        memory = np.frombuffer(b"".join(memories), np.float32).reshape(many, _CELLS)
        voice, after = self._session.run(None, {"sound": sound, "memory": memory})
        kept, size = after.tobytes(), len(EMPTY)
        cut = (kept[at : at + size] for at in range(0, len(kept), size))
        return list(zip(voice[:, 0].tolist(), cut, strict=True))


def load() -> dict[int, Network]:
    """Load the network of each rate, and try it once: the first call is slow.

    Raises:
        ProviderUnavailable: onnxruntime is not installed, or a file is missing.
        ProviderRefused: a file is not the one that this was written for.
    """
    loaded = {}
    for rate, (path, sha256) in FILES.items():
        session = open_model(ID, read_checked(ID, path, sha256))
        loaded[rate] = network = Network(session, rate)
        network.hear([*Chunks(rate).feed(bytes(rate // 10))][:1], [EMPTY])
    return loaded
