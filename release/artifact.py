# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection's artifact: what ``ansible-galaxy collection build`` makes, in its normal form."""

from __future__ import annotations

import sys
from pathlib import Path

from .source import Commit

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "collection"))

import reproducible

GALAXY = Path(sys.executable).parent / "ansible-galaxy"


def build(commit: Commit, into: Path) -> Path:
    """Raises :class:`Failed`."""
    commit.run(str(GALAXY), "collection", "build", str(commit.root), "--output-path", str(into))
    (made,) = into.glob("*.tar.gz")
    reproducible.normalise(made, commit.when)
    return made
