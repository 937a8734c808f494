"""What is wrong with a body before anybody looks at what it asks for."""

import pytest
from support.rest import Client

JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("data", "headers", "status", "code"),
    [
        pytest.param(b"{}", {}, 415, "unsupported_media_type", id="no-content-type"),
        pytest.param(
            b"{}", {"Content-Type": "text/plain"}, 415, "unsupported_media_type", id="text"
        ),
        pytest.param(b"", JSON, 400, "invalid_json", id="empty"),
        pytest.param(b'{"text": ', JSON, 400, "invalid_json", id="cut-off"),
        pytest.param(b"\xff\xfe", JSON, 400, "invalid_json", id="not-utf-8"),
        pytest.param(b"[" * 100_000, JSON, 400, "invalid_json", id="deep"),
        pytest.param(b'"hello"', JSON, 422, "invalid_schema", id="not-an-object"),
        pytest.param(b"null", JSON, 422, "invalid_schema", id="null"),
        pytest.param(
            b'{"text":"x","provider":"espeak","speed":1e999}', JSON, 400, "invalid_json", id="inf"
        ),
        pytest.param(
            b'{"text":"x","provider":"espeak","speed":1%s}' % (b"0" * 400),
            JSON,
            422,
            "invalid_schema",
            id="too-large-for-a-float",
        ),
    ],
)
async def test_bodies_that_are_none(
    client: Client, data: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    answer = await client.post("/speak", data=data, headers=headers)
    assert (answer.status_code, (await answer.get_json())["code"]) == (status, code)


@pytest.mark.parametrize(
    "kind", ["application/json; charset=utf-8", "APPLICATION/JSON", "application/vnd.x+json"]
)
async def test_json_may_be_called_by_all_of_its_names(client: Client, kind: str) -> None:
    data = b'{"text":"x","provider":"espeak"}'
    answer = await client.post("/speak", data=data, headers={"Content-Type": kind})
    assert answer.status_code == 200
