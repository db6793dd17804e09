# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lab says when it cannot go on."""

from __future__ import annotations


class LabError(Exception):
    """One paragraph: what failed, with what, and where the evidence is."""
