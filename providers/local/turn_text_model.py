"""A turn detector of words through onnxruntime: a prompt -> how probable its end is. Synchronous."""

import json
from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import Any, Self, TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray

from capabilities import ProviderProtocolError, ProviderRefused, ProviderUnavailable
from providers.local.onnx_files import open_model, read_checked
from providers.local.turn_prompt import END

Values: TypeAlias = NDArray[np.float64]
Reader: TypeAlias = Callable[[Values], float]
"""The model's output -> a probability."""

MOST_TOKENS = 512
"""Of a prompt; of a longer one the newest count."""
_IDS, _MASK = "input_ids", "attention_mask"
_NAMES = ("prob", "probs", "probability", "logits")
_RANK_OF_LOGITS = 3
_TRIAL = 7
"""Tokens of the first call: so many that one number for each of them does not look like classes."""


@attrs.frozen
class TextModel:
    """The loaded model, with its tokenizer; any thread may call it."""

    provider: str
    _session: Any = attrs.field(repr=False)
    _tokenizer: Any = attrs.field(repr=False)
    _output: str
    _read: Reader = attrs.field(repr=False)

    @classmethod
    def load(
        cls, provider: str, model: Path, tokenizer: Path, *, sha256: str = "", threads: int = 1
    ) -> Self:
        """Load both files, and try them once: the first call is slow, and shows what comes out.

        Raises:
            ProviderUnavailable: a file, or a library, is not there.
            ProviderRefused: it is not a model of this kind, or not the expected one.
        """
        session = open_model(provider, read_checked(provider, model, sha256), threads=threads)
        words = _tokenizer(provider, read_checked(provider, tokenizer))
        end = words.token_to_id(END)
        if end is None:
            raise ProviderRefused(provider, f"{tokenizer} has no token {END}")
        names = {given.name for given in session.get_inputs()}
        # One prompt at a time needs no mask, so a model need not take one.
        if not {_IDS} <= names <= {_IDS, _MASK}:
            text = f"{model} takes {sorted(names)}, and not {_IDS}, with {_MASK} or without"
            raise ProviderRefused(provider, text)
        name = _output_of(provider, session)
        try:
            out = _run(session, name, [end] * _TRIAL)
        # Its exceptions have no common base of their own.
        except Exception as error:
            text = f"{model} does not take tokens: {type(error).__name__}"
            raise ProviderRefused(provider, text) from error
        reader = _reader(name, out, end)
        if reader is None:
            raise ProviderRefused(provider, f"{model} gives {out.shape}, which is no known form")
        return cls(provider, session, words, name, reader)

    def score(self, prompt: str) -> float:
        """Say how probable it is, from 0 to 1, that the last turn of the prompt ends here.

        Raises:
            ProviderProtocolError: the model gives something that is no number.
        """
        ids = self._tokenizer.encode(prompt, add_special_tokens=False).ids[-MOST_TOKENS:]
        if not ids:
            return 0.0
        probability = self._read(_run(self._session, self._output, ids))
        if not isfinite(probability):
            raise ProviderProtocolError(self.provider, f"the model gives {probability}")
        return probability


def read_thresholds(provider: str, path: Path) -> Mapping[str, float]:
    """Read what the model's authors found for each language: ``{"en": {"threshold": 0.03}}``.

    Languages come in lower case. Without the file there are none.

    Raises:
        ProviderRefused: the file is there and is something else.
    """
    if not path.exists():
        return {}
    try:
        told = json.loads(read_checked(provider, path))
        found = {
            language.lower(): float(entry["threshold"] if isinstance(entry, dict) else entry)
            for language, entry in told.items()
        }
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        text = f"{path} is no table of thresholds: {type(error).__name__}"
        raise ProviderRefused(provider, text) from None
    if wrong := {each: value for each, value in found.items() if not 0 <= value <= 1}:
        raise ProviderRefused(provider, f"{path}: a threshold is 0 to 1, not {wrong}")
    return found


def _tokenizer(provider: str, data: bytes) -> Any:
    try:
        from tokenizers import Tokenizer  # noqa: PLC0415 - only for those who use it
    except ImportError:
        text = "the package tokenizers is not installed (pip install 'waav[turn]')"
        raise ProviderUnavailable(provider, text) from None
    try:
        words = Tokenizer.from_buffer(data)
    # It raises plain Exceptions.
    except Exception as error:
        raise ProviderRefused(provider, "the tokenizer does not load") from error
    # The file may say that long texts lose their end, and short ones get one.
    words.no_truncation()
    words.no_padding()
    return words


def _output_of(provider: str, session: Any) -> str:
    """Choose the output: the one that is called so, else the only one, else the one of a language model."""
    outputs = session.get_outputs()
    names = [str(each.name) for each in outputs]
    for name in _NAMES:
        if name in names:
            return name
    ranked = [str(each.name) for each in outputs if len(each.shape) == _RANK_OF_LOGITS]
    match names, ranked:
        case ([name], _) | (_, [name]):
            return name
        case _:
            text = f"which of the model's outputs {names} is the answer?"
            raise ProviderRefused(provider, text)


def _run(session: Any, output: str, ids: Sequence[int]) -> Values:
    given = np.array([ids], np.int64)
    known = {_IDS: given, _MASK: np.ones_like(given)}
    fed = {each.name: known[each.name] for each in session.get_inputs()}
    (out,) = session.run([output], fed)
    return np.asarray(out, np.float64)


def _reader(name: str, out: Values, end: int) -> Reader | None:
    """Choose how to read an output, by what came out of the trial; of many rows the newest counts."""
    match out.shape:
        case (1, _, words) if words > end:
            return lambda out: float(_softmax(out[0, -1])[end])
        case (_, 2):
            return lambda out: float(_softmax(out[-1])[1])
        case () | (_,) | (_, _) if out.size in {1, _TRIAL}:
            read = _sigmoid if "logit" in name else _probability
            return lambda out: read(float(out.flat[-1]))
        case _:
            return None


def _probability(value: float) -> float:
    """Read a number that may be a probability or the logarithm of its odds: its name does not say."""
    return value if 0 <= value <= 1 else _sigmoid(value)


def _sigmoid(value: float) -> float:
    return float(0.5 + 0.5 * np.tanh(value / 2))


def _softmax(values: Values) -> Values:
    powers = np.exp(values - values.max())
    shares: Values = powers / powers.sum()
    return shares
