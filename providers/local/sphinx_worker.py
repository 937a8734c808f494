"""The program of a recogniser process: requests on standard input, a reply to each on the output.

It is a process and not a thread because pocketsphinx holds Python's lock while it works: half a
second to load the model, a tenth of one to finish an utterance (see docs/providers/local.md).
"""

import json
import os
from typing import BinaryIO

from providers.local import sphinx_wire as wire
from providers.local.sphinx_recogniser import Heard, Recogniser


def serve(requests: BinaryIO, replies: BinaryIO) -> None:
    """Answer until the other side closes."""
    recogniser = Recogniser()
    _send(replies, [])
    while len(head := requests.read(wire.REQUEST_HEAD)) == wire.REQUEST_HEAD:
        kind, size = wire.request_head(head)
        payload = requests.read(size)
        if len(payload) < size:
            return
        _send(replies, _answer(recogniser, kind, payload))


def _answer(recogniser: Recogniser, kind: str, payload: bytes) -> list[Heard]:
    match kind:
        case "O":
            recogniser.open(**json.loads(payload))
            return []
        case "A":
            return recogniser.hear(payload)
        case "F":
            return recogniser.finish()
        case _:
            raise ValueError(f"no request is called {kind!r}")


def _send(replies: BinaryIO, heard: list[Heard]) -> None:
    replies.write(wire.reply(heard))
    replies.flush()


def main() -> None:
    """Serve the process that started this one."""
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever the library prints must not come between two replies
    try:
        serve(os.fdopen(0, "rb"), replies)
    except BrokenPipeError:
        os._exit(0)  # the gateway is gone; there is nobody to flush the rest to


if __name__ == "__main__":
    main()
