"""TLS of the port: what it agrees to, and how a certificate is renewed while everybody goes on talking."""

import logging
import os
import signal
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509 import load_der_x509_certificate

import waav.server.tls
from waav.server.signals import Reloads, reload_on_hangup
from waav.server.tls import Tls, make_ssl_context


@attrs.frozen
class Files:
    """A certificate and its key, which somebody renews."""

    certificate: Path
    key: Path
    authority: trustme.CA = attrs.Factory(trustme.CA)

    def renew(self) -> int:
        """Write both anew, as tools do: beside, and then in their place. Return the serial number."""
        issued = self.authority.issue_cert("localhost", "127.0.0.1")
        chain = b"".join(pem.bytes() for pem in issued.cert_chain_pems)
        for path, data in ((self.certificate, chain), (self.key, issued.private_key_pem.bytes())):
            fresh = path.with_suffix(".new")
            fresh.write_bytes(data)
            fresh.replace(path)
        return serial(ssl.PEM_cert_to_DER_cert(issued.cert_chain_pems[0].bytes().decode()))

    async def read(self) -> Tls:
        return await Tls.read(self.certificate, self.key)


def serial(der: bytes) -> int:
    return load_der_x509_certificate(der).serial_number


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path / "cert.pem", tmp_path / "key.pem")


def trusting(files: Files) -> ssl.SSLContext:
    context = ssl.create_default_context()
    files.authority.configure_trust(context)
    return context


async def secured(
    running: Any, files: Files, context: ssl.SSLContext | None = None
) -> trio.SSLStream[trio.SocketStream]:
    context = context or trusting(files)
    transport = await running.connect()
    stream = trio.SSLStream(transport, context, server_hostname="localhost", https_compatible=True)
    try:
        await stream.do_handshake()
    except trio.BrokenResourceError:
        await transport.aclose()
        raise
    return stream


async def shown_to(running: Any, files: Files) -> int:
    """The serial number of the certificate that a new client is shown."""
    async with await secured(running, files) as stream:
        return serial(stream.getpeercert(binary_form=True))


async def until(condition: Callable[[], bool]) -> None:
    with trio.fail_after(10):
        while not condition():  # noqa: ASYNC110  # a thread, or the disk
            await trio.sleep(0.01)


# What is agreed to.


async def test_old_versions_are_refused(start: Any, files: Files) -> None:
    files.renew()
    running = await start(tls=await files.read())
    context = trusting(files)
    with pytest.warns(DeprecationWarning, match="TLSv1_1 is deprecated"):
        context.minimum_version = ssl.TLSVersion.TLSv1_1
    with pytest.warns(DeprecationWarning, match="TLSv1_1 is deprecated"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises(trio.BrokenResourceError):
        await secured(running, files, context)


@pytest.mark.parametrize(
    ("ciphers", "fine"),
    [
        ("ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256", True),
        ("ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305", True),
        ("ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA256", False),
        ("DHE-RSA-AES128-GCM-SHA256", False),
        ("AES128-GCM-SHA256", False),
    ],
)
async def test_a_client_of_tls_1_2_gets_forward_secrecy_or_nothing(
    start: Any, files: Files, ciphers: str, *, fine: bool
) -> None:
    files.renew()
    running = await start(tls=await files.read())
    context = trusting(files)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(ciphers)
    if fine:
        async with await secured(running, files, context) as stream:
            assert stream.version() == "TLSv1.2"
            assert stream.compression() is None
    else:
        with pytest.raises(trio.BrokenResourceError):
            await secured(running, files, context)


def test_nobody_may_ask_for_another_handshake_or_for_compression(files: Files) -> None:
    files.renew()
    options = make_ssl_context(files.certificate, files.key).options
    assert ssl.OP_NO_RENEGOTIATION in options
    assert ssl.OP_NO_COMPRESSION in options


def test_a_certificate_that_is_none(files: Files) -> None:
    files.renew()
    with pytest.raises(FileNotFoundError):
        make_ssl_context(files.certificate.with_name("missing.pem"), files.key)
    with pytest.raises(OSError, match="PEM"):
        make_ssl_context(files.key, files.key)


def test_a_key_with_a_password_is_an_error_and_not_a_question(files: Files) -> None:
    """Nobody sits at the terminal of a server that starts."""
    files.renew()
    key = load_pem_private_key(files.key.read_bytes(), None)
    locked = BestAvailableEncryption(b"hush")
    files.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, locked))
    with pytest.raises(ssl.SSLError):
        make_ssl_context(files.certificate, files.key)


# Renewing it.


@attrs.frozen
class Kept:
    """A server whose certificate is looked after."""

    running: Any
    tls: Tls
    reloads: Reloads = attrs.Factory(Reloads)


@pytest.fixture
async def kept(start: Any, files: Files, nursery: trio.Nursery) -> Kept:
    files.renew()
    tls = await files.read()
    kept = Kept(await start(tls=tls), tls)
    nursery.start_soon(tls.keep, kept.reloads)
    return kept


async def test_a_new_certificate_is_shown_on_demand_and_old_connections_go_on(
    kept: Kept, files: Files
) -> None:
    before = await shown_to(kept.running, files)
    async with await secured(kept.running, files) as old:
        after, context = files.renew(), kept.tls.context
        kept.reloads.ask()
        await until(lambda: kept.tls.context is not context)
        assert await shown_to(kept.running, files) == after != before
        await old.send_all(b"GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert b"hello over 1.1 from https" in b"".join([bytes(data) async for data in old])


async def test_a_change_of_the_files_is_noticed(
    start: Any, files: Files, nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """First only one of them is new: that is no reason to be without a certificate."""
    monkeypatch.setattr(waav.server.tls, "POLL", 0.01)
    files.renew()
    tls = await files.read()
    running = await start(tls=tls)
    nursery.start_soon(tls.keep, Reloads())
    context, key = tls.context, files.key.read_bytes()
    after = files.renew()
    await until(lambda: tls.context is not context)
    assert await shown_to(running, files) == after
    context, seen = tls.context, tls._seen
    files.key.write_bytes(key)
    await until(lambda: tls._seen != seen)
    assert tls.context is context
    assert await shown_to(running, files) == after


async def test_whoever_may_read_it_at_last_finds_it_changed(files: Files) -> None:
    """Tools write a key for themselves first; nothing in it changes when they hand it over."""
    files.renew()
    before = (await files.read())._seen
    files.key.chmod(0o640)
    assert (await files.read())._seen != before


async def test_while_nothing_changes_nothing_is_read(
    files: Files, nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    files.renew()
    tls = await files.read()
    context = tls.context
    nursery.start_soon(tls.keep, Reloads())
    await trio.sleep(3600)
    assert tls.context is context
    assert autojump_clock.current_time() >= 3600


@pytest.mark.parametrize("spoil", [b"nonsense", None], ids=["nonsense", "gone"])
async def test_a_bad_one_is_told_and_the_old_one_goes_on(
    kept: Kept, files: Files, caplog: pytest.LogCaptureFixture, spoil: bytes | None
) -> None:
    before = await shown_to(kept.running, files)
    files.certificate.unlink()
    if spoil is not None:
        files.certificate.write_bytes(spoil)
    kept.reloads.ask()
    await until(lambda: any(each.levelno == logging.ERROR for each in caplog.records))
    (told,) = [each for each in caplog.records if each.levelno == logging.ERROR]
    assert "stays the old one" in told.getMessage()
    assert await shown_to(kept.running, files) == before
    after, context = files.renew(), kept.tls.context
    kept.reloads.ask()
    await until(lambda: kept.tls.context is not context)
    assert await shown_to(kept.running, files) == after


# Who asks for it.


async def test_each_hangup_is_a_wish_and_two_may_be_one() -> None:
    async with reload_on_hangup() as reloads:
        for expected in (1, 2):
            os.kill(os.getpid(), signal.SIGHUP)
            with trio.fail_after(5):
                await reloads.after(expected - 1)
            assert reloads.asked == expected


async def test_a_wish_that_comes_while_nobody_waits_is_not_lost(
    autojump_clock: trio.testing.MockClock,
) -> None:
    reloads = Reloads()
    reloads.ask()
    await reloads.after(0)
    assert autojump_clock.current_time() == 0.0
    with trio.move_on_after(60) as waited:
        await reloads.after(1)
    assert waited.cancelled_caught
