# SPDX-License-Identifier: GPL-3.0-or-later
"""Which profiles apply to a NIC, weakest first.

Within one directory: those that match any NIC, then by driver, by PCI ``vendor:device``, by
``vendor:device:subvendor:subdevice``; of equal ones the one with more version ranges is stronger.
A later directory (a site's) is stronger than an earlier one, whatever it matches by. What a profile
``extends`` goes right before it. ``match: named`` never matches by itself: it is for the intent's
``profile:``, which replaces all matching except ``match: any``.
"""

from __future__ import annotations

import operator
import re
from typing import Any, Callable, List, Mapping, Optional, Sequence, Tuple

from ..errors import Place
from ..model.intent import unknown_word
from ..model.nic import Nic
from ..model.node import Node
from .document import Document, ProfileSet

_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt, "=": operator.eq,
}  # fmt: skip
_CONDITION = re.compile(r"(>=|<=|>|<|=)\s*(\d+(?:\.\d+)*)")


def select(profiles: ProfileSet, nic: Nic, node: Node, named: Optional[str]) -> List[Document]:
    """Raises :class:`BadInput` for a name that no profile has."""
    if named is None:
        chosen = [document for document in profiles.documents if matches(document, nic, node)]
    else:
        if named not in profiles.names:
            raise unknown_word(Place("intent"), f"profile of {nic.name}", named, profiles.names)
        chosen = [document for document in profiles.documents if document.data["match"] == "any"]
        chosen += [document for document in profiles.named(named) if document not in chosen]
    ordered: List[Document] = []
    for document in sorted(chosen, key=_strength):
        _add(profiles, document, ordered)
    return ordered


def _add(profiles: ProfileSet, document: Document, ordered: List[Document]) -> None:
    if document.extends:
        for parent in sorted(profiles.named(document.extends), key=_strength):
            _add(profiles, parent, ordered)
    if document not in ordered:
        ordered.append(document)


def matches(document: Document, nic: Nic, node: Node) -> bool:
    wanted = document.data["match"]
    if not isinstance(wanted, Mapping):
        return bool(wanted == "any")
    return (
        ("driver" not in wanted or nic.driver in as_list(wanted["driver"]))
        and ("pci" not in wanted or any(_is_device(nic, each) for each in as_list(wanted["pci"])))
        and ("firmware" not in wanted or in_range(leading_number(nic.firmware), wanted["firmware"]))
        and ("kernel" not in wanted or in_range(node.kernel.version, wanted["kernel"]))
    )


def as_list(value: Any) -> List[str]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _is_device(nic: Nic, wanted: str) -> bool:
    if nic.pci is None:
        return False
    parts = (nic.pci.vendor, nic.pci.device, nic.pci.subsystem_vendor, nic.pci.subsystem_device)
    return all(have == want for have, want in zip(parts, wanted.lower().split(":")))


def in_range(version: Optional[Sequence[int]], text: str) -> bool:
    """Whether ``version`` satisfies every condition of e.g. ``>=6.6 <7.0``; an unknown version never does."""
    if version is None:
        return False
    for sign, number in _CONDITION.findall(text):
        limit = tuple(int(part) for part in number.split("."))
        length = max(len(limit), len(version))
        if not _COMPARE[sign](_padded(version, length), _padded(limit, length)):
            return False
    return True


def _padded(version: Sequence[int], length: int) -> Tuple[int, ...]:
    return (*version, *([0] * (length - len(version))))


def leading_number(text: str) -> Optional[Tuple[int, ...]]:
    """``3.25, 0x800005cc`` -> (3, 25): what comes after the first dotted number is vendor detail."""
    found = re.match(r"\s*[vV]?(\d+(?:\.\d+)*)", text)
    return tuple(int(part) for part in found.group(1).split(".")) if found else None


def _strength(document: Document) -> Tuple[int, int, int, str]:
    wanted = document.data["match"]
    if not isinstance(wanted, Mapping):
        return (document.layer, 0, 0, document.name)
    longest = max((len(each.split(":")) for each in as_list(wanted.get("pci", []))), default=0)
    ranges = sum(key in wanted for key in ("firmware", "kernel"))
    return (document.layer, 1 + longest // 2, ranges, document.name)
