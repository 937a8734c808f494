"""Whose key is used."""

from collections.abc import Mapping

import pytest

from capabilities import ProviderRefused, Secret
from providers._common.credentials import choose_key

OPERATOR: Mapping[str, Secret] = {"acme_api_key": Secret("theirs")}


def choose(own: Secret | None, configured: Mapping[str, Secret]) -> Secret:
    return choose_key("acme", "Acme Speech", own, configured, "acme_api_key")


@pytest.mark.pins("D009")
def test_the_session_s_own_key_goes_first() -> None:
    assert choose(Secret("mine"), OPERATOR) == Secret("mine")


@pytest.mark.parametrize("own", [None, Secret("")], ids=["none", "empty"])
def test_else_the_operator_s_key_is_used(own: Secret | None) -> None:
    assert choose(own, OPERATOR) == Secret("theirs")


@pytest.mark.parametrize("configured", [{}, {"acme_api_key": Secret("")}], ids=["none", "empty"])
def test_without_any_key_the_client_reads_the_text_it_knows(
    configured: Mapping[str, Secret],
) -> None:
    with pytest.raises(ProviderRefused) as refused:
        choose(None, configured)
    assert refused.value.message == "Acme Speech API key not configured in server environment"
