"""What came of an attack: counts, and whatever must not happen."""

import json
from collections import Counter
from typing import Any

import attrs

from fuzz.cases import Case, Kind, Round
from fuzz.frames import CODES

MOST = 50
"""Broken promises that are kept; the others are counted."""

CLOSES = {None, 1000, 1002, 1003, 1007, 1009, 4001, *CODES}
"""Codes with which the gateway may end the connection of somebody malformed: none, its own, and what the
client has said itself, which is said back."""
HTTP = {501, 502, 503, 504, 505}
"""Statuses from 500 on that are promises too: what is not implemented, and vendors that are not there."""
AT_ONCE = {
    *("invalid_message", "message_too_large", "field_too_large", "invalid_stream_id"),
    *("audio_too_large", "unauthorized", "invalid_phone_number", "livekit_not_configured"),
    *("unknown_custom_type", "invalid_request", "client_keys_not_allowed"),
}
"""Errors that a message is answered with. Others come from the session, when it has come so far."""
NOTICES = {
    *("use_realtime_endpoint", "not_available", "provider_change_unsupported", "invalid_emotion"),
    *("speed_clamped", "emotion_unsupported", "intensity_clamped"),
}
"""Said of a part of a message of which the rest is carried out: of one message there may be several."""


@attrs.define
class Findings:
    """Of one run; attackers write into it."""

    cases: Counter[Kind] = attrs.Factory(Counter)
    answers: Counter[str] = attrs.Factory(Counter)
    broken: list[str] = attrs.Factory(list)
    broken_in_all: int = 0

    @property
    def done(self) -> int:
        """Cases so far."""
        return self.cases.total()

    def expect(self, fine: object, what: str, of: Round, case: Case | None = None) -> None:
        """Note a promise that is broken, and what one needs to see it again."""
        if fine:
            return
        self.broken_in_all += 1
        if len(self.broken) < MOST:
            shown = "" if case is None else f", case {case.number}: {case.data[:300]!r}"
            self.broken.append(f"{what} (seed {of.seed}, round {of.number}, {of.kind}{shown})")

    def hear(self, data: bytes) -> dict[str, Any]:
        """Read and count a text message of the gateway."""
        message: dict[str, Any] = json.loads(data)
        if is_error(message):
            self.answers[f"error {message['code']}"] += 1
        return message


def is_error(message: dict[str, Any]) -> bool:
    """Tell whether a message of the gateway says that something is wrong."""
    return str(message["type"]).endswith("error")
