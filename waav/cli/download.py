"""A file from the web into a folder: resumed where it broke off, checked, and there only as a whole.

While it comes it is ``<name>.part``, and ``<name>.part.source`` says of what: a part is only gone on
with if it is one of the same address, and of the same version as far as the server tells.
"""

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TypeAlias

import attrs
import httpx

from capabilities import Download

MOST = 8 << 30
"""Bytes that a file may have."""
_TIMEOUT = httpx.Timeout(30.0, connect=15.0)
_GOOD = {httpx.codes.OK, httpx.codes.PARTIAL_CONTENT}
_MOST_DROPS = 20
"""How often a server may break off before it is given up; each time something must have come."""

Progress: TypeAlias = Callable[
    [str, int, int | None], AbstractContextManager[Callable[[int], object]]
]
"""Told the name, the bytes that are there and those of the whole, if known; then of each chunk."""


class DownloadFailed(Exception):
    """A file did not come, or is not the right one; the message says why."""


class Outcome(StrEnum):
    """What became of a file."""

    FETCHED = "fetched"
    RIGHT = "there already, and right"
    UNKNOWN = "there already; nothing is known of its SHA-256"


@attrs.frozen
class Fetcher:
    """Fetches files into one folder."""

    client: httpx.Client
    folder: Path
    progress: Progress
    most: int = MOST

    def fetch(self, wanted: Download, *, force: bool = False) -> Outcome:
        """Fetch a file, unless it is there.

        Interrupting it keeps what has come for the next time.

        Raises:
            DownloadFailed: it did not come, or is not the right one.
            OSError: it cannot be written.
        """
        place = _place(self.folder, wanted)
        if not force and place.exists():
            expected = wanted.sha256 or _read(_beside(place, ".sha256"))
            if not expected:
                return Outcome.UNKNOWN
            if _hash(place) == expected.lower():
                return Outcome.RIGHT
        self.folder.mkdir(parents=True, exist_ok=True)
        part = _Part(_beside(place, ".part"), wanted, force=force)
        self._fill(part)
        found = _hash(part.path)
        if wanted.sha256 and found != wanted.sha256.lower():
            part.drop()
            raise DownloadFailed(
                f"{wanted.name}: what comes from {_shown(wanted.url)} has the SHA-256 {found},"
                f" not {wanted.sha256}; it was removed"
            )
        _beside(place, ".sha256").write_text(f"{found}\n", "ascii")
        part.path.replace(place)
        part.drop()
        return Outcome.FETCHED

    def _fill(self, part: "_Part") -> None:
        """Get all of it; a server that breaks off is asked for the rest, as long as something comes."""
        for _ in range(_MOST_DROPS):
            before = part.size
            try:
                self._get(part)
            except (httpx.RequestError, httpx.InvalidURL) as exc:
                if isinstance(exc, httpx.TransportError) and part.size > before:
                    continue
                told = f"{_shown(part.wanted.url)} cannot be fetched: {_said(exc)}"
                raise DownloadFailed(f"{part.wanted.name}: {told}") from exc
            return
        told = f"{_shown(part.wanted.url)} broke off {_MOST_DROPS} times; run it again to go on"
        raise DownloadFailed(f"{part.wanted.name}: {told}")

    def _get(self, part: "_Part") -> None:
        with self.client.stream("GET", part.wanted.url, headers=part.headers()) as answer:
            if answer.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE and part.size:
                part.drop()
            elif answer.status_code in _GOOD:
                self._take(part, answer)
                return
            else:
                told = f"{_shown(part.wanted.url)} answers {answer.status_code}"
                reason = f"{told} {answer.reason_phrase}".rstrip()
                raise DownloadFailed(f"{part.wanted.name}: {reason}")
        self._get(part)  # anew, and without a part

    def _take(self, part: "_Part", answer: httpx.Response) -> None:
        start = part.begin(answer)
        size = answer.headers.get("content-length", "")
        whole = start + int(size) if size.isdecimal() else None
        self._check_size(part, whole or 0)
        with (
            self.progress(part.wanted.name, start, whole) as advance,
            part.path.open("ab") as file,
        ):
            for chunk in answer.iter_raw():  # as it comes: what gathers would be lost in a drop
                start += len(chunk)
                self._check_size(part, start)
                file.write(chunk)
                advance(len(chunk))

    def _check_size(self, part: "_Part", size: int) -> None:
        if size > self.most:
            part.drop()
            told = f"{_shown(part.wanted.url)} is larger than {self.most} bytes"
            raise DownloadFailed(f"{part.wanted.name}: {told}")


@attrs.frozen
class _Part:
    """What has come of a file."""

    path: Path
    wanted: Download
    force: bool = attrs.field(kw_only=True)

    def __attrs_post_init__(self) -> None:
        if self.force or not self._goes_on():
            self.drop()

    @property
    def size(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    def headers(self) -> dict[str, str]:
        """Ask for the rest, if the version is still the same; and for bytes as they are."""
        asked = {"Accept-Encoding": "identity"}
        if self.size:
            asked["Range"] = f"bytes={self.size}-"
            if version := self._source[1]:
                asked["If-Range"] = version
        return asked

    def begin(self, answer: httpx.Response) -> int:
        """Return where the bytes of an answer go; a whole answer goes to the beginning."""
        if answer.headers.get("content-encoding", "identity") != "identity":
            told = f"{_shown(self.wanted.url)} comes compressed, though that was not asked for"
            raise DownloadFailed(f"{self.wanted.name}: {told}")
        size = self.size
        if answer.status_code == httpx.codes.PARTIAL_CONTENT:
            if answer.headers.get("content-range", "").startswith(f"bytes {size}-"):
                return size
            self.drop()
            told = f"{_shown(self.wanted.url)} sends another part than was asked for"
            raise DownloadFailed(f"{self.wanted.name}: {told}; run it again")
        self.drop()
        version = answer.headers.get("etag", "")
        strong = "" if version.startswith("W/") else version
        _beside(self.path, ".source").write_text(f"{self._address}\n{strong}\n", "utf-8")
        return 0

    def drop(self) -> None:
        """Forget it."""
        self.path.unlink(missing_ok=True)
        _beside(self.path, ".source").unlink(missing_ok=True)

    def _goes_on(self) -> bool:
        """Whether the rest would fit: the SHA-256 shows it in the end, or the server's version now."""
        address, version = self._source
        return address == self._address and bool(self.wanted.sha256 or version)

    @property
    def _source(self) -> tuple[str, str]:
        address, _, version = _read(_beside(self.path, ".source")).partition("\n")
        return address, version

    @property
    def _address(self) -> str:
        # Not the address itself: it may have a key in it.
        return hashlib.sha256(self.wanted.url.encode()).hexdigest()


@contextmanager
def open_client() -> Iterator[httpx.Client]:
    """Open a client with the proxies and certificates of the environment (``HTTPS_PROXY``, ``SSL_CERT_FILE``)."""
    try:
        client = httpx.Client(
            timeout=_TIMEOUT, follow_redirects=True, event_hooks={"response": [_stay_secret]}
        )
    except (ValueError, OSError, httpx.InvalidURL) as exc:
        told = f"the proxies or certificates of the environment cannot be used: {_said(exc)}"
        raise DownloadFailed(told) from exc
    with client:
        yield client


def _stay_secret(answer: httpx.Response) -> None:
    """Refuse to be led from ``https`` to ``http``, where anybody on the way may put in a file of his."""
    if answer.has_redirect_location and answer.url.scheme == "https":
        target = answer.url.join(answer.headers["location"])
        if target.scheme != "https":
            told = f"{_shown(str(answer.url))} leads to {_shown(str(target))}"
            raise DownloadFailed(f"{told}, which is not https; that is not followed")


def _place(folder: Path, wanted: Download) -> Path:
    if wanted.name in {"", ".", ".."} or os.sep in wanted.name or "\\" in wanted.name:
        raise DownloadFailed(f"{wanted.name!r} is no name of a file")
    return folder / wanted.name


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _said(error: Exception) -> str:
    # A bad address is quoted, and a password with a slash in it is taken for a port.
    said = "" if isinstance(error, httpx.InvalidURL) else str(error)
    return said or type(error).__name__


def _shown(url: str) -> str:
    """Leave out of an address what may be secret: user, password, query."""
    try:
        parts = httpx.URL(url)
    except httpx.InvalidURL:
        return "an address that is none"
    return str(parts.copy_with(username=None, password=None, query=None, fragment=None))
