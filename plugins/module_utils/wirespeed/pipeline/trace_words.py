# SPDX-License-Identifier: GPL-3.0-or-later
"""The words in which a trace tells what a pipeline decided: section ``trace`` of the manifest."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, Mapping


@dataclass(frozen=True)
class TraceWords:
    """``customer`` and ``policy`` are what the two numbers of ``ws_note_owner`` are called (wirespeed_trace.h).

    ``mitigations`` name what stands behind a verdict, by the verdict's name; a verdict that is not there goes by its
    own.
    """

    customer: str = "cus"
    policy: str = "pol"
    mitigations: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> "TraceWords":
        return cls(**{**said, "mitigations": dict(said.get("mitigations", {}))})

    def to_json(self) -> Dict[str, Any]:
        return {"customer": self.customer, "policy": self.policy, "mitigations": dict(self.mitigations)}
