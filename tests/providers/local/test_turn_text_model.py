"""The text model, on small models of every form that they come in: the real libraries load them."""

import hashlib
import sys
from math import exp
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper
from support.models import BOTH, TOKENS, WORDS, save_model, save_text_model, save_tokenizer

from capabilities import ProviderProtocolError, ProviderRefused, ProviderUnavailable
from providers.local.turn_prompt import prompt
from providers.local.turn_text_model import MOST_TOKENS, TextModel, read_thresholds

SAID = ["more", "done"]
ENDS = WORDS.index("<|im_end|>")
MORE, DONE = len(WORDS), len(WORDS) + 1
TOKENS_KNOWN = len(WORDS) + len(SAID)


def sigmoid(value: float) -> float:
    return 1 / (1 + exp(-value))


def column(more: float, done: float) -> np.ndarray:
    """One number for each token."""
    values = np.full((TOKENS_KNOWN, 1), 0.25)
    values[MORE], values[DONE] = more, done
    return values


def columns(where: int, many: int) -> np.ndarray:
    """Many numbers for each token: after "done" the one at ``where`` is larger by 2."""
    values = np.zeros((TOKENS_KNOWN, many))
    values[DONE, where] = 2.0
    return values


def load(folder: Path, words: list[str] = SAID, **options: Any) -> TextModel:
    model, tokenizer = folder / "model.onnx", folder / "tokenizer.json"
    if not tokenizer.exists():
        save_tokenizer(tokenizer, words)
    return TextModel.load("turn-detector", model, tokenizer, **options)


ALL = TOKENS_KNOWN
OTHERS = ALL - 1
FORMS: dict[str, tuple[np.ndarray, dict[str, Any], float, float]] = {
    "two classes [n, 2]": (columns(1, 2), {"last": True}, 0.5, sigmoid(2)),
    "a probability [1, 1]": (column(0.3, 0.9), {"last": True, "output": "prob"}, 0.3, 0.9),
    "a probability [1]": (column(0.3, 0.9), {"last": True, "flat": True, "output": "p"}, 0.3, 0.9),
    "one for each token [1, n]": (column(0.3, 0.9), {"flat": True, "output": "prob"}, 0.3, 0.9),
    "a logit [1, 1]": (
        column(-3.0, 0.5),
        {"last": True, "output": "logits"},
        sigmoid(-3),
        sigmoid(0.5),
    ),
    "a large logit": (column(-2000.0, 2000.0), {"last": True, "output": "logits"}, 0.0, 1.0),
    "a number outside 0 to 1": (
        column(-3.0, 3.0),
        {"last": True, "output": "out"},
        sigmoid(-3),
        sigmoid(3),
    ),
    "a language model [1, seq, vocab]": (
        columns(ENDS, ALL),
        {},
        1 / ALL,
        exp(2) / (exp(2) + OTHERS),
    ),
}


@pytest.mark.pins("D147", "D148")
@pytest.mark.parametrize(
    ("table", "form", "expected"), [(*each[:2], each[2:]) for each in FORMS.values()], ids=FORMS
)
@pytest.mark.parametrize("words", ["", "more ", "more more more more "], ids=["1", "2", "5"])
def test_every_form_of_output_is_understood(
    table: np.ndarray,
    form: dict[str, Any],
    expected: tuple[float, float],
    words: str,
    tmp_path: Path,
) -> None:
    save_text_model(tmp_path / "model.onnx", table, **form)
    model = load(tmp_path)
    scores = (model.score(f"{words}more"), model.score(f"{words}done"))
    assert scores == pytest.approx(expected, abs=1e-6)


@pytest.mark.pins("D148")
def test_the_end_token_is_looked_up_and_not_number_2(tmp_path: Path) -> None:
    """The same model says the same of another token, if the tokenizer counts otherwise."""
    assert ENDS != 2
    save_text_model(tmp_path / "model.onnx", columns(2, ALL))
    assert load(tmp_path).score("done") == pytest.approx(1 / (exp(2) + OTHERS))


@pytest.mark.pins("D147")
@pytest.mark.parametrize("name", ["prob", "probability", "logits"])
def test_the_output_is_found_by_its_name_wherever_it_stands(name: str, tmp_path: Path) -> None:
    save_several(tmp_path / "model.onnx", {"hidden": 3, "past": 2, name: 2})
    assert load(tmp_path).score("done") == pytest.approx(0.9 if name != "logits" else sigmoid(0.9))


@pytest.mark.pins("D147")
def test_the_output_is_found_by_its_shape(tmp_path: Path) -> None:
    save_several(tmp_path / "model.onnx", {"past": 2, "words": 3})
    assert load(tmp_path).score("done") == pytest.approx(exp(0.9) / (exp(0.9) + OTHERS))


@pytest.mark.pins("D147")
def test_outputs_that_could_all_be_meant_are_refused(tmp_path: Path) -> None:
    save_several(tmp_path / "model.onnx", {"a": 2, "b": 2})
    with pytest.raises(ProviderRefused, match=r"which of the model's outputs \['a', 'b'\]"):
        load(tmp_path)


def save_several(path: Path, outputs: dict[str, int]) -> None:
    """Write a model with outputs of two dimensions, 0.9 of "done", or three, as a language model's."""
    nodes = [
        helper.make_node("Gather", ["numbers", "input_ids"], ["single"]),
        helper.make_node("Gather", ["table", "input_ids"], ["row"]),
        helper.make_node("Identity", ["attention_mask"], ["unused"]),
    ]
    shapes: dict[str, list[str | int]] = {2: ["batch", "seq"], 3: ["batch", "seq", ALL]}  # type: ignore[dict-item]
    for name, rank in outputs.items():
        nodes.append(helper.make_node("Identity", ["single" if rank == 2 else "row"], [name]))
    constants = {
        "numbers": column(0.1, 0.9).reshape(-1).astype(np.float32),
        "table": (columns(ENDS, ALL) * 0.45).astype(np.float32),
    }
    save_model(path, nodes, BOTH, {name: shapes[rank] for name, rank in outputs.items()}, constants)  # type: ignore[index]


def test_a_model_may_do_without_a_mask(tmp_path: Path) -> None:
    node = helper.make_node("Gather", ["numbers", "input_ids"], ["prob"])
    numbers = np.linspace(0, 1, ALL, dtype=np.float32)
    outputs: dict[str, list[str | int]] = {"prob": ["batch", "seq"]}
    inputs = {"input_ids": TOKENS}
    save_model(tmp_path / "model.onnx", [node], inputs, outputs, {"numbers": numbers})
    assert load(tmp_path).score("done") == pytest.approx(numbers[DONE])


def test_a_model_of_something_else_is_refused(tmp_path: Path) -> None:
    node = helper.make_node("Cast", ["tokens"], ["prob"], to=TensorProto.FLOAT)
    save_model(tmp_path / "model.onnx", [node], {"tokens": TOKENS}, {"prob": ["batch", "seq"]})
    with pytest.raises(ProviderRefused, match=r"takes \['tokens'\], and not input_ids"):
        load(tmp_path)


def test_a_model_that_wants_more_is_refused(tmp_path: Path) -> None:
    save_text_model(
        tmp_path / "model.onnx", column(0, 1), inputs={**BOTH, "token_type_ids": TOKENS}
    )
    with pytest.raises(ProviderRefused, match="token_type_ids"):
        load(tmp_path)


def test_a_model_of_other_tokens_is_refused(tmp_path: Path) -> None:
    short: tuple[int, list[str | int]] = (TensorProto.INT32, ["batch", "seq"])
    save_text_model(
        tmp_path / "model.onnx",
        column(0, 1),
        inputs={"input_ids": short, "attention_mask": TOKENS},
    )
    with pytest.raises(ProviderRefused, match="does not take tokens"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("table", "form"),
    [(columns(1, 3), {"last": True}), (columns(1, ENDS), {})],
    ids=["three-classes", "a-vocabulary-without-the-end"],
)
def test_an_output_of_no_known_form_is_refused(
    table: np.ndarray, form: dict[str, Any], tmp_path: Path
) -> None:
    save_text_model(tmp_path / "model.onnx", table, **form)
    with pytest.raises(ProviderRefused, match="is no known form"):
        load(tmp_path)


def test_what_is_no_number_is_no_verdict(tmp_path: Path) -> None:
    save_text_model(tmp_path / "model.onnx", column(0.5, float("nan")), "prob", last=True)
    model = load(tmp_path)
    with pytest.raises(ProviderProtocolError, match="gives nan"):
        model.score("done")
    assert model.score("more") == 0.5


def test_a_tokenizer_without_the_end_of_a_turn_is_refused(tmp_path: Path) -> None:
    save_text_model(tmp_path / "model.onnx", column(0, 1))
    tokenizer = save_tokenizer(tmp_path / "tokenizer.json", SAID)
    tokenizer.write_text(tokenizer.read_text().replace("<|im_end|>", "<|over|>"))
    with pytest.raises(ProviderRefused, match=r"tokenizer.json has no token <\|im_end\|>"):
        load(tmp_path)


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json"])
def test_a_file_that_is_something_else_is_refused(name: str, tmp_path: Path) -> None:
    save_text_model(tmp_path / "model.onnx", column(0, 1))
    save_tokenizer(tmp_path / "tokenizer.json", SAID)
    (tmp_path / name).write_bytes(b"<html>Not found</html>")
    with pytest.raises(ProviderRefused, match="does not load"):
        load(tmp_path)


def test_a_library_that_is_not_there_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_text_model(tmp_path / "model.onnx", column(0, 1))
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    save = tmp_path / "tokenizer.json"
    save.write_text("{}")
    with pytest.raises(ProviderUnavailable, match=r"pip install 'waav\[turn\]'"):
        load(tmp_path)


@pytest.mark.pins("D145")
def test_a_model_with_another_hash_is_refused_at_opening(tmp_path: Path) -> None:
    path = save_text_model(tmp_path / "model.onnx", column(0.1, 0.9), "prob", last=True)
    right = hashlib.sha256(path.read_bytes()).hexdigest()
    assert load(tmp_path, sha256=right.upper()).score("done") == pytest.approx(0.9)
    wrong = "0" * 64
    with pytest.raises(ProviderRefused, match=rf"its SHA-256 is {right}, not {wrong}"):
        load(tmp_path, sha256=wrong)


@pytest.mark.pins("D145")
@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json"])
def test_the_hash_that_was_kept_when_a_file_came_must_hold(name: str, tmp_path: Path) -> None:
    save_text_model(tmp_path / "model.onnx", column(0.1, 0.9), "prob", last=True)
    save_tokenizer(tmp_path / "tokenizer.json", SAID)
    pin = tmp_path / f"{name}.sha256"
    right = hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()
    pin.write_text(f"{right}  {name}\n")
    assert load(tmp_path).score("done") == pytest.approx(0.9)
    with (tmp_path / name).open("ab") as file:
        file.write(b" ")
    with pytest.raises(ProviderRefused, match=f"{name} is not the expected file"):
        load(tmp_path)
    pin.write_bytes(b"\xff")
    with pytest.raises(ProviderRefused, match="holds no SHA-256"):
        load(tmp_path)


@pytest.mark.pins("D149")
def test_of_a_long_prompt_the_newest_words_stay(tmp_path: Path) -> None:
    """The model says what its last token says, and how many there were."""
    save_text_model(tmp_path / "model.onnx", column(0.1, 0.9), "prob", flat=True)
    model = load(tmp_path)
    calls = spy(model)
    assert model.score("more " * 2000 + "done") == pytest.approx(0.9)
    assert model.score("done " * 2000 + "more") == pytest.approx(0.1)
    assert [call.shape for call in calls] == [(1, MOST_TOKENS)] * 2
    assert calls[0][0, -2:].tolist() == [MORE, DONE]


@pytest.mark.pins("D149")
def test_a_tokenizer_that_would_cut_the_end_does_not(tmp_path: Path) -> None:
    save_text_model(tmp_path / "model.onnx", column(0.1, 0.9), "prob", flat=True)
    save_tokenizer(tmp_path / "tokenizer.json", SAID, truncated=16)
    model = load(tmp_path)
    assert model.score("more " * 100 + "done") == pytest.approx(0.9)
    assert model.score("done") == pytest.approx(0.9), "and nothing is added"


@pytest.mark.pins("D150")
def test_the_model_gets_what_was_said_before(tmp_path: Path) -> None:
    from capabilities import Said

    save_text_model(tmp_path / "model.onnx", column(0.1, 0.9), "prob", flat=True)
    model = load(tmp_path)
    calls = spy(model)
    model.score(prompt("done", (Said("user", "more"), Said("agent", "Done."))))
    start, user, agent = (WORDS.index(word) for word in ("<|im_start|>", "user", "assistant"))
    before = [start, user, MORE, ENDS, start, agent, DONE, ENDS]
    assert calls[0].tolist() == [[*before, start, user, DONE]]


def spy(model: TextModel) -> list[np.ndarray]:
    """Note what the network is given."""
    calls: list[np.ndarray] = []
    network = model._session

    class Spy:
        get_inputs = network.get_inputs

        def run(self, names: list[str], given: dict[str, np.ndarray]) -> Any:
            assert given["attention_mask"].tolist() == np.ones_like(given["input_ids"]).tolist()
            calls.append(given["input_ids"])
            return network.run(names, given)

    object.__setattr__(model, "_session", Spy())
    return calls


def test_nothing_scores_nothing(tmp_path: Path) -> None:
    save_text_model(tmp_path / "model.onnx", column(0.9, 0.9), "prob", last=True)
    assert load(tmp_path).score("") == 0.0


@pytest.mark.pins("D151")
def test_thresholds_are_read_in_both_forms(tmp_path: Path) -> None:
    path = tmp_path / "languages.json"
    assert read_thresholds("turn-detector", path) == {}
    path.write_text('{"en": {"threshold": 0.03, "other": 1}, "pt-BR": 0.5}')
    assert read_thresholds("turn-detector", path) == {"en": 0.03, "pt-br": 0.5}


@pytest.mark.parametrize(
    "text", ["", "[1]", '{"en": {}}', '{"en": "often"}', '{"en": null}', '{"en": 7}', '{"en": NaN}']
)
def test_a_table_that_is_none_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "languages.json"
    path.write_text(text)
    with pytest.raises(ProviderRefused, match=r"languages.json"):
        read_thresholds("turn-detector", path)
