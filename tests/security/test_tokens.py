"""API secrets."""

import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as some
from support.tokens import presented

from capabilities import Principal, Secret
from waav.config.auth import ApiSecret
from waav.security.tokens import WRONG, ApiSecrets

KNOWN = {"acme": "first-secret", "globex": "second-secret", "initech": "a third one"}


@pytest.fixture
def secrets() -> ApiSecrets:
    return ApiSecrets.of(ApiSecret(name, Secret(text)) for name, text in KNOWN.items())


@pytest.mark.parametrize("name", KNOWN)
async def test_a_secret_stands_for_its_tenant(secrets: ApiSecrets, name: str) -> None:
    assert await secrets.authenticate(presented(KNOWN[name])) == Principal(name)


@pytest.mark.parametrize(
    "token", ["", "first-secre", "first-secret ", "First-secret", "first-secret2", "acme", "é" * 9]
)
async def test_nothing_but_the_whole_secret_will_do(secrets: ApiSecrets, token: str) -> None:
    assert await secrets.authenticate(presented(token)) is WRONG


@pytest.mark.parametrize("token", [*KNOWN.values(), "none of them", "x" * 4000])
async def test_every_secret_is_compared_in_constant_time_whatever_is_shown(
    secrets: ApiSecrets, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No early end, and all that is compared has one length."""
    compared: list[tuple[int, int]] = []
    compare = hmac.compare_digest

    def watched(one: bytes, other: bytes) -> bool:
        compared.append((len(one), len(other)))
        return compare(one, other)

    monkeypatch.setattr(hmac, "compare_digest", watched)
    await secrets.authenticate(presented(token))
    assert compared == [(32, 32)] * len(KNOWN)


async def test_without_secrets_nobody_is_known() -> None:
    assert await ApiSecrets.of(()).authenticate(presented("")) is WRONG


def test_the_digests_of_two_processes_differ(secrets: ApiSecrets) -> None:
    entries = [ApiSecret("acme", Secret("first-secret"))]
    assert ApiSecrets.of(entries) != ApiSecrets.of(entries)
    assert repr(secrets) == "ApiSecrets()"


@given(some.text(min_size=1), some.text(min_size=1))
def test_only_equal_texts_are_equal(secret: str, token: str) -> None:
    import trio

    strategy = ApiSecrets.of([ApiSecret("acme", Secret(f"x{secret}x"))])
    shown = presented(f"x{token}x")
    found = trio.run(strategy.authenticate, shown)
    assert isinstance(found, Principal) is (secret == token)
