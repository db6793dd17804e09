# SPDX-License-Identifier: GPL-3.0-or-later
"""One host in a drift report, as plain data. Its shape is that of ``schema.json``."""

from __future__ import annotations

from enum import Enum
from typing import Any, Dict, List, Mapping, Optional, Tuple

from ..model.step import Disruption

Host = Dict[str, Any]

MAX_ITEMS = 64
MAX_TEXT = 2000

PROGRAM, CODE, CONFIG = "program", "code", "config"
FILTERING = (PROGRAM, CODE, CONFIG)
"""Kinds of deviations that change what becomes of packets. All others are names of settings: they cost speed."""


class State(str, Enum):
    """What is known of a host. Only ``clean`` is good news, and it is said of no host that was not looked at.

    ``drift``        at least one deviation.
    ``unsupported``  it answered; what is asked for, this NIC, driver, kernel or host cannot have. Nothing deviates
                     besides.
    ``failed``       it answered, and could not be looked at: a mistake in the intent, a defect.
    ``unreachable``  it did not answer.
    ``clean``        all is as it should be.
    """

    DRIFT = "drift"
    UNSUPPORTED = "unsupported"
    FAILED = "failed"
    UNREACHABLE = "unreachable"
    CLEAN = "clean"

    def __str__(self) -> str:
        return self.value


def compared(host: str, result: Mapping[str, Any]) -> Optional[Host]:
    """Of what the module ``node`` returned, also by a refusal; None where it has compared nothing."""
    told = result if "deviations" in result else result.get("outcome") or {}
    if "deviations" not in told:
        return None
    unsupported = [_lack(each) for each in told["deviations"] if each.get("unsupported")]
    deviations = sorted((_deviation(each) for each in told["deviations"] if not each.get("unsupported")), key=_rank)
    state = State.DRIFT if deviations else State.UNSUPPORTED if unsupported else State.CLEAN
    nics = told.get("nics") or []
    return {
        **_empty(host, state, ""),
        "hostname": told.get("hostname", ""),
        "kernel": told.get("kernel", ""),
        "nics": [_nic(row) for row in nics],
        "pipelines": [dict(each) for each in told.get("pipelines") or []],
        "deviations": deviations,
        "unsupported": unsupported,
    }


def _rank(deviation: Mapping[str, Any]) -> Tuple[bool, int]:
    """What becomes of packets first, then what no step repairs, then what costs most to repair; alike as planned."""
    cost = deviation["disruption"]
    return deviation["kind"] not in FILTERING, -len(Disruption) if cost is None else -Disruption(cost).rank


def not_compared(host: str, state: State, reason: str) -> Host:
    return _empty(host, state, _bounded(reason))


def _empty(host: str, state: State, reason: str) -> Host:
    return {
        "host": host,
        "state": state.value,
        "reason": reason,
        "hostname": "",
        "kernel": "",
        "nics": [],
        "pipelines": [],
        "deviations": [],
        "unsupported": [],
    }


def _nic(row: Mapping[str, Any]) -> Dict[str, Any]:
    xdp = row["xdp"]
    return {
        "name": row["name"],
        "driver": row["driver"],
        "firmware": row["firmware"],
        "profile": list(row["profile"]),
        "profile_hash": row["profile_digest"],
        "pipeline": row["pipeline"],
        "xdp": xdp and {"mode": xdp["mode"], "program": xdp["prog_name"], "pipeline": xdp["pipeline"]},
    }


def _deviation(told: Mapping[str, Any]) -> Dict[str, Any]:
    """What no step repairs has no values, but a remedy."""
    repairable = told["disruption"] is not None
    return {
        "kind": told["kind"],
        "path": told["path"],
        "target": told["target"],
        "want": _value(told, "want") if repairable else None,
        "have": _value(told, "have") if repairable else None,
        "reason": _bounded(told["why"]),
        "remedy": "" if repairable else _bounded(told["want"]),
        "origin": told["origin"],
        "disruption": told["disruption"],
        "also": list(told.get("also", ())),
    }


def _value(told: Mapping[str, Any], side: str) -> Any:
    """Of rows that differ the rows alone: which generation has them is told with the pipeline."""
    value = told[side]
    if told["kind"] == CONFIG and isinstance(value, Mapping) and "rows" in value:
        value = {"rows": value["rows"]}
    return _bounded(value)


def _lack(told: Mapping[str, Any]) -> Dict[str, Any]:
    return {
        "kind": told["kind"],
        "path": told["path"],
        "target": told["target"],
        "reason": _bounded(told["why"]),
        "remedy": _bounded(told["want"]),
    }


def _bounded(value: Any) -> Any:
    """A table can differ in a million rows; a report needs the first ones, and how many there are."""
    if isinstance(value, str):
        return value if len(value) <= MAX_TEXT else f"{value[:MAX_TEXT]}… {len(value)} characters in all"
    if isinstance(value, Mapping):
        return {str(key): _bounded(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        shown: List[Any] = [_bounded(item) for item in value[:MAX_ITEMS]]
        return shown if len(value) <= MAX_ITEMS else [*shown, f"… {len(value)} in all"]
    return value
