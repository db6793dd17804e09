# SPDX-License-Identifier: GPL-3.0-or-later
"""One classification rule as a text and as the kernel's structure: pure.

``udp4 dst-port 53 action 2 loc 0``: the kind of packet, what is compared, what is done with it, where
the rule lies. Every rule has one text only, so that two rules are the same when their texts are.

``action N`` is a receive queue, ``action -1`` drops, ``action -2`` wakes the machine; ``vf V queue N`` is a
queue of a virtual function; ``context C`` spreads over the C-th additional RSS context (from 1), and
``action N`` beside it adds N to the queue found there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Callable, Dict, List, Optional, Tuple

from ..kernel.ethtool_rxclass import ANY, EXT_BYTES, EXTENDED, EXTENDED_MAC, SPEC_BYTES, TO_CONTEXT, FlowSpec
from .flow_words import FLOWS, IP_VERSION, Word, words_of

_DROP, _WAKE = 0xFFFFFFFFFFFFFFFF, 0xFFFFFFFFFFFFFFFE  # RX_CLS_FLOW_DISC, RX_CLS_FLOW_WAKE
_ACTIONS = {-1: _DROP, -2: _WAKE}
_RING, _VF_SHIFT = 0xFFFFFFFF, 32  # ETHTOOL_RX_FLOW_SPEC_RING, ETHTOOL_RX_FLOW_SPEC_RING_VF_OFF

Field = Tuple[int, int]
"""Value and mask; a bit of the mask that is 1 is compared."""


@dataclass(frozen=True)
class Rule:
    """``fields`` by word, in the order of the words; ``location`` None where the driver chooses or nobody has yet."""

    flow: str
    fields: Tuple[Tuple[str, Field], ...]
    cookie: int
    context: int = 0
    location: Optional[int] = None

    @property
    def ring(self) -> Optional[int]:
        """The receive queue of this function that packets go to by this rule alone."""
        if self.cookie in (_DROP, _WAKE) or self.cookie > _RING or self.context:
            return None
        return self.cookie

    @property
    def match(self) -> Tuple[object, ...]:
        return self.flow, self.fields

    def at(self, location: Optional[int]) -> Rule:
        return replace(self, location=location)

    def __str__(self) -> str:
        words = {word.name: word for word in words_of(self.flow)}
        parts = [self.flow]
        parts += [f"{name} {_field(words[name], *field)}" for name, field in self.fields]
        parts += _target(self.cookie, self.context)
        return " ".join(parts + ([] if self.location is None else [f"loc {self.location}"]))


def _field(word: Word, value: int, mask: int) -> str:
    return word.text(value) + word.mask_text(mask)


def _target(cookie: int, context: int) -> List[str]:
    to = [f"context {context}"] if context else []
    named = next((number for number, each in _ACTIONS.items() if each == cookie), None)
    if named is not None:
        return [*to, f"action {named}"]
    if cookie > _RING:
        return [*to, f"vf {(cookie >> _VF_SHIFT) - 1} queue {cookie & _RING}"]
    return to if context and not cookie else [*to, f"action {cookie}"]


def parsed(text: str) -> Rule:
    """Raises ValueError with a sentence part that says what is wrong."""
    words = text.split()
    if words[:1] == ["flow-type"]:
        words = words[1:]
    flow = words[0] if words else ""
    if flow not in FLOWS:
        raise ValueError(f"begins with {flow!r}, not with one of {', '.join(FLOWS)}")
    given = _pairs(words[1:])
    fields = tuple(_taken(given, word) for word in words_of(flow) if word.name in given)
    location = _number(given, "loc", _RING - 1)
    cookie, context = _cookie(given)
    if given:
        known = [word.name for word in words_of(flow)]
        raise ValueError(f"has {next(iter(given))!r}, which {flow} does not know; known: {', '.join(known)}")
    return Rule(flow, tuple((name, field) for name, field in fields if field[1]), cookie, context, location)


def _pairs(words: List[str]) -> Dict[str, Tuple[str, Optional[str]]]:
    """Each word with its value and its mask."""
    given: Dict[str, Tuple[str, Optional[str]]] = {}
    rest = list(words)
    while rest:
        name = rest.pop(0)
        if not rest or name in given or name == "m":
            raise ValueError(f"has {name!r} {'twice' if name in given else 'without a value'}")
        value, mask = rest.pop(0), None
        if rest[:1] in (["m"], [f"{name}-mask"]):
            if len(rest) < 2:
                raise ValueError(f"has a mask of {name!r} without a value")
            mask, rest = rest[1], rest[2:]
        given[name] = (value, mask)
    return given


def _taken(given: Dict[str, Tuple[str, Optional[str]]], word: Word) -> Tuple[str, Field]:
    value_text, mask_text = given.pop(word.name)
    address, slash, length = value_text.partition("/")
    try:
        mask = word.every
        if slash:
            if mask_text is not None or word.kind != "ip" or not 0 <= int(length) <= 8 * word.size:
                raise ValueError(value_text)
            mask = word.every ^ (word.every >> int(length))
        elif mask_text is not None:
            mask = word.every ^ word.number(mask_text)
        return word.name, (word.number(address) & mask, mask)
    except ValueError:
        whole = f"{value_text} m {mask_text}" if mask_text is not None else value_text
        raise ValueError(f"has {word.name!r} {whole!r}, which is none") from None


def _number(given: Dict[str, Tuple[str, Optional[str]]], name: str, largest: int) -> Optional[int]:
    if name not in given:
        return None
    text, mask = given.pop(name)
    form = r"-?\d{1,10}" if name == "action" else r"\d{1,10}"
    if mask is not None or not re.fullmatch(form, text) or int(text) > largest:
        raise ValueError(f"has {name!r} {text!r}, which is no number up to {largest}")
    return int(text)


def _cookie(given: Dict[str, Tuple[str, Optional[str]]]) -> Tuple[int, int]:
    """Where packets go, and the context or 0."""
    action = _number(given, "action", _RING)
    vf, queue = _number(given, "vf", 254), _number(given, "queue", _RING)
    context = _number(given, "context", _RING - 1) or 0
    if (vf is None) != (queue is None) or (action is not None and vf is not None):
        raise ValueError("needs either 'action N', or 'vf V' and 'queue N' together")
    if action is None and vf is None and not context:
        raise ValueError("says not what to do: 'action N' for a queue, 'action -1' to drop, or 'context N'")
    if action is not None and action < 0 and action not in _ACTIONS:
        raise ValueError(f"has 'action' {action}; below 0 there is -1 to drop and -2 to wake the machine")
    if vf is not None:
        return ((vf + 1) << _VF_SHIFT) | (queue or 0), context
    return _ACTIONS.get(action or 0, action or 0), context


def spec_of(rule: Rule, context_id: Callable[[int], int]) -> FlowSpec:
    """For the kernel; ``context_id`` gives the id of the context with a number in our list."""
    number, dummy = FLOWS[rule.flow]
    values, masks, ext_values, ext_masks = (bytearray(size) for size in (SPEC_BYTES, SPEC_BYTES, EXT_BYTES, EXT_BYTES))
    words = {word.name: word for word in words_of(rule.flow)}
    for name, (value, mask) in rule.fields:
        word = words[name]
        number |= word.flag
        place = slice(word.offset, word.offset + word.size)
        (ext_values if word.flag else values)[place] = value.to_bytes(word.size, "big")
        (ext_masks if word.flag else masks)[place] = mask.to_bytes(word.size, "big")
    if rule.flow == "ip4":
        values[IP_VERSION] = 1
    return FlowSpec(
        flow=number | (TO_CONTEXT if rule.context else 0),
        value=bytes(values),
        mask=bytes(masks),
        ext_value=bytes(ext_values),
        ext_mask=bytes(ext_masks),
        cookie=rule.cookie,
        location=ANY if rule.location is None else rule.location,
        context=context_id(rule.context) if rule.context else 0,
    )


def rule_of(spec: FlowSpec, context: int, located: bool) -> Optional[Rule]:
    """What the kernel tells; None for a kind of packet that has no word.

    ``context`` is the number in our list of ``spec.context``; ``located`` where locations are the caller's.
    """
    number = spec.flow & ~(EXTENDED | EXTENDED_MAC | TO_CONTEXT)
    flow = next((name for name, (each, _words) in FLOWS.items() if each == number), None)
    if flow is None:
        return None
    fields: List[Tuple[str, Field]] = []
    for word in words_of(flow):
        if word.flag and not spec.flow & word.flag:
            continue
        place = slice(word.offset, word.offset + word.size)
        mask = int.from_bytes((spec.ext_mask if word.flag else spec.mask)[place], "big")
        value = int.from_bytes((spec.ext_value if word.flag else spec.value)[place], "big")
        if mask:
            fields.append((word.name, (value & mask, mask)))
    to_context = context if spec.flow & TO_CONTEXT else 0
    return Rule(flow, tuple(fields), spec.cookie, to_context, spec.location if located else None)
