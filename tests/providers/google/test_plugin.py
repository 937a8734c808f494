"""Opening: whose credentials are used, and what an operator reads when there is something wrong."""

import json
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
from support.servers.google import open_google_server, rest_reply
from support.servers.http import Answer, answer_json, open_http_server

from capabilities import (
    Capability,
    HealthState,
    Plugin,
    ProviderError,
    ProviderRefused,
    Secret,
    SpeechRequest,
    STTOptions,
)
from providers.google import MANIFEST
from providers.google.options import GoogleSettings, GoogleSTTOptions
from providers.google.stt import LONGEST_SESSION, POLICY
from waav.testing import check_manifest, open_manifest, say


def opened(
    credentials: str | None = None, settings: GoogleSettings | None = None
) -> AbstractAsyncContextManager[Plugin]:
    keys = {} if credentials is None else {"google_credentials": Secret(credentials)}
    return open_manifest(MANIFEST, settings or GoogleSettings(), credentials=keys)


async def refusal(credentials: str | None = None, settings: GoogleSettings | None = None) -> str:
    with pytest.raises(ProviderError) as told:
        async with opened(credentials, settings):
            pass
    return str(told.value)


def test_the_manifest() -> None:
    check_manifest(MANIFEST)
    assert MANIFEST.abilities[Capability.STT].limits.longest_session == LONGEST_SESSION


def test_a_call_is_replaced_before_its_five_minutes_are_over() -> None:
    assert POLICY.longest_session - POLICY.margin == 240


async def test_credentials_by_path_and_inline(account: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "account.json"
    file.write_text(json.dumps(account))
    for credentials in (str(file), json.dumps(account)):
        async with opened(credentials) as plugin:
            assert (await plugin.health()).state is HealthState.HEALTHY


async def test_what_a_start_up_error_says(account: dict[str, str], tmp_path: Path) -> None:
    assert "google_credentials: the file cannot be read: No such file" in await refusal("/nowhere")
    (tmp_path / "bad.json").write_bytes(b"\xff")
    assert "not a text" in await refusal(str(tmp_path / "bad.json"))
    assert "private key cannot be read" in await refusal(json.dumps(account | {"private_key": "x"}))


@pytest.mark.pins("D052")
async def test_a_missing_project_is_a_start_up_error(
    account: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = json.dumps(account | {"project_id": ""})
    assert "set plugins.providers.google.project" in await refusal(bare)
    async with opened(bare, GoogleSettings(project="mine")) as plugin:
        assert plugin.stt._identities.own.project == "mine"  # type: ignore[union-attr]  # ours
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "of-the-environment")
    async with opened(bare):
        pass


@pytest.mark.pins("D052")
async def test_default_credentials_of_a_person(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    user = {
        "type": "authorized_user",
        "client_id": "id",
        "client_secret": "made-up",
        "refresh_token": "made-up-too",
    }
    file = tmp_path / "application_default_credentials.json"
    file.write_text(json.dumps(user))
    assert "no project is known" in await refusal()
    file.write_text(json.dumps(user | {"quota_project_id": "quota"}))
    async with opened() as plugin:
        assert plugin.stt._identities.own.project == "quota"  # type: ignore[union-attr]  # ours


@pytest.mark.pins("D052")
async def test_default_credentials_of_a_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_http_server(Answer(200, b"project-of-the-machine")) as server:
        monkeypatch.setenv("GCE_METADATA_HOST", server.url.removeprefix("http://"))
        async with opened() as plugin:
            own = plugin.stt._identities.own  # type: ignore[union-attr]  # ours
        assert own.project == "project-of-the-machine"
        assert server.requests[0].target == "/computeMetadata/v1/project/project-id"
        assert server.requests[0].headers["metadata-flavor"] == "Google"
    assert "the metadata server 127.0.0.1" in await refusal()


async def test_no_credentials_anywhere(account: dict[str, str]) -> None:
    """Sessions may bring theirs; the others are told in words that clients know."""
    async with open_google_server() as google, open_http_server(rest_reply()) as rest:
        settings = GoogleSettings(
            base_url=google.url, tts_base_url=rest.url, token_url=f"{rest.url}/token"
        )
        async with opened(None, settings) as plugin:
            assert (await plugin.health()).state is HealthState.DEGRADED
            assert plugin.tts
            voice = "de-DE-Standard-A"
            with pytest.raises(ProviderRefused, match="Google API key not configured in server"):
                await say(plugin.tts, SpeechRequest("x", voice=voice))
            key = Secret(json.dumps(account))
            assert await say(plugin.tts, SpeechRequest("x", voice=voice, api_key=key))
    # A blank asks for the default ones by name.
    assert "no application default credentials" in await refusal("")


@pytest.mark.pins("D014")
async def test_what_a_session_may_name_as_its_key(account: dict[str, str], tmp_path: Path) -> None:
    """A path only below the folder for that: no client chooses which files of ours are read."""
    inside = tmp_path / "inside"
    inside.mkdir()
    for file in (inside / "a.json", tmp_path / "outside.json"):
        file.write_text(json.dumps(account))
    (inside / "link.json").symlink_to(tmp_path / "outside.json")
    settings = GoogleSettings(credentials_dir=inside)
    async with opened(None, settings) as plugin:
        identities = plugin.stt._identities  # type: ignore[union-attr]  # ours
        for good in ("a.json", str(inside / "a.json"), json.dumps(account)):
            identity = await identities.of(Secret(good))
            assert identity.project == "acme-project"
        for bad in ("../outside.json", str(tmp_path / "outside.json"), "link.json", "none.json"):
            with pytest.raises(ProviderRefused):
                await identities.of(Secret(bad))
    async with opened() as plugin:
        with pytest.raises(ProviderRefused, match="must be the JSON"):
            async with plugin.stt.connect(STTOptions(api_key=Secret(str(inside / "a.json")))):  # type: ignore[union-attr]  # ours
                pass


@pytest.mark.pins("D051")
@pytest.mark.parametrize(
    ("settings", "own", "address"),
    [
        ({}, {}, "https://speech.googleapis.com"),
        ({"location": "eu"}, {}, "https://eu-speech.googleapis.com"),
        ({"location": "eu"}, {"location": "us-central1"}, "https://us-central1-speech.googleapis.com"),
        ({"base_url": "http://relay/"}, {"location": "eu"}, "http://relay"),
    ],
)  # fmt: skip
async def test_the_address_follows_the_location(
    account: dict[str, str], settings: dict[str, Any], own: dict[str, Any], address: str
) -> None:
    async with opened(json.dumps(account), GoogleSettings(**settings)) as plugin:
        options = GoogleSTTOptions(**own)
        assert plugin.stt.address(options) == address  # type: ignore[union-attr]  # ours


async def test_a_refused_token_is_told_at_the_start_of_a_session(
    account: dict[str, str],
) -> None:
    reply = answer_json({"error": "invalid_grant"}, 400)
    async with open_http_server(reply) as rest:
        settings = GoogleSettings(token_url=f"{rest.url}/token")
        async with opened(json.dumps(account), settings) as plugin:
            assert plugin.stt
            with pytest.raises(ProviderRefused, match="invalid_grant"):
                async with plugin.stt.connect(STTOptions()):
                    pass
