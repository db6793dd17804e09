# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run tells: steps as text, deviations by path, and one row for each NIC."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Sequence

from .model.desired import Desired, DesiredNic, DesiredPipeline
from .model.node import InstanceFacts, Node
from .model.step import Action, Disruption, Plan, Refusal, Step
from .plain import plain

SHOWN_VALUES = 8
_DIGITS = 12
_PROGRAM, _CODE, _CONFIG = "program", "code", "config"
_KINDS = {
    **dict.fromkeys((Action.ATTACH, Action.DETACH, Action.SWAP, Action.ADOPT, Action.RELEASE), _PROGRAM),
    **dict.fromkeys((Action.CONFIGURE, Action.DELIVER), _CONFIG),
    **dict.fromkeys((Action.LOAD, Action.UNLOAD, Action.PUBLISH, Action.ROOT, Action.FORMER_ROOT), _CODE),
}
"""What a step of this kind stands for in a report; of the others the setting's own name."""
_REFUSED = {"xdp": _PROGRAM, "state": _CODE}


def line(step: Step) -> str:
    """One step as a person reads it: ``enp1s0: set rings: rx 256 -> 4096 [bounce] - why (origin)``."""
    cost = "" if step.disruption is Disruption.NONE else f" [{step.disruption}]"
    what = "" if step.resource in ("xdp", "instance", "slot") else f" {step.resource}"
    return f"{step.target}: {step.action}{what}: {change(step)}{cost} - {step.why} ({step.origin})"


def change(step: Step) -> str:
    if step.action is Action.CONFIGURE:
        return f"+{len(step.after['rows'])} -{len(step.before['rows'])} rows"
    if step.action is Action.DELIVER:
        return _delivery(step)
    keys = [key for key in dict.fromkeys((*step.before, *step.after)) if key != "digest"]  # a generation is its start
    if not step.before or not step.after:
        return ", ".join(f"{key} {short((step.after or step.before)[key])}" for key in keys)
    return ", ".join(_changed(key, step.before.get(key), step.after.get(key)) for key in keys)


def _delivery(step: Step) -> str:
    said = step.after.get("delivery")
    if said is None:
        return f"configuration {step.after['digest'][:_DIGITS]} into generation {step.after['generation']}"
    versions = f"version {step.before['version'] or 'none'} -> {step.after['version']}"
    return f"{versions} by {said['strategy']}, {said['operations']} of {said['rows']} rows"


def _changed(key: str, before: Any, after: Any) -> str:
    """What reads right already is written again: it was lost in between, or is not in force."""
    return f"{key} {short(after)} again" if before == after else f"{key} {short(before)} -> {short(after)}"


def short(value: Any) -> str:
    if isinstance(value, list) and len(value) > SHOWN_VALUES:
        return f"[{' '.join(map(str, value[:SHOWN_VALUES]))} ... {len(value)} buckets]"
    if isinstance(value, bool):  # before any comparison: 1 == True
        return "on" if value else "off"
    return "none" if value is None else str(value)


def numbered(steps: Sequence[Step]) -> str:
    return "".join(f"{number}. {line(step)}\n" for number, step in enumerate(steps, 1))


def deviations(plan: Plan) -> List[Dict[str, Any]]:
    """One entry for each value that is not as wanted; steps that only serve another are left out.

    ``kind`` is ``program`` (the hook), ``code`` (what is loaded), ``config`` (rows) or a setting.
    What no step can repair is among them, with ``disruption`` None and the remedy as ``want``; ``unsupported`` where
    it never could be had here. ``also``, where it is, tells who else sets the value, and in which file.
    """
    found = [_refusal(refusal) for refusal in plan.refusals]
    for step in plan.drift:
        shared = {
            "kind": _KINDS.get(step.action, step.resource),
            "target": step.target,
            "why": step.why,
            "origin": step.origin,
            "disruption": _repair_cost(plan, step).value,
        }
        if step.action is Action.SET:
            for key in _differing(step):
                want, path = step.after[key], f"{step.path}.{key}"
                also = [conflict.other for conflict in plan.conflicts if conflict.path == path]
                told = {"also": also} if also else {}
                found.append({"path": path, "want": want, "have": step.before.get(key), **shared, **told})
        else:
            found.append({"path": step.path, "want": dict(step.after), "have": dict(step.before), **shared})
    return found


def refusals_json(refusals: Sequence[Refusal]) -> List[Dict[str, str]]:
    told = ("target", "resource", "reason", "remedy")
    return [{**{name: getattr(refusal, name) for name in told}, "text": str(refusal)} for refusal in refusals]


def _differing(step: Step) -> List[str]:
    """A step also writes what reads right, where that is lost in between; all of it, where none of it is in force."""
    return [key for key, want in step.after.items() if step.before.get(key) != want] or list(step.after)


def _refusal(refusal: Refusal) -> Dict[str, Any]:
    what = refusal.resource.partition(".")[0]
    return {
        "kind": _REFUSED.get(what, what),
        "path": f"{refusal.target}.{refusal.resource}",
        "want": refusal.remedy,
        "have": refusal.reason,
        "target": refusal.target,
        "why": refusal.reason,
        "origin": "",
        "disruption": None,
        **({"unsupported": True} if refusal.unsupported else {}),
    }


def _repair_cost(plan: Plan, step: Step) -> Disruption:
    """The worst of the step itself and of those that it needs (a detach for virtio_net channels)."""
    served = [each for each in plan.steps if each.target == step.target and each.because == step.resource]
    return max([step, *served], key=lambda each: each.disruption.rank).disruption


def rows(node: Node, desired: Desired, steps: Sequence[Step]) -> List[Dict[str, Any]]:
    return [_row(node, wanted, [step for step in steps if step.target == wanted.nic]) for wanted in desired.nics]


def _row(node: Node, wanted: DesiredNic, steps: Sequence[Step]) -> Dict[str, Any]:
    nic = node.nics[wanted.nic]
    return {
        "name": nic.name,
        "driver": nic.driver,
        "firmware": nic.firmware,
        "kernel": node.kernel.release,
        "profile": list(wanted.profile.names),
        "profile_digest": wanted.profile.digest,
        "xdp": plain(nic.xdp),
        "pipeline": wanted.pipeline,
        "carrier": nic.carrier,
        "carrier_changes": nic.carrier_changes,
        "settings": {setting.value: plain(facts.values) for setting, facts in nic.settings.items()},
        "changed": [line(step) for step in steps],
        "disruption": max((step.disruption for step in steps), key=lambda d: d.rank, default=Disruption.NONE).value,
    }


def pipelines(node: Node, desired: Desired) -> List[Dict[str, Any]]:
    """What is to be live of each pipeline, and what is."""
    return [_pipeline(wanted, node.instance(wanted.name)) for wanted in desired.pipelines]


def _pipeline(wanted: DesiredPipeline, live: Optional[InstanceFacts]) -> Dict[str, Any]:
    return {
        "name": wanted.name,
        "object_hash": wanted.digest,
        "generation": wanted.generation,
        "running_object_hash": live.digest if live else None,
        "running_generation": live.generation if live else None,
        "config_version": live.configuration if live else None,
    }


def steps_json(steps: Sequence[Step]) -> List[Mapping[str, Any]]:
    return [{**step.to_json(), "text": line(step)} for step in steps]
