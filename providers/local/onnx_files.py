"""Models in files: found, checked by their SHA-256, and loaded for onnxruntime. Synchronous."""

import hashlib
from pathlib import Path
from typing import Any

from capabilities import ProviderRefused, ProviderUnavailable


def read_checked(provider: str, path: Path, sha256: str = "") -> bytes:
    """Read a file that must have this SHA-256; if that is empty, the one kept in ``<name>.sha256``.

    Without either any file will do.

    Raises:
        ProviderUnavailable: it cannot be read.
        ProviderRefused: it is another one.
    """
    expected = sha256 or _pin(provider, path.with_name(f"{path.name}.sha256"))
    try:
        data = path.read_bytes()
    except OSError as error:
        text = f"{path} cannot be read: {error.strerror}"
        raise ProviderUnavailable(provider, text) from None
    found = hashlib.sha256(data).hexdigest()
    if expected and found != expected.lower():
        text = f"{path} is not the expected file: its SHA-256 is {found}, not {expected}"
        raise ProviderRefused(provider, text)
    return data


def _pin(provider: str, path: Path) -> str:
    """Read what was written when the file came, also if ``sha256sum`` wrote it."""
    try:
        return path.read_text("ascii").split()[0]
    except FileNotFoundError:
        return ""
    except (OSError, ValueError, IndexError):
        raise ProviderRefused(provider, f"{path} holds no SHA-256") from None


def open_model(provider: str, model: bytes, *, threads: int = 1) -> Any:
    """Return an ``onnxruntime.InferenceSession``.

    Raises:
        ProviderUnavailable: onnxruntime is not installed.
        ProviderRefused: it is no model.
    """
    try:
        import onnxruntime  # noqa: PLC0415 - 0.2 s and 20 MB for those who use it
    except ImportError as error:
        text = f"onnxruntime does not load: {error}"
        raise ProviderUnavailable(provider, text) from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    try:
        return onnxruntime.InferenceSession(
            model, sess_options=options, providers=["CPUExecutionProvider"]
        )
    # Its exceptions have no common base of their own.
    except Exception as error:
        text = f"the model does not load: {type(error).__name__}"
        raise ProviderRefused(provider, text) from error
