"""docs/protocol/websocket.md says what the code does.

Fenced blocks marked ``json client`` are decoded (a further word is the code with which they are
refused); the keys of those marked ``json server`` are compared with what is really sent.
"""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from capabilities import Word
from waav.config.schema import WebSocket as Settings
from waav.errors import InvalidRequest
from waav.server import errors
from waav.server.errors import NotAvailable
from waav.server.websocket import Limits
from waav.server.ws import names
from waav.server.ws.decode import KINDS, TEXT_LIMIT, decode
from waav.server.ws.encode import (
    auth_required,
    authenticated,
    encode,
    plugin_response,
    pong,
    refusal,
)
from waav.server.ws.schema import SPEAK_LIMIT, Topic, TransferRefused
from waav.server.ws.talk import AUDIO_LIMIT
from waav.session.control import PROVIDER_TIMEOUT
from waav.session.events import (
    DeadAir,
    Event,
    Failed,
    Interrupted,
    Paused,
    Ready,
    Resumed,
    SpeechBegan,
    SpeechEnded,
    Transcribed,
    VoiceHeard,
)
from waav.session.listening import PATIENCE, PRE_ROLL

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/protocol/websocket.md").read_text()
BLOCKS = re.findall(r"^```json (client|server) ?(\S*)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
CLIENT = [(code, json.loads(text)) for side, code, text in BLOCKS if side == "client"]
SERVER = [json.loads(text) for side, _, text in BLOCKS if side == "server"]

ALL_KNOWN = Transcribed(
    "good day",
    final=True,
    speech_final=True,
    forced=True,
    language="en-US",
    words=(Word("good", 0.5, 0.75, 0.9, "0"), Word("day", 0.75, 1.25, 0.94, "0")),
)


def sent(event: Event) -> list[str]:
    return encode(event, now_ms=0, asked=frozenset(get_args(Topic)))


EMITTED: list[dict[str, Any]] = [
    json.loads(text)
    for text in (
        *sent(Ready("s", stt=True, tts=True)),
        *sent(Transcribed("good day")),
        *sent(ALL_KNOWN),
        *sent(SpeechBegan("u1")),
        *sent(VoiceHeard(talking=True, at=1.0)),
        *sent(DeadAir("u1", 5.0)),
        *sent(Paused()),
        *sent(Resumed()),
        *sent(Interrupted("u1", 1.0, 2.0, "user", "Good day, I ")),
        *sent(SpeechEnded("u1", "spoken", 1.0)),
        *sent(Failed("x", "y")),
        pong(1, now_ms=2),
        auth_required(),
        authenticated(),
        authenticated("acme"),
        refusal(NotAvailable("livekit", "none")),
        refusal(TransferRefused("no")),
        plugin_response("my-plugin/hello", msgspec.Raw(b'{"b": 2}')),
    )
]


def shape(value: Any) -> Any:
    """The keys, however deep; of a list, those of its first item."""
    match value:
        case dict():
            return {key: shape(inner) for key, inner in value.items()}
        case list():
            return [shape(value[0])] if value else []
        case _:
            return None


def table(heading: str) -> list[list[str]]:
    """Return the rows of the table under a heading."""
    section = PAGE.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows[2:]]


@pytest.mark.parametrize(("code", "message"), CLIENT)
def test_every_client_example_is_understood(code: str, message: dict[str, Any]) -> None:
    if not code:
        assert decode(json.dumps(message))
        return
    with pytest.raises(InvalidRequest) as caught:
        decode(json.dumps(message))
    assert caught.value.code == code


def test_every_client_message_has_an_example() -> None:
    assert {message["type"] for _, message in CLIENT} == set(KINDS)


@pytest.mark.parametrize("message", SERVER, ids=lambda message: message["type"])
def test_every_server_example_has_the_keys_that_are_sent(message: dict[str, Any]) -> None:
    assert shape(message) in [shape(each) for each in EMITTED]


def test_every_server_message_has_its_examples() -> None:
    assert [shape(each) for each in EMITTED if shape(each) not in map(shape, SERVER)] == []


@pytest.mark.pins("D328")
def test_the_examples_use_one_name_for_each_block() -> None:
    short = set(names.CONFIG.aliases)
    assert not [
        message for _, message in CLIENT if message["type"] == "config" and short & set(message)
    ]


def test_every_other_name_is_documented() -> None:
    known = (names.CONFIG, names.STT, names.TTS, names.SPEAK, names.SIP_TRANSFER)
    missing = [alias for each in known for alias in each.aliases if f"`{alias}`" not in PAGE]
    # `dag` and `livekit_config` are taken, but lead to nothing that one could use.
    assert missing == ["livekit_config", "dag"]


def _codes_in(tree: ast.AST) -> Iterator[str]:
    """Find the literals that become a ``code``: assigned, passed by name, or to what makes an error."""
    position = {"Rejection": 1, "Failed": 0, "farewell": 0, "Row": 2, "failure": 2}
    for node in ast.walk(tree):
        match node:
            case ast.keyword(arg="code", value=ast.Constant(value=str(code))):
                yield code
            case ast.Assign(targets=[ast.Name("code")], value=ast.Constant(value=str(code))):
                yield code
            case ast.Call(func=ast.Name(name), args=args) if name in position:
                for argument in args[position[name] : position[name] + 1]:
                    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                        yield argument.value


def test_every_error_code_is_in_the_table_and_no_other() -> None:
    sources = [
        ROOT / "waav/errors.py",
        ROOT / "waav/security/authenticate.py",
        ROOT / "waav/security/bearer.py",
        ROOT / "waav/server/errors.py",
        *(ROOT / "waav/server/ws").glob("*.py"),
        *(ROOT / "waav/session").glob("*.py"),
        *(ROOT / "waav/speech").glob("*.py"),
    ]
    codes = {code for source in sources for code in _codes_in(ast.parse(source.read_text()))}
    # A configuration is read before there is a client; who shows no token here is asked for it.
    assert {row[0].strip("`") for row in table("Error codes")} == codes - {
        "config_error",
        "missing_auth_header",
    }


@pytest.mark.pins("D189")
def test_the_close_codes_are_those_of_the_code() -> None:
    too_big = 1009  # the protocol library's own
    codes = {
        errors.NORMAL,
        errors.GOING_AWAY,
        too_big,
        errors.INTERNAL,
        errors.TRY_AGAIN,
        errors.IDLE,
        errors.UNAUTHORIZED,
    }
    assert {int(row[0]) for row in table("Close codes")} == codes


@pytest.mark.pins("D327")
def test_the_times_are_those_of_the_code() -> None:
    times = dict(table("Timeouts"))
    idle = Settings()
    least = idle.idle_timeout_seconds - idle.idle_jitter_seconds
    most = idle.idle_timeout_seconds + idle.idle_jitter_seconds
    assert times == {
        "idle: no message either way": f"{idle.idle_timeout_seconds:g} s, drawn anew for each "
        f"connection from {least:g} to {most:g} s",
        "protocol ping to the client": f"every {idle.ping_interval_seconds:g} s",
        "no pong": f"{idle.ping_timeout_seconds:g} s, then the connection is dropped",
        "providers ready after `config`": f"{PROVIDER_TIMEOUT:g} s",
        "a client that does not read": f"{Limits().send_timeout:g} s",
        "`auth` after `auth_required`": f"{idle.auth_timeout_seconds:g} s",
    }


def test_the_limits_are_those_of_the_code() -> None:
    limits = {row[0]: row[1] for row in table("Limits")}
    assert limits["text message"] == f"1 MiB ({TEXT_LIMIT} bytes)"
    assert limits["binary message"] == f"5 MiB ({AUDIO_LIMIT} bytes)"
    assert limits["any message"] == f"{Settings().max_message_bytes >> 20} MiB"
    assert limits["`speak` text"] == f"{SPEAK_LIMIT} bytes"
    assert limits["sound before the recogniser is ready"] == f"{PRE_ROLL:g} s"
    assert limits["sound that the recogniser is late in taking"] == f"{PATIENCE:g} s"
