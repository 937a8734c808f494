"""The description of the REST side: valid, complete, and true."""

import json
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
import yaml
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate
from support.rest import Client, Reader, open_rest, voice_plugin

from capabilities import CloneLimits
from waav.config import Config
from waav.gateway import Gateway
from waav.server.app import create_app
from waav.server.openapi import document, to_yaml
from waav.server.rest.operation import PREFIXES
from waav.server.ws.decode import KINDS
from waav.testing import FakeCloning, manifest_of
from waav.version import __version__

AUTOMATIC = {"HEAD", "OPTIONS"}


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    return document()


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with open_rest(voice_plugin("espeak", Reader())) as opened:
        yield opened


def mistakes(instance: Any, schema: dict[str, Any], described: dict[str, Any]) -> list[str]:
    rooted = {**schema, "components": described["components"]}
    return [error.message for error in OAS31Validator(rooted).iter_errors(instance)]


def test_the_document_is_valid(described: dict[str, Any]) -> None:
    validate(described)


@pytest.mark.pins("D324")
async def test_version_single_source(described: dict[str, Any], client: Client) -> None:
    health = await (await client.get("/")).get_json()
    assert described["info"]["version"] == health["version"] == __version__


def test_what_is_served_is_described_and_the_other_way_round(described: dict[str, Any]) -> None:
    app = create_app(cast(Gateway, SimpleNamespace(config=Config())))
    served = {
        (method, rule.rule.replace("<", "{").replace(">", "}"))
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - AUTOMATIC
    }
    told = {
        (method.upper(), prefix + path if path != "/" else prefix or "/")
        for prefix in PREFIXES
        for path, item in described["paths"].items()
        for method in item
        if path != "/ws"  # the front door's
    }
    assert served == told
    assert [server["url"] for server in described["servers"]] == [each or "/" for each in PREFIXES]


@pytest.mark.parametrize(
    ("path", "url", "status"),
    [
        ("/", "/", 200),
        ("/health", "/health", 200),
        ("/health/live", "/health/live", 200),
        ("/health/ready", "/health/ready", 200),
        ("/voices", "/voices", 200),
        ("/voices", "/voices?provider=espeak", 200),
        ("/voices", "/voices?cloned=true", 200),
        ("/voices", "/voices?cloned=maybe", 422),
        ("/voices", "/voices?provider=nobody", 400),
        ("/providers", "/providers", 200),
        ("/providers", "/providers?type=video", 422),
        ("/plugins", "/plugins", 200),
        ("/plugins/{id}", "/plugins/espeak", 200),
        ("/plugins/{id}", "/plugins/nobody", 404),
        ("/openapi.json", "/openapi.json", 200),
    ],
)
async def test_real_answers_are_as_described(
    described: dict[str, Any], client: Client, path: str, url: str, status: int
) -> None:
    answer = await client.get(url)
    assert answer.status_code == status
    told = described["paths"][path]["get"]["responses"][str(status)]
    assert not mistakes(
        await answer.get_json(), told["content"][answer.content_type]["schema"], described
    )
    assert set(told.get("headers", {})) <= {name.lower() for name in dict(answer.headers)}


async def test_not_ready_is_as_described(described: dict[str, Any]) -> None:
    async with open_rest() as client:
        answer = await client.get("/health/ready")
        told = described["paths"]["/health/ready"]["get"]["responses"]["503"]
        assert not mistakes(
            await answer.get_json(), told["content"]["application/json"]["schema"], described
        )


@pytest.mark.parametrize(
    "body",
    [
        {"text": "hello", "tts_config": {"provider": "espeak", "audio_format": "wav"}},
        {"text": "hello", "provider": "espeak", "sample_rate": 8000, "audio_format": "mulaw"},
        {"text": "hello", "provider": "espeak"},
        {"provider": "espeak"},
        {"text": 1, "provider": "espeak"},
        {"text": "hello", "tts_config": {"provider": "espeak", "sample_rate": 1}},
    ],
)
async def test_a_body_fits_its_schema_exactly_when_it_is_served(
    described: dict[str, Any], client: Client, body: dict[str, Any]
) -> None:
    told = described["paths"]["/speak"]["post"]
    schema = told["requestBody"]["content"]["application/json"]["schema"]
    fits = not mistakes(body, schema, described)
    answer = await client.post("/speak", json=body)
    assert answer.status_code == (200 if fits else 422)
    kinds = told["responses"][str(answer.status_code)]["content"]
    assert answer.content_type.partition(";")[0] in kinds


async def test_every_refusal_of_speak_is_described(described: dict[str, Any]) -> None:
    told = described["paths"]["/speak"]["post"]["responses"]
    assert told.keys() == {
        *("200", "400", "401", "403", "408", "413"),
        *("415", "422", "429", "500", "502", "503", "504"),
    }
    assert "Retry-After" in told["429"]["headers"]


def test_the_token_is_described_where_one_may_be_wanted(described: dict[str, Any]) -> None:
    schemes = described["components"]["securitySchemes"]
    assert [name for each in described["security"] for name in each] == list(schemes)
    public = {
        path
        for path, item in described["paths"].items()
        for told in item.values()
        if told.get("security") == []
    }
    assert public == {
        *("/", "/health", "/health/live", "/health/ready"),
        *("/metrics", "/openapi.json", "/openapi.yaml"),
    }


def test_a_voice_can_be_wanted_in_two_forms(described: dict[str, Any]) -> None:
    told = described["paths"]["/voices/clone"]["post"]
    by_type = told["requestBody"]["content"]
    assert by_type.keys() == {"application/json", "multipart/form-data"}
    for each in by_type.values():
        (schema,) = each["schema"]["anyOf"]
        fields = described["components"]["schemas"][schema["$ref"].rpartition("/")[2]]["properties"]
        assert {"provider", "name", "description", "labels"} <= fields.keys()
    assert {"400", "403", "408", "413", "415", "429", "502", "503"} <= told["responses"].keys()
    assert "404" in described["paths"]["/voices/{voice_id}"]["delete"]["responses"]


def test_who_takes_a_clients_key_says_so(described: dict[str, Any]) -> None:
    taking = {
        (path, method)
        for path, item in described["paths"].items()
        for method, operation in item.items()
        if any(each["name"] == "X-Provider-Api-Key" for each in operation.get("parameters", ()))
    }
    assert taking == {
        ("/speak", "post"),
        ("/voices", "get"),
        ("/voices/clone", "post"),
        ("/voices/{voice_id}", "get"),
        ("/voices/{voice_id}", "delete"),
    }


async def test_voices_that_were_made_are_as_described(described: dict[str, Any]) -> None:
    cloning = FakeCloning(CloneLimits(needs_description=True))
    async with open_rest(manifest_of("hume", cloning=cloning)) as client:
        sent = {"provider": "hume", "name": "x", "description": "calm"}
        made = await client.post("/voices/clone", json=sent)
        shown = await client.get("/voices/voice-1?provider=hume")
        gone = await client.delete("/voices/voice-1?provider=hume")
        missing = await client.get("/voices/voice-1?provider=hume")
    for path, method, answer in (
        ("/voices/clone", "post", made),
        ("/voices/{voice_id}", "get", shown),
        ("/voices/{voice_id}", "get", missing),
    ):
        told = described["paths"][path][method]["responses"][str(answer.status_code)]
        schema = told["content"]["application/json"]["schema"]
        assert not mistakes(await answer.get_json(), schema, described)
    assert [answer.status_code for answer in (made, shown, gone, missing)] == [200, 200, 204, 404]


async def test_both_forms_say_the_same(described: dict[str, Any], client: Client) -> None:
    as_json, as_yaml = await client.get("/openapi.json"), await client.get("/openapi.yaml")
    assert await as_json.get_json() == described
    assert yaml.safe_load(await as_yaml.get_data(as_text=True)) == described
    assert as_yaml.content_type == "application/yaml"


def test_it_is_plain_data(described: dict[str, Any]) -> None:
    assert json.loads(json.dumps(described)) == described
    assert yaml.safe_load(to_yaml(described)) == described


def test_the_websocket_and_all_of_its_messages_are_described(described: dict[str, Any]) -> None:
    operation = described["paths"]["/ws"]["get"]
    assert "101" in operation["responses"]
    names = [each["$ref"].rpartition("/")[2] for each in operation["x-client-messages"]]
    types = [described["components"]["schemas"][name]["properties"]["type"] for name in names]
    assert {name for each in types for name in each["enum"]} == set(KINDS)


def test_descriptions_come_from_docstrings(described: dict[str, Any]) -> None:
    for path, item in described["paths"].items():
        for operation in item.values():
            assert operation["summary"], path
    for name, schema in described["components"]["schemas"].items():
        assert schema.get("description"), name
