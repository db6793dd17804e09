# SPDX-License-Identifier: GPL-3.0-or-later
"""The verbs that both fronts call: facts, converge, counters.

Each takes and returns plain JSON data; whatever a user can do wrong is a :class:`WirespeedError`.
"""

from __future__ import annotations

import os
from typing import Any, Dict, List, Mapping, Optional, Sequence

from . import bundle as bundles
from . import soak_option, stored
from .converge import Converger
from .counting import count
from .errors import MissingPrerequisite, Place, WirespeedError
from .model.facts import dump
from .model.intent import NicIntent, parse
from .model.node import Node
from .model.settings import Setting
from .nic.on_demand import with_asked
from .observe import observe
from .pipeline.pins import Paths
from .profiles.asked import keys_asked
from .profiles.document import ProfileSet
from .profiles.resolve import resolve
from .selection import by_entry


def facts(names: Sequence[str], bundle: Optional[Mapping[str, Any]], firmware: bool = False) -> Dict[str, Any]:
    """The node and its NICs; with a bundle also the profile and the findings of each NIC.

    ``names`` adds virtual NICs, which are left out unless named. ``firmware`` asks the vendors' tools for all
    firmware settings too, which takes up to 20 s for each card. Needs no root, but without it
    the kernel hides the attached programs' names and ids of links. The inverse, without what the
    profiles add, is :func:`~.model.facts.parse`.
    """
    profiles = None if bundle is None else bundles.parse(bundle).profiles
    node = observe(Paths.from_environment(), names)
    node = with_asked(node, {name: _firmware_asked(profiles, node, name, firmware) for name in node.nics})
    data = dump(node)
    if profiles is not None:
        data["findings"] = []
        for name, nic in node.nics.items():
            profile = resolve(profiles, nic, node, NicIntent("name", name))
            data["nics"][name]["profile"] = list(profile.names)
            data["nics"][name]["findings"] = list(profile.findings)
            data["findings"] = list(dict.fromkeys([*data["findings"], *profile.host_findings]))
    return data


def _firmware_asked(
    profiles: Optional[ProfileSet], node: Node, name: str, everything: bool
) -> Mapping[Setting, Sequence[str]]:
    if everything:
        return {Setting.FIRMWARE: ()}
    if profiles is None:
        return {}
    return keys_asked(profiles, node.nics[name], node, NicIntent("name", name), [Setting.FIRMWARE])


def converge(
    intent: Mapping[str, Any],
    bundle: Mapping[str, Any],
    check: bool,
    source: str = "intent",
    soak: Optional[Mapping[str, Any]] = None,
    listener: Optional[int] = None,
) -> Dict[str, Any]:
    """Bring the node to its intent, or with ``check`` only say what that would take.

    Returns ``changed``, ``steps`` in order, ``deviations`` (what was not as wanted), ``nics`` (a row
    each), ``warnings``, ``recovered``, ``versions`` before and after (:mod:`.versions`) and an
    Ansible ``diff``. Check mode changes nothing and returns the same steps in the same order as the run
    after it. Raises :class:`~.apply.executor.ApplyFailed` after undoing everything. ``source`` is what errors about
    the intent call it. What a run has reached is stored for the next boot (:mod:`.stored`). With ``soak``
    (:mod:`.soak_option`) a change that does not prove itself is undone as well, and ``soak`` tells what was seen;
    ``listener`` is the descriptor that the one who asked reads.
    """
    require_root()
    place = Place(source)
    wanted, paths = parse(intent, place), Paths.from_environment()
    patience = soak_option.parse(soak, place)
    converger = Converger(wanted, bundles.parse(bundle), paths, place, soak=patience, listener=listener)
    if check:
        return converger.predict()

    def keep(node: Node) -> List[str]:
        return stored.keep(paths, intent, bundle, by_entry(wanted, node.nics, place), converger.done)

    return converger.run(keep)


def counters(
    intent: Mapping[str, Any],
    bundle: Mapping[str, Any],
    verify: bool,
    window_seconds: float,
    min_packets: int,
    source: str = "intent",
) -> Dict[str, Any]:
    """What each NIC and pipeline of the intent counted over a window, in one vocabulary.

    With ``verify`` whatever does not add up, and a window with fewer than ``min_packets`` packets,
    raises :class:`CountersDisagree`; without, it is told in ``findings``.
    """
    require_root()
    place = Place(source)
    paths = Paths.from_environment()
    data = count(parse(intent, place), bundles.parse(bundle), paths, place, window_seconds, min_packets)
    if verify and data["findings"]:
        raise CountersDisagree(data)
    return data


class CountersDisagree(WirespeedError):
    """``outcome`` is the whole counting, for a front that shows it."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        super().__init__(" ".join(data["findings"]))
        self.outcome = data


def require_root() -> None:
    if os.geteuid() != 0:
        raise MissingPrerequisite(
            f"This needs root (it runs as uid {os.geteuid()}): NIC settings and XDP want CAP_NET_ADMIN and CAP_BPF.",
            "Run it with sudo, or with 'become: true' in Ansible.",
        )
