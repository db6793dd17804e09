# SPDX-License-Identifier: GPL-3.0-or-later
"""Bytes that are always the same on this machine and different on others."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

_MACHINE_ID = Path("/etc/machine-id")


def derived(purpose: str, length: int) -> bytes:
    """``length`` bytes for one purpose; a shorter answer is the beginning of a longer one.

    HMAC-SHA256 over a counter with the machine id as key, because the id itself must not leave
    the machine (machine-id(5)). Empty where the machine has no id.
    """
    try:
        identity = _MACHINE_ID.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return b""
    if not identity:
        return b""
    blocks = -(-length // 32)
    parts = (
        hmac.new(identity.encode(), f"{purpose} {block}".encode(), hashlib.sha256).digest() for block in range(blocks)
    )
    return b"".join(parts)[:length]
