# SPDX-License-Identifier: GPL-3.0-or-later
"""A card for the stand-in of mstconfig (``firmware/mstconfig``): its state in a file, its calls in another."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Dict, List

import pytest

from wirespeed.kernel import ethtool_binding
from wirespeed.kernel.port import Port

TOOLS = Path(__file__).parent / "firmware"
ADDRESS = "0000:41:00.0"
PORT = Port("eth1", 7)
LINK_TYPES = {"1": "IB", "2": "ETH"}
COMPRESSION = {"0": "BALANCED", "1": "AGGRESSIVE"}
PARAMETERS: Dict[str, Dict[str, Any]] = {
    "SRIOV_EN": {"kind": "bool", "default": 0, "current": 1, "next": 1},
    "NUM_OF_VFS": {"kind": "number", "default": 8, "current": 5, "next": 5},
    "LINK_TYPE_P1": {"kind": "enum", "words": LINK_TYPES, "default": "1", "current": "2", "next": "2"},
    "CQE_COMPRESSION": {"kind": "enum", "words": COMPRESSION, "default": "0", "current": "0", "next": "1"},
    "HOST_CHAINING_DESCRIPTORS": {"kind": "array", "default": 0, "current": 0, "next": 0},
    "INTERNAL_CPU_MODEL": {"kind": "number", "default": 1, "current": 1, "next": 1, "read_only": True},
}


class Card:
    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.path = path
        self._monkeypatch = monkeypatch
        self.write({"address": ADDRESS, "parameters": json.loads(json.dumps(PARAMETERS))})
        monkeypatch.setenv("WIRESPEED_FAKE_CARD", str(path))
        monkeypatch.setenv("PATH", f"{TOOLS}{os.pathsep}{os.environ['PATH']}")
        self.driven_by("mlx5_core")

    def driven_by(self, driver: str) -> None:
        self._monkeypatch.setattr(ethtool_binding, "identity", lambda _name: (driver, ADDRESS))

    def write(self, state: Dict[str, Any]) -> None:
        self.path.write_text(json.dumps(state), encoding="utf-8")

    def set(self, **changes: Any) -> None:
        self.write({**json.loads(self.path.read_text(encoding="utf-8")), **changes})

    def next(self, key: str) -> Any:
        return json.loads(self.path.read_text(encoding="utf-8"))["parameters"][key]["next"]

    @property
    def calls(self) -> List[List[str]]:
        file = Path(f"{self.path}.calls")
        return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []


@pytest.fixture
def card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Card:
    return Card(tmp_path / "card.json", monkeypatch)
