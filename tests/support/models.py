"""Small models and tokenizers in files, made on the spot: the real libraries load them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

WORDS = ["<unk>", "<pad>", "user", "assistant", "<|im_start|>", "<|im_end|>"]
"""The first tokens of every tokenizer; the end of a turn is not number 2."""


def save_model(
    path: Path,
    nodes: Sequence[onnx.NodeProto],
    inputs: dict[str, tuple[int, list[str | int]]],
    outputs: dict[str, list[str | int]],
    constants: dict[str, np.ndarray] | None = None,
) -> Path:
    """Write a model: inputs by name with type and shape, outputs of float by name with shape."""
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info(name, *kind) for name, kind in inputs.items()],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
            for name, shape in outputs.items()
        ],
        [numpy_helper.from_array(value, name) for name, value in (constants or {}).items()],
    )
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), str(path))
    return path


TOKENS: tuple[int, list[str | int]] = (TensorProto.INT64, ["batch", "seq"])
BOTH = {"input_ids": TOKENS, "attention_mask": TOKENS}


def save_text_model(
    path: Path,
    table: np.ndarray,
    output: str = "logits",
    *,
    last: bool = False,
    flat: bool = False,
    inputs: dict[str, tuple[int, list[str | int]]] | None = None,
) -> Path:
    """Write a model that looks each token up in a table and counts those that the mask lets pass.

    Args:
        path: where.
        table: float [tokens, columns]: a row for each token, times the mask.
        output: its name.
        last: only the row of the last token comes out, [1, columns]; else [1, tokens, columns].
        flat: columns are dropped: there is one, [1, tokens] or [1].
        inputs: others than usual.
    """
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["found"]),
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["mask", "two"], ["column"]),
        helper.make_node("Mul", ["found", "column"], ["masked"]),
    ]
    name, shape = "masked", ["batch", "seq", table.shape[1]]
    if last:
        nodes.append(helper.make_node("Gather", [name, "minus_one"], ["newest"], axis=1))
        name, shape = "newest", ["batch", table.shape[1]]
    if flat:
        nodes.append(helper.make_node("Squeeze", [name, "minus_one_axis"], ["single"]))
        name, shape = "single", shape[:-1]
    nodes.append(helper.make_node("Identity", [name], [output]))
    constants = {
        "table": table.astype(np.float32),
        "two": np.array([2], np.int64),
        "minus_one": np.array(-1, np.int64),
        "minus_one_axis": np.array([-1], np.int64),
    }
    return save_model(path, nodes, inputs or BOTH, {output: shape}, constants)


def save_tokenizer(path: Path, words: Sequence[str], *, truncated: int = 0) -> Path:
    """Write a tokenizer of whole words, which numbers those of ``WORDS`` first.

    Args:
        path: where.
        words: further ones.
        truncated: tokens after which it drops what follows; 0 for never.
    """
    from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers

    known = [*WORDS, *words]
    made = Tokenizer(
        models.WordLevel({word: number for number, word in enumerate(known)}, unk_token="<unk>")
    )
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    made.add_special_tokens([AddedToken(each, normalized=False) for each in WORDS[4:]])
    if truncated:
        made.enable_truncation(truncated)
        made.enable_padding(length=truncated, pad_id=1, pad_token="<pad>")
    made.save(str(path))
    return path


def save_sound_model(
    path: Path, shape: Sequence[str | int] = ("batch", 80, 800), columns: int = 1
) -> Path:
    """Write a model that says how much of a picture is above nothing, as a probability [n, columns]."""
    nodes = [
        helper.make_node("ReduceMean", ["input_features"], ["mean"], axes=[1, 2], keepdims=0),
        helper.make_node("Unsqueeze", ["mean", "one"], ["column"]),
        helper.make_node("Mul", ["column", "steep"], ["many"]),
        helper.make_node("Sigmoid", ["many"], ["logits"]),
    ]
    constants = {
        "one": np.array([1], np.int64),
        "steep": np.full((1, columns), 4.0, np.float32),
    }
    inputs = {"input_features": (TensorProto.FLOAT, list(shape))}
    return save_model(path, nodes, inputs, {"logits": ["batch", columns]}, constants)
