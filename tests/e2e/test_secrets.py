"""A gateway full of secrets, driven through all its doors in every way that goes wrong, and searched."""

import json
import re
import signal
import sys
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

import attrs
import httpx
import pytest
import trio
from click.testing import CliRunner
from joserfc.jwk import ECKey
from support import leaky_plugin
from support.clients import Client, open_client
from support.secret_scan import MARK, marked
from support.servers.http import Exchange, answer_json, open_http_server
from websockets.exceptions import ConnectionClosed, InvalidStatus

from capabilities import Secret
from waav.cli.main import main
from waav.config.expected import without_none
from waav.config.layers import OPTIONS
from waav.server.openapi import operations
from waav.server.rest.operation import under_prefixes

TOKEN = marked("token of acme, with 100 %")
WRONG = marked("token-that-nobody-knows")
OWN = marked("key-of-a-client")
"""Of a provider."""
VENDORS = ("deepgram", "elevenlabs", "openai")

CONFIG = """
[server]
host = "127.0.0.1"
port = 0
log_format = "{form}"
log_level = "debug"

[plugins]
plugin_dir = "{folder}"

[plugins.providers.leaky]
api_token = "{setting}"
url = "https://me:{user}@vendor.example"

[security]
rate_limit_requests_per_second = 100000

[overload]
enabled = false

[sip]
room_prefix = "sip-"
allowed_addresses = ["192.0.2.0/24"]

[auth]
required = true
service_url = "{service}/check?key={address}"
signing_key_path = "{key}"

[[auth.api_secrets]]
id = "acme"
secret = "{token}"
"""


def write_config(folder: Path, form: str, far_side: str) -> Path:
    """Set every option that is a secret, and lead the vendors to a far side that says keys back."""
    key = folder / "key.pem"
    key.write_bytes(ECKey.generate_key("P-256").as_pem(private=True))
    plugins = folder / "plugins"
    plugins.mkdir()
    (plugins / "leaky.py").write_text(Path(leaky_plugin.__file__).read_text())
    lines = [
        CONFIG.format(
            form=form,
            folder=plugins,
            setting=marked("setting-of-a-plugin"),
            user=marked("password-in-an-address"),
            service=far_side,
            address=marked("key-in-an-address"),
            key=key,
            token=TOKEN,
        )
    ]
    for name in VENDORS:
        lines.append(f'[plugins.providers.{name}]\nbase_url = "{far_side}"')
        lines.append(f'[plugins.providers.{name}.headers]\nX-Extra = "{marked(f"header-{name}")}"')
    for path, option in OPTIONS.items():
        if without_none(option.type) is Secret and path != ("auth", "api_secret"):
            lines.append(f'[{".".join(path[:-1])}]\n{path[-1]} = "{marked(option.key)}"')
    file = folder / "config.toml"
    file.write_text("\n".join(_merged(lines)))
    return file


def _merged(lines: Iterable[str]) -> list[str]:
    """Put tables of one name together: TOML wants each once."""
    tables: dict[str, list[str]] = {}
    for line in "\n".join(lines).splitlines():
        if line.startswith("["):
            rows = tables.setdefault(line, [])
        elif line:
            rows.append(line)
    return [part for table, rows in tables.items() for part in (table, *rows)]


async def echo(exchange: Exchange) -> None:
    """Refuse, and quote all of the request: what a careless vendor, or auth service, would do."""
    asked = exchange.request
    told = {"error": f"{asked.target} {dict(asked.headers)} {asked.body!r}"}
    # The auth service's signed requests differ each time; vendors say 401.
    status = (401, 403, 500)[sum(asked.body) % 3] if "/check" in asked.target else 401
    await answer_json(told, status)(exchange)


@attrs.frozen
class House:
    """A process, and all that was ever heard of it."""

    port: int
    heard: list[str]

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @asynccontextmanager
    async def rest(self, **options: Any) -> AsyncIterator[httpx.AsyncClient]:
        async def note(answer: httpx.Response) -> None:
            await answer.aread()
            self.heard.append(f"{answer.status_code} {answer.headers.multi_items()} {answer.text}")

        hooks = {"response": [note]}
        async with httpx.AsyncClient(
            base_url=self.http, event_hooks=hooks, timeout=30, **options
        ) as client:
            yield client

    async def talk(self, path: str, *messages: str | dict[str, Any], **headers: str) -> None:
        """Say these things to the WebSocket, and hear what comes until it has nothing more to say."""
        try:
            async with open_client(f"ws://127.0.0.1:{self.port}{path}", **headers) as client:
                for message in messages:
                    await client.socket.send(
                        message if isinstance(message, str) else json.dumps(message)
                    )
                with trio.move_on_after(1.5):
                    await self._hear(client)
        except InvalidStatus as exc:
            self.heard.append(f"{exc.response.headers} {exc.response.body!r}")

    async def _hear(self, client: Client) -> None:
        try:
            while True:
                self.heard.append(str(await client.socket.recv()))
        except ConnectionClosed as exc:
            self.heard.append(str(exc))


@asynccontextmanager
async def open_process(folder: Path, form: str) -> AsyncIterator[House]:
    """Run ``waav serve``; at its end, hear also what it has written."""
    heard: list[str] = []
    async with open_http_server(echo) as far_side:
        file = write_config(folder, form, far_side.url)
        command = [sys.executable, "-m", "waav", "--config", str(file), "serve"]
        out, err = folder / "stdout", folder / "stderr"
        with out.open("wb") as stdout, err.open("wb") as stderr:
            process = await trio.lowlevel.open_process(
                command, stdout=stdout, stderr=stderr, cwd=folder
            )
            try:
                yield House(await _port(process, out, err), heard)
                process.send_signal(signal.SIGTERM)
                with trio.fail_after(30):
                    await process.wait()
            finally:
                process.kill()
        assert far_side.requests
    heard += [_read(out), _read(err)]


def _read(file: Path) -> str:
    return file.read_text(errors="replace")


async def _port(process: trio.Process, out: Path, err: Path) -> int:
    with trio.fail_after(60):
        while True:
            if found := re.search(r"http://127\.0\.0\.1:(\d+)", _read(out)):
                return int(found.group(1))
            assert process.returncode is None, _read(err)
            await trio.sleep(0.05)


@pytest.mark.pins("D183")
@pytest.mark.parametrize("form", ["text", "json"])
async def test_logs_have_no_secrets(tmp_path: Path, form: Literal["text", "json"]) -> None:
    """Nor has anything else that leaves the process: bodies, headers, close reasons, figures."""
    async with open_process(tmp_path, form) as house:
        await knock(house)
        await ask(house)
        await talk(house)
    everything = "\n".join(house.heard)
    leaks = sorted({match[0] for match in re.finditer(rf".{{0,80}}{MARK}.{{0,40}}", everything)})
    assert not leaks, leaks[:20]
    controls(house, form)


@pytest.mark.parametrize(
    "words", [["check-config"], ["check-config", "--json"]], ids=["text", "json"]
)
def test_the_configuration_is_shown_without_them(tmp_path: Path, words: list[str]) -> None:
    file = write_config(tmp_path, "text", "http://127.0.0.1:9")
    shown = CliRunner().invoke(main, ["--config", str(file), *words]).output
    assert "plugins.providers.deepgram.headers.X-Extra" in shown
    assert shown.count("***") > 30
    assert MARK not in shown


def controls(house: House, form: str) -> None:
    """What was searched has in it what it must: otherwise nothing was found because nothing was there."""
    *answers, _, log = house.heard
    told = "\n".join(answers)
    for each in (
        "waav_build_info",
        '"openapi"',
        "unauthorized",
        "leaky: 401: no such key ***",
        "4001",
    ):
        assert each in told, each
    assert "***" in told
    for each in (
        "waav.plugin.leaky",
        "own-name",
        "in a thread",
        "RuntimeError",
        "401: no such key",
        "tenant",
    ):
        assert each in log, each
    if form == "json":  # what is doubtful in the configuration is told before there is a log
        levels = {json.loads(line)["level"] for line in log.splitlines() if line.startswith("{")}
    else:
        levels = {word.lower() for word in log.split()}
    assert {"debug", "info", "warning", "error"} <= levels
    assert log.count("***") > 50


async def knock(house: House) -> None:
    """Every route, with the token right and wrong, in every place in which it can stand."""
    async with house.rest() as client:
        for each in operations("/metrics"):
            for path in under_prefixes(each.path)[:1]:
                place = re.sub("{[^}]+}", "leaky", path)
                for token in (TOKEN, WRONG):
                    await client.request(each.method, place, params={"token": token})
                    await client.request(
                        each.method, place, headers={"Authorization": f"Bearer {token}"}
                    )
        for path in (f"/nothing?token={quote(TOKEN)}", f"/voices?token={WRONG}&token={TOKEN}"):
            await client.get(
                path, headers={"Authorization": f"Basic {WRONG}", "Cookie": f"a={WRONG}"}
            )
    for head in (
        f"GET /ws?token={WRONG} HTTP/9.9\r\n\r\n",
        f"GET /voices?token={WRONG}\r\nAuthorization: Bearer {WRONG}\r\n\r\n",
        f"GET /voices HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {WRONG}\0\r\n\r\n",
        f"GET /ws?token={WRONG} HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n",
    ):
        async with await trio.open_tcp_stream("127.0.0.1", house.port) as stream:
            await stream.send_all(head.encode())
            with trio.move_on_after(2):
                house.heard.append(bytes(await stream.receive_some(65536)).decode(errors="replace"))


async def ask(house: House) -> None:
    """The REST side, let in, with keys of the client's own, and vendors that say them back."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    own = {"X-Provider-Api-Key": OWN}
    async with house.rest(headers=headers) as client:
        for name in (*VENDORS, "leaky", "broken", "google"):
            for more in ({}, own):
                await client.get("/voices", params={"provider": name}, headers=more)
                order = {
                    "text": "Hello",
                    "tts_config": {"provider": name, "voice_id": "a", "model": "a"},
                }
                await client.post("/speak", json=order, headers=more)
                await client.post("/speak", json={**order, "text": "Hello, please"}, headers=more)
                await client.post(
                    "/speak", content=json.dumps(order)[:-1] + f', "token": "{OWN}"', headers=more
                )
                await client.get(f"/voices/clone/{name}", headers=more)
                form = {"provider": name, "name": "a"}
                files = {"samples": ("a.wav", b"RIFF0000WAVE", "audio/wav")}
                await client.post("/voices/clone", data=form, files=files, headers=more)
        await client.get("/voices", headers={"X-Provider-Api-Key": f"{OWN} with a blank"})
        for path in (
            "/plugins",
            "/providers",
            "/plugins/leaky",
            "/metrics",
            "/health",
            "/health/ready",
        ):
            await client.get(path)
        for path in ("/openapi.json", "/openapi.yaml"):
            await client.get(path)


async def talk(house: House) -> None:
    """The WebSocket: how tokens come, how keys come, and what is wrong with either."""
    known = {"Authorization": f"Bearer {TOKEN}"}
    async with trio.open_nursery() as clients:

        def client(path: str, *messages: str | dict[str, Any], **headers: str) -> None:
            clients.start_soon(partial(house.talk, path, *messages, **headers))

        for token in (TOKEN, WRONG):
            client(f"/ws?token={quote(token)}")
            client("/ws", Authorization=f"Bearer {token}")
            client("/ws", {"type": "auth", "token": token}, {"type": "ping"})
            client(f"/nothing?token={quote(token)}")
        client("/ws", {"type": "auth", "token": [WRONG]})
        client("/ws", {"type": "ath", "token": WRONG})
        client("/ws", f'{{"token": "{WRONG}')
        for name in (*VENDORS, "leaky", "broken", "google", OWN):
            for config in configurations(name):
                client("/ws", config, {"type": "speak", "text": "Hello"}, **known)


def configurations(provider: str) -> Iterator[dict[str, Any]]:
    """What a client may want of a provider with a key of its own, rightly and wrongly."""
    tts = {"provider": provider, "api_key": OWN}
    stt = {**tts, "sample_rate": 16000, "channels": 1, "language": "en-US"}
    both = {"type": "config", "stt_config": stt, "tts_config": tts}
    yield both
    yield {**both, "stream_id": "own-name"}
    yield {**both, "stt_config": [OWN]}
    yield {**both, "api_key": OWN, "nothing": OWN}
    yield {"type": "config", "tts_config": tts}
