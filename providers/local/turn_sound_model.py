"""A turn detector of sound through onnxruntime: 8 s -> how probable an end is. Synchronous."""

from pathlib import Path
from typing import Any, Self

import attrs

from capabilities import ProviderProtocolError, ProviderRefused
from providers.local.onnx_files import open_model, read_checked
from providers.local.turn_sound import BANDS, STEPS, features


@attrs.frozen
class SoundModel:
    """The loaded model; any thread may call it."""

    provider: str
    _session: Any = attrs.field(repr=False)
    _input: str
    _output: str

    @classmethod
    def load(cls, provider: str, path: Path, *, sha256: str = "", threads: int = 1) -> Self:
        """Load the file, and try it once: the first call is slow.

        Raises:
            ProviderUnavailable: the file, or the library, is not there.
            ProviderRefused: it is not a model of this kind, or not the expected one.
        """
        session = open_model(provider, read_checked(provider, path, sha256), threads=threads)
        inputs, outputs = session.get_inputs(), session.get_outputs()
        shapes = [each.shape[1:] for each in inputs]
        if shapes != [[BANDS, STEPS]] or len(outputs) != 1:
            text = f"{path} takes {shapes}, and not one picture of {BANDS} by {STEPS}"
            raise ProviderRefused(provider, text)
        loaded = cls(provider, session, inputs[0].name, outputs[0].name)
        try:
            loaded.score(b"")
        except ProviderProtocolError as error:
            raise ProviderRefused(provider, f"{path}: {error.message}") from None
        # Its exceptions have no common base of their own.
        except Exception as error:
            text = f"{path} does not take pictures: {type(error).__name__}"
            raise ProviderRefused(provider, text) from error
        return loaded

    def score(self, sound: bytes) -> float:
        """Say how probable it is, from 0 to 1, that who speaks has finished.

        Args:
            sound: 16-bit, mono, 16 kHz; the last 8 s count.

        Raises:
            ProviderProtocolError: the model does not give one number from 0 to 1.
        """
        (out,) = self._session.run([self._output], {self._input: features(sound)[None]})
        if out.size != 1 or not 0 <= out.item() <= 1:
            raise ProviderProtocolError(self.provider, f"the model gives {out}")
        return float(out.item())
