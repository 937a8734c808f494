"""The recordings: kept as text that people can read, compared line by line."""

import json
from difflib import unified_diff
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
WIDTH = 100
"""Characters of a line, if it can be."""


def recording(vendor: str) -> dict[str, Any]:
    """Return what a vendor's SDK said when it was last recorded."""
    told: dict[str, Any] = json.loads(_path(vendor).read_text(encoding="utf-8"))
    return told


def keep(vendor: str, told: Any) -> None:
    """Record what was said."""
    _path(vendor).write_text(f"{written(told)}\n", encoding="utf-8")


def changes(vendor: str, told: Any) -> str:
    """Return how what was said now differs from the recording; nothing if it does not."""
    path = _path(vendor)
    old = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return "\n".join(
        unified_diff(old, written(told).splitlines(), "recorded", "said now", lineterm="")
    )


def _path(vendor: str) -> Path:
    return HERE / f"{vendor}.json"


def written(told: Any, indent: str = "", name: str = "") -> str:
    """Return JSON as text: what fits in a line is in one."""
    start = f"{indent}{name}"
    short = json.dumps(told, ensure_ascii=False)
    if len(start) + len(short) < WIDTH or not isinstance(told, dict | list) or not told:
        return f"{start}{short}"
    inner = f"{indent}  "
    if isinstance(told, dict):
        first, last = "{}"
        lines = [written(each, inner, f"{json.dumps(key)}: ") for key, each in told.items()]
    else:
        first, last = "[]"
        lines = [written(each, inner) for each in told]
        if all(isinstance(each, str) for each in told):
            lines = _filled(lines)
    return f"{start}{first}\n" + ",\n".join(lines) + f"\n{indent}{last}"


def _filled(words: list[str]) -> list[str]:
    lines = words[:1]
    for word in words[1:]:
        more = f"{lines[-1]}, {word.lstrip()}"
        if len(more) < WIDTH:
            lines[-1] = more
        else:
            lines.append(word)
    return lines
