"""The list of voices: pages, fields, and what is no list."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.servers.elevenlabs import KEY, VOICES, query_of, serve_http, voice
from support.servers.http import answer_json, open_http_server

from capabilities import Plugin, ProviderError, ProviderProtocolError, Voice
from providers.elevenlabs.voices import MOST_PAGES, read_page

Open = Callable[..., AbstractAsyncContextManager[Plugin]]


async def voices_of(plugin: Plugin) -> list[Voice]:
    assert plugin.tts is not None
    return list(await plugin.tts.voices())


async def test_all_pages_are_read_and_sorted(open_plugin: Open) -> None:
    async with open_http_server(serve_http) as server, open_plugin(server.url) as plugin:
        assert [each.id for each in await voices_of(plugin)] == sorted(VOICES)
    queries = [query_of(each.target) for each in server.requests]
    assert queries[0] == {"page_size": ["100"], "include_total_count": ["false"]}
    assert [each.get("next_page_token") for each in queries] == [None, ["1"], ["2"]]
    assert {each.headers["xi-api-key"] for each in server.requests} == {KEY}


async def test_a_list_without_an_end_is_left(open_plugin: Open) -> None:
    endless = answer_json({"voices": [voice("a")], "has_more": True, "next_page_token": "more"})
    async with open_http_server(endless) as server, open_plugin(server.url) as plugin:
        assert [each.id for each in await voices_of(plugin)] == ["a"]
        assert len(server.requests) == MOST_PAGES


async def test_a_list_is_asked_for_again_when_that_may_help(open_plugin: Open) -> None:
    async with (
        open_http_server(answer_json({}, 503), serve_http) as server,
        open_plugin(server.url) as plugin,
    ):
        assert len(await voices_of(plugin)) == len(VOICES)


def test_a_voice_has_all_that_the_vendor_tells() -> None:
    page = {"voices": [voice("a", name="Ann")], "has_more": False, "next_page_token": "x"}
    assert read_page(page) == (
        [
            Voice(
                "a",
                "Ann",
                "en-US",
                gender="Female",
                accent="american",
                sample="https://example.com/a.mp3",
                languages=("en-US", "de-DE"),
            )
        ],
        None,
    )


@pytest.mark.parametrize(
    ("told", "field", "value"),
    [
        ({"labels": None, "verified_languages": None}, "language", "multi"),
        ({"labels": {"language": "fr"}, "verified_languages": []}, "language", "fr"),
        ({"labels": {"gender": "non-binary"}}, "gender", "Neutral"),
        ({"labels": {"gender": "MALE"}}, "gender", "Male"),
        ({"labels": {}}, "gender", "Unknown"),
        ({"name": None}, "name", "a"),
        ({"category": "cloned"}, "cloned", True),
        ({"labels": {"waav_owner": "acme"}}, "owner", "acme"),
        ({"category": "professional", "is_owner": True}, "cloned", True),
        ({"category": "professional", "is_owner": False}, "cloned", False),
    ],
)
def test_fields_that_are_missing_or_odd(told: dict[str, Any], field: str, value: object) -> None:
    ((only,), _) = read_page({"voices": [voice("a", **told)]})
    assert getattr(only, field) == value


@pytest.mark.parametrize("page", [None, [], {}, {"voices": {}}, {"voices": [{"name": "x"}]}])
def test_what_is_no_list_is_a_protocol_error(page: object) -> None:
    with pytest.raises(ProviderProtocolError):
        read_page(page)


_VALUE = st.none() | st.booleans() | st.text(max_size=5) | st.lists(st.none(), max_size=2)
_NAMES = ("name", "labels", "category", "preview_url", "verified_languages", "is_owner")


@given(
    st.dictionaries(st.sampled_from(_NAMES), _VALUE | st.dictionaries(st.text(max_size=3), _VALUE))
)
def test_whatever_a_voice_says_it_can_be_read(told: dict[str, Any]) -> None:
    try:
        ((only,), _) = read_page({"voices": [{"voice_id": "a", **told}]})
    except ProviderError:
        return
    assert only.language
