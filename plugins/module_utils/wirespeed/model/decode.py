# SPDX-License-Identifier: GPL-3.0-or-later
"""Plain JSON values back to the dataclasses that they were made of: the inverse of :func:`..plain.plain`.

What a field takes is read from its annotation, so a fact that is added to the model is read back
without a line here. Nothing is converted on trust: whatever does not fit is a :class:`BadInput` that names
the field, what stands there, and what is allowed.
"""

from __future__ import annotations

import dataclasses
import math
import reprlib
from collections import abc
from enum import Enum
from functools import cache
from typing import Any, Callable, Dict, Mapping, Tuple, Union, get_args, get_origin, get_type_hints

from ..errors import BadInput, Place
from .intent import unknown_word

NONE = type(None)
LARGEST = 2**64
"""No number that the kernel tells is larger."""


def decode(kind: Any, value: Any, place: Place, field: str) -> Any:
    """``value`` as a ``kind``: a dataclass, an enum, or what ``typing`` makes of those and of plain types."""
    if dataclasses.is_dataclass(kind):
        return _dataclass(kind, value, place, field)
    origin = get_origin(kind)
    if origin is not None:
        return _GENERIC[origin](get_args(kind), value, place, field)
    if issubclass(kind, Enum):
        return _word(kind, value, place, field)
    if not _PLAIN[kind](value):
        raise _wrong(place, field, value, _SAID[kind])
    return float(value) if kind is float else value


def _dataclass(kind: Any, value: Any, place: Place, field: str) -> Any:
    raw = _mapping(value, place, field)
    known = [each.name for each in dataclasses.fields(kind)]
    for name in raw:
        if name not in known:
            raise unknown_word(place, _below(field, name), str(name), known)
    found: Dict[str, Any] = {}
    for each in dataclasses.fields(kind):
        if each.name in raw:
            found[each.name] = decode(_hints(kind)[each.name], raw[each.name], place, _below(field, each.name))
        elif each.default is dataclasses.MISSING and each.default_factory is dataclasses.MISSING:
            raise BadInput(place, _below(field, each.name), "is missing.", "Capture the facts again.")
    return kind(**found)


@cache
def _hints(kind: Any) -> Dict[str, Any]:
    return get_type_hints(kind)


def _of_mapping(kinds: Tuple[Any, ...], value: Any, place: Place, field: str) -> Dict[Any, Any]:
    of_key, of_value = kinds
    found: Dict[Any, Any] = {}
    for key, item in _mapping(value, place, field).items():
        where = _below(field, str(key))
        known = _key(of_key, key, place, where)
        found[known] = decode(of_value, item, place, where)
    return found


def _key(kind: Any, key: Any, place: Place, field: str) -> Any:
    """JSON has texts for keys: a number is written in its digits."""
    if kind is not int:
        return decode(kind, key, place, field)
    digits = key.lstrip("-") if isinstance(key, str) else ""
    if not digits.isdecimal() or len(digits) > 20 or str(int(key)) != key:
        raise _wrong(place, field, key, "a whole number")
    return int(key)


def _of_tuple(kinds: Tuple[Any, ...], value: Any, place: Place, field: str) -> Tuple[Any, ...]:
    items = _list(value, place, field)
    if kinds[1:] == (Ellipsis,):
        return tuple(decode(kinds[0], item, place, f"{field}[{i}]") for i, item in enumerate(items))
    if len(items) != len(kinds):
        raise _wrong(place, field, value, f"a list of {len(kinds)}")
    return tuple(decode(kind, item, place, f"{field}[{i}]") for i, (kind, item) in enumerate(zip(kinds, items)))


def _of_set(kinds: Tuple[Any, ...], value: Any, place: Place, field: str) -> Any:
    items = _list(value, place, field)
    return frozenset(decode(kinds[0], item, place, f"{field}[{i}]") for i, item in enumerate(items))


def _of_union(kinds: Tuple[Any, ...], value: Any, place: Place, field: str) -> Any:
    """The one member that the value fits: no two members of the model's unions take the same JSON."""
    if value is None and NONE in kinds:
        return None
    others = [kind for kind in kinds if kind is not NONE]
    if len(others) == 1:
        return decode(others[0], value, place, field)
    for kind in others:
        try:
            return decode(kind, value, place, field)
        except BadInput:
            continue
    raise _wrong(place, field, value, "a whole number, a text, true or false, or a list of one of them")


def _word(kind: Any, value: Any, place: Place, field: str) -> Any:
    words = [member.value for member in kind]
    if value not in words:
        raise unknown_word(place, field, value if isinstance(value, str) else reprlib.repr(value), words)
    return kind(value)


def _mapping(value: Any, place: Place, field: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise _wrong(place, field, value, "a mapping")
    return value


def _list(value: Any, place: Place, field: str) -> Any:
    if not isinstance(value, (list, tuple)):
        raise _wrong(place, field, value, "a list")
    return value


def _wrong(place: Place, field: str, value: Any, allowed: str) -> BadInput:
    return BadInput(place, field, f"is {reprlib.repr(value)}.", f"Allowed: {allowed}.")


def _below(field: str, name: str) -> str:
    return f"{field}.{name}" if field else name


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= LARGEST


_PLAIN: Mapping[Any, Callable[[Any], bool]] = {
    str: lambda value: isinstance(value, str),
    bool: lambda value: isinstance(value, bool),
    int: _whole,
    float: lambda value: _whole(value) or (isinstance(value, float) and math.isfinite(value)),
}
_SAID = {str: "a text", bool: "true or false", int: "a whole number", float: "a number"}
_GENERIC: Mapping[Any, Callable[[Tuple[Any, ...], Any, Place, str], Any]] = {
    Union: _of_union,
    abc.Mapping: _of_mapping,
    tuple: _of_tuple,
    frozenset: _of_set,
}
