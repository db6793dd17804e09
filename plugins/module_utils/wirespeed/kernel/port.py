# SPDX-License-Identifier: GPL-3.0-or-later
"""Which network interface a kernel call is about."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Port:
    """Both names of one interface; a call that carries both is refused after a rename."""

    name: str
    ifindex: int
