"""Messages <-> Protocol Buffers by a table of fields. No I/O, and no generated code.

A message is a plain dict with the names that Google's JSON has for its fields, so one dict serves
gRPC and REST. An enum is the name of its value, bytes are bytes, a field that is not set is absent.

Source: "Encoding" of the protobuf guide (protobuf.dev).
"""

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum, auto
from types import MappingProxyType
from typing import Any, TypeAlias

import attrs


class Unreadable(Exception):
    """Bytes that are not the message they should be; the text says why."""


class Scalar(Enum):
    """What a field may hold besides an enum and a message."""

    STRING = auto()
    BYTES = auto()
    BOOL = auto()
    INTEGER = auto()
    """``int32`` and ``int64``."""
    FLOAT = auto()
    DOUBLE = auto()


@attrs.frozen
class Names:
    """An enum: its names and their numbers."""

    numbers: Mapping[str, int]


@attrs.frozen
class Field:
    """One row of a table."""

    number: int
    kind: "Scalar | Names | Fields"
    repeated: bool = False
    """Only for text and messages: repeated numbers would come packed, and Google's have none."""
    explicit: bool = False
    """A default that is set says something else than one that is not."""


Fields: TypeAlias = Mapping[str, Field]
"""A kind of message: its fields by name."""

_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
_FIXED = MappingProxyType({_FIXED64: 8, _FIXED32: 4})
_FLOAT, _DOUBLE = struct.Struct("<f"), struct.Struct("<d")
_ALL_BITS = (1 << 64) - 1


def encode(fields: Fields, message: Mapping[str, Any]) -> bytes:
    """Write a message. None and a scalar's default are left out, an empty message is not.

    Raises:
        KeyError: the message has a field, or an enum a name, that is not in the table.
    """
    out = bytearray()
    for name, value in sorted(message.items(), key=lambda item: fields[item[0]].number):
        field = fields[name]
        for each in value if field.repeated else (value,):
            if each or isinstance(each, Mapping) or field.repeated or _is_told(field, each):
                out += _encoded(field, each)
    return bytes(out)


def _is_told(field: Field, value: Any) -> bool:
    return field.explicit and value is not None


def length_delimited(number: int, data: bytes) -> bytes:
    """Write one field of text, bytes or a message."""
    return varint(number << 3 | _LENGTH) + _sized(data)


def varint(value: int) -> bytes:
    """Write a whole number; a negative one as its 64 bits."""
    value &= _ALL_BITS
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _encoded(field: Field, value: Any) -> bytes:
    tag = varint(field.number << 3 | _wire_of(field.kind))
    match field.kind:
        case Scalar():
            return tag + _CODECS[field.kind].write(value)
        case Names(numbers=numbers):
            return tag + varint(numbers[value])
        case table:
            return tag + _sized(encode(table, value))


def decode(fields: Fields, data: bytes) -> dict[str, Any]:
    """Read a message. Fields and enum values that are not in the table are passed over.

    Raises:
        Unreadable: the bytes are cut off, or no such message.
    """
    message: dict[str, Any] = {}
    _decode_into(message, fields, data)
    return message


def _decode_into(message: dict[str, Any], fields: Fields, data: bytes) -> None:
    known = {field.number: (name, field) for name, field in fields.items()}
    for number, wire, raw in _parts(data):
        name, field = known.get(number, ("", None))
        if field is None or wire != _wire_of(field.kind):
            continue
        if isinstance(field.kind, Mapping):
            # Occurrences of a field that is not repeated are parts of one message.
            part = {} if field.repeated else message.get(name, {})
            _decode_into(part, field.kind, raw)
            _put(message, name, part, repeated=field.repeated)
        elif (value := _decoded(field.kind, raw)) is not None:
            _put(message, name, value, repeated=field.repeated)


def _put(message: dict[str, Any], name: str, value: Any, *, repeated: bool) -> None:
    if repeated:
        message.setdefault(name, []).append(value)
    else:
        message[name] = value


def _wire_of(kind: Scalar | Names | Fields) -> int:
    if isinstance(kind, Scalar):
        return _CODECS[kind].wire
    return _VARINT if isinstance(kind, Names) else _LENGTH


def _decoded(kind: Scalar | Names, raw: Any) -> Any:
    if isinstance(kind, Names):
        return next((name for name, number in kind.numbers.items() if number == raw), None)
    try:
        return _CODECS[kind].read(raw)
    except UnicodeDecodeError:
        raise Unreadable("text that is not UTF-8") from None


def _parts(data: bytes) -> Iterator[tuple[int, int, Any]]:
    """Yield number, wire type and what is there of each field: a number or bytes."""
    at = 0
    while at < len(data):
        tag, at = _read_varint(data, at)
        wire = tag & 7
        if wire == _VARINT:
            value, at = _read_varint(data, at)
            yield tag >> 3, wire, value
            continue
        size, at = _read_varint(data, at) if wire == _LENGTH else (_FIXED.get(wire, -1), at)
        if size < 0:
            raise Unreadable(f"a field of wire type {wire}")
        if at + size > len(data):
            raise Unreadable("a field that is cut off")
        yield tag >> 3, wire, data[at : at + size]
        at += size


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift, byte in zip(range(0, 70, 7), data[at : at + 10], strict=False):
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & _ALL_BITS, at + shift // 7 + 1
    raise Unreadable("a number that does not end")


def _sized(data: bytes) -> bytes:
    return varint(len(data)) + data


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value


@attrs.frozen
class _Codec:
    wire: int
    write: Callable[[Any], bytes]
    read: Callable[[Any], Any]


_CODECS: Mapping[Scalar, _Codec] = {
    Scalar.STRING: _Codec(_LENGTH, lambda text: _sized(text.encode()), lambda raw: raw.decode()),
    Scalar.BYTES: _Codec(_LENGTH, _sized, bytes),
    Scalar.BOOL: _Codec(_VARINT, varint, bool),
    Scalar.INTEGER: _Codec(_VARINT, varint, _signed),
    Scalar.FLOAT: _Codec(_FIXED32, _FLOAT.pack, lambda raw: _FLOAT.unpack(raw)[0]),
    Scalar.DOUBLE: _Codec(_FIXED64, _DOUBLE.pack, lambda raw: _DOUBLE.unpack(raw)[0]),
}


def enum(names: Sequence[str]) -> Names:
    """Make an enum whose first name has the number 1, as Google's mostly are (0 is "not set")."""
    return Names(MappingProxyType({name: number for number, name in enumerate(names, 1)}))
