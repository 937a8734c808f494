"""RNNoise's own library, called directly: found beside the Python package that carries it.

Only the file of that package is used. Importing the package would load what it draws pictures with.
"""

import ctypes
import ctypes.util
import sys
import weakref
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FRAME = 480
"""Samples of a frame; the model knows 48 kHz only."""
LATE = 960
"""Samples by which its output stands behind: it looks two frames ahead."""
_FILES = {"darwin": "librnnoise.dylib", "win32": "rnnoise.dll"}


class LibraryMissing(Exception):
    """There is no library, or it is another one; the message says what to do."""


class Library:
    """The library, loaded. Its calls let other threads run."""

    def __init__(self, path: str) -> None:
        try:
            functions = ctypes.CDLL(path)
            self._create = functions.rnnoise_create
            self._destroy = functions.rnnoise_destroy
            self._process = functions.rnnoise_process_frame
            size = int(functions.rnnoise_get_frame_size())
        except (OSError, AttributeError) as exc:
            raise LibraryMissing(f"{path} is no library of RNNoise: {exc}") from None
        if size != FRAME:
            raise LibraryMissing(f"{path} has frames of {size} samples, not of {FRAME}")
        self._create.restype, self._create.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
        self._destroy.restype, self._destroy.argtypes = None, [ctypes.c_void_p]
        self._process.restype, self._process.argtypes = ctypes.c_float, [ctypes.c_void_p] * 3

    def open(self) -> "Model":
        """Return the model in the state of a stream that has heard nothing."""
        return Model(self)


class Model:
    """The state of one stream: some 50 KB, given back when nobody refers to it any more.

    Not at the end of a block: a thread may be at work on it when its stream is cancelled.
    """

    def __init__(self, library: Library) -> None:
        self._library = library
        self._state = library._create(None)  # noqa: SLF001 - one file, one idea
        weakref.finalize(self, library._destroy, self._state)  # noqa: SLF001

    def clean(self, frame: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the next 480 samples, which belong to what was given two frames ago."""
        out: NDArray[np.float32] = np.array(frame, np.float32, order="C")
        place = out.ctypes.data
        self._library._process(self._state, place, place)  # noqa: SLF001
        return out


def find_library() -> str:
    """Return where the library is: in the package pyrnnoise, else where the system has it.

    Raises:
        LibraryMissing: nowhere.
    """
    package = find_spec("pyrnnoise")
    if package is not None and package.origin is not None:
        path = Path(package.origin).with_name(_FILES.get(sys.platform, "librnnoise.so"))
        if path.is_file():
            return str(path)
    if found := ctypes.util.find_library("rnnoise"):
        return found
    raise LibraryMissing("its library is not installed (pip install --no-deps pyrnnoise)")
