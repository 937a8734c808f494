"""Headers on their way out."""

import pytest

from capabilities import ProviderRefused, Secret
from providers._common.headers import outgoing


def test_secrets_are_revealed_and_remembered() -> None:
    """The whole value and the key in it: a vendor that quotes us may quote either."""
    sent, failures = outgoing(
        "acme", {"Authorization": Secret("Token made-up-key"), "X-Model": "n"}
    )
    assert sent == {"User-Agent": "waav", "Authorization": "Token made-up-key", "X-Model": "n"}
    assert failures.tidy("bad 'made-up-key' in Token made-up-key for n") == "bad '***' in *** for n"
    assert "made-up" not in repr(failures)


def test_the_later_part_wins_whatever_the_case() -> None:
    sent, _ = outgoing("acme", {"X-Region": "eu", "user-agent": "mine"}, {"x-region": "us"})
    assert sent == {"user-agent": "mine", "x-region": "us"}


@pytest.mark.parametrize(
    "text",
    ["made-up\r\nX-Evil: 1", "made-up\n", " made-up", "made-up ", "made\0up", "mäde-up"],
    ids=repr,
)
def test_a_key_that_would_not_stay_in_its_header_is_refused(text: str) -> None:
    with pytest.raises(ProviderRefused) as refused:
        outgoing("acme", {"Authorization": Secret(text)})
    assert "made" not in str(refused.value)


def test_a_name_is_checked_too() -> None:
    with pytest.raises(ProviderRefused):
        outgoing("acme", {"X-Evil: 1\r\nX": "made-up"})
