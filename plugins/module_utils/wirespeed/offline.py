# SPDX-License-Identifier: GPL-3.0-or-later
"""Planning without a host: a captured node's facts in, the plan out. Touches no kernel and needs no root."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, List

from . import report
from .bundle import Bundle
from .desire import desire
from .errors import BadInput, Place
from .gathered import gathered
from .model.facts import MAX_BYTES, parse_text
from .model.intent import Intent
from .model.nic import Nic
from .model.node import Node
from .nic.table import ON_DEMAND, SETTLE
from .plan.planner import plan
from .profiles.document import ProfileSet
from .selection import select


def read_facts(path: str) -> Node:
    """The node that a file of captured facts tells of. Raises :class:`BadInput`."""
    try:
        with open(Path(path), encoding="utf-8") as stream:
            return parse_text(stream.read(MAX_BYTES + 1), Place(path))
    except OSError as error:
        raise BadInput(Place(path), "", f"cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise BadInput(Place(path), "", "is not UTF-8 text, so it is no facts file.") from None


def render(intent: Intent, bundle: Bundle, node: Node, place: Place) -> Dict[str, Any]:
    """The plan for ``node`` as it was captured: the steps of a run that finds it so.

    Returns ``steps``, ``refusals``, ``deviations``, ``warnings``, ``diff`` and, in ``captured``, for
    what. A refusal is part of the answer here and no error; of a plan that has one no part would be
    carried out. Raises :class:`BadInput` and :class:`OutOfRange` as a run does.
    """
    chosen(intent, node, place)
    node = replace(node, nics={name: _without_what_is_read_on_demand(nic) for name, nic in node.nics.items()})
    planned = plan(node, desire(intent, bundle, node, place), SETTLE)
    return {
        "changed": False,
        "captured": {"hostname": node.hostname, "kernel": node.kernel.release, "boot_id": node.boot_id},
        "steps": report.steps_json(planned.steps),
        "refusals": report.refusals_json(planned.refusals),
        "deviations": report.deviations(planned),
        "warnings": list(planned.warnings),
        "diff": {"prepared": report.numbered(planned.steps)},
    }


def _without_what_is_read_on_demand(nic: Nic) -> Nic:
    """An intent that asks for such a setting is told why it cannot be planned here."""
    reason = "it is read on the host only when it is asked for, so it is not among the captured facts"
    return replace(nic, unsupported={**dict.fromkeys(set(ON_DEMAND) - set(nic.settings), reason), **nic.unsupported})


def parsed(intent: Intent, profiles: ProfileSet, node: Node, place: Place) -> List[Dict[str, Any]]:
    """What the captured NICs that the intent names have, or all of them, in the shape of an intent's ``nics``."""
    return gathered(node, profiles, chosen(intent, node, place) if intent.nics else node.nics.values())


def chosen(intent: Intent, node: Node, place: Place) -> List[Nic]:
    """As :func:`select`; an error says that the node is a captured one."""
    try:
        return [nic for nic, _wanted in select(intent, node.nics, place)]
    except BadInput as error:
        captured = f"These are captured facts of {node.hostname}, with virtual interfaces only where they were named."
        raise BadInput(error.place, error.field, error.detail, f"{error.remedy} {captured}") from None
