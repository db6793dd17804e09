# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a rollback of one host goes: plain data in and out."""

from __future__ import annotations

import json
from typing import Any, Dict, List, Mapping, Sequence, Union

from .rollout import SCHEMA

WHAT = ("code", "configuration", "tuning")
ROLLOUT, PREVIOUS = "rollout", "previous"
NAMED = {"generation": "code", "configuration": "configuration", "tuning": "tuning"}

Goal = Dict[str, List[Any]]


class BadGoal(ValueError):
    """One sentence for the user."""


def goal(
    to: Union[str, Mapping[str, Any]],
    what: Sequence[str],
    pipelines: Sequence[str],
    record: str,
    summary: str = "",
    detach: bool = False,
) -> Goal:
    """``code``: ``name`` and ``generation`` of pipelines, ``configuration``: ``name`` and ``configuration``,
    ``tuning``: at most one ``version``; None stands for the one before the last change. ``detached``: the ``name`` of
    those that were not there before, with ``detach``. ``lines`` say it.

    ``record`` is the text of the host's result file, and ``summary`` that of the fleet's, for ``rollout``. Raises
    :class:`BadGoal`.
    """
    unknown = [str(word) for word in what if word not in WHAT]
    if unknown:
        raise BadGoal(f"wirespeed_rollback_what has {', '.join(unknown)}. Allowed: {', '.join(WHAT)}.")
    if isinstance(to, Mapping):
        found = _named(to, pipelines)
    elif to == PREVIOUS:
        found = _everything(pipelines, None, None, [{"version": None}])
    elif to == ROLLOUT:
        found = _before_rollout(record, summary, detach)
    else:
        raise BadGoal(
            f"wirespeed_rollback_to is {to!r}. Allowed: {ROLLOUT}, {PREVIOUS}, or a mapping of {', '.join(NAMED)}."
        )
    notes = found.pop("lines", [])
    chosen: Goal = {word: found[word] if word in what else [] for word in WHAT}
    chosen["detached"] = found.get("detached", []) if "code" in what else []
    return {**chosen, "lines": [*_lines(chosen), *notes] or ["nothing to go back to"]}


def _everything(pipelines: Sequence[str], generation: Any, configuration: Any, tuning: List[Any]) -> Goal:
    return {
        "code": [{"name": name, "generation": generation} for name in pipelines],
        "configuration": [{"name": name, "configuration": configuration} for name in pipelines],
        "tuning": tuning,
    }


def _named(to: Mapping[str, Any], pipelines: Sequence[str]) -> Goal:
    unknown = [str(word) for word in to if word not in NAMED]
    if unknown:
        raise BadGoal(f"wirespeed_rollback_to has {', '.join(unknown)}. Allowed: {', '.join(NAMED)}.")
    tuning = [{"version": int(to["tuning"])}] if "tuning" in to else []
    found = _everything(pipelines, str(to.get("generation")), to.get("configuration"), tuning)
    return {word: found[word] if key in to else [] for key, word in NAMED.items()}


def _before_rollout(text: str, summary: str, detach: bool) -> Goal:
    """Only what that rollout has changed: the rest is not its matter."""
    if summary and not text:
        return {"code": [], "configuration": [], "tuning": [], "lines": ["no rollout has come to this host"]}
    record = _read(text)
    before, after = record.get("before"), record.get("after")
    if before is None:
        raise BadGoal(
            "What this host ran before the rollout is not known. Say wirespeed_rollback_to: previous, or name versions."
        )
    found: Goal = {"code": [], "detached": [], "configuration": [], "tuning": [], "lines": []}
    then = (after or {}).get("pipelines", {})
    for name, was in before["pipelines"].items():
        now = then.get(name, {})
        if was["generation"] != now.get("generation"):
            if was["generation"] is None:
                if detach:
                    found["detached"].append({"name": name})
                else:
                    found["lines"].append(f"{name} was not there before: it stays, without wirespeed_rollback_detach.")
                continue
            found["code"].append({"name": name, "generation": was["generation"]})
        if was["configuration"] != now.get("configuration"):
            if was["configuration"] == 0:
                found["lines"].append(f"{name} had no document before: the one that was delivered stays.")
                continue
            found["configuration"].append({"name": name, "configuration": was["configuration"]})
    if before["tuning"] != (after or {}).get("tuning"):
        found["tuning"].append({"version": before["tuning"]})
    return found


def _read(text: str) -> Mapping[str, Any]:
    if not text:
        raise BadGoal(
            "There is no result of a rollout for this host. Say where they are (wirespeed_rollout_results), or say "
            "wirespeed_rollback_to: previous."
        )
    try:
        record = json.loads(text)
    except ValueError as error:
        raise BadGoal(f"The result of the rollout is damaged: {error}. Say wirespeed_rollback_to: previous.") from None
    if not isinstance(record, dict) or record.get("schema") != SCHEMA:
        raise BadGoal(f"The result of the rollout is not of schema {SCHEMA}. Say wirespeed_rollback_to: previous.")
    return record


def _lines(chosen: Goal) -> List[str]:
    lines = [f"{each['name']}: configuration {_name(each['configuration'])}" for each in chosen["configuration"]]
    lines += [f"{each['name']}: generation {_name(each['generation'])}" for each in chosen["code"]]
    lines += [f"{each['name']}: off its NICs" for each in chosen["detached"]]
    return lines + [f"tuning {_name(each['version'])}" for each in chosen["tuning"]]


def _name(version: Any) -> str:
    return "before the last change" if version is None else str(version)
