"""In which line each key of a TOML document stands; tomli does not say.

Only for documents that tomli has read already: this scanner takes their grammar for granted and
knows just enough of it (TOML 1.1) to find keys and to step over values.
"""

import re
from typing import NamedTuple

import attrs
import tomli

from waav.config.option import Steps

_TOKEN = re.compile(
    r"""
      (?P<space>[ \t]+|\#[^\n]*)
    | (?P<newline>\n)
    | (?P<text>
          \"{3}(?:\\.|[^\\])*?\"{3,5}   # up to two quotes may stand before the closing three
        | '{3}.*?'{3,5}
        | "(?:\\.|[^"\\\n])*"
        | '[^'\n]*'
      )
    | (?P<mark>[\[\]{}=,.])
    | (?P<word>[^\s\[\]{}=,."'\#]+)
    """,
    re.VERBOSE | re.DOTALL,
)


class _Token(NamedTuple):
    kind: str
    """``newline``, ``text``, ``word``, ``end``, or the mark itself."""
    text: str
    line: int


def key_lines(text: str) -> dict[Steps, int]:
    """Return the line, from 1, of each table, key and list item of a valid document."""
    scanner = _Scanner(_tokens(text.replace("\r\n", "\n")))
    scanner.document()
    return scanner.lines


def _tokens(text: str) -> list[_Token]:
    tokens, line = [], 1
    for match in _TOKEN.finditer(text):
        kind, found = match.lastgroup or "", match[0]
        if kind != "space":
            tokens.append(_Token(found if kind == "mark" else kind, found, line))
        line += found.count("\n")
    return [*tokens, _Token("end", "", line)]


@attrs.define
class _Scanner:
    tokens: list[_Token]
    at: int = 0
    lines: dict[Steps, int] = attrs.Factory(dict)
    last: dict[Steps, int] = attrs.Factory(dict)
    """The index of the newest table of each array of tables."""

    def document(self) -> None:
        table: Steps = ()
        while self._next_line().kind != "end":
            if self._here.kind == "[":
                table = self._header()
            else:
                self._pair(table)

    @property
    def _here(self) -> _Token:
        return self.tokens[self.at]

    def _take(self) -> _Token:
        self.at += 1
        return self.tokens[self.at - 1]

    def _next_line(self) -> _Token:
        while self._here.kind == "newline":
            self.at += 1
        return self._here

    def _header(self) -> Steps:
        line = self._take().line
        if many := self._here.kind == "[":
            self._take()
        keys = self._dotted()
        self.at += 2 if many else 1
        return self._open(keys, line, many=many)

    def _open(self, keys: Steps, line: int, *, many: bool) -> Steps:
        """Find the real place of a table: ``[a.b]`` may mean the newest of many tables ``a``."""
        path: Steps = ()
        for count, key in enumerate(keys, 1):
            path = (*path, key)
            self.lines.setdefault(path, line)
            if many and count == len(keys):
                self.last[path] = self.last.get(path, -1) + 1
            if path in self.last:
                path = (*path, self.last[path])
                self.lines.setdefault(path, line)
        # It may have been there before, only as the beginning of the name of another one.
        self.lines[path] = line
        return path

    def _dotted(self) -> Steps:
        keys = [_key(self._take())]
        while self._here.kind == ".":
            self._take()
            keys.append(_key(self._take()))
        return tuple(keys)

    def _pair(self, table: Steps) -> None:
        line = self._here.line
        path = table
        for key in self._dotted():
            path = (*path, key)
            self.lines.setdefault(path, line)
        self._take()  # the equals sign
        self._value(path)

    def _value(self, path: Steps) -> None:
        match self._take().kind:
            case "[":
                self._list(path)
            case "{":
                self._inline_table(path)
            case _:
                # `1.5` and `1979-05-27 07:32:00` are several tokens.
                while self._here.kind not in ("newline", "end", ",", "]", "}"):
                    self._take()

    def _list(self, path: Steps) -> None:
        index = 0
        while self._next_line().kind != "]":
            item = (*path, index)
            self.lines[item] = self._here.line
            self._value(item)
            index += 1
            self._comma()
        self._take()

    def _inline_table(self, path: Steps) -> None:
        while self._next_line().kind != "}":
            self._pair(path)
            self._comma()
        self._take()

    def _comma(self) -> None:
        if self._next_line().kind == ",":
            self._take()


def _key(token: _Token) -> str:
    if token.kind == "word":
        return token.text
    key: str = tomli.loads(f"key = {token.text}")["key"]
    return key
