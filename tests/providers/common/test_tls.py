"""Whose certificates are trusted."""

import ssl
import threading
from pathlib import Path

import pytest
import trio
from support.servers.certificates import Authority

from providers._common import tls
from providers._common.tls import tls_context


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)


def subjects(context: ssl.SSLContext) -> int:
    return len(context.get_ca_certs())


async def test_without_a_word_the_public_authorities_are_trusted() -> None:
    context = await tls_context()
    assert subjects(context) > 50
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


async def test_a_file_of_its_own_replaces_them(authority: Authority) -> None:
    assert subjects(await tls_context(authority.file)) == 1


async def test_the_usual_variable_names_a_file(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    assert subjects(await tls_context()) == 1


async def test_the_usual_variable_names_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    assert subjects(await tls_context()) == 0


async def test_a_missing_file_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "missing.pem"
    with pytest.raises(OSError, match=r"missing\.pem"):
        await tls_context(missing)


async def test_a_file_that_holds_no_certificates_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("nothing")
    with pytest.raises(OSError, match=r"empty\.pem"):
        await tls_context(tmp_path / "empty.pem")


async def test_ten_plugins_that_open_at_once_share_one_that_is_made_once_and_in_a_thread(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []
    real = ssl.create_default_context

    def counted(**options: str) -> ssl.SSLContext:
        made.append(threading.get_ident())
        threading.Event().wait(0.05)  # the real list takes as long, and the others come meanwhile
        return real(**options)

    monkeypatch.setattr(tls.ssl, "create_default_context", counted)
    contexts: list[ssl.SSLContext] = []

    async def open_plugin() -> None:
        contexts.append(await tls_context(authority.file))

    async with trio.open_nursery() as nursery:
        for _ in range(10):
            nursery.start_soon(open_plugin)
    assert len(made) == 1
    assert made != [threading.get_ident()]
    assert len(set(map(id, contexts))) == 1


async def test_another_protocol_gets_another_context(authority: Authority) -> None:
    """HTTP/2 is agreed on in the handshake, so a context cannot serve both."""
    assert await tls_context(authority.file) is not await tls_context(authority.file, ["h2"])
