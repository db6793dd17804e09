# SPDX-License-Identifier: GPL-3.0-or-later
"""A wanted value in the type that the NIC's own value has, so that both compare."""

from __future__ import annotations

from typing import Any, Optional

from ..errors import BadInput, Place
from ..model.settings import Setting, Value

_ON_OFF = {"on": True, "true": True, "off": False, "false": False}


_LISTS = (Setting.NTUPLE, Setting.RSS_CONTEXTS)
"""Settings whose value is a complete list of texts, which may be empty."""


def typed(value: Any, current: Value, place: Place, field: str, setting: Optional[Setting] = None) -> Value:
    """``current`` is what the NIC reads: it says what kind of value the key takes.

    Texts that a templating front makes of numbers and of true and false are taken as such; ``off``,
    which YAML 1.1 reads as false, is taken as the word where a word is wanted. Raises :class:`BadInput`.
    """
    if setting in _LISTS:
        return _texts(value, place, field)
    if setting is Setting.QUEUE_COALESCE:
        return _each(value, current, place, field)
    if isinstance(current, bool):  # before int, which it is too
        return _switch(value, place, field)
    if isinstance(current, int):
        return _number(value, place, field)
    if isinstance(current, tuple):
        return _table(value, place, field)
    return _word(value, place, field)


def _texts(value: Any, place: Place, field: str) -> Value:
    """A text of several lines is a list of them."""
    if isinstance(value, str):
        value = [line for line in value.splitlines() if line.strip()]
    if isinstance(value, (list, tuple)) and all(isinstance(item, str) and item.strip() for item in value):
        return tuple(" ".join(item.split()) for item in value)
    raise BadInput(place, field, f"gives {value!r}.", "Allowed: a list of texts, [] for none.")


def _each(value: Any, current: Value, place: Place, field: str) -> Value:
    """One value for all queues, or a list with one for each; those of one queue say what kind they are."""
    sample = current[0] if isinstance(current, tuple) else current
    if isinstance(value, (list, tuple)) and value:
        # What typed() makes of a number or a switch is one: only these are in this setting.
        return tuple(typed(item, sample, place, f"{field}[{i}]") for i, item in enumerate(value))  # type: ignore[return-value]
    return typed(value, sample, place, field)


def _switch(value: Any, place: Place, field: str) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in _ON_OFF:
        return _ON_OFF[value.lower()]
    raise BadInput(place, field, f"gives {value!r}.", "Allowed: true or false.")


def _number(value: Any, place: Place, field: str) -> int:
    if isinstance(value, str) and value.isdecimal() and len(value) < 10:
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadInput(place, field, f"gives {value!r}.", "Allowed: a whole number.")
    return value


def _table(value: Any, place: Place, field: str) -> Value:
    """An indirection table, or the words that describe one."""
    if isinstance(value, str):
        return value
    # isinstance() would take True for a queue.
    # pylint: disable-next=unidiomatic-typecheck
    if isinstance(value, (list, tuple)) and value and all(type(item) is int and item >= 0 for item in value):
        return tuple(value)
    raise BadInput(place, field, f"gives {value!r}.", "Allowed: 'equal', 'weights 1 0 2', or queue numbers.")


def _word(value: Any, place: Place, field: str) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str) and value.strip():
        return value.strip()
    if isinstance(value, (list, tuple)) and value and not any(isinstance(item, (list, tuple)) for item in value):
        return " ".join(_word(item, place, field) for item in value)  # cpus: [0, 2, 4-5] is "0 2 4-5"
    raise BadInput(place, field, f"gives {value!r}.", "Allowed: a text.")
