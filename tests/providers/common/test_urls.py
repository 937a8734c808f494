"""Addresses made of texts that somebody else chose."""

from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers._common.urls import as_websocket, build_url

BASE = "https://api.acme.example/v1"


@pytest.mark.pins("D005")
@given(st.text(), st.text())
def test_every_value_comes_back_as_it_went_in(keyword: str, tag: str) -> None:
    """No value can end the parameter that it belongs to, or the address."""
    url = build_url(BASE, ["listen"], {"keywords": keyword or "-", "tag": tag or "-"})
    assert url.isascii()
    parts = urlsplit(url)
    assert (parts.netloc, parts.path, parts.fragment) == ("api.acme.example", "/v1/listen", "")
    assert parse_qs(parts.query) == {"keywords": [keyword or "-"], "tag": [tag or "-"]}


def test_how_values_are_written() -> None:
    url = build_url(
        BASE,
        ["listen"],
        {"a": True, "b": False, "c": None, "d": ["x", "y z"], "e": 0.5, "f": 16000, "g": []},
    )
    assert url == f"{BASE}/listen?a=true&b=false&d=x&d=y%20z&e=0.5&f=16000"


def test_a_part_of_a_path_stays_one_part() -> None:
    assert build_url(BASE, ["voices", "../x?y#z"]) == f"{BASE}/voices/..%2Fx%3Fy%23z"
    assert build_url(BASE, ["text:synthesize"]) == f"{BASE}/text:synthesize"


@pytest.mark.parametrize("part", ["", ".", ".."])
def test_a_part_that_leads_elsewhere_is_refused(part: str) -> None:
    with pytest.raises(ValueError, match="cannot be part of an address"):
        build_url(BASE, ["voices", part])


def test_the_same_place_as_a_websocket() -> None:
    assert as_websocket("https://a/b") == "wss://a/b"
    assert as_websocket("http://a/b") == "ws://a/b"
    assert as_websocket("wss://a/b") == "wss://a/b"
