# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of the whole machine: several NICs may ask for one, it is set once, and they must agree."""

from __future__ import annotations

from dataclasses import replace
from typing import Dict, List, Sequence, Set, Tuple

from ..model.desired import DesiredNic, Want
from ..model.settings import Setting
from ..model.step import Refusal, Step


def set_once(steps: Sequence[Step], done: Set[str]) -> Tuple[Step, ...]:
    """One NIC's steps without the values that a NIC before it sets already; ``done`` collects those."""
    kept: List[Step] = []
    for step in steps:
        if step.resource != Setting.HOST.value:
            kept.append(step)
            continue
        new = [key for key in step.after if key not in done]
        done.update(new)
        if new:
            before = {key: value for key, value in step.before.items() if key in new}
            kept.append(replace(step, before=before, after={key: step.after[key] for key in new}))
    return tuple(kept)


def disagreements(nics: Sequence[DesiredNic]) -> List[Refusal]:
    """A refusal for each NIC that asks for another value than the first one that asks."""
    first: Dict[str, Tuple[str, Want]] = {}
    refusals: List[Refusal] = []
    for nic in nics:
        for key, want in nic.profile.tuning.get(Setting.HOST, {}).items():
            name, other = first.setdefault(key, (nic.nic, want))
            if other.value != want.value:
                refusals.append(
                    Refusal(
                        nic.nic,
                        f"{Setting.HOST}.{key}",
                        f"{want.origin} wants {want.value!r}, and {other.origin} wants {other.value!r} for {name}; "
                        "the whole machine has one value.",
                        "Ask for the same value, or for one of the two NICs only.",
                    )
                )
    return refusals
