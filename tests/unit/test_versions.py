# SPDX-License-Identifier: GPL-3.0-or-later
"""One version for all that is released."""

from __future__ import annotations

from pathlib import Path

import yaml

from wirespeed import __version__

ROOT = Path(__file__).resolve().parents[2]


def test_the_collection_has_the_engines_version() -> None:
    assert yaml.safe_load((ROOT / "galaxy.yml").read_text())["version"] == __version__
