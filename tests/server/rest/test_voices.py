"""``GET /voices``: the forms of the answer, the filters, and providers that cannot tell."""

from collections.abc import AsyncIterator

import pytest
from support.rest import Client, Reader, open_rest, voice_plugin

from capabilities import ProviderUnavailable, Voice

ANNA = Voice("anna", "Anna", "de-DE", "Female")
BEN = Voice("ben", "Ben", "en-GB", "Male", accent="Scottish", sample="https://example.org/ben.ogg")
COPY = Voice("copy", "Copy", "en-US", languages=("en-US", "es-MX"), cloned=True)


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    plugins = (
        voice_plugin("alpha", Reader(known=(ANNA, BEN)), aliases=("first",)),
        voice_plugin("beta", Reader(known=(COPY,))),
        voice_plugin("ill", Reader(voices_error=ProviderUnavailable("ill", "no network"))),
    )
    async with open_rest(*plugins) as opened:
        yield opened


def ids(answer: object) -> object:
    """Only the ids of the voices, in the form of the answer."""
    if isinstance(answer, dict):
        return {provider: ids(voices) for provider, voices in answer.items()}
    assert isinstance(answer, list)
    return [voice["id"] for voice in answer]


@pytest.mark.parametrize(
    ("query", "expected", "warnings"),
    [
        ("", {"alpha": ["anna", "ben"], "beta": ["copy"]}, 1),
        ("?provider=alpha", {"alpha": ["anna", "ben"], "voices": ["anna", "ben"]}, 0),
        (
            "?provider=First",
            {"alpha": ["anna", "ben"], "First": ["anna", "ben"], "voices": ["anna", "ben"]},
            0,
        ),
        ("?provider=ill", {"ill": [], "voices": []}, 1),
        ("?cloned=true", ["copy"], 1),
        ("?cloned=1&provider=alpha", [], 0),
        ("?cloned=false", {"alpha": ["anna", "ben"], "beta": []}, 1),
        ("?language=en", {"alpha": ["ben"], "beta": ["copy"]}, 1),
        ("?language=EN-gb", {"alpha": ["ben"], "beta": []}, 1),
        ("?language=es", {"alpha": [], "beta": ["copy"]}, 1),
        ("?language=e", {"alpha": [], "beta": []}, 1),
        ("?gender=FEMALE", {"alpha": ["anna"], "beta": []}, 1),
        ("?unknown=x", {"alpha": ["anna", "ben"], "beta": ["copy"]}, 1),
    ],
)
async def test_the_query_chooses(
    client: Client, query: str, expected: object, warnings: int
) -> None:
    answer = await client.get(f"/voices{query}")
    assert answer.status_code == 200
    assert ids(await answer.get_json()) == expected
    assert answer.headers["warnings"] == str(warnings)


async def test_a_voice_has_all_keys(client: Client) -> None:
    answer = await client.get("/voices?provider=alpha")
    assert (await answer.get_json())["voices"][1] == {
        "id": "ben",
        "voice_id": "ben",
        "name": "Ben",
        "provider": "alpha",
        "language": "en-GB",
        "languages": ["en-GB"],
        "gender": "Male",
        "accent": "Scottish",
        "sample": "https://example.org/ben.ogg",
        "is_cloned": False,
    }


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [("provider=nobody", 400, "unsupported_provider"), ("cloned=perhaps", 422, "invalid_schema")],
)
async def test_queries_that_make_no_sense(
    client: Client, query: str, status: int, code: str
) -> None:
    answer = await client.get(f"/voices?{query}")
    assert (answer.status_code, (await answer.get_json())["code"]) == (status, code)


async def test_a_provider_out_of_service_is_skipped() -> None:
    async with open_rest(voice_plugin("dead", None)) as client:
        answer = await client.get("/voices?provider=dead")
        assert (answer.status_code, answer.headers["warnings"]) == (200, "1")
