# SPDX-License-Identifier: GPL-3.0-or-later
"""What pyproject.toml names: Debian packages by group, Python packages by group; and where the cache is."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Project:
    """``apt`` and ``pip``: group name -> package names or requirements."""

    apt: Dict[str, List[str]]
    pip: Dict[str, List[str]]


def read(path: Path = ROOT / "pyproject.toml") -> Project:
    document = tomllib.loads(path.read_text())
    return Project(document["tool"]["wirespeed"]["apt"], document["project"]["optional-dependencies"])


def engine_requirements(path: Path = ROOT / "pyproject.toml") -> List[str]:
    """What the engine itself needs of PyPI."""
    return list(tomllib.loads(path.read_text())["project"]["dependencies"])


def cache() -> Path:
    """Everything that is fetched or built for reuse lives here, outside the tree."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(os.environ.get("WIRESPEED_CACHE") or base / "wirespeed")
