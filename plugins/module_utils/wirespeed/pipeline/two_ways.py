# SPDX-License-Identifier: GPL-3.0-or-later
"""How a kind of step is carried out, and how it is read back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable

from ..model.step import Step


def nothing_to_read(step: Step) -> str:
    """Of a step that leaves nothing behind."""
    return ""


@dataclass(frozen=True)
class TwoWays:
    """``deviation`` is empty when the node is as ``step.after`` says, else a sentence."""

    apply: Callable[[Step], None]
    deviation: Callable[[Step], str] = nothing_to_read
