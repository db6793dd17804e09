# SPDX-License-Identifier: GPL-3.0-or-later
"""Diagnoses one NIC of this node. Plain JSON out."""

from __future__ import annotations

from typing import Any, Callable, Dict, Mapping

from .counters.verify import subject
from .diagnose import report
from .diagnose.causes import causes
from .diagnose.readings import Looking
from .engine import require_root
from .errors import BadInput, Place
from .model.intent import NicIntent
from .observe import observe
from .pipeline.pins import Paths
from .profiles.document import ProfileSet
from .profiles.resolve import resolve

SHORTEST_S, LONGEST_S = 0.1, 3600
COMMAND_LINE = Place("command line")


def bounded(seconds: float, place: Place) -> float:
    """Raises :class:`BadInput`."""
    if not SHORTEST_S <= seconds <= LONGEST_S:
        raise BadInput(place, "seconds", f"{seconds:g} is not between {SHORTEST_S} and {LONGEST_S}.")
    return seconds


def diagnose(
    nic: str,
    profiles: ProfileSet,
    probes: Mapping[str, bytes],
    meanwhile: Callable[[], None],
    deep: bool = False,
    place: Place = COMMAND_LINE,
) -> Dict[str, Any]:
    """Watches while ``meanwhile`` runs; ``deep`` with bcc's probes where they can be had. ``probes`` are the objects
    ``xdp_errors`` and ``late``. Returns ``causes``, the likeliest first, their ``evidence``, what was ``unseen``, and
    ``text`` for a terminal.

    Changes nothing, but has the kernel time BPF programs meanwhile. Raises :class:`WirespeedError`.
    """
    require_root()
    paths = Paths.from_environment()
    node = observe(paths, [nic])
    if nic not in node.nics:
        there = ", ".join(sorted(node.nics)) or "no physical NIC"
        raise BadInput(place, "nic", f"{nic!r} is not on this node.", f"There is: {there}.")
    found = node.nics[nic]
    profile = resolve(profiles, found, node, NicIntent("name", nic))
    looking = Looking(
        subject(found, profile.counters),
        paths,
        node.kernel.version,
        xdp_errors=probes["xdp_errors"],
        late=probes["late"],
        deep=deep,
    )
    seen = looking.watch(meanwhile)
    told = causes(seen)
    return {**report.to_json(seen, told), "text": report.lines(seen, told)}
