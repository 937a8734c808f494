"""``X-Provider-Api-Key``: read, used for one provider, and never seen again."""

import logging
from typing import Any

import pytest
from support.rest import Reader, open_rest, voice_plugin

from capabilities import Secret, SpeechRequest
from waav.server.refusal import Refused
from waav.server.rest.keys import read_key
from waav.testing import FakeCloning, manifest_of

KEY = "made-up-key-of-a-client"
OWN = {"X-Provider-Api-Key": KEY}


class Asked(Reader):
    """A voice that remembers with which keys its list was asked for."""

    keys: list[Secret | None]

    async def voices(self, _api_key: Secret | None = None) -> Any:
        self.keys = [*getattr(self, "keys", []), _api_key]
        return self.known


@pytest.mark.parametrize("value", ["", "  ", "\t"])
def test_an_empty_key_is_none(value: str) -> None:
    assert read_key(value) is None


@pytest.mark.parametrize("value", ["a b", "é", "a\r\nb", "x" * 1025, "\0"])
def test_what_no_header_could_hold_is_refused_and_not_repeated(value: str) -> None:
    with pytest.raises(Refused) as caught:
        read_key(value)
    assert (caught.value.status, caught.value.code) == (400, "invalid_api_key")
    assert value not in caught.value.message


async def test_lists_are_kept_by_provider_and_key() -> None:
    reader = Asked()
    async with open_rest(voice_plugin("paid", reader)) as client:
        for headers in ({}, OWN, {"X-Provider-Api-Key": "another"}, {}, OWN):
            assert (await client.get("/voices?provider=paid", headers=headers)).status_code == 200
    assert reader.keys == [None, Secret(KEY), Secret("another")]


async def test_without_a_provider_it_means_nothing() -> None:
    """Whose key would it be? Also when the operator takes none."""
    reader = Asked()
    async with open_rest(voice_plugin("paid", reader), client_keys=False) as client:
        assert (await client.get("/voices", headers=OWN)).status_code == 200
    assert reader.keys == [None]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"provider": "paid"}, KEY),
        ({"tts_config": {"provider": "paid"}}, KEY),
        ({"provider": "paid", "api_key": "of-the-body"}, "of-the-body"),
    ],
    ids=["flat", "nested", "body-is-nearer"],
)
async def test_speech_is_made_with_it(body: dict[str, Any], expected: str) -> None:
    reader = Reader()
    async with open_rest(voice_plugin("paid", reader)) as client:
        answer = await client.post("/speak", json={"text": "hello", **body}, headers=OWN)
        assert answer.status_code == 200
    (request,) = reader.requests
    assert isinstance(request, SpeechRequest)
    assert request.api_key == Secret(expected)


@pytest.mark.parametrize(
    ("method", "path", "body", "code"),
    [
        ("GET", "/voices?provider=paid", None, "client_keys_not_allowed"),
        ("POST", "/speak", {"text": "x", "provider": "paid"}, "client_keys_not_allowed"),
        ("POST", "/voices/clone", {"provider": "paid", "name": "x"}, "CLIENT_KEYS_NOT_ALLOWED"),
        ("GET", "/voices/v?provider=paid", None, "CLIENT_KEYS_NOT_ALLOWED"),
        ("DELETE", "/voices/v?provider=paid", None, "CLIENT_KEYS_NOT_ALLOWED"),
    ],
)
async def test_an_operator_may_take_no_keys(
    method: str, path: str, body: object, code: str
) -> None:
    cloning = FakeCloning()
    plugin = manifest_of("paid", tts=Reader(), cloning=cloning)
    async with open_rest(plugin, client_keys=False) as client:
        answer = await client.open(path, method=method, json=body, headers=OWN)
        assert (answer.status_code, (await answer.get_json())["code"]) == (403, code)
    assert cloning.keys == []


async def test_it_is_neither_logged_nor_repeated(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with open_rest(voice_plugin("paid", Reader(error=RuntimeError("a bug")))) as client:
        answer = await client.post("/speak", json={"text": "x", "provider": "paid"}, headers=OWN)
        assert answer.status_code >= 500
        assert KEY not in await answer.get_data(as_text=True)
        assert KEY not in str(answer.headers)
    assert KEY not in caplog.text
