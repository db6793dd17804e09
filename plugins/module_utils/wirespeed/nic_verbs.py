# SPDX-License-Identifier: GPL-3.0-or-later
"""The verbs of the module ``nic`` that need its host: tuning without a pipeline. Plain JSON in and out."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Sequence

from . import bundle as bundles
from .config_option import PLACE, parse, told_of_config
from .converge import Converger
from .engine import require_root
from .errors import Place
from .gathered import gathered
from .model.intent import Intent
from .observe import observe
from .pipeline.pins import Paths
from .profiles.document import ProfileSet
from .selection import select
from .stored import keep_touched


def change(config: Sequence[Mapping[str, Any]], bundle: Mapping[str, Any], check: bool, merge: bool) -> Dict[str, Any]:
    """As :func:`~.engine.converge`; ``before`` and, where something changed, ``after`` are shaped like ``config``.

    With ``merge`` only the keys that ``config`` names are set, else also the whole tuning of the profile.
    """
    require_root()
    unpacked = bundles.parse(bundle)
    with told_of_config():
        paths = Paths.from_environment()
        converger = Converger(parse(config, merge), unpacked, paths, PLACE)
        result = converger.predict() if check else converger.run(lambda _node: keep_touched(paths, converger.done))
    names = [row["name"] for row in result["nics"]]
    seen = {"before": converger.seen[0], **({"after": converger.seen[-1]} if result["changed"] and not check else {})}
    for word, node in seen.items():
        result[word] = gathered(node, unpacked.profiles, [node.nics[name] for name in names])
    return result


def gather(config: Sequence[Mapping[str, Any]], bundle: Mapping[str, Any]) -> Dict[str, Any]:
    """``gathered``: what the NICs that ``config`` chooses have, or without ``config`` all physical ones."""
    with told_of_config():
        intent = parse(config, merge=True)
        return {"changed": False, "gathered": present(intent, bundles.parse(bundle).profiles, PLACE)}


def present(intent: Intent, profiles: ProfileSet, place: Place) -> List[Dict[str, Any]]:
    """What the NICs that the intent names have, or all physical ones, in the shape of an intent's ``nics``."""
    node = observe(Paths.from_environment(), [nic.wanted for nic in intent.nics if nic.selector == "name"])
    nics = [nic for nic, _wanted in select(intent, node.nics, place)] if intent.nics else node.nics.values()
    return gathered(node, profiles, nics)
