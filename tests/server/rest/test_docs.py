"""The examples of docs/protocol/rest.md are what the server takes and gives."""

import inspect
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import pytest
from support.rest import Client, Reader, open_rest, voice_plugin

from capabilities import ClonedVoice
from waav.server.openapi import OPERATIONS
from waav.server.rest import clone_order, cloning, large_form, large_json
from waav.server.rest.clone_errors import STATUSES
from waav.session import clone_rules
from waav.testing import FakeCloning, manifest_of

PAGE = (Path(__file__).parents[3] / "docs/protocol/rest.md").read_text(encoding="utf-8")
PATHS = re.compile(r"`((?:GET|POST|DELETE) /[^ `]*)`")
CODE = re.compile(r"""(?:code=|^ +)"(\w+_\w+)"(?:: \(|\))""", re.MULTILINE)
"""A code where it is given to an error, or stands in a table of them."""


@attrs.frozen
class Example:
    """A block of JSON, and the operation in whose section it stands."""

    operation: str
    kind: str
    query: str
    value: Any


def examples() -> list[Example]:
    found = []
    for section in PAGE.split("\n## ")[1:]:
        operations = PATHS.findall(section.partition("\n")[0])
        for kind, query, text in re.findall(r"```json (\w+) ?(\S*)\n(.*?)```", section, re.DOTALL):
            name = operations[0] if operations else ""
            found.append(Example(name, kind, query, json.loads(text)))
    return found


def shape(value: Any) -> Any:
    """Keys and types; of a list, the shape of what is in it."""
    match value:
        case dict():
            return {key: shape(inner) for key, inner in value.items()}
        case list():
            return [shape(inner) for inner in value[:1]]
        case int() | float() if not isinstance(value, bool):
            return "number"
        case _:
            return type(value).__name__


@asynccontextmanager
async def open_page(operation: str) -> AsyncIterator[Client]:
    """A gateway with what the examples of an operation speak of."""
    maker = FakeCloning()
    maker.voices["voice-1"] = ClonedVoice(id="voice-1", name="Me", metadata={"accent": "none"})
    speaking = (
        voice_plugin("espeak", Reader(), aliases=("local",)),
        voice_plugin("flite", None),
    )
    clones = "/voices/" in operation
    plugins = (manifest_of("elevenlabs", cloning=maker),) if clones else speaking
    async with open_rest(*plugins) as client:
        yield client


@pytest.mark.parametrize(
    "example",
    [each for each in examples() if each.kind == "answer"],
    ids=lambda each: each.operation + each.query,
)
async def test_answers_have_the_keys_of_the_page(example: Example) -> None:
    path = example.operation.split()[1].replace("{id}", "espeak")
    path = path.replace("{voice_id}", "voice-1")
    async with open_page(example.operation) as client:
        answer = await client.get(path + example.query)
        assert answer.status_code == 200
        assert shape(await answer.get_json()) == shape(example.value)


@pytest.mark.parametrize("example", [each for each in examples() if each.kind == "request"])
async def test_requests_of_the_page_are_served(example: Example) -> None:
    method, path = example.operation.split()
    async with open_page(example.operation) as client:
        answer = await client.open(path, method=method, json=example.value)
        assert answer.status_code == 200


async def test_the_error_of_the_page_is_a_real_one() -> None:
    (example,) = (each for each in examples() if each.kind == "error")
    body = {"text": "x", "provider": "nobody"}
    async with open_page("POST /speak") as client:
        error = await (await client.post("/speak", json=body)).get_json()
    assert error.keys() == example.value.keys()
    assert error["code"] == example.value["code"]


def test_the_page_has_every_operation_and_no_other() -> None:
    told = set(PATHS.findall(PAGE))
    assert told == {f"{each.method} {each.path}" for each in OPERATIONS}


def test_the_page_has_every_kind_of_example() -> None:
    """Else a change of the page's form would let every test of it pass."""
    kinds = [each.kind for each in examples()]
    assert [kinds.count(kind) for kind in ("answer", "request", "error")] == [9, 3, 1]


def test_the_page_has_every_code_of_cloning() -> None:
    """Those that are ours: a provider's own have its name in them."""
    ours = {"INVALID_API_KEY", "INVALID_FORM", "VOICE_NOT_FOUND", "TOO_MANY_UPLOADS", *STATUSES}
    for module in (clone_rules, large_json, large_form, clone_order, cloning):
        ours |= {code.upper() for code in re.findall(CODE, inspect.getsource(module))}
    assert {"INVALID_NAME", "MISSING_PROVIDER", "INVALID_JSON", "INVALID_AUDIO"} <= ours
    assert [code for code in sorted(ours) if f"`{code}`" not in PAGE] == []
