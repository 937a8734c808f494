"""What an attacker does with the cases of a round over HTTP, and what the gateway owes it."""

import json
import re
from contextlib import suppress

import attrs
import trio

from fuzz.bodies import TOKEN
from fuzz.cases import Case, Round
from fuzz.findings import HTTP, Findings
from fuzz.peer import House

_READ = 1 << 16
_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
_EMPTY_LINE = re.compile(rb"\n\r?\n")
_PREFACE = b"PRI * HTTP/2.0"
_ERROR = {"error", "message", "code", "request_id"}


@attrs.frozen
class Answer:
    """Of one request."""

    status: int
    """0: there is none."""
    head: bytes
    body: bytes


async def knock(house: House, of: Round, findings: Findings) -> None:
    """Say each on a connection of its own, and then no more.

    Owed: an answer that is one, of no bug, and no more of them than there can be requests.
    """
    for case in of.cases():
        answer = b""
        async with house.connect() as stream:
            # The gateway may have had enough before it has all.
            with suppress(trio.BrokenResourceError):
                await stream.send_all(case.data)
                await stream.send_eof()
            with suppress(trio.BrokenResourceError):
                while data := await stream.receive_some(_READ):
                    answer += data
        _judge_all(answer, case, of, findings)
        findings.cases[of.kind] += 1


def _judge_all(answer: bytes, case: Case, of: Round, findings: Findings) -> None:
    # Behind a 101 there are frames; and to whom HTTP/2 is spoken, it is spoken.
    statuses = [int(each) for each in _STATUS.findall(answer)]
    fine = not answer or _STATUS.match(answer) or case.data.startswith(_PREFACE)
    findings.expect(fine, f"answer {answer[:99]!r}", of, case)
    for status in statuses or [0]:
        _judge(status, case, of, findings)
    refusals = sum(status >= 400 for status in statuses)
    # What stands behind an empty line is another request, unless a length was told.
    most = 1 + len(_EMPTY_LINE.findall(case.data))
    findings.expect(refusals <= most, f"{refusals} refusals: {statuses}", of, case)


def _judge(status: int, case: Case, of: Round, findings: Findings) -> None:
    findings.answers[f"HTTP {status}" if status else "HTTP without a word"] += 1
    findings.expect(status < 500 or status in HTTP, f"status {status}", of, case)


async def ask(house: House, of: Round, findings: Findings) -> None:
    """Ask them one after the other, on as few connections as the gateway lets us.

    Owed: an answer to each, of no bug, and every error in its form.
    """
    left = list(of.cases())
    while left:
        async with house.connect() as stream:
            before = len(left)
            while left and (answer := await _ask(stream, house, left[0])).status:
                _judge_one(answer, left.pop(0), of, findings)
                if b"connection: close" in answer.head.lower():
                    break
            # The gateway may close a connection behind an answer, but not before one.
            if len(left) == before:
                findings.expect(fine=False, what="no answer", of=of, case=left.pop(0))


def _judge_one(answer: Answer, case: Case, of: Round, findings: Findings) -> None:
    findings.cases[of.kind] += 1
    _judge(answer.status, case, of, findings)
    if answer.status >= 400:
        findings.expect(_is_error(answer.body), f"error {answer.body[:99]!r}", of, case)


async def _ask(stream: trio.SocketStream, house: House, case: Case) -> Answer:
    received = b""
    with suppress(trio.BrokenResourceError):
        await stream.send_all(case.data.replace(TOKEN.encode(), house.token.encode()))
    with suppress(trio.BrokenResourceError):
        while (end := received.find(b"\r\n\r\n") + 4) < 4 or len(received) < end + _size(received):
            data = await stream.receive_some(_READ)
            if not data:
                break
            received += data
    found = _STATUS.match(received)
    head, _, body = received.partition(b"\r\n\r\n")
    return Answer(int(found[1]) if found else 0, head, body)


def _size(head: bytes) -> int:
    found = _LENGTH.search(head)
    return int(found[1]) if found else 0


def _is_error(body: bytes) -> bool:
    try:
        told = json.loads(body)
    except ValueError:
        return False
    return isinstance(told, dict) and set(told) == _ERROR
