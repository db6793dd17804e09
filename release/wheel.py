# SPDX-License-Identifier: GPL-3.0-or-later
"""The Python package ``wirespeed``: engine, profiles, objects, command line."""

from __future__ import annotations

import sys
from pathlib import Path

from .source import Commit


def build(commit: Commit, into: Path) -> Path:
    """By the setuptools of this environment, which pyproject.toml pins. Raises :class:`Failed`."""
    building = ["--no-deps", "--no-index", "--no-build-isolation", "--no-cache-dir", "--wheel-dir", str(into)]
    commit.run(sys.executable, "-m", "pip", "wheel", *building, str(commit.root))
    (made,) = into.glob("*.whl")
    return made
