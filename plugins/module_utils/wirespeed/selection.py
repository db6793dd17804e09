# SPDX-License-Identifier: GPL-3.0-or-later
"""Which NICs of a node an intent speaks of."""

from __future__ import annotations

from typing import Dict, List, Mapping, Tuple

from .errors import BadInput, Place
from .model.intent import Intent, NicIntent
from .model.nic import Nic

Selected = Tuple[Nic, NicIntent]


def select(intent: Intent, nics: Mapping[str, Nic], place: Place) -> List[Selected]:
    """NICs in the intent's order, each once. Raises :class:`BadInput` for a NIC that is not there.

    A selector by driver may match several NICs, or none: a fleet's intent names every driver it
    has, and not every node has them all.
    """
    chosen: Dict[str, Selected] = {}
    for index, wanted in enumerate(intent.nics):
        field = f"nics[{index}].{wanted.selector}"
        found = [nic for nic in nics.values() if matches(nic, wanted)]
        if not found and wanted.selector != "driver":
            raise BadInput(
                place,
                field,
                f"{wanted.wanted!r} is not on this node.",
                f"It has: {', '.join(f'{n.name} ({n.driver}, {n.mac})' for n in nics.values()) or 'no physical NIC'}.",
            )
        for nic in found:
            if nic.name in chosen:
                raise BadInput(
                    place, field, f"names {nic.name}, which an earlier entry names already.", "Merge the two entries."
                )
            chosen[nic.name] = (nic, wanted)
    return list(chosen.values())


def by_entry(intent: Intent, nics: Mapping[str, Nic], place: Place) -> List[List[str]]:
    """The names of the NICs that each entry stands for. Raises as :func:`select`."""
    selected = select(intent, nics, place)
    return [[nic.name for nic, wanted in selected if wanted is entry] for entry in intent.nics]


def matches(nic: Nic, wanted: NicIntent) -> bool:
    if wanted.selector == "mac":
        return nic.mac.lower() == wanted.wanted.lower()
    by = {"name": nic.name, "driver": nic.driver, "pci": nic.bus_address}
    return by[wanted.selector] == wanted.wanted
