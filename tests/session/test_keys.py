"""A client's own credentials, on their way to the provider and nowhere else."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import attrs
import pytest
from support.providers import Ears, Mouth, next_event, plugin
from trio.testing import MockClock

from capabilities import ProviderRefused, Secret
from waav.errors import InvalidRequest
from waav.plugins import Discovery, open_plugins
from waav.server.ws.decode import decode
from waav.server.ws.schema import Setup
from waav.session.commands import Configure, Speak
from waav.session.events import Failed, Ready, SpeechEnded
from waav.session.keys import own_keys
from waav.session.means import Means
from waav.session.session import Session, open_session

ONE, TWO = Secret("made-up-key-1"), Secret("made-up-key-2")
NONE = Secret("")
SEVERAL = ("aws_access_key_id", "aws_secret_access_key")


@attrs.frozen
class Provider:
    """As much of a guarded provider as matters here."""

    client_keys: tuple[str, ...] | None = ("acme_api_key",)
    id: str = "acme"


@pytest.mark.parametrize(
    ("names", "api_key", "auth", "expected"),
    [
        (("acme_api_key",), None, {}, (None, {})),
        (("acme_api_key",), ONE, {}, (ONE, {})),
        (("acme_api_key",), None, {"acme_api_key": ONE}, (ONE, {})),
        (("acme_api_key",), None, {"api_key": ONE}, (ONE, {})),
        (("acme_api_key",), ONE, {"api_key": ONE, "acme_api_key": ONE}, (ONE, {})),
        (("acme_api_key",), NONE, {"acme_api_key": NONE}, (None, {})),
        (("acme_api_key",), NONE, {"acme_api_key": ONE, "other": NONE}, (ONE, {})),
        (SEVERAL, None, {SEVERAL[0]: ONE}, (None, {SEVERAL[0]: ONE})),
        (SEVERAL, ONE, {SEVERAL[1]: TWO}, (ONE, {SEVERAL[1]: TWO})),
        (SEVERAL, None, {"api_key": ONE}, (ONE, {})),
        ((), ONE, {}, (ONE, {})),
        (None, NONE, {"acme_api_key": NONE}, (None, {})),
    ],
)
def test_what_a_provider_gets(
    names: tuple[str, ...] | None,
    api_key: Secret | None,
    auth: dict[str, Secret],
    expected: tuple[Secret | None, dict[str, Secret]],
) -> None:
    assert own_keys(Provider(names), api_key, auth) == expected  # type: ignore[arg-type]  # enough


@pytest.mark.parametrize(
    ("names", "api_key", "auth", "code", "message"),
    [
        (None, ONE, {}, "client_keys_not_allowed", "does not take provider keys from clients"),
        (None, None, {"acme_api_key": ONE}, "client_keys_not_allowed", "does not take"),
        (None, None, {"nonsense": ONE}, "client_keys_not_allowed", "does not take"),
        (
            ("acme_api_key",),
            None,
            {"other_api_key": ONE},
            "invalid_auth",
            r"auth has a name that acme does not know \(known: acme_api_key, api_key\)",
        ),
        (("acme_api_key",), ONE, {"api_key": TWO}, "invalid_auth", "two different keys"),
        (("acme_api_key",), ONE, {"acme_api_key": TWO}, "invalid_auth", "two different keys"),
        (SEVERAL, ONE, {"api_key": TWO}, "invalid_auth", "two different keys"),
        ((), None, {"acme_api_key": ONE}, "invalid_auth", r"\(known: api_key\)"),
    ],
)
def test_what_is_refused(
    names: tuple[str, ...] | None,
    api_key: Secret | None,
    auth: dict[str, Secret],
    code: str,
    message: str,
) -> None:
    with pytest.raises(InvalidRequest, match=message) as refused:
        own_keys(Provider(names), api_key, auth)  # type: ignore[arg-type]  # enough of one
    assert refused.value.code == code
    assert "made-up-key" not in str(refused.value)


CONFIG = """{"type": "config",
    "stt_config": {"provider": "ears", "auth": {"ears_api_key": "made-up-key-1"}},
    "tts_config": {"provider": "mouth", "api_key": "made-up-key-2",
                   "auth": {"api_key": null, "mouth_api_key": ""}}}"""


def command(text: str = CONFIG) -> Configure:
    setup = decode(text)
    assert isinstance(setup, Setup)
    return setup.command


@asynccontextmanager
async def open_talk(
    ears: Ears, mouth: Mouth, *, client_keys: bool = True
) -> AsyncIterator[Session]:
    manifests = [
        attrs.evolve(plugin("ears", ears), credentials=("ears_api_key",)),
        attrs.evolve(plugin("mouth", mouth=mouth), credentials=("mouth_api_key",)),
    ]
    async with (
        open_plugins(Discovery.of(*manifests), client_keys=client_keys) as plugins,
        open_session(Means(plugins)) as session,
    ):
        yield session


async def test_a_session_works_with_the_keys_of_its_client(
    autojump_clock: MockClock, ears: Ears, mouth: Mouth
) -> None:
    async with open_talk(ears, mouth) as session:
        await session.submit(command())
        assert isinstance(await next_event(session), Ready)
        await session.submit(Speak(""))
        await next_event(session, SpeechEnded)
        await session.submit(Speak("a"))
        async for _ in session.audio_out:
            break
    assert [(each.api_key, each.auth) for each in ears.options] == [(ONE, {})]
    assert [(each.api_key, each.auth) for each in mouth.requests] == [(TWO, {})]


async def test_where_clients_must_not_bring_keys_nothing_is_asked(
    autojump_clock: MockClock, ears: Ears, mouth: Mouth
) -> None:
    async with open_talk(ears, mouth, client_keys=False) as session:
        await session.submit(command())
        failed = await next_event(session)
        assert isinstance(failed, Failed)
        assert failed.code == "client_keys_not_allowed"
        assert "does not take provider keys from clients" in failed.message
    assert ears.options == mouth.requests == []


async def test_nothing_that_is_logged_or_told_holds_a_key(
    autojump_clock: MockClock, ears: Ears, mouth: Mouth, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither when all goes well, nor when it does not."""
    caplog.set_level(logging.DEBUG)
    told = []
    async with open_talk(ears, mouth) as session:
        ears.fail = ProviderRefused("ears", "the key was not accepted")
        await session.submit(command())
        told.append(await next_event(session, Failed))
        ears.fail = None
        for text in (CONFIG.replace("ears_api_key", "some_api_key"), CONFIG):
            await session.submit(command(text))
            told.append(await next_event(session))
        await session.submit(Speak("a"))
        async for _ in session.audio_out:
            break
        told += [repr(command()), repr(decode(CONFIG)), repr(ears.options), repr(mouth.requests)]
    assert isinstance(told[2], Ready)
    assert caplog.records
    seen = " ".join([*map(repr, told), *(record.getMessage() for record in caplog.records)])
    assert "ears_api_key" in seen
    assert "made-up-key" not in seen
