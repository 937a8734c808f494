"""Valid JSON with something wrong in one place: what the messages and bodies of the fuzz run are made of."""

import json
from random import Random
from typing import Any

_HOLE = "\N{REPLACEMENT CHARACTER}hole\N{REPLACEMENT CHARACTER}"

RAW = (
    "null", "true", "false", "[]", "{}", '""', "0", "-1", "-0.0", "1.5", "1e308", "1e400",
    "-1e-400", "9" * 20, "9" * 400, "-" + "9" * 4000, "0." + "1" * 2000, "9007199254740993", "2e3",
    "1E2", "NaN", "Infinity", "-Infinity", "nul", "+1", "01", ".5", "0x10", "'a'", "undefined",
    "//", '"\\u0000"', '"\\ud800"', '"\\udc00\\ud800"', '"\\ud83d\\ude00"', '"\\x41"', '"\\u12"',
    '"a\x00b"', '"\x7f"', '"\n"', '"\u202e"', '"\ufeff"', '"\\u202e"', '"' + "a" * 300 + '"',
    '"../../etc"', '["a"]', '[[["a"]]]', '{"a":{"a":{"a":1}}}', '{"":""}', '{"type":"ping"}',
    "[null,1,{}]", '{"a":1,"a":2}', "[" * 200 + "]" * 200, "[" * 500, '{"a":' * 300,
    '"data:audio/wav;base64,AAAA"', '"Zm9v"', '"Zm9"', '"=="', '"http://169.254.169.254/"', '"%00"',
    '"{}"', '"\\"', "\x00", "\u00b5",
)  # fmt: skip
"""Each stands in the place of a value; many are none."""
_RARE = 0.001
_HUGE = (
    lambda dice: '"' + dice.choice("aµ\U0001f600") * dice.choice((1 << 18, 1 << 20)) + '"',
    lambda _: "[" * 500_000, lambda _: '{"a":' * 100_000 + "1" + "}" * 100_000,
    lambda _: "[" + "1," * 200_000 + "1]",
    lambda _: "{" + ",".join(f'"k{n}":{n}' for n in range(50_000)) + "}", lambda _: "9" * 500_000,
)  # fmt: skip
_KEYS = ("", "type", "Type", "__proto__", "\x00", "stt_config", "text", "a" * 1000, "µ", "options")


def value(dice: Random) -> str:
    """Return the text of something that stands where a value should."""
    return dice.choice(_HUGE)(dice) if dice.random() < _RARE else dice.choice(RAW)


def spoilt(dice: Random, message: dict[str, Any]) -> str:
    """Return a message as JSON, or nearly, with something wrong in it; at times it is still right."""
    way = dice.choice((_replaced,) * 4 + (_without, _grown, _doubled, _garbled, _alone))
    return way(dice, message)


def _objects(value: Any) -> list[dict[str, Any]]:
    """Return all objects in it that have something, itself first."""
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    own = [value] if isinstance(value, dict) and value else []
    return own + [each for item in inside for each in _objects(item)]


def _somewhere(dice: Random, message: dict[str, Any]) -> tuple[Any, dict[str, Any], str]:
    """Return a copy, one of its objects, and one of that one's keys."""
    copy = json.loads(json.dumps(message))
    chosen = dice.choice(_objects(copy))
    return copy, chosen, dice.choice(list(chosen))


def _filled(message: Any, text: str) -> str:
    return json.dumps(message, ensure_ascii=False).replace(f'"{_HOLE}"', text)


def _replaced(dice: Random, message: dict[str, Any]) -> str:
    copy, chosen, key = _somewhere(dice, message)
    chosen[key] = _HOLE
    return _filled(copy, value(dice))


def _without(dice: Random, message: dict[str, Any]) -> str:
    copy, chosen, key = _somewhere(dice, message)
    del chosen[key]
    return json.dumps(copy)


def _grown(dice: Random, message: dict[str, Any]) -> str:
    copy, chosen, _ = _somewhere(dice, message)
    chosen[dice.choice(_KEYS)] = _HOLE
    return _filled(copy, value(dice))


def _alone(dice: Random, _message: dict[str, Any]) -> str:
    return value(dice)


def _doubled(dice: Random, message: dict[str, Any]) -> str:
    """Return it with a key that is there twice."""
    key = json.dumps(dice.choice(list(message)))
    return f"{json.dumps(message)[:-1]}, {key}: {value(dice)}}}"


def _garbled(dice: Random, message: dict[str, Any]) -> str:
    """Return its text with a slice of it cut out, repeated, turned round or written over."""
    text = json.dumps(message)
    start, end = sorted((dice.randrange(len(text) + 1), dice.randrange(len(text) + 1)))
    cut = text[start:end]
    other = (
        *("", cut * dice.randrange(2, 20), cut[::-1], cut.upper(), cut.replace('"', "'")),
        "".join(chr(dice.randrange(1, 0xD800)) for _ in range(dice.randrange(1, 9))),
    )
    return text[:start] + dice.choice(other) + text[end:]
