# SPDX-License-Identifier: GPL-3.0-or-later
"""A deviation as a person reads it. Its shape: RETURN of the module M(wirespeed.xdp.node)."""

from __future__ import annotations

import json
from typing import Any, Mapping, Optional, Sequence

SHOWN_ITEMS = 8


def value(plain: Any) -> str:
    """One value, short: RSS tables and rows have hundreds of items."""
    if plain is None or plain == {}:
        return "nothing"
    if isinstance(plain, bool):
        return "on" if plain else "off"
    if isinstance(plain, str):
        return plain
    if isinstance(plain, Mapping):
        return ", ".join(f"{key} {value(item)}" for key, item in plain.items())
    if isinstance(plain, (list, tuple)):
        shown = " ".join(value(item) for item in plain[:SHOWN_ITEMS])
        return f"{shown} ... ({len(plain)} in all)" if len(plain) > SHOWN_ITEMS else shown or "nothing"
    return json.dumps(plain)


def found(result: Mapping[str, Any]) -> Optional[Sequence[Mapping[str, Any]]]:
    """The deviations in a result of the module; of a refused plan they are in its ``outcome``. None: it has none."""
    told = result if "deviations" in result else result.get("outcome") or {}
    deviations: Optional[Sequence[Mapping[str, Any]]] = told.get("deviations")
    return deviations


def line(deviation: Mapping[str, Any]) -> str:
    """``enp1s0.rings.rx: want 4096, have 256: REASON (igb.yml:31); repair: reset``"""
    if deviation["disruption"] is None:
        return f"{deviation['path']}: {deviation['why']} {deviation['want']} (no step repairs this)"
    also = "".join(f"; {other}" for other in deviation.get("also", ()))
    return (
        f"{deviation['path']}: want {value(deviation['want'])}, have {value(deviation['have'])}: "
        f"{deviation['why']} ({deviation['origin']}); repair: {deviation['disruption']}{also}"
    )
