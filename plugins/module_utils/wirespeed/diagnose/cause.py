# SPDX-License-Identifier: GPL-3.0-or-later
"""What a diagnosis says: a stage, how sure it is of it, its figures, and what to do. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from typing import Callable, Optional, Tuple

from .evidence import Evidence


class Stage(str, Enum):
    LINK = "link"
    FLOW_CONTROL = "flow control"
    MAC = "MAC"
    PCIE = "PCIe"
    DESCRIPTORS = "descriptors"
    CPU = "CPU"
    REDIRECT = "redirect"
    PROGRAM = "program"
    STACK = "stack"
    POLICY = "policy"
    NOTHING = "nothing"

    def __str__(self) -> str:
        return self.value


class Confidence(str, Enum):
    """``likely``: the figures speak for it and against the others. ``possible``: they do not speak against it."""

    CERTAIN = "certain"
    LIKELY = "likely"
    POSSIBLE = "possible"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True)
class Cause:
    """``frames`` that it explains, 0 for none that are lost. ``evidence`` and ``advice`` are sentences. ``gain``: how
    many times as many frames could be taken without it, at most, where that can be said."""

    stage: Stage
    says: str
    confidence: Confidence
    frames: int
    evidence: Tuple[str, ...]
    advice: Tuple[str, ...]
    gain: float = math.inf


Row = Callable[[Evidence], Optional[Cause]]
