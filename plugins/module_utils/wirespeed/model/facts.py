# SPDX-License-Identifier: GPL-3.0-or-later
"""The facts of a node as plain JSON, and back: what ``wirespeed facts --json`` and ``nic_info`` tell.

A captured file stays readable: a later version reads what an earlier one wrote. To add a fact with a
default, or a setting, is no new version; to rename, remove or re-interpret one is, and then
:func:`parse` also takes the older form.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Dict, List, Mapping, Tuple

from ..errors import BadInput, Place
from ..plain import plain
from .decode import decode
from .node import Node

FACTS_VERSION = 1
MAX_BYTES = 16 << 20

TOLD_OF_NICS = frozenset({"profile", "findings"})
"""What ``facts`` tells of each NIC beside its facts: it follows from them and the profiles."""

TOLD_OF_THE_NODE = frozenset({"findings"})
"""The same of the whole node."""

ANSIBLE = frozenset({"ansible_facts", "attempts", "changed", "deprecations", "failed", "invocation", "warnings"})
"""What a registered result, or a file that ``ansible --tree`` wrote, has beside what the module returned."""

_VERSION = "facts_version"
_CAPTURE = "Capture the facts with 'wirespeed facts --json' or the module wirespeed.xdp.nic_info"


def dump(node: Node) -> Dict[str, Any]:
    """Without the rows of delivered documents, which may be millions: ``wirespeed config show`` has them."""
    instances = (each if each.configuration is None else replace(each, tables={}) for each in node.instances)
    return {_VERSION: FACTS_VERSION, **plain(replace(node, instances=tuple(instances)))}


def parse_text(text: str, place: Place) -> Node:
    """Raises :class:`BadInput`, with the line for what is no JSON."""
    size = len(text.encode("utf-8", "replace"))
    if size > MAX_BYTES:
        raise BadInput(place, "", f"has {size} bytes; at most {MAX_BYTES} are taken.", f"{_CAPTURE}.")
    try:
        data = json.loads(text, object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        raise BadInput(
            Place(place.source, error.lineno), "", f"is not valid JSON: {error.msg}.", f"{_CAPTURE}."
        ) from None
    except (ValueError, RecursionError) as error:
        raise BadInput(place, "", f"is no facts file: {error}.", f"{_CAPTURE}.") from None
    return parse(data, place)


def parse(data: Any, place: Place) -> Node:
    """The node whose :func:`dump` it is. Raises :class:`BadInput` that names field, value and what is allowed."""
    if not isinstance(data, Mapping):
        raise BadInput(place, "", "is not a mapping, so it is no node's facts.", f"{_CAPTURE}.")
    if data.get("failed"):
        raise BadInput(place, "failed", "is true: this is the result of a task that failed.", f"{_CAPTURE}.")
    _hold_version(data, place)
    left_out = {*ANSIBLE, *TOLD_OF_THE_NODE, _VERSION}
    facts = {key: value for key, value in data.items() if key not in left_out}
    facts["nics"] = _nics(facts.get("nics"), place)
    node: Node = decode(Node, facts, place, "")
    for key, nic in node.nics.items():
        if nic.name != key:
            raise BadInput(place, f"nics.{key}.name", f"is {nic.name!r}.", f"Allowed: {key!r}, under which it stands.")
    return node


def _hold_version(data: Mapping[str, Any], place: Place) -> None:
    version = data.get(_VERSION)
    if version is None:
        raise BadInput(place, _VERSION, "is missing, so this is no node's facts.", f"{_CAPTURE}.")
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise BadInput(place, _VERSION, f"is {version!r}.", f"Allowed: 1 to {FACTS_VERSION}.")
    if version > FACTS_VERSION:
        raise BadInput(
            place,
            _VERSION,
            f"is {version}: the facts were captured by a newer Wirespeed, whose words this one may misread.",
            f"This one reads 1 to {FACTS_VERSION}: upgrade it here, or capture the facts with this version.",
        )


def _nics(value: Any, place: Place) -> Any:
    """Without what ``facts`` tells beside the facts; what is no mapping is left to be refused."""
    if value is None:
        raise BadInput(place, "nics", "is missing.", f"{_CAPTURE}.")
    if not isinstance(value, Mapping):
        return value
    return {
        name: {key: each for key, each in nic.items() if key not in TOLD_OF_NICS} if isinstance(nic, Mapping) else nic
        for name, nic in value.items()
    }


def _once(pairs: List[Tuple[str, Any]]) -> Dict[str, Any]:
    """Raises ValueError for a key that stands there twice: one of the two would be lost."""
    found = dict(pairs)
    if len(found) != len(pairs):
        seen = [key for key, _value in pairs]
        twice = next(key for key in seen if seen.count(key) > 1)
        raise ValueError(f"the key {twice!r} stands twice in one mapping")
    return found
