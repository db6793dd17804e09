# SPDX-License-Identifier: GPL-3.0-or-later
"""Go back to an earlier version of the node's tuning; the XDP hooks stay as they are. Plain JSON in and out.

What runs had asked for then is asked for again, with the profiles of then. Settings that nothing asked for then get the
value that they had. The next boot brings back what holds then.
"""

from __future__ import annotations

import json
import time
from typing import Any, Dict, List, Mapping, Optional, Sequence

from . import bundle as bundles
from . import stored, tuning_history
from .bundle import Bundle
from .converge import Converger
from .engine import require_root
from .errors import BadInput, Place
from .model.intent import Intent, NicIntent, parse
from .model.node import Node
from .model.stored import Stored
from .model.tuning_history import NicBefore, TuningHistory, touched, uncovered
from .observe import observe
from .pipeline.pins import Paths
from .profiles.document import ProfileSet
from .profiles.resolve import resolve

PLACE = Place("wirespeed.xdp.nic")
_LISTS = ("steps", "corrections", "deviations", "nics", "warnings", "recovered")


def rolled_back(version: Optional[int], bundle: Mapping[str, Any], check: bool) -> Dict[str, Any]:
    """As :func:`~.engine.converge`, with ``tuning``: the versions ``before`` and ``after``.

    Without ``version`` to the tuning before the last change; where that was such a rollback, nothing is done. Raises
    :class:`BadInput` for a version that is not kept. NICs with other profiles are a transaction of their own.
    """
    require_root()
    paths = Paths.from_environment()
    history = tuning_history.read(paths)
    target = history.previous if version is None else _known(history, version)
    result: Dict[str, Any] = {"changed": False, **{name: [] for name in _LISTS}, "diff": {"prepared": ""}}
    if target is not None:
        wanted = history.since(target)
        node = observe(paths, list(wanted))
        gone = [name for name in wanted if name not in node.nics]
        result["warnings"] += [f"{name} is not on this node any more: nothing was done about it." for name in gone]
        there = {name: before for name, before in wanted.items() if name in node.nics}
        for digest in dict.fromkeys(before.profiles for before in there.values()):
            part = {name: before for name, before in there.items() if before.profiles == digest}
            profiles = _profiles(paths, digest, bundle)
            _add(result, _run(paths, _intent(part, profiles, node), profiles, part, target, check))
    after = history if check else tuning_history.read(paths)
    return {**result, "tuning": {"before": history.version, "after": after.version}}


def _known(history: TuningHistory, version: int) -> Optional[int]:
    if version == history.version:
        return None
    if version not in history.known:
        known = ", ".join(map(str, [*history.known, history.version] if history.changes else [0]))
        raise BadInput(PLACE, "version", f"{version} is no version of this node's tuning.", f"There are: {known}.")
    return version


def _profiles(paths: Paths, digest: str, bundle: Mapping[str, Any]) -> ProfileSet:
    """Those of then; where nothing had been asked for, those that were sent along tell limits and order."""
    if not digest:
        return bundles.parse(bundle).profiles
    return ProfileSet.from_json(json.loads(stored.part(paths, digest)))


def _intent(wanted: Mapping[str, NicBefore], profiles: ProfileSet, node: Node) -> Intent:
    return parse({"nics": [_entry(name, each, profiles, node) for name, each in wanted.items()]}, PLACE)


def _entry(name: str, before: NicBefore, profiles: ProfileSet, node: Node) -> Dict[str, Any]:
    entry: Dict[str, Any] = {**(before.entry or {"profile_tuning": False}), "name": name}
    covered: Dict[str, List[str]] = {}
    if before.entry is not None:
        (intent,) = parse({"nics": [entry]}, PLACE).nics
        covered = _asked(profiles, node, name, intent)
    tuning = {setting: dict(keys) for setting, keys in (entry.get("tuning") or {}).items()}
    for setting, keys in uncovered(before.values, covered).items():
        tuning[setting] = {**keys, **tuning.get(setting, {})}
    return {**entry, "tuning": tuning}


def _asked(profiles: ProfileSet, node: Node, name: str, intent: NicIntent) -> Dict[str, List[str]]:
    tuning = resolve(profiles, node.nics[name], node, intent).tuning
    return {setting.value: list(keys) for setting, keys in tuning.items()}


def _run(
    paths: Paths, intent: Intent, profiles: ProfileSet, part: Mapping[str, NicBefore], target: int, check: bool
) -> Dict[str, Any]:
    converger = Converger(intent, Bundle(profiles, {}), paths, PLACE)
    if check:
        return converger.predict()

    def keep(dummy: Node) -> Sequence[str]:
        earlier = stored.read(paths)
        now = {name: (each.entry, each.profiles) for name, each in part.items()}
        noted = touched(earlier or Stored(), converger.done, list(part))
        stored.put_back(paths, now, noted, target, time.time())
        return ()

    return converger.run(keep)


def _add(result: Dict[str, Any], more: Mapping[str, Any]) -> None:
    for name in _LISTS:
        result[name] += more[name]
    result["changed"] = result["changed"] or more["changed"]
    result["diff"]["prepared"] += more["diff"]["prepared"]
