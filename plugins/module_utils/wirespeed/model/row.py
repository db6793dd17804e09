# SPDX-License-Identifier: GPL-3.0-or-later
"""A row of a table as the text that intents, plans and steps carry."""

from __future__ import annotations

import json
from typing import Any


def row_text(row: Any) -> str:
    """A text as it is; a mapping as compact JSON with its names sorted. Raises TypeError or ValueError for what JSON
    has not."""
    if isinstance(row, str):
        return row
    return json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
