"""The REST side keeps what its own description promises, whatever is asked, with a token and without.

In CI the same few questions each time; ``make schema`` asks more of them, and others.
"""

import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

import pytest
import requests
import schemathesis
import trio
from hypothesis import HealthCheck, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from support.gateways import open_serving
from support.providers import Ears, plugin
from support.rest import Reader, voice_plugin

from capabilities import Secret
from waav.config.auth import ApiSecret, Auth
from waav.config.security import RATE_LIMIT_OFF, Security
from waav.server.openapi import document

TOKEN = "a-token-of-the-test"
MORE = int(os.environ.get("SCHEMA_EXAMPLES", "0"))
ABSENT = {HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE}
"""What may be answered from 500 on: a vendor is not there."""

load_all_checks()
PROMISES = CHECKS.get_by_names(
    [
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
        "negative_data_rejection",
    ]
)
_SCHEMA = schemathesis.openapi.from_dict(document())
OPERATIONS = {each.ok().label: each.ok() for each in _SCHEMA.get_all_operations()}
ASKED = [
    *((label, GenerationMode.POSITIVE) for label in OPERATIONS),
    # There must be something that can be wrong.
    *((name, GenerationMode.NEGATIVE) for name, it in OPERATIONS.items() if it.query or it.body),
]
HOW = settings(
    max_examples=MORE or 20,
    derandomize=not MORE,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


@asynccontextmanager
async def open_house() -> AsyncIterator[str]:
    sections = {
        "auth": Auth(required=True, api_secrets=(ApiSecret("acme", Secret(TOKEN)),)),
        "security": Security(
            rate_limit_requests_per_second=RATE_LIMIT_OFF, max_connections_per_ip=10_000
        ),
    }
    manifests = voice_plugin("reader", Reader()), plugin("ears", Ears())
    async with open_serving(*manifests, **sections) as serving:
        yield f"http://{serving.at}"


def ask(operation: Any, mode: GenerationMode, url: str, token: str | None) -> None:
    """Ask one operation many times."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}

    @HOW
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask_once(case: Case) -> None:
        response = case.call(base_url=url, session=session, headers=headers)
        status = response.status_code
        assert status < HTTPStatus.INTERNAL_SERVER_ERROR or status in ABSENT, response.content
        case.validate_response(response, checks=PROMISES)

    with requests.Session() as session:
        session.trust_env = False
        ask_once()


@pytest.mark.parametrize("token", [TOKEN, None], ids=["known", "unknown"])
@pytest.mark.parametrize(("label", "mode"), ASKED)
async def test_what_is_answered_is_what_is_described(
    label: str, mode: GenerationMode, token: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    # Drawn keys may be words that stand in every log; tests/conftest.py would take that for a leak.
    caplog.set_level(logging.ERROR)
    async with open_house() as url:
        await trio.to_thread.run_sync(ask, OPERATIONS[label], mode, url, token)
