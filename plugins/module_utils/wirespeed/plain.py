# SPDX-License-Identifier: GPL-3.0-or-later
"""Dataclasses to plain JSON values, at the edge and nowhere else."""

from __future__ import annotations

import dataclasses
from enum import Enum
from typing import Any, Mapping


def plain(value: Any) -> Any:
    """Enums become their word, sets become sorted lists, mapping keys become text."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(plain(key)): plain(item) for key, item in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted(plain(item) for item in value)
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value
