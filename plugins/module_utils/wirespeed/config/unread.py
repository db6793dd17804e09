# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows that the program, with its constants as they are, does not look at. Pure."""

from __future__ import annotations

from typing import Dict, List, Tuple

from ..pipeline.manifest import Manifest
from .compiled import Compiled


def unread(compiled: Compiled, manifest: Manifest) -> Tuple[str, ...]:
    """A warning for each constant that is 0 while there are rows of tables that need it."""
    found: Dict[str, List[str]] = {}
    for name, packed in compiled.tables.items():
        for constant in manifest.off(manifest.maps[name].needs) if packed.count else ():
            found.setdefault(constant, []).append(f"{name} ({packed.count:,})")
    return tuple(
        f"Nothing reads the rows of {' and '.join(tables)}: the constant {constant} is 0. "
        f"Set 'constants: {{{constant}: true}}' in the intent or the manifest, or leave them out."
        for constant, tables in found.items()
    )
