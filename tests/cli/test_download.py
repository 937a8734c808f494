"""Files from the web: whole or not at all, whatever the server does."""

import errno
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio
from support.servers.certificates import Authority
from support.servers.http import Answer, Cut, Exchange, HTTPServer, open_http_server

from capabilities import Download
from waav.cli.download import DownloadFailed, Fetcher, Outcome, open_client

DATA = bytes(range(256)) * 2000
HASH = hashlib.sha256(DATA).hexdigest()
NAME = "model.onnx"


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@attrs.define
class Shown:
    """What somebody who waits was told."""

    told: list[tuple[str, int, int | None]] = attrs.field(factory=list)
    came: int = 0

    @contextmanager
    def __call__(self, name: str, there: int, whole: int | None) -> Iterator[Any]:
        self.told.append((name, there, whole))
        yield self.advance

    def advance(self, size: int) -> None:
        self.came += size


@attrs.define
class Folder:
    """A folder, and what was told of the files that came into it."""

    path: Path
    shown: Shown = attrs.field(factory=Shown)

    async def fetch(
        self, url: str, sha256: str = "", *, most: int = 1 << 20, force: bool = False
    ) -> Outcome:
        def fetch() -> Outcome:
            with open_client() as client:
                fetcher = Fetcher(client, self.path, self.shown, most)
                return fetcher.fetch(Download(NAME, url, sha256), force=force)

        return await trio.to_thread.run_sync(fetch)

    @property
    def file(self) -> Path:
        return self.path / NAME

    def names(self) -> list[str]:
        return sorted(each.name for each in self.path.iterdir())


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "plugins" / "some")


def ranges(server: HTTPServer) -> list[str | None]:
    return [request.headers.get("range") for request in server.requests]


@attrs.frozen
class Rest:
    """Answers for a part: with what is asked for, if the version is still this one."""

    version: str = ""

    async def __call__(self, exchange: Exchange) -> None:
        headers = exchange.request.headers
        tag = {"ETag": self.version} if self.version else {}
        if headers.get("if-range", self.version) != self.version or "range" not in headers:
            await Answer(200, DATA, tag)(exchange)
            return
        start = int(headers["range"].removeprefix("bytes=").removesuffix("-"))
        told = {"Content-Range": f"bytes {start}-{len(DATA) - 1}/{len(DATA)}"}
        await Answer(206, DATA[start:], told | tag)(exchange)


@attrs.frozen
class Breaks:
    """Sends some of it, and hangs up."""

    size: int
    version: str = ""

    async def __call__(self, exchange: Exchange) -> None:
        tag = [("ETag", self.version)] if self.version else []
        await exchange.head(200, [("Content-Length", str(len(DATA))), *tag])
        await exchange.body(DATA[: self.size])
        await exchange.stream.aclose()


async def test_a_file_comes_whole_with_its_hash_beside_it(folder: Folder) -> None:
    async with open_http_server(Answer(200, DATA)) as server:
        assert await folder.fetch(server.url) is Outcome.FETCHED
    assert folder.file.read_bytes() == DATA
    assert (folder.path / f"{NAME}.sha256").read_text().strip() == HASH
    assert folder.names() == [NAME, f"{NAME}.sha256"]
    assert folder.shown == Shown([(NAME, 0, len(DATA))], len(DATA))
    assert server.requests[0].headers["accept-encoding"] == "identity"


async def test_a_file_of_unknown_length_comes_too(folder: Folder) -> None:
    chunks = tuple(DATA[at : at + 100_000] for at in range(0, len(DATA), 100_000))
    async with open_http_server(Answer(200, chunks)) as server:
        assert await folder.fetch(server.url, HASH.upper()) is Outcome.FETCHED
    assert folder.file.read_bytes() == DATA
    assert folder.shown.told == [(NAME, 0, None)]


async def test_redirects_are_followed(folder: Folder) -> None:
    away = Answer(302, headers={"Location": "/elsewhere?token=abc"})
    async with open_http_server(away, Answer(200, DATA)) as server:
        await folder.fetch(f"{server.url}/model")
    assert [request.target for request in server.requests] == ["/model", "/elsewhere?token=abc"]
    assert folder.file.read_bytes() == DATA


@pytest.mark.parametrize("steps", [0, 1], ids=["at-once", "behind-a-good-one"])
async def test_a_redirect_from_https_to_http_is_refused(
    folder: Folder, steps: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also if the SHA-256 is known: nobody need see what is asked for."""
    authority = Authority(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    async with open_http_server(Answer(200, DATA)) as plain:
        down = Answer(302, headers={"Location": f"{plain.url}/model?token=abc"})
        replies = [*[Answer(302, headers={"Location": "/elsewhere"})] * steps, down]
        async with open_http_server(*replies, tls=authority.server()) as server:
            with pytest.raises(DownloadFailed, match="not https") as caught:
                await folder.fetch(f"{server.url}/model", HASH)
            assert "token" not in str(caught.value)
        assert plain.requests == []
    assert not folder.file.exists()


async def test_a_redirect_to_https_is_followed(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    async with open_http_server(Answer(200, DATA), tls=authority.server()) as server:
        up = Answer(302, headers={"Location": f"{server.url}/model"})
        async with open_http_server(up) as plain:
            await folder.fetch(plain.url, HASH)
    assert folder.file.read_bytes() == DATA


async def test_what_is_there_and_right_is_not_fetched_again(folder: Folder) -> None:
    async with open_http_server(Answer(200, DATA)) as server:
        await folder.fetch(server.url)
        assert await folder.fetch(server.url) is Outcome.RIGHT
        assert await folder.fetch(server.url, HASH) is Outcome.RIGHT
        assert len(server.requests) == 1
        assert await folder.fetch(server.url, force=True) is Outcome.FETCHED
        assert len(server.requests) == 2


async def test_what_somebody_put_there_is_left_alone(folder: Folder) -> None:
    folder.path.mkdir(parents=True)
    folder.file.write_bytes(b"mine")
    async with open_http_server(Answer(200, DATA)) as server:
        assert await folder.fetch(server.url) is Outcome.UNKNOWN
        assert folder.file.read_bytes() == b"mine"
        assert await folder.fetch(server.url, HASH) is Outcome.FETCHED, "it is not the right one"
    assert folder.file.read_bytes() == DATA


async def test_what_was_spoilt_is_fetched_again(folder: Folder) -> None:
    async with open_http_server(Answer(200, DATA)) as server:
        await folder.fetch(server.url)
        folder.file.write_bytes(DATA[:-1])
        assert await folder.fetch(server.url) is Outcome.FETCHED
    assert folder.file.read_bytes() == DATA


async def test_after_a_drop_it_goes_on_where_it_was(folder: Folder) -> None:
    async with open_http_server(Breaks(200_000), Rest()) as server:
        assert await folder.fetch(server.url, HASH) is Outcome.FETCHED
    first, second = ranges(server)
    assert first is None
    assert second is not None
    start = int(second.removeprefix("bytes=").removesuffix("-"))
    assert 0 < start <= 200_000
    assert folder.file.read_bytes() == DATA
    assert folder.shown.told[1] == (NAME, start, len(DATA))
    assert folder.names() == [NAME, f"{NAME}.sha256"]


async def test_a_server_that_sends_nothing_more_is_given_up_and_the_part_is_kept(
    folder: Folder,
) -> None:
    async with open_http_server(Breaks(200_000, '"1"'), Cut()) as server:
        with pytest.raises(DownloadFailed, match="cannot be fetched"):
            await folder.fetch(server.url)
        assert len(server.requests) == 2
    assert folder.names() == [f"{NAME}.part", f"{NAME}.part.source"]


@pytest.mark.parametrize(
    ("version", "sha256", "asked"),
    [('"1"', "", True), ("", HASH, True), ("", "", False), ('W/"1"', "", False)],
    ids=["a-version", "pinned", "neither", "a-weak-version"],
)
async def test_a_second_run_goes_on_if_it_can_tell_that_it_fits(
    version: str, sha256: str, *, asked: bool, folder: Folder
) -> None:
    replies = Breaks(200_000, version), Cut(), Rest(version)
    async with open_http_server(*replies) as server:
        with pytest.raises(DownloadFailed):
            await folder.fetch(server.url, sha256)
        assert await folder.fetch(server.url, sha256) is Outcome.FETCHED
        assert (ranges(server)[2] is not None) is asked
        assert server.requests[2].headers.get("if-range", "") == (version if asked else "")
    assert folder.file.read_bytes() == DATA


async def test_a_part_of_another_version_is_dropped(folder: Folder) -> None:
    async with open_http_server(Breaks(200_000, '"1"'), Cut(), Rest('"2"')) as server:
        with pytest.raises(DownloadFailed):
            await folder.fetch(f"{server.url}/a")
        assert await folder.fetch(f"{server.url}/a") is Outcome.FETCHED
        assert ranges(server)[2] is not None, "the server says that it is another version now"
    assert folder.file.read_bytes() == DATA


async def test_a_part_of_another_address_is_dropped(folder: Folder) -> None:
    async with open_http_server(Breaks(200_000, '"1"'), Cut(), Rest('"1"')) as server:
        with pytest.raises(DownloadFailed):
            await folder.fetch(f"{server.url}/a", HASH)
        assert await folder.fetch(f"{server.url}/b", HASH) is Outcome.FETCHED
    assert ranges(server)[2] is None


async def test_a_server_that_knows_no_ranges_sends_all_of_it(folder: Folder) -> None:
    async with open_http_server(Breaks(200_000), Answer(200, DATA)) as server:
        assert await folder.fetch(server.url, HASH) is Outcome.FETCHED
    assert ranges(server)[1] is not None
    assert folder.file.read_bytes() == DATA


async def test_a_part_that_is_whole_already_is_fetched_anew(folder: Folder) -> None:
    async with open_http_server(Breaks(200_000), Answer(416), Answer(200, DATA)) as server:
        assert await folder.fetch(server.url, HASH) is Outcome.FETCHED
    assert ranges(server)[2] is None


async def test_another_part_than_was_asked_for_is_refused(folder: Folder) -> None:
    other = Answer(206, DATA[5:], {"Content-Range": f"bytes 5-{len(DATA) - 1}/{len(DATA)}"})
    async with open_http_server(Breaks(200_000), other) as server:
        with pytest.raises(DownloadFailed, match="another part than was asked for"):
            await folder.fetch(server.url, HASH)
    assert folder.names() == []


async def test_a_wrong_file_is_removed_and_the_old_one_stays(folder: Folder) -> None:
    folder.path.mkdir(parents=True)
    folder.file.write_bytes(b"old")
    async with open_http_server(Answer(200, DATA)) as server:
        with pytest.raises(DownloadFailed, match=rf"has the SHA-256 {HASH}, not {'ab' * 32}"):
            await folder.fetch(f"{server.url}/m?key=geheim", "ab" * 32)
    assert folder.names() == [NAME]
    assert folder.file.read_bytes() == b"old"


@pytest.mark.parametrize("status", [404, 403, 500, 204])
async def test_an_answer_that_is_no_file_is_told(status: int, folder: Folder) -> None:
    async with open_http_server(Answer(status)) as server:
        with pytest.raises(DownloadFailed, match=rf"/m answers {status}") as failure:
            await folder.fetch(f"{server.url}/m?key=geheim")
    assert "geheim" not in str(failure.value), "an address may have a key in it"
    assert folder.names() == []


async def test_a_compressed_answer_is_refused(folder: Folder) -> None:
    async with open_http_server(Answer(200, DATA, {"Content-Encoding": "gzip"})) as server:
        with pytest.raises(DownloadFailed, match="comes compressed"):
            await folder.fetch(server.url)


@pytest.mark.parametrize("body", [DATA, (DATA, DATA)], ids=["told", "untold"])
async def test_a_file_that_is_too_large_is_not_kept(body: Any, folder: Folder) -> None:
    async with open_http_server(Answer(200, body)) as server:
        with pytest.raises(DownloadFailed, match="is larger than 1000 bytes"):
            await folder.fetch(server.url, most=1000)
    assert folder.names() == []


async def test_a_server_that_breaks_off_for_ever_is_given_up(folder: Folder) -> None:
    async with open_http_server(Always()) as server:
        with pytest.raises(DownloadFailed, match="broke off 20 times"):
            await folder.fetch(server.url, HASH)
        assert len(server.requests) == 20


class Always:
    """Sends a little more each time."""

    async def __call__(self, exchange: Exchange) -> None:
        asked = exchange.request.headers.get("range", "bytes=0-")
        start = int(asked.removeprefix("bytes=").removesuffix("-"))
        told = [("Content-Range", f"bytes {start}-{len(DATA) - 1}/{len(DATA)}")]
        await exchange.head(206, [("Content-Length", str(len(DATA) - start)), *told])
        await exchange.body(DATA[start : start + 100])
        await exchange.stream.aclose()


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/x", "model.onnx", "http://[", "http://a b/"])
async def test_an_address_that_is_none_is_told(url: str, folder: Folder) -> None:
    with pytest.raises(DownloadFailed, match="cannot be fetched"):
        await folder.fetch(url)


async def test_a_mistyped_address_is_not_quoted(folder: Folder) -> None:
    """A password with a slash in it is taken for a port, and the library would say which."""
    with pytest.raises(DownloadFailed, match="an address that is none") as told:
        await folder.fetch("https://me:hunter2/x@127.0.0.1/model.onnx")
    assert "hunter2" not in str(told.value)


@pytest.mark.parametrize("name", ["", "..", "a/b", "/etc/x", "a\\b"])
def test_a_name_leads_nowhere_else(name: str, tmp_path: Path) -> None:
    with open_client() as client, pytest.raises(DownloadFailed, match="is no name of a file"):
        Fetcher(client, tmp_path, Shown()).fetch(Download(name, "http://127.0.0.1:9/"))


@pytest.mark.parametrize("url", ["gopher://me:hunter2@127.0.0.1", "http://me:hunter2/x@127.0.0.1"])
def test_bad_proxies_of_the_environment_are_told(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", url)
    with pytest.raises(DownloadFailed, match="proxies or certificates") as told, open_client():
        pass
    assert "hunter2" not in str(told.value)


@attrs.define
class Stops(Shown):
    """Something happens when the first chunk has come."""

    what: BaseException = attrs.field(kw_only=True)

    def advance(self, size: int) -> None:
        super().advance(size)
        raise self.what


@pytest.mark.parametrize(
    "what",
    [KeyboardInterrupt(), OSError(errno.ENOSPC, "No space left on device")],
    ids=["ctrl-c", "a-full-disk"],
)
async def test_what_has_come_is_kept_for_the_next_time(what: BaseException, folder: Folder) -> None:
    folder.shown = Stops(what=what)
    async with open_http_server(Breaks(200_000, '"1"'), Rest('"1"')) as server:
        with pytest.raises(type(what)):
            await folder.fetch(server.url)
        assert folder.names() == [f"{NAME}.part", f"{NAME}.part.source"]
        folder.shown = Shown()
        assert await folder.fetch(server.url) is Outcome.FETCHED
    assert ranges(server)[1] is not None
    assert folder.file.read_bytes() == DATA
