# SPDX-License-Identifier: GPL-3.0-or-later
"""What carries out a step, and the one way in which a step is carried out: act, then read back."""

from __future__ import annotations

from typing import Mapping, Protocol

from ..errors import ReadBackMismatch
from ..model.step import Action, Step


class Actuator(Protocol):
    """What carries out the steps of some actions; each lives with what it changes.

    ``apply`` raises :class:`WirespeedError`; it may be called for what is so already.
    ``deviation`` reads back: empty when the node is as ``step.after`` says, else a sentence about
    what is there instead.
    """

    def apply(self, step: Step) -> None: ...

    def deviation(self, step: Step) -> str: ...


Actuators = Mapping[Action, Actuator]


def act(step: Step, actuators: Actuators) -> None:
    """Raises :class:`WirespeedError` when the call fails, :class:`ReadBackMismatch` when it had another effect."""
    actuator = actuators[step.action]
    actuator.apply(step)
    found = actuator.deviation(step)
    if found:
        raise ReadBackMismatch(f"the call succeeded, but reading back finds: {found}")
