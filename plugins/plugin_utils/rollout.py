# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of hosts in a rollout: one record for each, and a summary of all. Plain data in and out; no clock.

A record (``schema`` 1)::

    host, rollout     the host's name, and the rollout's
    state             begun | changed | unchanged | rolled_back | refused | failed | unreachable
    reached           whether the host is where it should be
    at                when this was written, in seconds since 1970
    message           what went wrong, else ""
    before, after     versions (:mod:`..module_utils.wirespeed.versions`), None: not known; a rollback goes to before
    steps, undone     lines; disruption: the worst of the steps
    soak              what was seen while the change had to prove itself, or None
    nics              name, driver, firmware, kernel, profile, profile_digest
    configurations    by pipeline: version, before, changed
"""

from __future__ import annotations

import json
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence

SCHEMA = 1
REACHED = ("changed", "unchanged")
DISRUPTIVE = ("reset", "bounce", "gap")
_ORDER = ("none", "pause", *DISRUPTIVE)
_OF_NIC = ("name", "driver", "firmware", "kernel", "profile", "profile_digest")

Result = Mapping[str, Any]


def record(
    host: str,
    run: Mapping[str, Any],
    plan: Result,
    earlier: str,
    change: Optional[Result],
    deliveries: Sequence[Result],
    now: float,
    taken_back: Sequence[Result] = (),
) -> Dict[str, Any]:
    """``earlier`` is the text of the host's record so far; ``change`` None before the change begins. ``taken_back``:
    of the tasks that undid the rest of a :func:`partial` change."""
    results = _carried_out(change, deliveries)
    state = "begun" if change is None else _state(results)
    if taken_back:
        results += [item for each in taken_back for item in each.get("results", (each,))]
        state = "failed" if any(map(_went_wrong, taken_back)) else "rolled_back"
    told = plan if change is None or "steps" not in change else change
    made = {
        "schema": SCHEMA,
        "host": host,
        "rollout": run["id"],
        "state": state,
        "reached": state in REACHED,
        "at": now,
        "message": " ".join(str(each.get("msg", "")) for each in results if _went_wrong(each)).strip(),
        "steps": [step["text"] for step in told.get("steps", ())],
        "undone": [_line(step) for step in ((change or {}).get("outcome") or {}).get("undone", ())],
        "disruption": worst(told.get("steps", ())),
        "soak": (change or {}).get("soak"),
        "nics": [{key: nic.get(key) for key in _OF_NIC} for nic in told.get("nics", ())],
        "configurations": {
            _pipeline(each): {key: each.get(key) for key in ("version", "before", "changed")}
            for each in deliveries
            if "version" in each
        },
    }
    versions = _versions(plan, change, deliveries)
    return {**made, **_kept(made, versions, _read(earlier))}


def partial(change: Optional[Result], deliveries: Sequence[Result]) -> bool:
    """Whether a part of the change is on the host although another has failed."""
    results = _carried_out(change, deliveries)
    failed = [each for each in results if _went_wrong(each)]
    reachable = not any(each.get("unreachable") for each in failed)
    return bool(failed) and reachable and any(each.get("changed") for each in results if each not in failed)


def _carried_out(change: Optional[Result], deliveries: Sequence[Result]) -> List[Result]:
    return [each for each in (change, *deliveries) if each is not None and not each.get("skipped")]


def _versions(plan: Result, change: Optional[Result], deliveries: Sequence[Result]) -> Dict[str, Any]:
    """The versions before and after; after is None where it is not known."""
    told = (change or {}).get("versions") or plan.get("versions") or {}
    before, after = told.get("before"), told.get("after")
    if after is not None:
        after = json.loads(json.dumps(after))
        for each in deliveries:
            if "version" in each and _pipeline(each) in after["pipelines"]:
                after["pipelines"][_pipeline(each)]["configuration"] = each["version"]
    return {"before": before, "after": after}


def _kept(made: Mapping[str, Any], versions: Mapping[str, Any], earlier: Mapping[str, Any]) -> Dict[str, Any]:
    """Of a host that is there already, what was before is what an earlier run has found, if that brought it there."""
    if made["state"] == "unchanged" and earlier.get("before"):
        brought_here = earlier.get("state") == "begun" or earlier.get("after") == versions["after"]
        if brought_here:
            return {"before": earlier["before"], "after": versions["after"]}
    if made["state"] in ("rolled_back", "refused"):
        return {"before": versions["before"], "after": versions["before"]}
    return dict(versions)


def _read(text: str) -> Mapping[str, Any]:
    """Empty where there was none, or none that this version can read."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) and found.get("schema") == SCHEMA else {}


def _state(results: Sequence[Result]) -> str:
    if any(each.get("unreachable") for each in results):
        return "unreachable"
    failed = [each for each in results if each.get("failed")]
    if not failed:
        return "changed" if any(each.get("changed") for each in results) else "unchanged"
    if any(each.get("changed") for each in results if each not in failed):
        return "failed"  # a part of it stays until it is taken back
    outcome = failed[0].get("outcome") or {}
    if "undone" in outcome:
        return "rolled_back" if failed[0].get("clean", True) else "failed"
    return "refused" if "deviations" in outcome else "failed"


def _pipeline(delivery: Result) -> str:
    """Of an item of the loop over the documents."""
    return str(delivery["rollout_document"]["pipeline"])


def _went_wrong(result: Result) -> bool:
    return bool(result.get("failed") or result.get("unreachable"))


def _line(step: Mapping[str, Any]) -> str:
    return f"{step['target']}: {step['action']} {step['resource']}"


def worst(steps: Iterable[Mapping[str, Any]]) -> str:
    """The worst that traffic feels of these steps."""
    return max((step["disruption"] for step in steps), key=_ORDER.index, default="none")


def refusals(hosts: Sequence[str], variables: Mapping[str, Any]) -> List[str]:
    """``HOST: why`` for each host of which no plan could be made, or whose documents were refused."""
    found = []
    for host in hosts:
        known = variables[host]
        plan = known.get("rollout_plan") or {"failed": True, "msg": "no plan was made."}
        tried = (known.get("rollout_documents") or {}).get("results") or ()
        wrong = [each for each in (plan, *tried) if _went_wrong(each)]
        found += [
            f"{host}: {'unreachable: ' if each.get('unreachable') else ''}{each.get('msg', '')}" for each in wrong
        ]
    return found


def behind(hosts: Sequence[str], variables: Mapping[str, Any], batch: Sequence[str]) -> List[str]:
    """Hosts of earlier batches that are not where they should be, whatever Ansible itself counts them as."""
    earlier = hosts[: min((hosts.index(host) for host in batch if host in hosts), default=0)]
    return [host for host in earlier if not _reached(variables[host]).get("reached")]


def _reached(known: Mapping[str, Any]) -> Mapping[str, Any]:
    """The record among a host's variables; empty before there is one."""
    found: Mapping[str, Any] = (known.get("rollout_reached") or {}).get("record") or {}
    return found


def summary(
    hosts: Sequence[str], variables: Mapping[str, Any], run: Mapping[str, Any], committed: float, now: float
) -> Dict[str, Any]:
    """Every host with its state, and ``not_reached`` or ``nothing to do`` where no batch has come to it.

    ``configuration_seconds``: from the commit of a document to the last host that reported it, by pipeline, where all
    hosts have.
    """
    told = {host: _told(variables[host]) for host in hosts}
    return {
        "schema": SCHEMA,
        "rollout": run["id"],
        "started": float(run["started"]),
        "at": now,
        "whole": all(each["state"] in REACHED for each in told.values()),
        "hosts": told,
        "configuration_seconds": _delivery_times(hosts, variables, committed),
    }


def _told(known: Mapping[str, Any]) -> Dict[str, Any]:
    reached = _reached(known)
    if reached:
        return {key: reached[key] for key in ("state", "at", "message", "disruption")}
    return {"state": "not_reached", "planned": len((known.get("rollout_plan") or {}).get("steps", ()))}


def _delivery_times(hosts: Sequence[str], variables: Mapping[str, Any], committed: float) -> Dict[str, float]:
    """Without hosts that had it before this run: nothing was delivered to them."""
    times: Dict[str, float] = {}
    missing = set()
    for host in hosts:
        reached = _reached(variables[host])
        results = (variables[host].get("rollout_deliveries") or {}).get("results") or ()
        if not reached.get("reached"):
            missing.update(_pipeline(each) for each in results)
        for each in results:
            if each.get("changed") and "document_written" in each:
                since = committed or each["document_written"]
                seconds = round(reached["at"] - since, 3)
                times[_pipeline(each)] = max(times.get(_pipeline(each), 0.0), seconds)
    return {pipeline: seconds for pipeline, seconds in times.items() if pipeline not in missing}


def lines(told: Mapping[str, Any]) -> List[str]:
    """What went wrong first, with the reason; then how many hosts are in which state; then how long documents took."""
    found = [
        f"{host}: {each['state']}: {each['message']}"
        for host, each in told["hosts"].items()
        if each.get("message") and each["state"] not in REACHED
    ]
    states: Dict[str, List[str]] = {}
    for host, each in told["hosts"].items():
        states.setdefault(each["state"], []).append(host)
    found += [f"{state.replace('_', ' ')}: {_names(hosts)}" for state, hosts in states.items()]
    found += [
        f"configuration of {pipeline}: on the last host {seconds:.1f} s after its commit"
        for pipeline, seconds in told["configuration_seconds"].items()
    ]
    return found


def _names(hosts: Sequence[str], shown: int = 12) -> str:
    more = f" and {len(hosts) - shown} more" if len(hosts) > shown else ""
    return f"{len(hosts)} ({', '.join(hosts[:shown])}{more})"
